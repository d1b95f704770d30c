/** Decoders: from the latent of the visible tokens to a prediction for every patch. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";

export interface DecoderContext {
  /** Features of a latent token. */
  readonly encoderWidth: number;
  /** Numbers predicted for each patch, P. */
  readonly outputs: number;
  /** Features of a token of the encoder in the target's braces; null: there is none. */
  readonly codeWidth: number | null;
  /** Sequences of tokens that this encoder makes of one sample. */
  readonly sequences: number;
  /** Whether it is this decoder that `enter`s hidden tokens: of several decoders, the model's own. */
  readonly enters: boolean;
}

export interface DecoderInputs {
  /** [B, extra + V, D]; [B, extra + N, D] where the decoder has `enter`. */
  readonly latent: Tensor;
  /** int32 [B, V], [B, N - V] and [B, N] */
  readonly visible: Tensor;
  readonly hidden: Tensor;
  readonly restore: Tensor;
  /** What the encoder in the target's braces gives; null: there is none. */
  readonly encoded: Encoded | null;
  /** Of the decoder's own width, [1, extra + N, Dd]. */
  readonly positions: Tensor | null;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** Patches, N. */
  readonly count: number;
}

/** What an encoder makes of the visible tokens of a target. */
export interface Encoded {
  /** [B', extra' + V, De], before the encoder's final normalisation; B' is a multiple of B: the sequences of a sample. */
  readonly tokens: Tensor;
  /** That normalisation, on tokens [..., De]. */
  readonly normalize: (tokens: Tensor) => Tensor;
}

export interface Decoder<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, ModelContext> {
  /** Features of the decoder's own position table; null: it has none. */
  width(p: ValuesOf<P>): number | null;
  parameters(p: ValuesOf<P>, context: DecoderContext): T;
  /**
   * Present where hidden tokens already stand in the encoder's input: visible tokens [B, V, D] without positions
   * -> every token [B, N, D], in raster order.
   */
  enter?(code: Code, p: ValuesOf<P>, w: Weights<T>, visible: Tensor, restore: Tensor): Tensor;
  /** Present where it needs what an encoder in the target's braces gives; any other decoder sees the latent alone. */
  readonly readsEncoded?: true;
  /** -> prediction [B, N, P] in raster order. */
  decode(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: DecoderInputs): Tensor;
}

export const defineDecoder = <const P extends Params, T extends ParameterTree>(decoder: Decoder<P, T>): Decoder<P, T> =>
  ofKind("decoder", decoder);

/** Decoders: from the latent of the visible tokens to a prediction for every patch. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind, type Requirement } from "../block.js";
import type { Code } from "../code.js";
import type { MapLevel, Turned } from "../encoder/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";
import type { Places } from "../places.js";
import type { Lattice } from "../sets.js";
import type { StagedDecoder } from "../staged-model.js";
import type { TransformerFacts } from "../vision-transformer.js";

export interface DecoderContext {
  /** Features of a latent token. */
  readonly encoderWidth: number;
  /** Numbers predicted for each patch, P. */
  readonly outputs: number;
  /** Features of a token of the encoder in the target's braces; null: there is none. */
  readonly codeWidth: number | null;
  /** Sequences of tokens that this encoder makes of one sample. */
  readonly sequences: number;
  /** Labels of the inputs whose tokens it reads, where they are several; else empty. */
  readonly inputs: readonly string[];
  /** Whether the latent is of every token: hidden ones pass through the encoder. */
  readonly whole: boolean;
  /** How what is predicted is cut into patches. */
  readonly grid: Lattice;
  /** Maps that the encoder gives, and how many places of the array lie along each axis, and along one of a cell; null: it gives tokens. */
  readonly maps: {
    /** The finest first. */
    readonly levels: readonly MapLevel[];
    readonly sizes: readonly number[];
    readonly cell: number;
  } | null;
}

/** The tokens of one input among those that a decoder reads. */
export interface TokenGroup {
  /** The label of the input; null: it is the only one. */
  readonly input: string | null;
  /** Tokens of the whole input, N. */
  readonly count: number;
  /**
   * Those that are in the latent, V, or all; 0 where the encoder does not see the input, or latents alone go on. null: one mask lies over all inputs, and their
   * number differs from sample to sample.
   */
  readonly visible: number | null;
  /** Whether that number differs from batch to batch. */
  readonly varies: boolean;
  /** Which they are; null as `visible` is, and where all are there in raster order: none is hidden, or hidden ones pass the encoder. */
  readonly places: Places | null;
  /** Of the decoder's own width, [1 or B, N, Dd], of the only group with rows for tokens in front; null: it has none, or `again` or `turned` has it. */
  readonly positions: Tensor | null;
  /** Positions of the only group, [B, extra + N, Dd], that are added before each layer; null: there are none. */
  readonly again: Tensor | null;
  /** How queries and keys of the only group are turned by their places, tokens in front left as they are; null: they are not. */
  readonly turned: Turned | null;
  /** A learned vector of the input, [1, 1, Dd], added to its tokens; null: there is none. */
  readonly mark: Tensor | null;
}

/** What a decoder reads of the latent, whatever it predicts. */
export interface LatentInputs {
  /** [B, extra + V, D], the groups one after the other; [B, extra + N, D] in raster order where `whole`. */
  readonly latent: Tensor;
  /** Whether the latent is of every token of all groups. */
  readonly whole: boolean;
  /** Tokens in front of the patches; latents, where the model has some: no token of a patch is then in the latent. */
  readonly extra: number;
  /** What is added to latents, [1, extra, Dd]; null: what stands in front are none. */
  readonly front: Tensor | null;
  /** One for each input, in the order of the latent; that of an input which is only predicted stands behind them. */
  readonly groups: readonly TokenGroup[];
  /** What is added to the scores of attention among all tokens of all groups, [B, 1, 1, extra + N], where there is a text; null: all count. */
  readonly padding: Tensor | null;
  /** Of a mask that lies over all inputs; null: each has its own, or there is one. */
  readonly joint: Places | null;
}

/** Hidden tokens that are predicted block by block. */
export interface HiddenBlocks {
  /** int32 [B, blocks tokens], one block after the other. */
  readonly places: Tensor;
  readonly blocks: number;
  readonly tokens: number;
}

export interface DecoderInputs extends LatentInputs {
  /** What is made of the views that it asks, in their order; none where it asks none. */
  readonly asked: readonly LatentInputs[];
  /** Of the mask over what is predicted; null: nothing of it is hidden. */
  readonly places: Places | null;
  /** What of it the mask wants predicted block by block; null: all that is hidden is, together. */
  readonly blocks: HiddenBlocks | null;
  /** What the encoder in the target's braces gives; null: there is none. */
  readonly encoded: Encoded | null;
  /** Maps that the encoder gives, the finest first, [B, ...S, D] each; none of an encoder that gives tokens. */
  readonly maps: readonly Tensor[];
  /** Where something is visible on the map of a stride, or on the deepest. */
  readonly kept: (stride?: number) => Tensor;
  /** How what is predicted is cut into patches. */
  readonly grid: Lattice;
  /** Patches of what is predicted, N. */
  readonly count: number;
  /** The group of what is predicted, in `groups`. */
  readonly own: number;
  /**
   * Every token of all inputs as the first blocks of the model's own decoder leave it, [B, extra + N, Dd]. Only for a decoder that begins
   * behind some.
   */
  readonly behind: (blocks: number) => Tensor;
  /** In which the tokens of what is predicted are looked up, [vocabulary, D]; null: they are made otherwise. */
  readonly table: Tensor | null;
}

/** A decoder that predicts several targets at once: a network over the tokens of all inputs, and a head for each target. */
export interface SharedDecoder<
  P extends Params = Params,
  T extends ParameterTree = ParameterTree,
  H extends ParameterTree = ParameterTree,
> {
  parameters(p: ValuesOf<P>, context: Pick<DecoderContext, "encoderWidth" | "whole">): T;
  /** `outputs`: numbers predicted for each patch. */
  head(p: ValuesOf<P>, outputs: number): H;
  /** -> every token of all inputs, [B, extra + N, Dd]. */
  decode(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: LatentInputs): Tensor;
  /** The tokens of one input [B, N, Dd] -> prediction [B, N, P] */
  predict(code: Code, p: ValuesOf<P>, w: Weights<T>, head: Weights<H>, tokens: Tensor): Tensor;
}

/** The blocks of a decoder that another one can begin behind. */
export interface BlocksOfDecoder<P extends Params = Params> {
  /** How many there are; null: with these values it does not attend to all tokens together. */
  count(p: ValuesOf<P>): number | null;
  /** -> every token of all inputs as its first `blocks` blocks leave it, [B, extra + N, Dd]. */
  behind(code: Code, p: ValuesOf<P>, w: Weights<ParameterTree>, inputs: LatentInputs, blocks: number): Tensor;
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
  /** Present where it reads tokens whose positions are computed of the sample, also before each layer. */
  readonly readsCoordinates?: true;
  /**
   * Features of a head, where queries and keys can be turned by the places of their tokens; 0: its tokens do not attend to each other; null, or
   * absent: they cannot.
   */
  headWidth?(p: ValuesOf<P>): number | null;
  /** What it is elsewhere, where it is a plain vision transformer; null, or absent: it is none. */
  transformer?(p: ValuesOf<P>): TransformerFacts | null;
  /** What it is elsewhere over maps; if absent, no library has it. */
  staged?(p: ValuesOf<P>): StagedDecoder;
  /**
   * Which latent it reads: of the visible tokens, where absent; of every token, `every`, so that hidden ones pass through the encoder;
   * either, as the mask says; or the maps of an encoder that gives some.
   */
  readonly reads?: "every" | "either" | "maps";
  /** Present where it asks views of a sample for what it predicts of the others: the names of their streams. */
  asks?(p: ValuesOf<P>): readonly string[];
  /** Present where nothing that it attends to is behind the end of a text; if absent, it reads inputs of which all tokens count. */
  readonly padding?: true;
  /** Present where it gives a logit of each id of a text; by the table of ids; any other decoder gives numbers, which may be such logits. */
  readonly predicts?: "ids";
  /** Present where it needs what an encoder in the target's braces gives; any other decoder sees the latent alone. */
  readonly readsEncoded?: true;
  /** Present where it begins behind some blocks of the model's own decoder, and reads the latent through those alone. */
  readonly readsDecoder?: true;
  /** Present where another decoder can begin behind some of its blocks. */
  readonly blocks?: BlocksOfDecoder<P>;
  /** Present where it predicts blocks of hidden tokens, each by itself: its prediction is [B, blocks tokens, P] then. */
  readonly byBlocks?: true;
  /** Present where it can predict the targets of several inputs at once. */
  readonly several?: SharedDecoder<P>;
  /** -> prediction [B, N, P] in raster order. */
  decode(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: DecoderInputs): Tensor;
}

export const defineDecoder = <const P extends Params, T extends ParameterTree>(decoder: Decoder<P, T>): Decoder<P, T> =>
  ofKind("decoder", decoder);

/** Of a decoder that reads maps. */
export const ofMaps: Requirement<Params, ModelContext> = {
  name: "of-maps",
  at: null,
  doc: "The encoder gives maps.",
  holds: (_, { maps }) => maps !== null,
  say: () => "it reads maps, and the encoder gives tokens",
  help: () => "use an encoder of maps, such as `convnext`, or another decoder, such as `vit`",
};

/** Of a decoder that puts something at the hidden places of maps. */
export const ofHidden: Requirement<Params, ModelContext> = {
  name: "of-hidden-places",
  at: null,
  doc: "Places of the maps are hidden as a whole: what the mask hides enters the encoder as zeros.",
  holds: (_, { maps }) => maps === null || maps.hiding === "zero",
  say: () => "it puts a learned vector at hidden places, and the encoder has one of its own for them",
  help: () => "use `linear`, or `swin`, which read every place as it is",
};

/** Of a decoder that reads tokens with their positions. */
export const ofTokens: Requirement<Params, ModelContext> = {
  name: "of-tokens",
  at: null,
  doc: "The encoder gives tokens.",
  holds: (_, { maps }) => maps === null,
  say: () => "it reads tokens and their positions, and the encoder gives maps",
  help: () => "use a decoder of maps, such as `convnext_block`, or `linear`, which reads each place alone",
};

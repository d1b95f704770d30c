/** What the decoders of regions share: the pixels' latent, which gives regions their context, and what their own encoder has seen. */

import { invariant, type Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import { layerNorm } from "../nn/index.js";
import type { Weights } from "../parameters.js";
import { int, type ValuesOf } from "../params.js";
import { visiblePatchesOf } from "../sequence.js";
import { latentFrom } from "../sources.js";
import { transformerParams, transformerRequirements } from "../vision-transformer.js";
import { type DecoderInputs, type Encoded, ofTokens } from "./contract.js";
import { ownPatches, trunk, trunkParameters } from "./trunk.js";

const { depth, width, heads, mlp_ratio } = transformerParams("decoder");

/** The sizes of the released models by default. */
const params = {
  depth: { ...depth, default: 1 },
  width: { ...width, default: 128 },
  heads: { ...heads, default: 8 },
  mlp_ratio,
  neck_depth: int({
    min: 1,
    max: 1024,
    default: 8,
    doc: "Transformer blocks over the latent of the pixels, before regions meet it.",
  }),
  of: latentFrom,
};

type RegionDecoderValues = ValuesOf<typeof params>;

/** What such a decoder says of itself. */
export const regionDecoder = {
  params,
  requires: [...transformerRequirements, ofTokens],
  width: (p: RegionDecoderValues) => p.width,
  readsEncoded: true,
} as const;

export const neckParameters = (p: RegionDecoderValues, encoderWidth: number) =>
  trunkParameters({ ...p, depth: p.neck_depth }, encoderWidth, false);

/** -> memory [B, extra + N, Dd] of every token in raster order, and that of the patches [B, N, Dd]. */
export function neck(
  code: Code,
  p: RegionDecoderValues,
  w: Weights<ReturnType<typeof neckParameters>>,
  inputs: DecoderInputs,
): { readonly memory: Tensor; readonly patches: Tensor } {
  const memory = code.let("memory", layerNorm, trunk(code, p, w, inputs), w.decoder_norm);
  return { memory, patches: ownPatches(code, memory, inputs) };
}

/** What the encoder in the target's braces has seen of each region. */
interface SeenRegions extends Encoded {
  /** Where the patches of the image are. */
  readonly restore: Tensor;
  /** Regions of an image, B' / B. */
  readonly regions: number;
  /** Of its tokens [B', extra' + V, De] those of the patches, [B', V, De]. */
  readonly patches: (tokens: Tensor) => Tensor;
}

export function seenRegions(code: Code, { encoded, places }: DecoderInputs): SeenRegions {
  invariant(encoded, "the checker lets it stand only beside an encoder");
  invariant(places, "the checker lets through only masked inputs here");
  const { visible, restore } = places;
  const [all, tokens] = encoded.tokens.shape as [number, number];
  const extra = tokens - (visible.shape[1] as number);
  return {
    ...encoded,
    restore,
    regions: all / (restore.shape[0] as number),
    patches: (x) => visiblePatchesOf(code, "own", x, visible, extra),
  };
}

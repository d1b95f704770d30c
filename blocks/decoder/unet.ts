/**
 * The decoder of SparK: from the deepest map up to the array, at each stride with the map of the encoder, in which a learned vector of that
 * stride stands at hidden places.
 */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import {
  addPlaces,
  batchNorm,
  batchNormParameters,
  convolutionParameters,
  convolve,
  fillPlaces,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
  patchify,
  series,
  tokenParameter,
  upBlock,
  upBlockParameters,
} from "../nn/index.js";
import type { ParameterTree } from "../parameters.js";
import { choice, int, type ValuesOf } from "../params.js";
import { type DecoderContext, type DecoderInputs, defineDecoder, ofHidden, ofMaps } from "./contract.js";

const params = {
  width: int({ min: 1, max: 65_536, default: 768, doc: "Features of the deepest map; each block halves them." }),
  norm: choice({
    default: "layer",
    options: { layer: "Each place by its features.", batch: "Each feature by the statistics of the batch." },
    doc: "How the encoder's maps are normed before they enter: as the encoder norms.",
  }),
};

type Values = ValuesOf<typeof params>;

/** Doublings from the deepest map to the array. */
const doublings = (stride: number): number => Math.log2(stride);

const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));

/** Features that enter a block, the first of which is the deepest. */
const widthAt = ({ width }: Values, block: number): number => width / 2 ** block;

interface DenseWeights {
  readonly densify_norms: readonly unknown[];
  readonly densify_projs: readonly (unknown | undefined)[];
  readonly mask_tokens: readonly unknown[];
  readonly dec: readonly unknown[];
  readonly proj: unknown;
}

/** Each map with its norm and its vector at hidden places, as wide as the block that it enters; the deepest first. */
function densified(
  code: Code,
  p: Values,
  w: DenseWeights,
  { maps, kept }: DecoderInputs,
  stride: number,
): readonly Tensor[] {
  // A map of the array's own places would enter a block behind the last.
  const entering = maps.slice(-w.densify_norms.length).reverse();
  return entering.map((map, i) => {
    const seen = kept(stride / 2 ** i);
    const norm = w.densify_norms[i];
    const normed =
      p.norm === "batch" ? code.let("normed", batchNorm, map, norm, seen) : code.let("normed", layerNorm, map, norm);
    const filled = code.let("filled", fillPlaces, normed, w.mask_tokens[i], seen);
    const projection = w.densify_projs[i] as object;
    if (Object.keys(projection).length === 0) return filled;
    return i === 0 ? code.let("dense", linear, filled, projection) : code.let("dense", convolve, filled, projection);
  });
}

/** The weights that bring a map to the width of its block: none, where the deepest has it already. */
function projection(p: Values, i: number, inputs: number, axes: number): object {
  const outputs = widthAt(p, i);
  if (i > 0) return convolutionParameters({ inputs, outputs, kernel: Array.from({ length: axes }, () => 3) });
  return inputs === outputs ? series() : linearParameters(inputs, outputs);
}

const deepestStride = (maps: DecoderContext["maps"]): number => maps?.levels.at(-1)?.stride ?? 1;

export const unet = defineDecoder({
  name: "unet",
  summary: "A light UNet over all maps of the encoder, with a learned vector at the hidden places of each.",
  source:
    "Tian et al., Designing BERT for Convolutional Networks: Sparse and Hierarchical Masked Modeling, ICLR 2023, section 3",
  since: "0.2",
  params,
  requires: [
    ofMaps,
    ofHidden,
    {
      name: "doubling",
      at: null,
      doc: "Each map has twice the places of the next along every axis, and strides are powers of two.",
      holds: (_, { maps }) =>
        maps === null ||
        maps.levels.every(
          ({ stride }, i) => isPowerOfTwo(stride) && (i === 0 || stride === 2 * (maps.levels[i - 1]?.stride ?? 0)),
        ),
      say: (_, { maps }) => `the maps have strides of ${maps?.levels.map(({ stride }) => stride).join(", ")}`,
    },
    {
      name: "whole-widths",
      at: "width",
      doc: "The width can be halved by every block.",
      holds: ({ width }, { maps }) => maps === null || width % (maps.levels.at(-1)?.stride ?? 1) === 0,
      say: ({ width }, { maps }) =>
        `a width of ${width} cannot be halved ${doublings(maps?.levels.at(-1)?.stride ?? 1)} times`,
      help: (_, { maps }) => `use a multiple of ${maps?.levels.at(-1)?.stride}`,
    },
  ],
  width: () => null,
  reads: "maps",
  parameters(p, { maps, outputs }): ParameterTree {
    const [axes, stride] = [maps?.sizes.length ?? 2, deepestStride(maps)];
    const levels = (maps?.levels ?? []).filter((level) => level.stride > 1).reverse();
    const blocks = Array.from({ length: doublings(stride) }, (_, i) => i);
    return {
      densify_norms: series(
        ...levels.map(({ width }) => (p.norm === "batch" ? batchNormParameters(width) : layerNormParameters(width))),
      ),
      mask_tokens: series(...levels.map(({ width }) => tokenParameter(width))),
      densify_projs: series(...levels.map(({ width }, i) => projection(p, i, width, axes))),
      dec: series(...blocks.map((i) => upBlockParameters({ inputs: widthAt(p, i), outputs: widthAt(p, i + 1), axes }))),
      proj: linearParameters(widthAt(p, blocks.length), outputs / stride ** axes),
    } as ParameterTree;
  },
  decode(code, p, w, inputs) {
    const weights = w as unknown as DenseWeights;
    const stride = inputs.grid[0]?.size ?? 1;
    const dense = densified(code, p, weights, inputs, stride);
    const x = weights.dec.reduce<Tensor | null>((below, block, i) => {
      const own = dense[i];
      const entered = below && own ? code.let("entered", addPlaces, below, own) : (below ?? own);
      return code.let("up", upBlock, entered, block);
    }, null);
    const drawn = code.let("drawn", linear, x, weights.proj); // [B, ...axes, C]
    return code.let("prediction", patchify, drawn, inputs.grid);
  },
});

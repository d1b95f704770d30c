/** Swin as an encoder of maps: attention within windows, and four stages of strides 4, 8, 16 and 32, or as many as are written. */

import type { Tensor } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import {
  convolutionParameters,
  convolveDown,
  fillPlaces,
  layerNorm,
  layerNormParameters,
  mergeParameters,
  mergePlaces,
  repeat,
  series,
  tokenParameter,
  windowBlockParameters,
  windowBlocks,
} from "../nn/index.js";
import type { ParameterTree } from "../parameters.js";
import { flag, int, optional, type Params, ratio, reals, type ValuesOf } from "../params.js";
import { windowParams, windowsFit } from "../windows.js";
import { defineMapEncoder, type MapLevel, wholeCells } from "./contract.js";

const params = {
  depths: reals({ min: 1, max: 1024, doc: "Blocks of each stage." }),
  width: int({ min: 1, max: 65_536, doc: "Features of the first stage; each further one has twice as many." }),
  ...windowParams,
  stem: int({
    min: 1,
    max: 64,
    default: 4,
    doc: "Side of the boxes of the input that become a place of the first map.",
  }),
  norm: flag({ default: true, doc: "Whether a LayerNorm ends it." }),
  drop_path: optional(
    ratio({
      max: 0.99,
      doc: "How often, in training, a sample passes the last block without its attention, or without its perceptron; in the first block never, and between them in equal steps. If absent, never.",
    }),
  ),
};

type Values = ValuesOf<typeof params>;

const widthAt = (width: number, stage: number): number => width * 2 ** stage;

const levels = ({ stem, width, depths }: Pick<Values, "stem" | "width" | "depths">): readonly MapLevel[] =>
  depths.map((_, stage) => ({ stride: stem * 2 ** stage, width: widthAt(width, stage) }));

const windows = windowsFit<typeof params>((p, { array }) =>
  levels(p).map(({ stride, width }) => ({ counts: array.axes.map(({ size }) => size / stride), width })),
);

const requires: readonly Requirement<typeof params & Params, ModelContext>[] = [
  wholeCells<typeof params>(levels, "depths"),
  ...windows,
];

/** The weights as the stages find them. */
interface Stages {
  readonly patch_embed: { readonly proj: unknown; readonly norm: unknown };
  readonly hidden_token?: unknown;
  readonly layers: readonly { readonly downsample?: unknown; readonly blocks: readonly unknown[] }[];
  readonly norm?: unknown;
}

const placesUnder = (x: Tensor, stride: number): readonly number[] => x.shape.slice(1, -1).map((n) => n / stride);

export const swin = defineMapEncoder({
  name: "swin",
  summary: "Stages of Swin blocks, which attend within windows; each at half the rows and columns of the one before.",
  source: "Liu et al., Swin Transformer: Hierarchical Vision Transformer using Shifted Windows, ICCV 2021",
  since: "0.2",
  params,
  requires,
  staged: ({ depths, width, heads, window, stem, mlp_ratio, norm, norm_epsilon }) => ({
    ...{ family: "Swin", depths, width, heads, window, stem, norm },
    ...{ ratio: mlp_ratio, epsilon: norm_epsilon },
  }),
  // One number for each of the two residuals of a block.
  drops({ depths, drop_path }) {
    if (!drop_path) return [];
    const blocks = depths.reduce((sum, depth) => sum + depth, 0);
    return Array.from({ length: blocks }, (_, i) => ({ rate: (drop_path * i) / Math.max(1, blocks - 1), numbers: 2 }));
  },
  parameters(p, { array, masked }): ParameterTree {
    const [axes, kernel] = [array.axes.length, array.axes.map(() => p.stem)];
    const window = (stage: number): number[] =>
      array.axes.map(({ size }) => Math.min(p.window, size / (p.stem * 2 ** stage)));
    const stage = (depth: number, i: number): object => {
      const width = widthAt(p.width, i);
      const size = { width, hidden: width * p.mlp_ratio, heads: p.heads[i] as number, window: window(i) };
      const blocks = repeat(depth, windowBlockParameters(size));
      return i === 0
        ? { blocks }
        : { downsample: mergeParameters({ inputs: widthAt(p.width, i - 1), outputs: width, axes }), blocks };
    };
    return {
      patch_embed: {
        proj: convolutionParameters({ inputs: array.channels, outputs: p.width, kernel }),
        norm: layerNormParameters(p.width),
      },
      ...(masked ? { hidden_token: tokenParameter(p.width) } : {}),
      layers: series(...p.depths.map(stage)),
      ...(p.norm ? { norm: layerNormParameters(widthAt(p.width, p.depths.length - 1)) } : {}),
    } as ParameterTree;
  },
  maps: {
    levels,
    reads: () => "patch_embed.proj.weight",
    hiding: "token",
    encode(code, p, w, array, { kept, drops }) {
      const { patch_embed, hidden_token, layers } = w as unknown as Stages;
      const epsilon = p.norm_epsilon;
      const box = { places: placesUnder(array, p.stem), stride: p.stem };
      const stem = code.let("stem", convolveDown, array, patch_embed.proj, box);
      const normed = code.let("normed", layerNorm, stem, patch_embed.norm, { epsilon });
      let x = kept ? code.let("entered", fillPlaces, normed, hidden_token, kept(p.stem)) : normed;
      let before = 0;
      return layers.map(({ downsample, blocks }, stage) => {
        if (downsample) x = code.let("merged", mergePlaces, x, downsample, { places: placesUnder(x, 2), epsilon });
        const first = drops && p.drop_path ? { first: drops.first + 2 * before } : {};
        before += blocks.length;
        const left = drops && p.drop_path ? [drops.values] : [];
        x = code.let(`map${stage + 1}`, windowBlocks, x, blocks, { window: p.window, epsilon, ...first }, ...left);
        return x;
      });
    },
  },
  normalize: (code, p, w, tokens) =>
    p.norm ? code.let("latent", layerNorm, tokens, (w as unknown as Stages).norm, { epsilon: p.norm_epsilon }) : tokens,
});

/** ConvMAE's hybrid as an encoder of maps: stages of masked convolutions, then a transformer over the visible places of the last map. */

import type { Tensor } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import { divisorsBeside } from "../divisors.js";
import {
  addPlaces,
  addPositions,
  boxEmbedParameters,
  convolveDown,
  convVitBlock,
  convVitBlockParameters,
  embedBoxes,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
  placesApart,
  placesInRow,
  repeat,
  restoreZeros,
  sinCosPositions,
  takeTokens,
  transformerBlock,
  transformerBlockParameters,
  uniformConvolutionParameters,
  zeroHidden,
} from "../nn/index.js";
import type { ParameterTree } from "../parameters.js";
import { flag, int, type Params, real, reals, type ValuesOf } from "../params.js";
import { defineMapEncoder, type Seen, wholeCells } from "./contract.js";
import { oddKernel, stageLevels, wholeStages } from "./stages.js";

const params = {
  depths: reals({ min: 1, max: 1024, doc: "Blocks of each stage; the last one is of transformer blocks." }),
  widths: reals({ min: 1, max: 65_536, doc: "Features of each stage." }),
  heads: int({ min: 1, max: 1024, doc: "Attention heads of the last stage; must divide its width." }),
  mlp_ratio: int({
    min: 1,
    max: 64,
    default: 4,
    doc: "Hidden features of the perceptrons, as a multiple of the width.",
  }),
  stem: int({
    min: 1,
    max: 64,
    default: 4,
    doc: "Side of the boxes of the input that become a place of the first map.",
  }),
  kernel: int({ min: 1, max: 63, default: 5, doc: "Side of the windows of the convolutions, an odd number." }),
  fuse: flag({ default: true, doc: "Whether the maps of the earlier stages are added to the last one." }),
  norm_epsilon: real({
    min: 0,
    openMin: true,
    max: 1,
    default: 1e-6,
    doc: "Added to the variance in the LayerNorms of the last stage.",
  }),
};

type Values = ValuesOf<typeof params>;

const lastWidth = ({ widths }: Pick<Values, "widths">): number => widths.at(-1) ?? 1;

const requires: readonly Requirement<typeof params & Params, ModelContext>[] = [
  wholeStages,
  {
    name: "one-width-a-stage",
    at: "widths",
    doc: "There are as many widths as depths, one of each stage, and two stages at least.",
    holds: ({ depths, widths }) => depths.length === widths.length && depths.length > 1,
    say: ({ depths, widths }) => `there are ${depths.length} depths and ${widths.length} widths`,
    help: () =>
      "write one depth and one width for each stage, such as `depths: (2, 2, 11), widths: (256, 384, 768)`; the last one is of the transformer",
  },
  oddKernel,
  {
    name: "heads-divide-width",
    at: "heads",
    doc: "The number of heads divides the width of the last stage.",
    holds: (p) => lastWidth(p) % p.heads === 0,
    say: (p) => `the last stage has ${lastWidth(p)} features, which ${p.heads} heads do not divide`,
    help: (p) =>
      `nearest numbers of heads that divide ${lastWidth(p)}: ${divisorsBeside(lastWidth(p), p.heads).join(" and ")}`,
  },
  {
    name: "width-of-positions",
    at: "widths",
    doc: "The last width is divisible into a sine and a cosine for each axis: of two axes, by 4.",
    holds: (p, { array }) => lastWidth(p) % (2 * array.axes.length) === 0,
    say: (p, { array }) =>
      `its positions need a last width divisible by ${2 * array.axes.length}, and ${lastWidth(p)} is not`,
  },
  wholeCells<typeof params>(stageLevels, "widths"),
];

/** The name of what belongs to a stage, counted from 1: `blocks1`. */
const blocksName = (stage: number): string => `blocks${stage + 1}`;
const embedName = (stage: number): string => `patch_embed${stage + 1}`;
const fuseName = (stage: number): string => `stage${stage + 1}_output_decode`;

type Branches = Readonly<Record<string, never>>;

const placesUnder = (x: Tensor, stride: number): readonly number[] => x.shape.slice(1, -1).map((n) => n / stride);

export const convvit = defineMapEncoder({
  name: "convvit",
  summary: "Stages of masked convolutions, and a transformer over the visible places of the last map.",
  source: "Gao et al., ConvMAE: Masked Convolution Meets Masked Autoencoders, NeurIPS 2022",
  since: "0.2",
  params,
  requires,
  parameters(p, { array }): ParameterTree {
    const side = (n: number): number[] => array.axes.map(() => n);
    const [last, width] = [p.depths.length - 1, lastWidth(p)];
    const embedded = p.widths.map((outputs, stage): [string, object] => {
      const inputs = p.widths[stage - 1] ?? array.channels;
      return [embedName(stage), boxEmbedParameters({ inputs, outputs, kernel: side(stage === 0 ? p.stem : 2) })];
    });
    const blocks = p.depths.map((depth, stage): [string, object] => {
      const own = p.widths[stage] as number;
      const size = { width: own, hidden: own * p.mlp_ratio };
      return [
        blocksName(stage),
        repeat(
          depth,
          stage === last
            ? transformerBlockParameters(size)
            : convVitBlockParameters({ ...size, kernel: side(p.kernel) }),
        ),
      ];
    });
    const fused = p.widths.slice(0, p.fuse ? -1 : 0).map((inputs, stage): [string, object] => {
      const kernel = side(2 ** (last - stage));
      return [fuseName(stage), uniformConvolutionParameters({ inputs, outputs: width, kernel })];
    });
    const counts = array.axes.map(({ size }) => size / (p.stem * 2 ** last));
    return Object.fromEntries([
      ...embedded,
      [embedName(p.depths.length), linearParameters(width, width)],
      ...fused,
      ["pos_embed", sinCosPositions({ counts, extra: 0, width })],
      ...blocks,
      ["norm", layerNormParameters(width)],
    ]) as ParameterTree;
  },
  maps: {
    levels: stageLevels,
    reads: () => `${embedName(0)}.proj.weight`,
    hiding: "zero",
    encode(code, p, weights, array, { kept, places }: Seen) {
      const w = weights as unknown as Branches;
      const last = p.depths.length - 1;
      let x = array;
      const maps = stageLevels(p).map(({ stride }, stage) => {
        const box = stage === 0 ? p.stem : 2;
        x = code.let("embedded", embedBoxes, x, w[embedName(stage)], { places: placesUnder(x, box), stride: box });
        if (stage === last) return x;
        const seen = kept ? [kept(stride)] : [];
        const blocks = w[blocksName(stage)] as unknown as readonly unknown[];
        x = code.fold(`stage${stage + 1}`, blocks, x, convVitBlock, ...seen);
        return kept ? code.let(`map${stage + 1}`, zeroHidden, x, ...seen) : x;
      });
      const counts = placesUnder(x, 1);
      /** Places of the last map [B, ...S, D] -> those that are visible, [B, V, D]. */
      const visible = (map: Tensor): Tensor => {
        const row = code.let("row", placesInRow, map);
        return places ? code.let("visible", takeTokens, row, places.visible) : row;
      };
      const row = code.let("row", placesInRow, x);
      const tokens = code.let("tokens", linear, row, w[embedName(p.depths.length)]);
      const placed = code.let("placed", addPositions, tokens, w.pos_embed, { extra: 0 });
      const entered = places ? code.let("seen", takeTokens, placed, places.visible) : placed;
      const blocks = w[blocksName(last)] as unknown as readonly unknown[];
      const options = { heads: p.heads, epsilon: p.norm_epsilon };
      const attended = code.fold(`stage${last + 1}`, blocks, entered, transformerBlock, options);
      const coarse = maps.slice(0, p.fuse ? -1 : 0).map((map, stage) => {
        const stride = 2 ** (last - stage);
        return code.let("coarse", convolveDown, map, w[fuseName(stage)], { places: counts, stride });
      });
      const fused = coarse.reduce((sum, map) => code.let("fused", addPlaces, sum, visible(map)), attended);
      const whole = places ? code.let("whole", restoreZeros, fused, places.restore) : fused;
      const deep = code.let(`map${last + 1}`, placesApart, whole, { counts });
      return [...maps.slice(0, -1), deep];
    },
  },
  normalize: (code, p, w, tokens) =>
    code.let("latent", layerNorm, tokens, (w as unknown as Branches).norm, { epsilon: p.norm_epsilon }),
});

/** ConvNeXt and ConvNeXt V2 as encoders of maps: four stages of strides 4, 8, 16 and 32, or as many as are written. */

import type { Tensor } from "../../graph/index.js";
import type { Requirement } from "../block.js";
import {
  convNextBlock,
  convNextBlockParameters,
  convNextV2Block,
  convNextV2BlockParameters,
  convolutionParameters,
  convolveDown,
  layerNorm,
  layerNormParameters,
  repeat,
  series,
  zeroHidden,
} from "../nn/index.js";
import type { ParameterTree } from "../parameters.js";
import { flag, int, optional, type Params, real, reals, type ValuesOf } from "../params.js";
import { defineMapEncoder, wholeCells } from "./contract.js";
import { oddKernel, stageLevels, wholeStages } from "./stages.js";

const params = {
  depths: reals({ min: 1, max: 1024, doc: "Blocks of each stage." }),
  widths: reals({ min: 1, max: 65_536, doc: "Features of each stage." }),
  version: int({
    min: 1,
    max: 2,
    default: 2,
    doc: "Of the blocks: 1 scales what it adds, 2 normalises the responses of its features instead.",
  }),
  stem: int({
    min: 1,
    max: 64,
    default: 4,
    doc: "Side of the boxes of the input that become a place of the first map.",
  }),
  kernel: int({ min: 1, max: 63, default: 7, doc: "Side of the windows, an odd number." }),
  layer_scale: real({ min: 0, openMin: true, max: 1, default: 1e-6, doc: "Where the scales of version 1 start." }),
  norm: flag({ default: false, doc: "Whether a LayerNorm ends it, as classifiers have one behind the mean." }),
  norm_epsilon: optional(
    real({ min: 0, openMin: true, max: 1, doc: "Added to the variance in that LayerNorm; if absent, 1e-6." }),
  ),
};

type Values = ValuesOf<typeof params>;

const requires: readonly Requirement<typeof params & Params, never>[] = [
  wholeStages,
  {
    name: "one-width-a-stage",
    at: "widths",
    doc: "There are as many widths as depths, one of each stage.",
    holds: ({ depths, widths }) => depths.length === widths.length && depths.length > 0,
    say: ({ depths, widths }) => `there are ${depths.length} depths and ${widths.length} widths`,
    help: () =>
      "write one depth and one width for each stage, such as `depths: (2, 2, 6, 2), widths: (40, 80, 160, 320)`",
  },
  oddKernel,
];

const square = (side: number, axes: number): number[] => Array.from({ length: axes }, () => side);

/** The weights in front of a stage: of the first a convolution and its norm, of others the norm and the convolution. */
const downParameters = ({ widths, stem }: Values, stage: number, channels: number, axes: number): readonly object[] => {
  const outputs = widths[stage] as number;
  const before = widths[stage - 1];
  if (before === undefined) {
    const window = { inputs: channels, outputs, kernel: square(stem, axes) };
    return series(convolutionParameters(window), layerNormParameters(outputs));
  }
  const window = { inputs: before, outputs, kernel: square(2, axes) };
  return series(layerNormParameters(before), convolutionParameters(window));
};

const blockParameters = ({ version, kernel, layer_scale }: Values, width: number, axes: number): object =>
  version === 1
    ? convNextBlockParameters({ width, kernel: square(kernel, axes), scale: layer_scale })
    : convNextV2BlockParameters({ width, kernel: square(kernel, axes) });

/** The weights as the stages find them. */
interface Stages {
  readonly downsample_layers: readonly (readonly [never, never])[];
  readonly stages: readonly (readonly unknown[])[];
  readonly norm?: unknown;
}

const placesUnder = (x: Tensor, stride: number): readonly number[] => x.shape.slice(1, -1).map((n) => n / stride);

export const convnext = defineMapEncoder({
  name: "convnext",
  summary: "Stages of ConvNeXt blocks, each at half the rows and columns of the one before.",
  source: "Liu et al., A ConvNet for the 2020s, CVPR 2022; Woo et al., ConvNeXt V2, CVPR 2023",
  since: "0.2",
  params,
  requires: [...requires, wholeCells<typeof params>(stageLevels, "widths")],
  staged: ({ version, depths, widths, stem, kernel, layer_scale, norm, norm_epsilon }) =>
    kernel === 7
      ? {
          ...{ family: "ConvNeXt", version, depths, widths, stem, norm },
          ...{ scale: layer_scale, epsilon: norm_epsilon ?? 1e-6 },
        }
      : null,
  parameters(p, { array }): ParameterTree {
    const [axes, { channels }] = [array.axes.length, array];
    return {
      downsample_layers: series(...p.widths.map((_, stage) => downParameters(p, stage, channels, axes))),
      stages: series(
        ...p.depths.map((depth, stage) => repeat(depth, blockParameters(p, p.widths[stage] as number, axes))),
      ),
      ...(p.norm ? { norm: layerNormParameters(p.widths.at(-1) as number) } : {}),
    } as ParameterTree;
  },
  maps: {
    levels: stageLevels,
    reads: () => "downsample_layers.0.0.weight",
    hiding: "zero",
    encode(code, p, w, array, { kept }) {
      const { downsample_layers, stages } = w as unknown as Stages;
      const block = p.version === 1 ? convNextBlock : convNextV2Block;
      let x = array;
      return stageLevels(p).map(({ stride }, stage) => {
        const [first, second] = downsample_layers[stage] as readonly [never, never];
        const seen = kept ? [kept(stride)] : [];
        if (stage === 0) {
          const window = { places: placesUnder(x, p.stem), stride: p.stem };
          x = code.let("stem", convolveDown, x, first, window);
          x = code.let("normed", layerNorm, x, second);
        } else {
          const normed = code.let("normed", layerNorm, x, first);
          x = code.let("down", convolveDown, normed, second, { places: placesUnder(x, 2), stride: 2 });
        }
        x = code.fold(`stage${stage + 1}`, stages[stage] as readonly unknown[], x, block, ...seen);
        return kept ? code.let(`map${stage + 1}`, zeroHidden, x, ...seen) : x;
      });
    },
  },
  normalize: (code, p, w, tokens) =>
    p.norm
      ? code.let(
          "latent",
          layerNorm,
          tokens,
          (w as unknown as Stages).norm,
          ...(p.norm_epsilon === null ? [] : [{ epsilon: p.norm_epsilon }]),
        )
      : tokens,
});

/** ResNet with bottlenecks as an encoder of maps: four stages of strides 4, 8, 16 and 32, or as many as are written. */

import type { Tensor } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import type { Code } from "../code.js";
import {
  batchNormParameters,
  bottleneck,
  bottleneckDown,
  bottleneckDownParameters,
  bottleneckParameters,
  kaimingKernelParameters,
  largestPlaces,
  resnetStem,
  series,
  zeroHidden,
} from "../nn/index.js";
import type { ParameterTree } from "../parameters.js";
import { choice, int, type Params, reals, type ValuesOf } from "../params.js";
import { defineMapEncoder, type Kept, type MapLevel, wholeCells } from "./contract.js";

const params = {
  depths: reals({ min: 1, max: 1024, doc: "Blocks of each stage." }),
  width: int({
    min: 1,
    max: 16_384,
    default: 64,
    doc: "Features of the stem; the first stage gives four times as many, and each further one twice those of the one before.",
  }),
  stem: choice({
    default: "large",
    options: {
      large:
        "A convolution of 7 a side and the largest of 3 a side, each of which halves rows and columns: for photographs.",
      small: "A convolution of 3 a side that halves nothing: for images of a few dozen pixels.",
    },
    doc: "What stands before the first stage.",
  }),
};

type Values = ValuesOf<typeof params>;

/** The stride of the first stage. */
const firstStride = ({ stem }: Pick<Values, "stem">): number => (stem === "large" ? 4 : 1);

const widthAt = (width: number, stage: number): number => 4 * width * 2 ** stage;

const levels = (p: Pick<Values, "stem" | "width" | "depths">): readonly MapLevel[] =>
  p.depths.map((_, stage) => ({ stride: firstStride(p) * 2 ** stage, width: widthAt(p.width, stage) }));

const requires: readonly Requirement<typeof params & Params, ModelContext>[] = [
  {
    name: "whole-numbers",
    at: "depths",
    doc: "Stages have whole numbers of blocks.",
    holds: ({ depths }) => depths.length > 0 && depths.every(Number.isInteger),
    say: ({ depths }) => `${depths.find((n) => !Number.isInteger(n)) ?? "nothing"} is no whole number of blocks`,
  },
  wholeCells<typeof params>(levels, "depths"),
];

const placesUnder = (x: Tensor, stride: number): readonly number[] => x.shape.slice(1, -1).map((n) => n / stride);

/** What the first stage is given: zeros where something is hidden. */
function stemOf(
  code: Code,
  { stem }: Values,
  { conv1, bn1 }: Readonly<Record<string, unknown>>,
  array: Tensor,
  kept: Kept | null,
): Tensor {
  const seen = (stride: number): readonly Tensor[] => (kept ? [kept(stride)] : []);
  const lit = kept ? code.let("lit", zeroHidden, array, kept(1)) : array;
  if (stem === "small") {
    return code.let("stem", resnetStem, lit, { conv1, bn1 }, { places: placesUnder(lit, 1), stride: 1 }, ...seen(1));
  }
  const half = { places: placesUnder(lit, 2), stride: 2 };
  const y = code.let("stem", resnetStem, lit, { conv1, bn1 }, half, ...seen(2));
  return code.let("largest", largestPlaces, y, { places: placesUnder(y, 2) }, ...seen(4));
}

/** `layer1`, `layer2` ...: the blocks of a stage. */
const stageName = (stage: number): string => `layer${stage + 1}`;

export const resnet = defineMapEncoder({
  name: "resnet",
  summary: "Stages of ResNet's bottlenecks, each at half the rows and columns of the one before.",
  source:
    "He et al., Deep Residual Learning for Image Recognition, CVPR 2016; under masks: Tian et al., SparK, ICLR 2023",
  since: "0.2",
  params,
  requires,
  staged: ({ depths, width, stem }) => (stem === "large" ? { family: "ResNet", depths, width } : null),
  parameters(p, { array }): ParameterTree {
    const axes = array.axes.length;
    const side = p.stem === "large" ? 7 : 3;
    const blocks = (depth: number, stage: number): object => {
      const outputs = widthAt(p.width, stage);
      const first = { inputs: stage === 0 ? p.width : widthAt(p.width, stage - 1), outputs, axes };
      const rest = Array.from({ length: depth - 1 }, () => bottleneckParameters({ inputs: outputs, outputs, axes }));
      return series(bottleneckDownParameters(first), ...rest);
    };
    return {
      conv1: kaimingKernelParameters({
        inputs: array.channels,
        outputs: p.width,
        kernel: array.axes.map(() => side),
      }),
      bn1: batchNormParameters(p.width),
      ...Object.fromEntries(p.depths.map((depth, stage) => [stageName(stage), blocks(depth, stage)])),
    } as ParameterTree;
  },
  maps: {
    levels,
    reads: () => "conv1.weight",
    hiding: "zero",
    encode(code, p, w, array, { kept }) {
      const weights = w as unknown as Readonly<Record<string, readonly unknown[]>>;
      const seen = (stride: number): readonly Tensor[] => (kept ? [kept(stride)] : []);
      let x = stemOf(code, p, weights, array, kept);
      return levels(p).map(({ stride }, stage) => {
        const [first, ...rest] = weights[stageName(stage)] as readonly unknown[];
        const down = stage === 0 ? 1 : 2;
        const window = { places: placesUnder(x, down), stride: down };
        x = code.let("down", bottleneckDown, x, first, window, ...seen(stride / down), ...seen(stride));
        if (rest.length > 0) x = code.fold(`map${stage + 1}`, rest, x, bottleneck, ...seen(stride));
        return x;
      });
    },
  },
});

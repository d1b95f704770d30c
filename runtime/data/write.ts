/** The numbers of a sample brought into their place of a batch: as floats, and changed by what is left of a recipe's augmentations, in their order. */

import { type ArrayShape, type AugmentStep, arrayLength, planesOf } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import type { Numbers } from "./preparation.js";
import { standardizeArray } from "./standardize.js";

/** Floats in the order of `out`: bytes / 255, then what changes numbers. */
export function writeNumbers(
  numbers: Numbers,
  array: ArrayShape,
  steps: readonly AugmentStep[],
  out: Float32Array,
): void {
  const { channels } = array;
  const ofNumbers = steps.filter(isOfNumbers);
  const other = ofNumbers.findIndex(({ kind }) => kind !== "normalize");
  const begin = other < 0 ? ofNumbers.length : other;
  scaled(numbers, affine(ofNumbers.slice(0, begin), channels, numbers instanceof Uint8Array ? 255 : 1), out);
  for (const step of ofNumbers.slice(begin)) (changes[step.kind] as Change<Kind>)(out, array, step);
}

type Kind = "normalize" | "level" | "range" | "erase" | "hide" | "later" | "add";
type StepOf<K extends Kind> = Extract<AugmentStep, { readonly kind: K }>;
type Change<K extends Kind> = (out: Float32Array, array: ArrayShape, step: StepOf<K>) => void;

/** In place. */
const changes: { readonly [K in Kind]: Change<K> } = {
  normalize: (out, { channels }, step) => scaled(out, affine([step], channels, 1), out),
  level: (out, { channels }, step) => standardizeArray(out, channels, step),
  range: (out, _, { range }) => clipToRange(out, range),
  erase,
  hide: hideBand,
  later: (out, array, { by }) => turnRound(out, array, by),
  add: (out, _, step) => addNoise(out, step),
};

const isOfNumbers = (step: AugmentStep): step is StepOf<Kind> => Object.hasOwn(changes, step.kind);

function scaled(numbers: Numbers, { scale, shift }: ReturnType<typeof affine>, out: Float32Array): void {
  const channels = scale.length;
  for (let i = 0; i < numbers.length; i++) {
    const c = i % channels;
    out[i] = (numbers[i] as number) * (scale[c] as number) + (shift[c] as number);
  }
}

/** The normalisations as one `x * scale + shift` for each channel, on values in [0, largest]. */
function affine(steps: readonly AugmentStep[], channels: number, largest: number) {
  const scale = new Float64Array(channels).fill(1 / largest);
  const shift = new Float64Array(channels);
  for (const step of steps) {
    if (step.kind !== "normalize") continue;
    for (let c = 0; c < channels; c++) {
      const std = step.std[c] as number;
      scale[c] = (scale[c] as number) / std;
      shift[c] = ((shift[c] as number) - (step.mean[c] as number)) / std;
    }
  }
  return { scale, shift };
}

/** Overwrites a box of every picture of an array. */
function erase(out: Float32Array, array: ArrayShape, { top, left, height, width, values }: StepOf<"erase">): void {
  const { count, shape } = planesOf(array);
  const row = width * shape.channels;
  for (let plane = 0; plane < count; plane++) {
    for (let y = 0; y < height; y++) {
      const start = ((plane * shape.height + top + y) * shape.width + left) * shape.channels;
      for (let i = 0; i < row; i++) out[start + i] = values[(y * row + i) % values.length] as number;
    }
  }
}

function clipToRange(out: Float32Array, [low, high]: readonly [number, number]): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.min(1, Math.max(0, ((out[i] as number) - low) / (high - low)));
}

/** Zeros at some places of one axis, for all of the other. */
function hideBand(out: Float32Array, { axes, channels }: ArrayShape, { axis, from, to }: StepOf<"hide">): void {
  const [rows, columns] = axes.map(({ size }) => size) as [number, number];
  const row = columns * channels;
  if (axis === 0) out.fill(0, from * row, to * row);
  else for (let y = 0; y < rows; y++) out.fill(0, y * row + from * channels, y * row + to * channels);
}

/** Later along the first axis; what is moved out at its end comes in at its beginning. */
function turnRound(out: Float32Array, array: ArrayShape, by: number): void {
  const length = array.axes[0]?.size ?? 1;
  const row = arrayLength(array) / length;
  const begin = (((length - by) % length) + length) % length;
  const moved = out.slice(0, begin * row);
  out.copyWithin(0, begin * row);
  out.set(moved, (length - begin) * row);
}

function addNoise(out: Float32Array, { loudness, normal, seed }: StepOf<"add">): void {
  const random = randomStream(seed, "augment");
  for (let i = 0; i < out.length; i++) {
    out[i] = (out[i] as number) + loudness * (normal ? random.normal() : random.uniform());
  }
}

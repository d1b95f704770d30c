/** Weights that a run starts with because another has trained them: read from its checkpoint, tables brought to another lattice. */

import { sizeOf } from "../../graph/index.js";
import { RunError } from "../run-error.js";
import { type Checkpoint, judgedWeight } from "./stored.js";

/**
 * A position table [1, extra + tokens, D] of a lattice, to be one for another; the `extra` rows stay. Tokens along each axis, the last
 * fastest. `turned`: of the first lattice, which has two axes, the first fastest.
 */
export interface TableResizing {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly extra: number;
  readonly turned?: true;
}

/** Weights that lie in a file, by name. */
export type WeightSource = Pick<Checkpoint, "path" | "program" | "state">;

export interface InheritedWeight {
  readonly checkpoint: WeightSource;
  /** Its name there. */
  readonly name: string;
  /** How many numbers it has there; if absent, as many as are there. */
  readonly size?: number;
  readonly resize?: TableResizing;
  readonly adapt?: ChannelAdapting;
}

/** What reads an input, to be what reads another number of channels: a matrix over patches, the channel fastest, or a kernel. */
export interface ChannelAdapting {
  /** Numbers of a channel that follow each other: the window of a kernel; if absent, 1. */
  readonly window?: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The values of weights by the names of the run that starts. Throws `run/checkpoint-mismatch` when a checkpoint does not
 * have one.
 */
export const inheritedWeights = (
  wanted: ReadonlyMap<string, InheritedWeight>,
): Readonly<Record<string, Float32Array>> =>
  Object.fromEntries([...wanted].map(([name, weight]) => [name, valuesOf(weight)]));

function valuesOf({ checkpoint, name, size, resize, adapt }: InheritedWeight): Float32Array {
  const values = judgedWeight(checkpoint.state, name);
  if (values && (size === undefined || values.length === size)) {
    refuseNotFinite(checkpoint.path, name, values);
    if (resize) return resizeTable(values, resize);
    return adapt ? adaptChannels(values, adapt) : values;
  }
  throw new RunError("run/checkpoint-mismatch", {
    what: `${checkpoint.path} holds another model (${checkpoint.program})`,
    why: values ? `its ${name} has ${values.length} numbers, and ${size} were expected` : `it has no ${name}`,
    help: "Train the earlier stage again, or restore the checkpoint that it was trained to.",
  });
}

function refuseNotFinite(path: string, name: string, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new RunError("run/weights-not-finite", {
    what: `${path} has weights that are not finite`,
    why: `number ${at} of ${name} is ${values[at]}`,
    help: "Take another file, or an earlier checkpoint of the run that it comes from.",
  });
}

/**
 * As timm's `adapt_input_conv`: to one channel all are summed; to others they are repeated in turn and scaled, so that an input whose channels
 * are equal gives what it gave.
 */
function adaptChannels(values: Float32Array, { from, to, window = 1 }: ChannelAdapting): Float32Array {
  const result = new Float32Array((values.length / from) * to);
  for (let at = 0; at < result.length; at++) {
    const [behind, channel] = [at % window, Math.floor(at / window) % to];
    const before = Math.floor(at / (window * to)) * from;
    const of = (one: number): number => values[(before + one) * window + behind] as number;
    if (to > 1) result[at] = (of(channel % from) * from) / to;
    else for (let one = 0; one < from; one++) result[at] = (result[at] as number) + of(one);
  }
  return result;
}

/**
 * Interpolates a position table by cubic convolution along each axis in turn. Of rows and columns it is what official MAE does before
 * fine-tuning at another resolution: `torch.nn.functional.interpolate` with mode bicubic and align_corners false. Computed in double precision.
 */
function resizeTable(values: Float32Array, { from, to, extra, turned }: TableResizing): Float32Array {
  const width = values.length / (extra + sizeOf(from));
  const front = values.subarray(0, extra * width);
  const places = Float64Array.from(values.subarray(front.length));
  let table: Float64Array = turned ? turnedTable(places, from, width) : places;
  let stride = width;
  // The last axis first, so that what lies within a place of an axis has its new length already.
  for (let axis = from.length - 1; axis >= 0; axis--) {
    table = resizeAxis(table, stride, taps(from[axis] as number, to[axis] as number), from[axis] as number);
    stride *= to[axis] as number;
  }
  const result = new Float32Array(front.length + table.length);
  result.set(front);
  result.set(table, front.length);
  return result;
}

/** [second, first, width] -> [first, second, width], of two axes of these lengths. */
function turnedTable(values: Float64Array, [first = 1, second = 1]: readonly number[], width: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < first; i++) {
    for (let j = 0; j < second; j++) {
      const from = (j * first + i) * width;
      result.set(values.subarray(from, from + width), (i * second + j) * width);
    }
  }
  return result;
}

/** Interpolates along one axis of `length` places, each of `stride` numbers. */
function resizeAxis(values: Float64Array, stride: number, places: readonly Taps[], length: number): Float64Array {
  const before = values.length / (stride * length);
  const result = new Float64Array(before * places.length * stride);
  for (let row = 0; row < before; row++) {
    for (const [to, read] of places.entries()) {
      const begin = (row * places.length + to) * stride;
      for (const [from, weight] of read) {
        const start = (row * length + from) * stride;
        for (let d = 0; d < stride; d++)
          result[begin + d] = (result[begin + d] as number) + weight * (values[start + d] as number);
      }
    }
  }
  return result;
}

/** Places that are read for one place of the result, and their weights. */
type Taps = readonly (readonly [place: number, weight: number])[];

/** Keys's kernel with the parameter that PyTorch has. */
const sharpness = -0.75;

function kernel(distance: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return (sharpness + 2) * x ** 3 - (sharpness + 3) * x ** 2 + 1;
  return x < 2 ? sharpness * (x ** 3 - 5 * x ** 2 + 8 * x - 4) : 0;
}

/** Four taps for each place of an axis; beyond its ends the last place stands. */
const taps = (from: number, to: number): readonly Taps[] =>
  Array.from({ length: to }, (_, i) => {
    const centre = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - 1;
    return [0, 1, 2, 3].map((k) => {
      const place = Math.min(from - 1, Math.max(0, first + k));
      return [place, kernel(centre - (first + k))] as const;
    });
  });

/**
 * How tensors lie on several devices: whole on each of them, or cut along one axis into equal parts, one on each. XLA computes the same either way;
 * what is cut takes less memory, and what is computed of samples is shared by the devices.
 */

import { arrayTypes, type DType, evenAxis, sizeOf, type TypedArray } from "../../../graph/index.js";

/** What a program takes or gives. */
export interface Slot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export interface Division {
  readonly devices: number;
  /** Whether weights and moments are cut too; if not, each device has all of them. */
  readonly shardState: boolean;
}

export const undivided: Division = { devices: 1, shardState: false };

/** The axis along which a tensor is cut; null: it is whole on each device. */
export type Cut = number | null;

/** Of a state: the first axis that has equal parts. */
export function cutOfState({ shape }: Pick<Slot, "shape">, { devices, shardState }: Division): Cut {
  const axis = shardState ? evenAxis(shape, devices) : -1;
  return axis === -1 ? null : axis;
}

/** Of what a step is fed: samples are cut, which the largest tensor has along its first axis. */
export function cutsOfFeeds(feeds: readonly Slot[], { devices }: Division): ReadonlyMap<string, Cut> {
  const largest = feeds.reduce<Slot | null>(
    (most, feed) => (most === null || sizeOf(feed.shape) > sizeOf(most.shape) ? feed : most),
    null,
  );
  const samples = largest?.shape[0] ?? 0;
  const isCut = ({ shape }: Slot): boolean => samples > 0 && samples % devices === 0 && shape[0] === samples;
  return new Map(feeds.map((feed) => [feed.name, isCut(feed) ? 0 : null]));
}

/** The shape of each part. */
export const shapeOfPart = (shape: readonly number[], cut: Cut, devices: number): readonly number[] =>
  shape.map((size, axis) => (axis === cut ? size / devices : size));

/** Shows each run of numbers that lie together in a part: where it begins in the whole and in the part, and how long it is. */
function walkParts(
  shape: readonly number[],
  cut: number,
  devices: number,
  visit: (part: number, inWhole: number, inPart: number, length: number) => void,
): void {
  const length = sizeOf(shape.slice(cut)) / devices;
  for (let row = 0; row < sizeOf(shape.slice(0, cut)); row++) {
    for (let part = 0; part < devices; part++) visit(part, (row * devices + part) * length, row * length, length);
  }
}

/** What each device is given of an array. */
export function partsOf(
  data: TypedArray,
  { dtype, shape }: Omit<Slot, "name">,
  cut: Cut,
  devices: number,
): readonly TypedArray[] {
  if (cut === null || devices === 1) return new Array<TypedArray>(devices).fill(data);
  const parts = Array.from({ length: devices }, () => new arrayTypes[dtype](data.length / devices));
  walkParts(shape, cut, devices, (part, inWhole, inPart, length) =>
    parts[part]?.set(data.subarray(inWhole, inWhole + length), inPart),
  );
  return parts;
}

/** The array of which these are the parts. */
export function joined(parts: readonly TypedArray[], { dtype, shape }: Omit<Slot, "name">, cut: number): TypedArray {
  const whole = new arrayTypes[dtype](sizeOf(shape));
  walkParts(shape, cut, parts.length, (part, inWhole, inPart, length) =>
    whole.set((parts[part] as TypedArray).subarray(inPart, inPart + length), inWhole),
  );
  return whole;
}

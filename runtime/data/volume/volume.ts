/**
 * Volumes: voxels on a grid, of which any box is read when it is asked for. Their axes are depth from the feet to the head, rows from the
 * front to the back and columns from the patient's right to the left, as slices are looked at; files are turned round to that.
 */

import { grouped } from "../../../blocks/index.js";

/** One number for each axis: depth, row, column. */
export type Triple = readonly [number, number, number];

export interface Volume {
  /** Millimetres from a voxel to the next; null: it does not say. */
  readonly spacing: Triple | null;
  readonly size: Triple;
  readonly channels: number;
  /** Voxels from `from` up to `to`, [depth, row, column, channels]; the volume has them. Throws `BrokenVolume`. */
  readonly read: (from: Triple, to: Triple) => Promise<Float32Array>;
}

/** A file that no volume comes from: its caller knows its name. */
export class BrokenVolume extends Error {
  override readonly name = "BrokenVolume";
}

/** Numbers that are held of one volume at once. */
const mostNumbers = 2 ** 27;

export const triple = (of: (axis: 0 | 1 | 2) => number): Triple => [of(0), of(1), of(2)];

export const lengthOf = ([depth, rows, columns]: Triple): number => depth * rows * columns;

/** Throws `BrokenVolume` for more numbers than are held. */
export function checkHeld(size: Triple, channels: number): void {
  const numbers = lengthOf(size) * channels;
  if (numbers <= mostNumbers) return;
  throw new BrokenVolume(
    `${grouped(numbers)} numbers of it are needed at once, and at most ${grouped(mostNumbers)} are held`,
  );
}

/** Which axis of a file an axis of the volume is, and whether it runs the other way. */
export interface Turn {
  readonly axis: 0 | 1 | 2;
  readonly reversed: boolean;
}

/** Where the axes of a file lead, in millimetres to the left, to the back and to the head. */
export type Directions = readonly [Triple, Triple, Triple];

/** Cosine of two axes above which they are not at right angles. */
const mostShear = 0.02;

/**
 * The turn of each axis of the volume, and the spacing: each axis of the file is taken for the one of the body that is nearest, as
 * `nibabel.as_closest_canonical` does, so that the slices of an oblique scan stay as they were made.
 */
export function turnsOf(directions: Directions): {
  readonly turns: readonly [Turn, Turn, Turn];
  readonly spacing: Triple;
} {
  const lengths = directions.map((direction) => Math.hypot(...direction));
  if (!lengths.every((length) => Number.isFinite(length) && length > 0)) {
    throw new BrokenVolume("its voxels have no size, or one that is no number");
  }
  const cosines = directions.map((direction, i) => direction.map((part) => part / (lengths[i] as number)));
  for (const [i, k] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const shear = (cosines[i] as number[]).reduce(
      (sum, part, c) => sum + part * ((cosines[k] as number[])[c] as number),
      0,
    );
    if (Math.abs(shear) > mostShear)
      throw new BrokenVolume("its axes are not at right angles, as of a scan with a tilted gantry");
  }
  const free = new Set([0, 1, 2] as const);
  // From the clearest: what is left over goes to what is left.
  const pairs = cosines.flatMap((parts, axis) => parts.map((part, body) => ({ axis: axis as 0 | 1 | 2, body, part })));
  pairs.sort((a, b) => Math.abs(b.part) - Math.abs(a.part));
  const found = new Map<number, Turn>();
  for (const { axis, body, part } of pairs) {
    if (!free.has(axis) || found.has(body)) continue;
    free.delete(axis);
    found.set(body, { axis, reversed: part < 0 });
  }
  // Of the body: 0 left, 1 back, 2 head. Of the volume: depth, row, column.
  const turns = [2, 1, 0].map((body) => found.get(body) as Turn) as [Turn, Turn, Turn];
  return { turns, spacing: turns.map(({ axis }) => lengths[axis]) as unknown as Triple };
}

/** Voxels as a file has them: its first axis the fastest. */
export interface Stored {
  readonly size: Triple;
  readonly channels: number;
  /** [third, second, first, channels] from `from` up to `to`, both by the axes of the file. */
  readonly read: (from: Triple, to: Triple) => Promise<Float32Array>;
}

/** A file turned round to the axes of volumes. */
export function turned(stored: Stored, directions: Directions): Volume {
  const { turns, spacing } = turnsOf(directions);
  const { channels } = stored;
  const size = triple((a) => stored.size[turns[a].axis]);
  return {
    spacing,
    size,
    channels,
    async read(from, to) {
      const box = triple((a) => to[a] - from[a]);
      checkHeld(box, channels);
      const [low, high] = [
        [0, 0, 0],
        [0, 0, 0],
      ] as [[number, number, number], [number, number, number]];
      for (const [a, { axis, reversed }] of turns.entries()) {
        const [begin, end] = [from[a] as number, to[a] as number];
        low[axis] = reversed ? (size[a] as number) - end : begin;
        high[axis] = reversed ? (size[a] as number) - begin : end;
      }
      const values = await stored.read(low, high);
      const own = [high[0] - low[0], high[1] - low[1], high[2] - low[2]] as const;
      const strides = [channels, channels * own[0], channels * own[0] * own[1]] as const;
      const steps = turns.map(({ axis, reversed }) => (reversed ? -strides[axis] : strides[axis]));
      const start = turns.reduce(
        (sum, { axis, reversed }) => sum + (reversed ? (own[axis] - 1) * strides[axis] : 0),
        0,
      );
      const [dz, dy, dx] = steps as [number, number, number];
      const result = new Float32Array(values.length);
      let out = 0;
      for (let z = 0; z < box[0]; z++) {
        for (let y = 0; y < box[1]; y++) {
          for (let x = 0; x < box[2]; x++) {
            const at = start + z * dz + y * dy + x * dx;
            for (let c = 0; c < channels; c++) result[out++] = values[at + c] as number;
          }
        }
      }
      return result;
    },
  };
}

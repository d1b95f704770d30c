/**
 * What a thread keeps of small files from one epoch to the next: opening, reading and decoding them takes longer than a step of a small
 * model. Only where a whole data set has room; what is kept is never changed.
 */

import type { Decoded, OpenImage } from "./image/picture.js";
import type { Recording } from "./recording/recording.js";
import type { Volume } from "./volume/volume.js";

/** Gives what stands under a key, made when it is asked for the first time; null: it is not to be kept. */
type Shelf<T> = (key: string, make: () => Promise<T | null>) => Promise<T | null>;

/** By paths; of what is made of a file in several ways, also by which. */
export interface Kept {
  readonly files: Shelf<OpenImage>;
  readonly pictures: Shelf<Decoded>;
  readonly recordings: Shelf<Recording>;
  /** What is made of recordings that no augmentation changes by chance. */
  readonly arrays: Shelf<Float32Array>;
  readonly volumes: Shelf<Volume>;
}

/** Bytes that are kept of one file. */
export const mostOfOne = 2 ** 20;
const numberBytes = 4;

/** Keeps at most so many bytes: what finds no room is made anew each time. */
export function keepUpTo(bytes: number): Kept {
  let left = bytes;
  const shelf = <T>(sizeOf: (made: T) => number): Shelf<T> => {
    const held = new Map<string, T | null>();
    return async (key, make) => {
      const known = held.get(key);
      if (known !== undefined) return known;
      const made = await make();
      const size = made === null ? 0 : sizeOf(made);
      if (size <= Math.min(left, mostOfOne) && !held.has(key)) {
        left -= size;
        held.set(key, made);
      }
      return made;
    };
  };
  return {
    files: shelf(({ bytes: own }) => own.byteLength),
    pictures: shelf(({ raster }) => raster.pixels.byteLength),
    arrays: shelf((numbers) => numbers.byteLength),
    recordings: shelf(({ length, channels }) => 2 * numberBytes * length * channels),
    volumes: shelf(({ size, channels }) => size.reduce((product, side) => product * side, channels) * numberBytes),
  };
}

/** Clips that are decoded from single files: what is wanted of one, what comes, and what keeps it from coming. */

import { grouped } from "../../../blocks/index.js";
import type { Raster, Size } from "../image/raster.js";

/** What of a video is wanted. */
export interface Wanted {
  readonly count: number;
  /** Frames from one to the next, in a video of so many. */
  readonly stride: (frames: number) => number;
  /** The one of them that is wanted; null: all are. */
  readonly only: number | null;
  /** The first frame, at most the one that is given. */
  readonly beginning: (most: number) => number;
}

/** From the first of them: the frames that are wanted. */
export const keptFrames = ({ count, only }: Pick<Wanted, "count" | "only">, stride: number): readonly number[] =>
  only === null ? Array.from({ length: count }, (_, i) => i * stride) : [only * stride];

export interface Clip {
  readonly frames: readonly Raster[];
  readonly size: Size;
}

/** A file that no clip comes from: its caller knows its name. */
export class BrokenVideo extends Error {
  override readonly name = "BrokenVideo";
}

/** Bytes that the frames of a clip may take when they are decoded. */
const largestClip = 2 ** 29;

/** Throws `BrokenVideo` for a clip that takes more than is held. */
export function checkDecoded(
  { codedHeight, codedWidth }: { readonly codedHeight: number; readonly codedWidth: number },
  frames: number,
): void {
  if (codedHeight * codedWidth * 4 * frames <= largestClip) return;
  throw new BrokenVideo(`${grouped(frames)} frames of ${codedHeight}x${codedWidth} take more than 512 MiB`);
}

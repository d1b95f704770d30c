/** Pictures written as PNG, and several as one animation in WebP, through sharp. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { RunError, reasonOf } from "../../run-error.js";
import { loadSharp } from "./sharp.js";

/** Red, green, blue, row by row, 0 to 255. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Throws `run/unwritable` or `run/decoder-missing`. */
export async function writePng(path: string, { width, height, pixels }: Canvas): Promise<void> {
  const sharp = await loadSharp();
  const png = sharp(pixels, { raw: { width, height, channels: 3 } }).png({ compressionLevel: 9 });
  await writePicture(path, await png.toBuffer());
}

/** Pictures of one size, each seen for so many milliseconds, again and again. Throws `run/unwritable` or `run/decoder-missing`. */
export async function writeAnimation(path: string, frames: readonly Canvas[], milliseconds: number): Promise<void> {
  const sharp = await loadSharp();
  const [{ width, height }] = frames as readonly [Canvas];
  const pixels = Buffer.concat(frames.map((frame) => frame.pixels));
  const raw = { width, height: height * frames.length, channels: 3, pageHeight: height } as const;
  const delay = frames.map(() => milliseconds);
  await writePicture(
    path,
    await sharp(pixels, { raw, limitInputPixels: false }).webp({ loop: 0, delay, quality: 90 }).toBuffer(),
  );
}

async function writePicture(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  } catch (error) {
    throw new RunError(
      "run/unwritable",
      {
        what: `The picture ${path} cannot be written`,
        why: reasonOf(error),
        help: "Name another file, or check that you may write there.",
      },
      { cause: error },
    );
  }
}

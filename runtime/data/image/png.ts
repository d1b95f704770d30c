/** Pictures written as PNG, and several as one animation in WebP, through sharp. */

import { writeMedium } from "../write-medium.js";
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
  await writeMedium(path, "picture", await png.toBuffer());
}

/** Pictures of one size, each seen for so many milliseconds, again and again. Throws `run/unwritable` or `run/decoder-missing`. */
export async function writeAnimation(path: string, frames: readonly Canvas[], milliseconds: number): Promise<void> {
  const sharp = await loadSharp();
  const [{ width, height }] = frames as readonly [Canvas];
  const pixels = Buffer.concat(frames.map((frame) => frame.pixels));
  const raw = { width, height: height * frames.length, channels: 3, pageHeight: height } as const;
  const delay = frames.map(() => milliseconds);
  await writeMedium(
    path,
    "picture",
    await sharp(pixels, { raw, limitInputPixels: false }).webp({ loop: 0, delay, quality: 90 }).toBuffer(),
  );
}

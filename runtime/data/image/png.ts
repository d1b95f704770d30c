/** Pictures written as PNG, through sharp. */

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
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, png);
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

/**
 * Reconstructions to look at and to listen to: clips and volumes as animations, frame by frame what the picture shows, and spectrograms as
 * rough sounds.
 */

import { basename, dirname, join } from "node:path";
import { type ArrayShape, mediumOf, planesOf } from "../../blocks/index.js";
import { type Canvas, writeAnimation } from "../data/image/png.js";
import { soundFromLogMel } from "../data/sound/griffin-lim.js";
import { writeWav } from "../data/sound/write-wav.js";
import { reconstructionPicture } from "./picture.js";
import type { Reconstruction } from "./reconstruction.js";

/** Milliseconds that a frame is seen. */
const frameTime = 150;

/** Writes them beside the picture at `path`. Gives the files. Throws `run/unwritable` or `run/decoder-missing`. */
export async function writeMedia(
  path: string,
  array: ArrayShape,
  reconstructions: readonly Reconstruction[],
): Promise<readonly string[]> {
  const stem = join(dirname(path), basename(path).replace(/\.[^.]*$/, ""));
  if (array.sound) return writeSounds(stem, array, reconstructions);
  const { count, shape } = planesOf(array);
  if (count === 1 || mediumOf(array) === null) return [];
  const picture: ArrayShape = { axes: array.axes.slice(-2), channels: shape.channels };
  const frames: Canvas[] = Array.from({ length: count }, (_, i) =>
    reconstructionPicture(
      picture,
      reconstructions.map((one) => planeOf(one, i, count)),
    ),
  );
  await writeAnimation(`${stem}.webp`, frames, frameTime);
  return [`${stem}.webp`];
}

/** One frame of everything. */
function planeOf(whole: Reconstruction, plane: number, count: number): Reconstruction {
  const of = <T extends Float32Array | Uint8Array>(values: T): T => {
    const length = values.length / count;
    return values.subarray(plane * length, (plane + 1) * length) as T;
  };
  const { input, output, pasted, aided, hidden, errors } = whole;
  const same = { input: of(input), output: of(output), pasted: of(pasted), hidden: of(hidden), errors };
  return aided ? { ...same, aided: of(aided) } : same;
}

/** Of each sample its input and what the model made of it, one after another with a pause. */
async function writeSounds(
  stem: string,
  array: ArrayShape,
  reconstructions: readonly Reconstruction[],
): Promise<readonly string[]> {
  const { sound, axes, channels } = array;
  if (!sound) return [];
  const mels = axes[1]?.size ?? 1;
  const files: string[] = [];
  for (const [i, { input, pasted, aided }] of reconstructions.entries()) {
    for (const [name, values] of [
      ["input", input],
      ["pasted", aided ?? pasted],
    ] as const) {
      const sounds = Array.from({ length: channels }, (_, c) =>
        soundFromLogMel(
          Float64Array.from({ length: values.length / channels }, (_, k) => values[k * channels + c] as number),
          { ...sound, mels },
        ),
      );
      const file = `${stem}-${i + 1}-${name}.wav`;
      await writeWav(file, sounds, sound.rate);
      files.push(file);
    }
  }
  return files;
}

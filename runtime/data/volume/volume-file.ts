/** One volume as the array that a model reads: a file or a series opened, changed as the recipe says, and compared with what the model declares. */

import { type ArrayShape, type AugmentStep, sidesText } from "../../../blocks/index.js";
import { invariant } from "../../../graph/index.js";
import { openPlainFile } from "../../plain-file.js";
import { RunError, unreadable } from "../../run-error.js";
import { BrokenFile } from "../broken-file.js";
import { type Kept, mostOfOne } from "../kept.js";
import { openSeries } from "./dicom.js";
import { openNifti } from "./nifti.js";
import { isSpacing, respaced } from "./respace.js";
import { BrokenVolume, checkHeld, lengthOf, type Triple, triple, type Volume } from "./volume.js";

type Kind = "spacing" | "box" | "turn";
type Step<K extends Kind> = Extract<AugmentStep, { readonly kind: K }>;
type Carry<K extends Kind> = (volume: Volume, step: Step<K>, array: ArrayShape) => Volume;

const carries: { readonly [K in Kind]: Carry<K> } = {
  spacing(volume, { by }, { spacing }) {
    invariant(spacing, "the checker lets through only models that say which spacing they read");
    return respaced(volume, spacing, by);
  },
  box: (volume, { at, pad }, array) => boxed(volume, sizeOf(array), at, pad),
  turn: (volume) => turnedOver(volume),
};

const isOfVolumes = (step: AugmentStep): step is Step<Kind> => Object.hasOwn(carries, step.kind);

/** Whether some of the steps change whole volumes. */
export const changeVolumes = (steps: readonly AugmentStep[]): boolean => steps.some(isOfVolumes);

const sizeOf = ({ axes }: ArrayShape): Triple => triple((a) => axes[a]?.size ?? 1);

/**
 * Opens a volume for as long as `use` takes: a file, or the named files of a folder; a small one as `kept` has it, changed as it says. Throws `BrokenFile` or
 * `run/unreadable`, and what `use` does.
 */
export async function withVolume<T>(
  path: string,
  names: readonly string[],
  use: (volume: Volume) => Promise<T>,
  kept?: { readonly by: Kept; readonly as: (volume: Volume) => Volume },
): Promise<T> {
  const known = await kept?.by.volumes([path, ...names].join("\n"), () =>
    withFiles(path, names, async (volume) => wholeOf(kept.as(volume))),
  );
  return withFiles(path, names, use, known ?? undefined);
}

/** A volume in the spacing that the steps ask for first: nothing else changes it in every epoch alike. */
export function spaced(volume: Volume, steps: readonly AugmentStep[], array: ArrayShape): Volume {
  const [first] = steps.filter(isOfVolumes);
  return first?.kind === "spacing" ? carries.spacing(volume, first, array) : volume;
}

/** All of a small one in memory; null: it is larger, or not all of it is there. */
async function wholeOf(volume: Volume): Promise<Volume | null> {
  const { size, channels, spacing } = volume;
  if (lengthOf(size) * channels * Float32Array.BYTES_PER_ELEMENT > mostOfOne) return null;
  const voxels = await volume.read([0, 0, 0], size).catch(() => null);
  return voxels && volumeInMemory(voxels, size, channels, spacing);
}

async function withFiles<T>(
  path: string,
  names: readonly string[],
  use: (volume: Volume) => Promise<T>,
  known?: Volume,
): Promise<T> {
  try {
    if (known) return await use(known);
    if (names.length > 0) return await use(await openSeries(path, names));
    const plain = await opened(path);
    try {
      return await use(await openNifti(plain));
    } finally {
      await plain.file.close();
    }
  } catch (error) {
    throw error instanceof BrokenVolume ? new BrokenFile(path, error.message) : error;
  }
}

async function opened(path: string) {
  try {
    return await openPlainFile(path, "it");
  } catch (error) {
    if (error instanceof RunError) throw new BrokenFile(path, error.what);
    throw unreadable(path, "It was there when the run began. Put it back, or start again without it.", error);
  }
}

/** Changed as the steps say and compared with what the model declares. Throws `BrokenVolume`, `run/channels` or `run/array-size`. */
function declared(volume: Volume, steps: readonly AugmentStep[], array: ArrayShape, what: string): Volume {
  const changed = steps
    .filter(isOfVolumes)
    .reduce((current, step) => (carries[step.kind] as Carry<Kind>)(current, step, array), volume);
  const { channels, spacing } = changed;
  if (channels !== array.channels) {
    throw new RunError("run/channels", {
      what: `${what} has ${channels === 1 ? "1 value" : `${channels} values`} for each voxel and the model declares ${array.channels}`,
      help: `Write \`channels: ${channels}\` in the model's input, or take single volumes out of files of several.`,
    });
  }
  if (array.spacing && spacing && !isSpacing(spacing, array.spacing)) {
    throw new RunError("run/array-size", {
      what: `${what} has voxels of ${textOf(spacing)} mm and the model declares ${textOf(array.spacing)}`,
      help: `Write \`respace\` in the recipe's augment line, or \`spacing: (${textOf(spacing)})\` in the model's input.`,
    });
  }
  return changed;
}

const textOf = (spacing: Triple): string => spacing.map((one) => Number(one.toFixed(4))).join(", ");

/**
 * All voxels after the steps: of a volume that is changed as a whole, of the model's size; of another, as many slices as the model reads, of
 * any size. Throws as `declared`.
 */
export async function arrayOfVolume(
  volume: Volume,
  steps: readonly AugmentStep[],
  array: ArrayShape,
  what: string,
): Promise<{ readonly numbers: Float32Array; readonly shape: ArrayShape }> {
  const changed = fitting(declared(volume, steps, array, what), steps, array, what);
  const axes = array.axes.map((axis, a) => ({ ...axis, size: changed.size[a] as number }));
  checkHeld(changed.size, changed.channels);
  const numbers = await changed.read([0, 0, 0], changed.size);
  const odd = numbers.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0)
    throw new BrokenVolume(
      `voxels of it are no numbers, the first ${placeOf(odd, changed)} (depth, row, column); save it with 0 there`,
    );
  return { numbers, shape: { ...array, axes } };
}

function placeOf(at: number, { size, channels }: Volume): string {
  const voxel = Math.floor(at / channels);
  const [, rows, columns] = size;
  return `(${Math.floor(voxel / rows / columns)}, ${Math.floor(voxel / columns) % rows}, ${voxel % columns})`;
}

/** Looks whether the file is one that the model reads, by its header. Throws as `arrayOfVolume`, `BrokenFile` or `run/unreadable`. */
export const checkVolume = (path: string, array: ArrayShape, steps: readonly AugmentStep[]): Promise<void> =>
  withVolume(path, [], async (volume) => {
    fitting(declared(volume, steps, array, path), steps, array, path);
  });

/** A volume with as many slices as the model reads or, where it was changed as a whole, of the model's size. */
function fitting(volume: Volume, steps: readonly AugmentStep[], array: ArrayShape, what: string): Volume {
  const wanted = sizeOf(array);
  const compared = changeVolumes(steps) ? 3 : 1;
  if (volume.size.slice(0, compared).join() === wanted.slice(0, compared).join()) return volume;
  throw new RunError("run/array-size", {
    what: `${what} is ${volume.size.join("x")} and the model's input is ${sidesText(array)} (depth x row x column)`,
    help: isSmaller(volume.size, wanted)
      ? "Write `pad: true` in `random_box` or `center_box` of the recipe's augment line, or a smaller size in the model's input."
      : "Write `random_box` or `center_box` in the recipe's augment line, or change the model's input.",
  });
}

const isSmaller = (size: Triple, wanted: Triple): boolean => size.some((length, a) => length < (wanted[a] as number));

/** A box of a size, whose beginning is a share of all beginnings on each axis. What a smaller volume lacks is 0 around its middle. */
function boxed(volume: Volume, size: Triple, at: Triple, pad: boolean): Volume {
  if (!pad && size.some((wanted, a) => wanted > (volume.size[a] as number))) return volume;
  const begin = triple((a) => {
    const most = volume.size[a] - size[a];
    return most >= 0 ? Math.min(most, Math.floor(at[a] * (most + 1))) : Math.ceil(most / 2);
  });
  const { channels } = volume;
  return {
    ...volume,
    size,
    async read(from, to) {
      const box = triple((a) => to[a] - from[a]);
      checkHeld(box, channels);
      const low = triple((a) => Math.max(0, from[a] + begin[a]));
      const high = triple((a) => Math.min(volume.size[a], to[a] + begin[a]));
      const there = triple((a) => high[a] - low[a]);
      if (there.join() === box.join()) return volume.read(low, high);
      const result = new Float32Array(box[0] * box[1] * box[2] * channels);
      if (there.some((length) => length <= 0)) return result;
      const values = await volume.read(low, high);
      const offset = triple((a) => low[a] - from[a] - begin[a]);
      const row = there[2] * channels;
      for (let z = 0; z < there[0]; z++) {
        for (let y = 0; y < there[1]; y++) {
          const start = (z * there[1] + y) * row;
          const target = (((z + offset[0]) * box[1] + y + offset[1]) * box[2] + offset[2]) * channels;
          result.set(values.subarray(start, start + row), target);
        }
      }
      return result;
    },
  };
}

/** The last slice first. */
function turnedOver(volume: Volume): Volume {
  const [depth] = volume.size;
  return {
    ...volume,
    async read(from, to) {
      const values = await volume.read([depth - to[0], from[1], from[2]], [depth - from[0], to[1], to[2]]);
      const slices = to[0] - from[0];
      const slice = values.length / Math.max(1, slices);
      const result = new Float32Array(values.length);
      for (let z = 0; z < slices; z++)
        result.set(values.subarray(z * slice, (z + 1) * slice), (slices - 1 - z) * slice);
      return result;
    },
  };
}

/** Voxels in memory, [...size, channels]. */
export const volumeInMemory = (
  numbers: ArrayLike<number>,
  size: Triple,
  channels: number,
  spacing: Triple | null,
): Volume => ({
  size,
  channels,
  spacing,
  async read(from, to) {
    const box = triple((a) => to[a] - from[a]);
    const result = new Float32Array(box[0] * box[1] * box[2] * channels);
    let out = 0;
    for (let z = from[0]; z < to[0]; z++) {
      for (let y = from[1]; y < to[1]; y++) {
        const start = ((z * size[1] + y) * size[2] + from[2]) * channels;
        for (let k = 0; k < box[2] * channels; k++) result[out++] = numbers[start + k] as number;
      }
    }
    return result;
  },
});

/** Maps of samples: the class or the value of each place of an array, put where augmentations have put the array. */

import { type ArrayShape, type AugmentStep, isVolume, planesOf } from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import { byNearest, mapFile, type NumbersOf } from "./image/beside.js";
import { geometryOf } from "./image/plan.js";
import type { Size } from "./image/raster.js";
import { eachPlane } from "./numbers.js";
import { type Triple, triple } from "./volume/volume.js";
import { arrayOfVolume, changeVolumes, volumeInMemory, withVolume } from "./volume/volume-file.js";

/** Of what a turn brings in from outside. */
const unknown = Number.NaN;

/** A map as it is stored: of the sample's own size. */
interface StoredMap {
  readonly numbers: ArrayLike<number>;
  readonly shape: ArrayShape;
}

const onePlace = (shape: ArrayShape): ArrayShape => ({ ...shape, channels: 1 });

/** The pictures of a map moved as those of its array were, one number for each place. */
export function movedMap({ numbers, shape }: StoredMap, steps: readonly AugmentStep[]): Float32Array {
  const geometry = geometryOf(steps).map(byNearest(unknown));
  return Float32Array.from(eachPlane(Float32Array.from(numbers), planesOf(onePlace(shape)), geometry));
}

/** Throws `run/data` for classes that are no whole numbers. */
function checkNumbers(of: NumbersOf, numbers: ArrayLike<number>, path: string): void {
  const odd = of === "values" ? undefined : Array.prototype.find.call(numbers, (number) => !Number.isInteger(number));
  if (odd === undefined) return;
  throw new RunError("run/data", {
    what: `${path} holds ${odd}`,
    help: "Save the class of each place as a whole number.",
  });
}

/** The numbers themselves, where they are such. Throws `run/data` as `checkNumbers`. */
export function checkedNumbers(of: NumbersOf, numbers: Float32Array, path: string): Float32Array {
  checkNumbers(of, numbers, path);
  return numbers;
}

/** Of an image file of this size. */
export async function imageMap(
  path: string,
  size: Size,
  array: ArrayShape,
  steps: readonly AugmentStep[],
  of: NumbersOf,
): Promise<Float32Array> {
  const { pixels, height, width } = await mapFile(path, size, of);
  const axes = array.axes.map((axis, i) => ({ ...axis, size: [height, width][i] as number }));
  return movedMap({ numbers: pixels, shape: { ...array, axes } }, steps);
}

/** Steps of volumes that mix no numbers. */
const unmixed = (steps: readonly AugmentStep[]): readonly AugmentStep[] =>
  steps.map((step) => (step.kind === "spacing" ? { ...step, by: "nearest" } : step));

/** Of a file of a volume of this size. `planes`: the steps of its slices, after those of the whole. */
export async function volumeMap(
  path: string,
  size: Triple,
  array: ArrayShape,
  { whole, planes }: { readonly whole: readonly AugmentStep[]; readonly planes: readonly AugmentStep[] },
  of: NumbersOf,
): Promise<Float32Array> {
  const stored = await withVolume(path, [], async (volume) => {
    if (volume.size.join() !== size.join()) {
      throw new RunError("run/data", {
        what: `${path} is ${volume.size.join("x")} and its volume ${size.join("x")}`,
        help: "A map has a number for each voxel of its volume.",
      });
    }
    return arrayOfVolume(volume, unmixed(whole), onePlace(array), path);
  });
  checkNumbers(of, stored.numbers, path);
  return movedMap(stored, planes);
}

/** Of a sample in memory. */
export async function storedMap(
  stored: StoredMap,
  array: ArrayShape,
  steps: readonly AugmentStep[],
  of: NumbersOf,
): Promise<Float32Array> {
  checkNumbers(of, stored.numbers, "A map");
  if (array.cloud) return Float32Array.from(stored.numbers);
  if (!isVolume(array) || !changeVolumes(steps)) return movedMap(stored, steps);
  const size = triple((a) => stored.shape.axes[a]?.size ?? 1);
  const volume = volumeInMemory(stored.numbers, size, 1, array.spacing ?? null);
  return movedMap(await arrayOfVolume(volume, unmixed(steps), onePlace(array), "a map"), steps);
}

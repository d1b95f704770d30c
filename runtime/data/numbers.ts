/**
 * Arrays that are numbers already: their pictures cropped, resized and flipped, all of a sample alike, so that the frames of a clip
 * stay frames of one scene.
 */

import { type ArrayShape, type AugmentStep, axesText, hasPictures, planesOf, sidesText } from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import { geometryOf, planFor } from "./image/plan.js";
import { applySteps, type Geometry, type Size, sameKind } from "./image/raster.js";
import type { Item, NamedArray, Numbers, Preparation } from "./preparation.js";

interface Stored {
  readonly numbers: Numbers;
  readonly shape: ArrayShape;
}

/** Throws `run/channels` or `run/image-size` for an array that is not, and cannot be made, one of the model's. */
export function prepareNumbers(
  { numbers, shape }: Stored,
  item: Item,
  { name, shape: array }: NamedArray,
  preparation: Preparation,
): { readonly numbers: Numbers; readonly size: Size; readonly steps: readonly AugmentStep[] } {
  if (shape.channels !== array.channels) throw wrongChannels(shape.channels, array.channels);
  const what = `sample ${item.sample}`;
  const planes = planesOf(shape);
  if (planes.count !== planesOf(array).count || !(hasPictures(array) || sameSides(shape, array))) {
    throw wrongSides(what, shape, array);
  }
  const steps = planFor(planes.shape, item, { name, shape: array }, preparation, what);
  return { numbers: eachPlane(numbers, planes, geometryOf(steps)), size: planes.shape, steps };
}

const sameSides = (a: ArrayShape, b: ArrayShape): boolean => sidesText(a) === sidesText(b);

/** The steps carried out on every plane. */
function eachPlane(
  numbers: Numbers,
  { count, shape }: ReturnType<typeof planesOf>,
  geometry: readonly Geometry[],
): Numbers {
  if (geometry.length === 0) return numbers;
  const length = numbers.length / count;
  const planes = Array.from(
    { length: count },
    (_, i) => applySteps({ ...shape, pixels: numbers.subarray(i * length, (i + 1) * length) }, geometry).pixels,
  );
  return joined(planes);
}

/** One after another. */
export function joined(planes: readonly Numbers[]): Numbers {
  const [first] = planes as readonly [Numbers, ...Numbers[]];
  if (planes.length === 1) return first;
  const whole = sameKind(first, planes.length * first.length);
  for (const [i, plane] of planes.entries()) whole.set(plane, i * first.length);
  return whole;
}

const wrongChannels = (has: number, declared: number): RunError =>
  new RunError("run/channels", {
    what: `The data has ${has} channels and the model declares ${declared}`,
    help: `Write \`channels: ${has}\` in the model's input, or use other data.`,
  });

const wrongSides = (what: string, has: ArrayShape, array: ArrayShape): RunError =>
  new RunError("run/image-size", {
    what: `${what} is ${sidesText(has)} and the model's input is ${sidesText(array)} (${axesText(array.axes)})`,
    help: "Save arrays of that size, or change the model's input.",
  });

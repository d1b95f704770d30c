/** Samples as wholes: what a recipe makes of each where nothing is cut out of it, one at a time, with its fields. */

import {
  type ArrayShape,
  arrayLength,
  type BoundField,
  bindField,
  isVolume,
  oneLine,
  type SampleIndex,
  type Sliding,
} from "../../blocks/index.js";
import { invariant, sizeOf } from "../../graph/index.js";
import { BrokenFile } from "./broken-file.js";
import { computeFields } from "./fields.js";
import { checkShare } from "./fill.js";
import { sizeAfter } from "./image/plan.js";
import { type FieldArrays, type Item, type Preparation, pathOf, type Source, sourcesOf } from "./preparation.js";
import { arraySteps, preparedFrom } from "./prepare.js";
import { stepsOfNumbers } from "./recording/steps.js";
import { spaced, withVolume } from "./volume/volume-file.js";
import { type Failed, isUnfit, toPlain } from "./work.js";
import { writeNumbers } from "./write.js";

/** A sample of a model with one input. */
export interface WholeSample {
  /** Its axes are those of the model's array, their sizes its own. */
  readonly shape: ArrayShape;
  /** [...axes, C]. */
  readonly numbers: Float32Array;
  readonly fields: FieldArrays;
}

export interface WholesOptions extends Pick<Preparation, "augment" | "arrays" | "fields" | "root"> {
  readonly index: SampleIndex;
  /** How large pictures are. */
  readonly pictures: Sliding["pictures"];
  /** Told once of each file that is of no use. */
  readonly note: (text: string) => void;
}

/** All samples in their own order, without random augmentation; one whose file is broken or does not fit is left out. Throws as `evaluationBatches`. */
export async function* wholeSamples({ index, pictures, note, ...rest }: WholesOptions): AsyncGenerator<WholeSample> {
  const preparation: Preparation = { ...rest, seed: 0, mode: "evaluate", whole: pictures };
  const failed: Failed[] = [];
  for (let i = 0; i < index.length; i++) {
    const sample = index.sample(i);
    const sources = sourcesOf(sample, rest.root, rest.arrays);
    const found = await prepareWhole({ sources, label: sample.label, epoch: 0, sample: i }, preparation).catch(
      (error: unknown) => uselessFile(error, sources, i),
    );
    if ("numbers" in found) {
      yield found;
      continue;
    }
    failed.push(found);
    checkShare(failed, index.length);
    note(oneLine(`${found.path} is left out: ${found.why}`));
  }
}

/** Throws what is no fault of a file. */
function uselessFile(error: unknown, sources: Item["sources"], place: number): Failed {
  const [path = ""] = Object.values(sources).map(pathOf);
  if (error instanceof BrokenFile) return { place, path, why: error.why, error: null };
  if (path === "" || !isUnfit(error)) throw error;
  return { place, path, why: error.what, error: toPlain(error) };
}

async function prepareWhole(item: Item, preparation: Preparation): Promise<WholeSample> {
  const [[name, declared] = []] = Object.entries(preparation.arrays);
  invariant(name !== undefined && declared, "places are those of one array");
  const source = item.sources[name] as Source;
  const read = isVolume(declared) ? await withSizes(source, item, { name, shape: declared }, preparation) : declared;
  const own: Preparation = { ...preparation, arrays: { [name]: read } };
  const prepared = await preparedFrom(source, item, { name, shape: read }, own);
  const { height, width } = prepared.steps.reduce(sizeAfter, prepared.size);
  const before = read.axes.slice(0, -2);
  const axes = read.axes.slice(-2).map((axis, i) => ({ ...axis, size: [height, width][i] as number }));
  const shape: ArrayShape = { ...read, axes: [...before, ...axes] };
  const numbers = new Float32Array(arrayLength(shape));
  writeNumbers(prepared.numbers, shape, stepsOfNumbers(prepared.steps, shape), numbers);
  const asked = Object.entries(preparation.fields).map(([field, one]) => [field, fieldOf(one, shape)] as const);
  const fields = Object.fromEntries(asked.map(([field, one]) => [field, emptyField(one)]));
  const options = { ...preparation, fields: Object.fromEntries(asked) };
  await computeFields(item, options, prepared.numbers, fields, prepared);
  return { shape, numbers, fields };
}

/** A volume's array, of the sizes that it has in the spacing which the recipe asks for. */
async function withSizes(
  source: Source,
  item: Item,
  array: { readonly name: string; readonly shape: ArrayShape },
  preparation: Preparation,
): Promise<ArrayShape> {
  const { shape } = array;
  if (source.kind === "array")
    return sized(
      shape,
      source.shape.axes.map(({ size }) => size),
    );
  const names = source.kind === "frames" ? source.names : [];
  const steps = arraySteps(source.path, array, preparation, item);
  return withVolume(source.path, names, async (volume) => sized(shape, spaced(volume, steps, shape).size));
}

const sized = (shape: ArrayShape, sizes: readonly number[]): ArrayShape => ({
  ...shape,
  axes: shape.axes.map((axis, i) => ({ ...axis, size: sizes[i] as number })),
});

/** A field of the model's array as one of the whole sample. */
const fieldOf = ({ kind, block, values, context, input }: BoundField, array: ArrayShape): BoundField =>
  bindField(kind, block, values, { ...context, array }, input);

const emptyField = ({ dtype, shape }: BoundField): FieldArrays[string] =>
  dtype === "int32" ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape));

/**
 * The examples as tests train them for a few steps: each recipe of each example on its own model. Those of published size are made
 * small first, in depth, width and image, since the reference would take hours: what they are made of stays.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Annotated,
  type ArrayShape,
  arrayLength,
  type BlockValue,
  facesAsNumbers,
  hasPictures,
  type IdsShape,
  type ImageObject,
  type ImageShape,
  kindOf,
  type MeshShape,
  type ModelProgram,
  type Optimizer,
  patchesOfMesh,
  planesOf,
  type Registry,
  registry,
  type Sample,
  saidBy,
  type TableShape,
  textChannels,
} from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { analyze, type Filled, type Model, type Recipe, type RecipeBeside, trainingOf } from "../../compiler/index.js";
import { randomStream } from "../../graph/index.js";
import { type Bound, type Executor, packageRoot, type Training, train } from "../../runtime/index.js";
import { bound, inMemory } from "./data.js";
import { cutOctahedron } from "./octahedron.js";

const folder = join(packageRoot, "examples");

export const steps = 20;
/** Samples of a step: of two, norms by the statistics of a batch would leave no more than a sign, and of few they make rounding grow. */
export const batchOf = ({ model }: Pick<Example, "model">): number =>
  model.slots.some(({ slot, use }) => slot === "head" && (use.values.end ?? use.values.class_features) !== undefined)
    ? 7
    : 2;

export interface Example {
  /** File and recipe: `digits.TrainDigits`. */
  readonly name: string;
  /** Made small. */
  readonly model: Model;
  readonly recipe: Recipe;
  /** What is trained beside it, each likewise. */
  readonly beside: readonly (Omit<Example, "beside"> & Pick<RecipeBeside, "weights">)[];
}

/** Every recipe that an example declares, in the folder and in those below it; some examples are models alone. */
export async function listExamples(): Promise<readonly Example[]> {
  const vocabulary = withBlocks(await ownBlocks());
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/"));
  return files
    .filter((file) => file.endsWith(".mae"))
    .sort()
    .flatMap((path) => examplesOf(path, vocabulary));
}

/** What the example with blocks of its own exports. Its files are run on our sources, which stand for the built package. */
async function ownBlocks(): Promise<readonly unknown[]> {
  const from = join(folder, "own-block", "blocks");
  const copies = mkdtempSync(join(packageRoot, "test", ".emitted-"));
  try {
    const exported = readdirSync(from).map(async (file) => {
      const text = readFileSync(join(from, file), "utf8");
      writeFileSync(join(copies, file), text.replace(/"maelang\/(blocks|graph)"/g, '"../../$1/index.js"'));
      return Object.values<unknown>(await import(join(copies, file)));
    });
    return (await Promise.all(exported)).flat();
  } finally {
    rmSync(copies, { recursive: true });
  }
}

/** The registry and those of the values that are blocks. */
const withBlocks = (values: readonly unknown[]): Registry =>
  Object.fromEntries(
    Object.entries(registry).map(([kind, blocks]) => [kind, [...blocks, ...values.filter((v) => kindOf(v) === kind)]]),
  ) as unknown as Registry;

function examplesOf(path: string, vocabulary: Registry): readonly Example[] {
  const readText = (file: string) => readFileSync(join(folder, file), "utf8");
  const { models, recipes } = analyze({ path, text: readText(path) }, { readText }, vocabulary);
  const own = [...recipes.values()].filter(({ span }) => span.source.path === path);
  return own.map((recipe) => {
    const model = models.get(recipe.model);
    if (!model) throw new Error(`${path} has a recipe for ${recipe.model} and no such model`);
    const stem = path.slice(0, -".mae".length).replaceAll("/", "-");
    const beside = (recipe.beside ?? []).map((one) => ({ ...one, name: one.recipe.name, model: shrunk(one.model) }));
    return { name: `${stem}.${recipe.name}`, model: shrunk(model), recipe, beside };
  });
}

/** The most of what a block has. */
const most: Readonly<Record<string, number>> = {
  ...{ depth: 2, neck_depth: 2, layers: 2, layer: 2, given_layer: 2, classes: 100, frames: 4, times: 2, outline: 4 },
  ...{ neighbours: 4, inner: 4 },
  ...{ patches: 8, levels: 2 },
  ...{ length: 16, vocabulary: 120, mask: 100 },
  ...{ hidden: 64, out: 64, bottleneck: 16, local: 4 },
  // Of several inputs: a sixth of the tokens of three, and as many classes of pixels.
  visible: 8,
  // Latents, regions, points and their groups.
  count: 8,
  channels: 8,
  // Four batches.
  queue: 28,
  // Of a way that is integrated.
  steps: 2,
};
const mostOfDetectors = 4;
/** Classes of the pictures. */
const labels = 3;
/** Of clouds of these classes. */
const partsOfClouds = [3, 2, 2];
const widest = 16;
/** Of volumes and clips with a sine and a cosine for each of three axes. */
const widestOfThreeAxes = 24;
/** Side of a cell of an encoder of maps. */
const cell = 4;
const heads = 4;
/** Of segments. At the scale of a large image, a small one would be one segment. */
const largeScale = 500;
const smallScale = 30;

/** A value that is a block with values of its own. */
const isBlock = (value: unknown): value is BlockValue =>
  typeof value === "object" && value !== null && "block" in value && "values" in value;

/** The values of a block with smaller ones, where it has so many. */
function smaller(
  values: Readonly<Record<string, unknown>>,
  patch: readonly number[],
  width = widest,
): Record<string, unknown> {
  const changed: Record<string, unknown> = { ...values };
  if (typeof values.width === "number" && values.width > width) {
    changed.width = width;
    if (typeof values.heads === "number") changed.heads = heads;
  }
  for (const [name, largest] of Object.entries(most)) {
    const value = values[name];
    if (typeof value === "number") changed[name] = Math.min(value, largest);
  }
  if (values.pool !== undefined && values.classes === 2) changed.classes = labels;
  // Of clips of two frames.
  if (Array.isArray(values.gap)) changed.gap = [1, 1];
  // Of clouds that bear their class, and of their parts.
  if (values.repeat !== undefined && values.classes !== null) changed.classes = labels;
  if (values.class_features !== undefined)
    Object.assign(changed, { parts: partsOfClouds, propagated: [12, 8], hidden: [8, 8], class_features: 4 });
  // Every place of a detector says something of every class, and most places are on the finest of four maps.
  if (Array.isArray(values.scales)) {
    changed.classes = Math.min(values.classes as number, mostOfDetectors);
    changed.scales = values.scales.slice(-3);
  }
  if (Array.isArray(values.scale))
    changed.scale = values.scale.map((scale: number) => (scale > largeScale ? smallScale : scale));
  for (const [name, value] of Object.entries(values)) {
    if (isBlock(value)) changed[name] = { ...value, values: smaller(value.values, patch, width) };
  }
  // Two stages, whose deepest places have as many pixels as patches, or four by four where these cannot be halved.
  if (Array.isArray(values.widths)) {
    const side = patch.at(-1) as number;
    Object.assign(changed, { depths: [1, 1], widths: [widest / 2, widest], stem: (side % 2 === 0 ? side : cell) / 2 });
    if (typeof values.heads === "number") changed.heads = heads;
  }
  if (Array.isArray(values.depths) && values.depths.length > 1 && values.stem === "large") {
    Object.assign(changed, { depths: [1, 1, 1], width: 2, stem: "small" });
  }
  // The same with windows, of which there are several; of a decoder, which has no width, one stage.
  if (Array.isArray(values.heads) && Math.max(...values.heads) > heads) {
    const ofStages = values.stem === undefined ? { depths: [2], heads: [2] } : { depths: [2, 2], heads: [2, 4] };
    Object.assign(changed, { ...ofStages, window: cell });
    if (values.stem !== undefined) Object.assign(changed, { width: widest / 2, stem: cell / 2 });
  }
  // Windows of which a grid of four by four patches has several.
  if (typeof values.window === "number" && typeof values.heads === "number") changed.window = 2;
  if (Array.isArray(values.cell) && values.ratio !== undefined && patch[0] === cell) changed.cell = [cell, cell];
  if (typeof values.mels === "number") [changed.frames, changed.mels] = patch.map((side) => 4 * side);
  // A grid of four by four patches.
  // A box of voxels with sides that are all large.
  if (Array.isArray(values.size) && values.size.length === 3 && values.size.every((side) => side === 16))
    changed.size = patch;
  const isWide = Array.isArray(values.local_size) && (values.local_size[0] as number) > 32;
  if (isWide) changed.local_size = patch.map((side) => 2 * side);
  const isLarge = Array.isArray(values.size) && (values.size[0] as number) > (values.size.length === 3 ? 90 : 100);
  if (Array.isArray(values.size) && (isLarge || (values.channels as number) > 100))
    changed.size = patch.slice(-values.size.length).map((side) => 4 * side);
  return changed;
}

function shrunk(model: Model): Model {
  const tokens = model.slots.filter(({ slot }) => slot === "tokens");
  const isOfVolumes = model.slots.some(({ use }) => use.definition.name === "volume");
  const patchOf = (label: string | null): readonly number[] => {
    const sides = (tokens.find((one) => one.label === label) ?? tokens[0])?.use.values.size ?? [cell, cell];
    const isOfBoxes = isOfVolumes && (sides as number[]).length === 3;
    return isOfBoxes ? (sides as number[]).map((side) => Math.min(side, cell)) : (sides as readonly number[]);
  };
  const isOfWaves = ({ slot, use }: Filled): boolean =>
    slot === "positions" && use.definition.name === "sin_cos" && use.values.order !== "flat";
  const isOfClips = model.slots.some(({ use }) => use.definition.name === "video") && model.slots.some(isOfWaves);
  const width = isOfVolumes || isOfClips ? widestOfThreeAxes : widest;
  const each = (filled: readonly Filled[]): Filled[] =>
    filled.map((one) => ({
      ...one,
      use: { ...one.use, values: smaller(one.use.values, patchOf(one.label), width) },
      inner: each(one.inner),
    }));
  const isOfPlaces = model.slots.some(({ use }) =>
    ["places", "moves", "values"].includes(saidBy(use.definition as never)),
  );
  const isOfPairs = model.slots.some(({ use }) => use.definition.name === "frames");
  const isOfCodes = model.slots.some(({ use }) => Array.isArray(use.values.levels) || isBlock(use.values.by));
  const slots = each(model.slots);
  return { ...model, slots: isOfPlaces || isOfPairs || isOfCodes ? slots.map(fewPlaces) : slots };
}

/** Of a model that says something of every place, sees two frames or names places by codes: patches of four places along each axis, as few as can be halved once or twice. */
function fewPlaces(filled: Filled): Filled {
  const { size } = filled.use.values as { readonly size?: readonly number[] };
  if (!size || !["input", "tokens"].includes(filled.slot)) return filled;
  const patches = filled.slot === "tokens" ? 1 : size.length === 3 ? 2 : 4;
  return { ...filled, use: { ...filled.use, values: { ...filled.use.values, size: size.map(() => cell * patches) } } };
}

/**
 * Slanted planes with waves on them, each different; of clips one below the other, cut into frames. Nowhere level: where a slope is
 * zero, the direction of a gradient hangs on the rounding, in float32 as anywhere.
 */
function pictures(count: number, array: ArrayShape, { first = 0, isValued = false } = {}): Sample[] {
  if (array.ids) return texts(count, array, array.ids);
  if (array.table) return rows(count, array, array.table);
  if (array.cloud) return clouds(count, array.cloud.points);
  if (array.mesh) return meshes(count, array, array.mesh);
  if (array.gap) return pictures(count, { channels: array.channels, axes: [{ name: "time", size: 2 }, ...array.axes] });
  const { count: planes, shape } = planesOf(array);
  const [height, width, channels] = [planes * shape.height, shape.width, shape.channels];
  return Array.from({ length: count }, (_, i) => {
    const random = randomStream(11, "probe", first + i);
    const [across, down, phase] = [90 + 60 * random.uniform(), 60 + 20 * random.uniform(), 6 * random.uniform()];
    const pixels = Uint8Array.from({ length: height * width * channels }, (_, at) => {
      const [x, y] = [(Math.floor(at / channels) % width) / width, Math.floor(at / channels / width) / height];
      return 10 + across * x + down * y + 7 * Math.sin(9 * x + 7 * y + phase + (at % channels)) + 8;
    });
    const label = i % labels;
    const map = () => (isValued ? valuesIn(array, i) : classesIn(array, i));
    return planes === 1 && hasPictures(array)
      ? { kind: "pixels", pixels, shape, label, annotated: objectsIn(shape, i), map }
      : { kind: "array", numbers: pixels, shape: array, label, map };
  });
}

/** The class of each place, of those that every head of places has: some places beside each other have one, and some have none. */
function classesIn({ axes }: ArrayShape, i: number): Int32Array {
  const random = randomStream(13, "probe", i);
  const length = axes.reduce((product, { size }) => product * size, 1);
  const width = axes.at(-1)?.size ?? 1;
  const shift = random.integer(width);
  return Int32Array.from({ length }, (_, at) => (Math.floor((at + shift) / 3) % 7) - (at % 11 === 0 ? 7 : 0)).map(
    (k) => (k < 0 ? -1 : k % 6),
  );
}

/** A value of each place that has a class. */
const valuesIn = (array: ArrayShape, i: number): Float32Array =>
  Float32Array.from(classesIn(array, i), (kind, at) => (kind < 0 ? Number.NaN : 900 * (kind + 1) + 13 * (at % 17)));

/** Clouds with some points more than are read, no two of which are equally far from a third. */
const clouds = (count: number, points: number): Sample[] =>
  Array.from({ length: count }, (_, i) => {
    const random = randomStream(11, "probe", i);
    const shape: ArrayShape = { axes: [{ name: "point", size: points + 3 }], channels: 3 };
    const numbers = Float32Array.from({ length: arrayLength(shape) }, () => random.normal());
    const label = i % labels;
    const first = partsOfClouds.slice(0, label).reduce((sum, count) => sum + count, 0);
    const map = () => Int32Array.from({ length: points + 3 }, (_, k) => first + (k % (partsOfClouds[label] as number)));
    return { kind: "array", numbers, shape, label, map };
  });

/** Octahedra that were cut as the array says, with their points moved a little. */
const meshes = (count: number, array: ArrayShape, { levels }: MeshShape): Sample[] =>
  Array.from({ length: count }, (_, i) => {
    const random = randomStream(11, "probe", i);
    const { points, faces } = cutOctahedron(levels);
    const mesh = { points: points.map((value) => value + 0.05 * random.normal()), faces };
    const patches = patchesOfMesh(mesh, array.axes[0]?.size ?? 0, levels);
    return { kind: "array", numbers: facesAsNumbers(mesh, patches, levels), shape: array, label: i % labels };
  });

/** Texts of different lengths, with words of several tokens and two segments. */
function texts(count: number, array: ArrayShape, { vocabulary }: IdsShape): Sample[] {
  const [{ size: places } = { size: 0 }] = array.axes;
  return Array.from({ length: count }, (_, i) => {
    const random = randomStream(11, "probe", i);
    const length = places - (i % 4);
    const numbers = Float32Array.from({ length: places * array.channels }, (_, at) => {
      const place = Math.floor(at / array.channels);
      if (place >= length) return at % array.channels === textChannels.word ? -1 : 0;
      const isInside = place > 0 && place < length - 1;
      const word = isInside ? 1 + Math.floor(place / 2) : 0;
      return [random.integer(vocabulary), word, place > places / 2 ? 1 : 0][at % array.channels] as number;
    });
    return { kind: "array", numbers, shape: array, label: i % labels };
  });
}

/** Rows of a table, of which some values are missing. */
function rows(count: number, array: ArrayShape, { columns }: TableShape): Sample[] {
  return Array.from({ length: count }, (_, i) => {
    const random = randomStream(11, "probe", i);
    const numbers = columns.flatMap((column) => {
      const value = column.kind === "number" ? 2 * random.uniform() - 1 : random.integer(column.categories.length);
      return random.uniform() < 0.2 ? [0, 0] : [value, 1];
    });
    return { kind: "array", numbers: Float32Array.from(numbers), shape: array, label: i % labels };
  });
}

/** Two objects of classes that every detector has, of different size and place. */
function objectsIn({ height, width }: ImageShape, i: number): Annotated {
  const objects = [0, 1].map((category): ImageObject => {
    const random = randomStream(12, "probe", i, category);
    const [x, y] = [width * (0.5 * category + 0.1 * random.uniform()), height * 0.5 * random.uniform()];
    const [w, h] = [width * (0.15 + 0.2 * random.uniform()), height * (0.15 + 0.3 * random.uniform())];
    const polygons = [[x, y, x + w, y + h / 3, x + w / 2, y + h]];
    return { category, box: { x, y, width: w, height: h }, polygons, area: (w * h) / 2, crowd: false };
  });
  return { size: { height, width }, objects };
}

/** Samples of every array that a model reads; where several are cropped alike, all as large as the largest. */
function picturesOf(
  arrays: Readonly<Record<string, ArrayShape>>,
  augment: Training["augment"],
  { registers, values, number }: ModelProgram,
): Training["data"] {
  const isShared = Object.keys(arrays).length > 1 && augment.some((one) => one.input === undefined);
  const largest = Math.max(...Object.values(arrays).flatMap(({ axes }) => axes.map(({ size }) => size)));
  const stored = (array: ArrayShape): ArrayShape =>
    isShared && hasPictures(array) ? { ...array, axes: array.axes.map((axis) => ({ ...axis, size: largest })) } : array;
  // Of two that are moved onto each other, different ones.
  return Object.entries(arrays).flatMap(([input, array], i) => {
    const samples = pictures(7, stored(array), { first: registers ? 100 * i : 0, isValued: values === true });
    const numbers = number ? (sample: number) => 2 + Math.sin(sample) : undefined;
    return inMemory(samples, undefined, numbers).map((data) => ({ ...data, input }));
  });
}

/** The optimizer of the recipe with another rate: so slow that rounding does not grow where gradients are nearly zero. */
const slow = ({ definition, values }: Bound<Optimizer>): Bound<Optimizer> => ({
  definition,
  values: { ...values, lr: { value: 3e-4, per: null } },
});

/** The recipe on a few pictures for a few steps at a constant rate, since warm-ups are longer than that; nothing is judged. */
export function trainingOfExample({ model, recipe }: Pick<Example, "model" | "recipe">): Training {
  const written = trainingOf(recipe);
  const program = programOf(assemble(model));
  const { arrays } = program;
  const isOfSounds = Object.values(arrays).some(({ sound }) => sound !== undefined);
  return {
    ...written,
    // Spectrograms in memory are no recordings any more.
    augment: written.augment.filter(({ definition }) => definition.changes !== "recordings" || !isOfSounds),
    data: picturesOf(arrays, written.augment, program),
    ...{ batch: batchOf({ model }), epochs: null, steps, evaluate: [] },
    schedule: bound("schedule", "constant"),
    optimizer: slow(written.optimizer),
  };
}

/** Trains an example and gives the loss of each step; `onStep` hears of each step after it. */
export async function lossesOf(
  example: Example,
  executor: Executor,
  directory: string,
  onStep: () => void = () => undefined,
): Promise<readonly number[]> {
  const losses: number[] = [];
  await train(programOf(assemble(example.model)), trainingOfExample(example), {
    directory,
    root: folder,
    beside: example.beside.map(({ name, model, recipe, weights }) => ({
      ...{ name, weights },
      program: programOf(assemble(model)),
      training: trainingOfExample({ model, recipe }),
    })),
    executor,
    resume: false,
    spec: example.name,
    workers: 0,
    checkpointEvery: {},
    signal: new AbortController().signal,
    report: (event) => {
      if (event.kind !== "step") return;
      losses.push(event.loss);
      onStep();
    },
  });
  return losses;
}

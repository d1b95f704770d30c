/**
 * Features of images for probes: what a frozen encoder makes of all patches of an image, pooled to one vector, and the
 * image's own pixels. Images are read once for all kinds of features.
 */

import {
  type Arrays,
  arrayInputs,
  arrayLength,
  arrayOf,
  type Encoding,
  type Features,
  hasClassToken,
  type ImageObject,
  isPicture,
  type Lattice,
  type ModelProgram,
  meanOfPlaces,
  placesOfText,
  predictOf,
  sidesText,
  tokenCount,
} from "../../blocks/index.js";
import { type Builder, sizeOf, type Tensor } from "../../graph/index.js";
import type { BatchArrays } from "../data/batches.js";
import type { FieldArrays } from "../data/preparation.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import { countNotFinite } from "../train/guard.js";
import { type ColourScale, withNormalization } from "./colours.js";
import { openFrozen, type Trained } from "./frozen.js";

/** Which part of the encoder's output stands for the image. */
export interface Selection {
  /** Of which output, of a model of several arrays: `audio` or `joint.audio`; if absent, `features`, of all arrays. */
  readonly of?: string;
  /** The first token, the mean of the patches' tokens, all latents side by side, or each token by itself. */
  readonly pool: "cls" | "mean" | "flat" | "tokens";
  /** Number of encoder layers passed, from 1; the final norm is always applied. */
  readonly layer: number | "last";
}

export interface LabelledBatch {
  /** By name, [B, ...axes, C]; only the first `count` samples count. */
  readonly arrays: BatchArrays;
  /** Class of each sample, -1 without one, or where samples have several. */
  readonly labels: Int32Array;
  /** Where samples have any number of classes: 1 for each of them, [count, classes]. */
  readonly several?: Uint8Array;
  /** The number of each sample, where the data have such. */
  readonly values?: Float64Array;
  readonly count: number;
  /** What was computed of each sample, where that was asked for. */
  readonly fields?: FieldArrays;
  /** What the sample in a row is called, for words about it. */
  readonly nameOf?: (row: number) => string;
  /** Objects in a sample, where they are in its array; null: the data name none. */
  readonly objects?: (i: number) => readonly ImageObject[] | null;
}

/** Turns images into vectors, several kinds at once. */
export interface FeatureReader {
  /** Numbers of a sample, of each kind: of tokens, those of all of them. */
  readonly widths: readonly number[];
  /** Tokens of a sample, of each kind; absent where all are pooled. */
  readonly tokens?: readonly number[];
  /** For each kind [count, width]. */
  readonly read: (batch: LabelledBatch) => Promise<readonly Float32Array[]>;
  readonly close: () => Promise<void>;
}

/**
 * Reads features of an encoder, one kind for each selection.
 * @param batch images of each batch, also of the last, where fewer may count.
 * @throws RunError `run/features` for a selection that the model does not have.
 */
export async function encoderReader(
  model: Trained,
  executor: Executor,
  selections: readonly Selection[],
  batch: number,
): Promise<FeatureReader> {
  const { program } = model;
  for (const selection of selections) checkSelection(program, selection);
  const frozen = await openFrozen(model, executor, batch, (g, w) => {
    const arrays = arrayInputs(g, program);
    const vectors = selections.map(({ of, pool, layer }) => {
      const encoding = encodingNamed(program, of);
      if (encoding) {
        const own = encoding.features(g, w, arrays);
        return pooled(g, encoding, own, { pool, places: placesInOne(g, program, arrays, of as string) });
      }
      const tokens = layer === "last" ? program.features(g, w, arrays) : program.features(g, w, arrays, layer);
      return pooled(g, program, tokens, { pool, places: placesIn(g, program, arrays) });
    });
    return Object.fromEntries(vectors.entries());
  });
  const shapes = selections.map((_, i) => (frozen.shapes[i] as readonly number[]).slice(1));
  const widths = shapes.map(sizeOf);
  return {
    widths,
    tokens: shapes.map((shape) => (shape.length > 1 ? (shape[0] as number) : 1)),
    async read(given) {
      const outputs = await frozen.run(given.arrays);
      return widths.map((size, i) =>
        checkedValues((outputs[i] as Float32Array).slice(0, given.count * size), given, program.arrays),
      );
    },
    close: frozen.close,
  };
}

export interface FeaturesOptions extends Partial<Selection> {
  readonly executor: Executor;
  /** The normalisation that the model was trained with (`colourScale`); absent or null: none. */
  readonly colours?: ColourScale | null;
  /** Images computed at once. */
  readonly batch?: number;
}

/**
 * Features of images in an array: one vector an image, of the mean of the patches' tokens after the last layer unless told
 * otherwise.
 * @param images [count, H, W, C] of the model's input, in [0, 1], not normalised.
 * @returns [count, width]
 * @throws RunError `run/image-size` for an array that is no whole number of images, `run/features` for what the model does not have.
 */
export async function featuresOf(
  model: Trained,
  images: Float32Array,
  { executor, colours = null, batch = 64, pool = "mean", layer = "last" }: FeaturesOptions,
): Promise<{ readonly values: Float32Array; readonly count: number; readonly width: number }> {
  const { name, shape } = arrayOf(model.program);
  const length = arrayLength(shape);
  const count = images.length / length;
  if (!Number.isInteger(count) || count === 0) {
    throw new RunError("run/image-size", {
      what: `${images.length} values are no ${isPicture(shape) ? "images" : "arrays"} of ${sidesText(shape)} ${isPicture(shape) ? "pixels" : "values"} and ${shape.channels} channels`,
      help: `Give an array of count * ${length} values, channels last.`,
    });
  }
  const seen = colours === null ? images : withNormalization(images, colours);
  const reader = await encoderReader(model, executor, [{ pool, layer }], batch);
  try {
    const image = new Float32Array(batch * length);
    const parts: Float32Array[] = [];
    for (let first = 0; first < count; first += batch) {
      const some = seen.subarray(first * length, (first + batch) * length);
      image.set(some);
      const own = { arrays: { [name]: image }, labels: noLabels, count: some.length / length };
      const [values] = await reader.read({ ...own, nameOf: (row) => `Image ${first + row}` });
      parts.push(values as Float32Array);
    }
    const [width] = reader.widths as [number];
    return { values: joined(parts, new Float32Array(count * width)), count, width };
  } finally {
    await reader.close();
  }
}

const noLabels = new Int32Array(0);

/**
 * Reads what a model's own head says: one kind, a logit for each class, a number, or all that a detector says.
 * @throws RunError `run/features` for a model without a head.
 */
export async function predictionReader(model: Trained, executor: Executor, batch: number): Promise<FeatureReader> {
  const { program } = model;
  if (program.classes === undefined && !program.number) {
    throw new RunError("run/features", {
      what: `${program.name} has no head that says a class or a number`,
      help: "Judge its features instead, or train it on with a head.",
    });
  }
  const frozen = await openFrozen(model, executor, batch, (g, w) => ({
    logits: predictOf(program)(g, w, arrayInputs(g, program)),
  }));
  const width = sizeOf((frozen.shapes.logits as readonly number[]).slice(1));
  return {
    widths: [width],
    async read(given) {
      const { logits } = await frozen.run(given.arrays);
      return [checkedValues((logits as Float32Array).slice(0, given.count * width), given, program.arrays)];
    },
    close: frozen.close,
  };
}

/** Of texts, 1 for their tokens and 0 for what is behind their ends; of all else 1, [B, N] over all arrays; null: all tokens count, or latents do. */
export function placesIn(
  g: Builder,
  { arrays, grids, latents }: Pick<ModelProgram, "arrays" | "grids" | "latents">,
  fed: Arrays,
): Tensor | null {
  if (latents !== undefined || Object.values(arrays).every(({ ids }) => ids === undefined)) return null;
  const places = Object.entries(arrays).map(([name, { ids }]) =>
    ids === undefined
      ? g.constant(1, ["B", tokenCount(grids[name] as Lattice)])
      : placesOfText(g, fed[name] as Tensor<["B", number, 3]>),
  );
  return places.length === 1 ? (places[0] as Tensor) : g.concat(places, 1);
}

/** The same of an output of one input alone, `joint.text`; null: it is of several, or all tokens count. */
function placesInOne(g: Builder, program: ModelProgram, fed: Arrays, output: string): Tensor | null {
  const name = output.slice(output.lastIndexOf(".") + 1);
  const array = program.arrays[name];
  const isAlone = output.includes(".") || Object.keys(program.arrays).length === 1;
  return array && isAlone ? placesIn(g, { arrays: { [name]: array }, grids: program.grids }, fed) : null;
}

/**
 * Tokens [B, extra + N, D] as one vector an image, [B, D] or [B, N D], or those of the patches, [B, N, D]. `places` [B, N]: which of them count; null, or
 * if absent, all.
 */
export function pooled(
  g: Builder,
  { extraTokens }: Pick<ModelProgram, "extraTokens">,
  tokens: Tensor,
  { pool, places = null }: { readonly pool: Selection["pool"]; readonly places?: Tensor | null },
): Tensor {
  const [batch, count, width] = tokens.shape as readonly [number, number, number];
  if (pool === "cls") return g.reshape(g.slice(tokens, [0, 0, 0], [batch, 1, width]), [batch, width]);
  const patches = g.slice(tokens, [0, extraTokens, 0], [batch, count - extraTokens, width]);
  if (pool === "tokens") return patches;
  if (pool === "flat") return g.reshape(patches, [batch, (count - extraTokens) * width]);
  return places ? meanOfPlaces(g, patches as Tensor<["B", number, number]>, places as never) : g.mean(patches, [1]);
}

/**
 * What of a model is asked for; null: its features, of all arrays.
 * @throws RunError `run/features` for a name that is no output with features.
 */
export function encodingNamed(program: ModelProgram, name: string | undefined): Encoding | null {
  if (name === undefined || name === "features") return null;
  const { encodings = {} } = program;
  if (Object.hasOwn(encodings, name)) return encodings[name] as Encoding;
  throw noOutput(program, name, ["features", ...Object.keys(encodings)]);
}

/** What a model was asked for that it does not have. `known`: what it has. */
export const noOutput = ({ name: model }: ModelProgram, name: string, known: readonly string[]): RunError =>
  new RunError("run/features", {
    what: `${model} has no output called ${JSON.stringify(name)}`,
    help: `It has ${known.join(", ")}.`,
  });

export function checkSelection(program: ModelProgram, { of, pool, layer }: Selection): void {
  const encoding = encodingNamed(program, of);
  if (encoding && layer !== "last") {
    throw new RunError("run/features", {
      what: `${of} of ${program.name} has no layers to choose from`,
      help: "Leave out the layer.",
    });
  }
  if (pool === "cls" && !hasClassToken(encoding ?? program, encoding ? {} : program.arrays)) {
    throw new RunError("run/features", {
      what: `${program.name} has no class token`,
      help: "Take the mean of the patches' tokens instead.",
    });
  }
  if (pool === "flat" && (encoding || program.latents === undefined)) {
    throw new RunError("run/features", {
      what: `${program.name} has no latents`,
      help: "Take the mean of the patches' tokens instead.",
    });
  }
  if (layer === "last" || (Number.isInteger(layer) && layer >= 1 && layer <= program.layers)) return;
  throw new RunError("run/features", {
    what: `${program.name} has no encoder layer ${layer}`,
    help: `Its layers are 1 to ${program.layers}.`,
  });
}

/**
 * Reads all batches once with all readers.
 * @param classes number of classes of the data set; null: labels are not asked for.
 * @param tick is told how many samples were read.
 * @returns for each reader, the features of each of its kinds.
 * @throws RunError `run/data` for samples without a class, `run/weights-not-finite` for features that are no numbers.
 */
export async function collectFeatures(
  readers: readonly FeatureReader[],
  batches: AsyncIterable<LabelledBatch>,
  classes: number | null,
  tick: (samples: number) => void = () => {},
): Promise<readonly (readonly Features[])[]> {
  const parts: Float32Array[][][] = readers.map(({ widths }) => widths.map(() => []));
  const labels: Int32Array[] = [];
  const several: Uint8Array[] = [];
  const targets: number[] = [];
  let count = 0;
  for await (const batch of batches) {
    if (batch.several && classes !== null) several.push(batch.several.slice(0, batch.count * classes));
    labels.push(classes === null ? batch.labels.slice(0, batch.count) : checkedLabels(batch, classes));
    if (batch.values) targets.push(...batch.values.subarray(0, batch.count));
    const before = count;
    const named = { nameOf: (row: number) => `Sample ${before + row}`, ...batch };
    for (const [r, reader] of readers.entries()) {
      const kinds = await reader.read(named);
      for (const [i, values] of kinds.entries()) parts[r]?.[i]?.push(values);
    }
    count += batch.count;
    tick(count);
  }
  const allLabels = joined(labels, new Int32Array(count));
  const flags = several.length > 0 ? { several: joined(several, new Uint8Array(count * (classes ?? 0))) } : {};
  return readers.map(({ widths }, r) =>
    widths.map((width, i) => ({
      values: joined(parts[r]?.[i] ?? [], new Float32Array(count * width)),
      labels: allLabels,
      ...flags,
      ...(targets.length > 0 ? { targets: Float64Array.from(targets) } : {}),
      count,
      width,
      classes: classes ?? 0,
    })),
  );
}

/** Parts of one array, one after the other, in `whole`. */
export function joined<A extends Float32Array | Int32Array | Uint8Array>(parts: readonly A[], whole: A): A {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The class of each sample. Throws `run/data` where one has none. */
export function checkedLabels({ labels, several, count }: LabelledBatch, classes: number): Int32Array {
  const own = labels.slice(0, count);
  if (several) return own;
  if (own.every((label) => label >= 0 && label < classes)) return own;
  throw new RunError("run/data", {
    what: "The data has samples without a class",
    why: "a probe compares predicted classes with true ones",
    help: "Use a data set with classes: a folder with one sub-folder for each class, or label files.",
  });
}

/**
 * Features that are all finite numbers; a sample is to blame where it is not itself.
 * @throws RunError `run/weights-not-finite`, or `run/data` where a sample is to blame.
 */
export function checkedValues(
  values: Float32Array,
  { arrays, count, nameOf }: LabelledBatch,
  shapes: ModelProgram["arrays"],
): Float32Array {
  if (values.every(Number.isFinite)) return values;
  for (const [name, shape] of Object.entries(shapes)) {
    const length = arrayLength(shape);
    for (let row = 0; row < count; row++) {
      const bad = countNotFinite((arrays[name] as Float32Array).subarray(row * length, (row + 1) * length));
      if (bad === 0) continue;
      throw new RunError("run/data", {
        what: `${nameOf?.(row) ?? `Sample ${row} of a batch`} holds numbers that are not finite`,
        why: `${bad} of the ${length} values of its \`${name}\` are NaN or infinite as the model sees them`,
        help: "Mend the sample or leave it out; the weights are sound.",
      });
    }
  }
  throw new RunError("run/weights-not-finite", {
    what: "The features are not all finite numbers",
    why: "the samples are sound",
    help: "Judge an earlier checkpoint, and train again with a lower learning rate.",
  });
}

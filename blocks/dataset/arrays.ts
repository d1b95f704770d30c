/** Datasets whose samples lie in one array file and whose labels in another: what IDX and npy share. */

import { type ArrayShape, arrayLength, pictureOf, sidesText, wordsOf } from "../arrays.js";
import type { Requirement } from "../block.js";
import { optional, type Param, text } from "../params.js";
import { grouped } from "../wording.js";
import { numberedClasses } from "./classes.js";
import {
  DataError,
  type DatasetContext,
  type Files,
  type Label,
  NoTestData,
  type Sample,
  type SampleIndex,
  type Split,
} from "./contract.js";

/** Equal arrays one after another. */
export interface StoredArrays {
  readonly count: number;
  readonly shape: ArrayShape;
  /** [...axes, C] of one sample, of its type. */
  readonly array: (i: number) => Uint8Array | Float32Array;
}

/** Classes of samples of which each may have several. */
export interface LabelFlags {
  /** [samples, classes]: 1 for each class of a sample. */
  readonly flags: Uint8Array;
  readonly classes: number;
}

/** Classes of places, or their values. */
export type PlaceNumbers = Int32Array | Float32Array;

/** Both throw `DataError`. */
export interface ArrayReader {
  readonly arrays: (files: Files, path: string) => Promise<StoredArrays>;
  /** Whole numbers from 0, or flags of all classes. */
  readonly labels: (files: Files, path: string) => Promise<Int32Array | LabelFlags>;
  /** A class for each place of samples of these shapes, whole numbers, or a value; if absent, the format has none. */
  readonly maps?: (files: Files, path: string, arrays: StoredArrays) => Promise<(i: number) => PlaceNumbers>;
}

type Path = Param<string | null>;
type ArrayPaths = { readonly images: string } & Readonly<
  Record<"labels" | "test_images" | "test_labels", string | null>
> & { readonly maps?: string | null; readonly test_maps?: string | null };

export const arrayParams = {
  images: text({ doc: "File with the training images." }),
  labels: optional(text({ doc: "File with their labels; if absent, unlabelled." })),
  test_images: optional(text({ doc: "File with the test images; if absent, no test split." })),
  test_labels: optional(text({ doc: "File with the test images' labels." })),
};

export const testLabelsNeedImages: Requirement<
  { readonly test_images: Path; readonly test_labels: Path },
  DatasetContext
> = {
  name: "test-labels-need-images",
  at: "test_labels",
  doc: "`test_labels` stands beside `test_images`.",
  holds: (p) => p.test_labels === null || p.test_images !== null,
  say: () => "`test_labels` says what the test images show, and there are no `test_images`",
  help: () => "write `test_images`, or remove `test_labels`",
};

/** Opens the samples and labels of a split. Class names are the numbers up to the largest label of either split. */
export async function openArrays(
  p: ArrayPaths,
  files: Files,
  split: Split,
  { reader, array }: { readonly reader: ArrayReader; readonly array: ArrayShape },
): Promise<SampleIndex> {
  const { sample, values } = wordsOf({ array });
  const readLabels = async (path: string | null) =>
    path === null ? null : { path, labels: await reader.labels(files, path) };
  const path = split === "train" ? p.images : p.test_images;
  if (path === null) {
    throw new NoTestData(`The data has no test ${sample}s`, 'Add test_images: "..." (and test_labels) to the dataset.');
  }
  const arrays = await reader.arrays(files, path);
  if (arrays.count === 0) throw new DataError(`${path} holds no ${sample}s`, "Name a file with at least one.");
  const { shape } = arrays;
  if (arrayLength(shape) === 0) {
    throw new DataError(
      `${path} holds ${sample}s of ${sidesText(shape)} ${values} and ${shape.channels} channels`,
      "Save it again.",
    );
  }
  const [train, test] = [await readLabels(p.labels), await readLabels(p.test_labels)];
  const own = split === "train" ? train : test;
  const mapsAt = (split === "train" ? p.maps : p.test_maps) ?? null;
  const maps = mapsAt === null ? undefined : await reader.maps?.(files, mapsAt, arrays);
  if (own !== null && labelledSamples(own.labels) !== arrays.count) {
    throw new DataError(
      `${path} holds ${grouped(arrays.count)} ${sample}s and ${own.path} ${grouped(labelledSamples(own.labels))} labels`,
      "Name the two files of the same split.",
    );
  }
  const { classes, several } = classesOf([train, test].filter((read) => read !== null));
  const picture = pictureOf(shape);
  const labelOf = (i: number): Label | null => (own === null ? null : labelAt(own.labels, i));
  // Numbers are read when they are asked for: a label alone costs no reading.
  const sampleOf = (i: number): Sample =>
    picture
      ? {
          kind: "pixels",
          get pixels() {
            return arrays.array(i);
          },
          shape: picture,
          label: labelOf(i),
          ...(maps && { map: () => maps(i) }),
        }
      : {
          kind: "array",
          get numbers() {
            return arrays.array(i);
          },
          shape,
          label: labelOf(i),
          ...(maps && { map: () => maps(i) }),
        };
  return {
    length: arrays.count,
    sample: sampleOf,
    classes,
    ...(several ? { several } : {}),
    notes: [],
  };
}

/** The labels of a file. */
interface ReadLabels {
  readonly path: string;
  readonly labels: Int32Array | LabelFlags;
}

const isNumbers = (labels: Int32Array | LabelFlags): labels is Int32Array => labels instanceof Int32Array;

const labelledSamples = (labels: Int32Array | LabelFlags): number =>
  isNumbers(labels) ? labels.length : labels.flags.length / labels.classes;

function labelAt(labels: Int32Array | LabelFlags, i: number): Label {
  if (isNumbers(labels)) return labels[i] as number;
  const { flags, classes } = labels;
  const own = flags.subarray(i * classes, (i + 1) * classes);
  return Array.from(own.keys()).filter((k) => own[k] === 1);
}

/** Names of the classes of both splits. */
function classesOf(read: readonly ReadLabels[]): Pick<SampleIndex, "classes" | "several"> {
  const single = read.flatMap(({ path, labels }) => (isNumbers(labels) ? [{ path, labels }] : []));
  if (single.length === read.length) return { classes: numberedClasses(single) };
  const [first, other = first] = read as readonly [ReadLabels, ReadLabels?];
  const [a, b] = [first.labels, other.labels];
  if (isNumbers(a) || isNumbers(b) || a.classes !== b.classes) {
    const what = ({ path, labels }: ReadLabels) =>
      `${path} holds ${isNumbers(labels) ? "one label for each sample" : `flags of ${grouped(labels.classes)} classes`}`;
    throw new DataError(`${what(first)}, and ${what(other)}`, "Save the labels of both splits alike.");
  }
  return { classes: Array.from({ length: a.classes }, (_, label) => String(label)), several: true };
}

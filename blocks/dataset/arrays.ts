/** Datasets whose images lie in one array file and whose labels in another: what IDX and npy share. */

import { type ImageShape, imageLength } from "../arrays.js";
import type { Requirement } from "../block.js";
import { grouped } from "../counts.js";
import { optional, type Param, text } from "../params.js";
import { numberedClasses } from "./classes.js";
import { DataError, type DatasetContext, type Files, type Sample, type SampleIndex, type Split } from "./contract.js";

/** Equal images one after another. */
export interface ImageArray {
  readonly count: number;
  readonly shape: ImageShape;
  /** [H, W, C] of one image, of the type of a sample. */
  readonly image: (i: number) => Uint8Array | Float32Array;
}

/** Both throw `DataError`. */
export interface ArrayReader {
  readonly images: (files: Files, path: string) => Promise<ImageArray>;
  /** Whole numbers from 0. */
  readonly labels: (files: Files, path: string) => Promise<Int32Array>;
}

type Path = Param<string | null>;
type ArrayPaths = { readonly images: string } & Readonly<
  Record<"labels" | "test_images" | "test_labels", string | null>
>;

export const arrayParams = {
  images: text({ doc: "File with the training images." }),
  labels: optional(text({ doc: "File with their labels; absent: unlabelled." })),
  test_images: optional(text({ doc: "File with the test images; absent: no test split." })),
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

/** Opens the images and labels of a split. Class names are the numbers up to the largest label of either split. */
export async function openArrays(p: ArrayPaths, files: Files, split: Split, reader: ArrayReader): Promise<SampleIndex> {
  const readLabels = async (path: string | null) =>
    path === null ? null : { path, labels: await reader.labels(files, path) };
  const path = split === "train" ? p.images : p.test_images;
  if (path === null) {
    throw new DataError("The data has no test images", 'Add test_images: "..." (and test_labels) to the dataset.');
  }
  const images = await reader.images(files, path);
  if (images.count === 0) throw new DataError(`${path} holds no images`, "Name a file with at least one.");
  if (imageLength(images.shape) === 0) {
    const { height, width, channels } = images.shape;
    throw new DataError(`${path} holds images of ${height}x${width} pixels and ${channels} channels`, "Save it again.");
  }
  const [train, test] = [await readLabels(p.labels), await readLabels(p.test_labels)];
  const own = split === "train" ? train : test;
  if (own !== null && own.labels.length !== images.count) {
    throw new DataError(
      `${path} holds ${grouped(images.count)} images and ${own.path} ${grouped(own.labels.length)} labels`,
      "Name the two files of the same split.",
    );
  }
  const classes = numberedClasses([train, test].filter((read) => read !== null));
  return {
    length: images.count,
    sample: (i): Sample => ({
      kind: "pixels",
      // Read when they are asked for: a label alone costs no reading.
      get pixels() {
        return images.image(i);
      },
      shape: images.shape,
      label: own === null ? null : (own.labels[i] as number),
    }),
    classes,
    notes: [],
  };
}

/** The datasets, sorted by name. */

import { coco } from "./coco.js";
import type { Dataset } from "./contract.js";
import { folder } from "./folder.js";
import { idx } from "./idx.js";
import { npy } from "./npy.js";
import { text } from "./text.js";

export {
  type ArraySample,
  DataError,
  type Dataset,
  type DatasetContext,
  defineDataset,
  type Files,
  isOfMedia,
  type Label,
  labelFlags,
  nameOf,
  type Sample,
  type SampleIndex,
  type SizedHeader,
  type Split,
  type StoredFile,
  type TextTokens,
  type Tokenizer,
  type Written,
} from "./contract.js";
export { cellsOf } from "./label-file.js";
export { type NpyArray, readNpy } from "./npy-file.js";
export { readLines } from "./text-file.js";
export { coco, folder, idx, npy, text };

export const datasets = [coco, folder, idx, npy, text] as const;

/** The dataset that reads what is at a path: a folder, or a file by its ending. */
export function datasetAt(path: string, isFolder: boolean): Dataset {
  const dataset = isFolder ? folder : /\.npy(?:\.gz)?$/.test(path) ? npy : idx;
  return dataset as unknown as Dataset;
}

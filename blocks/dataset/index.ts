/** The datasets, sorted by name. */

import { coco } from "./coco.js";
import type { Dataset } from "./contract.js";
import { folder } from "./folder.js";
import { idx } from "./idx.js";
import { npy } from "./npy.js";
import { amountIn, knownCell, table } from "./table.js";
import { text } from "./text.js";

export {
  type ArraySample,
  type Cell,
  DataError,
  type Dataset,
  type DatasetContext,
  defineDataset,
  type Files,
  type FrameSpan,
  isOfMedia,
  type Label,
  labelFlags,
  NoTestData,
  nameOf,
  type RowsWanted,
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
export { type NpyArray, npyValues, readNpy, readNpyHeader } from "./npy-file.js";
export { checkEncoding, readLines } from "./text-file.js";
export { amountIn, coco, folder, idx, knownCell, npy, table, text };

export const datasets = [coco, folder, idx, npy, table, text] as const;

/** The dataset that reads what is at a path: a folder, or a file by its ending. */
export function datasetAt(path: string, isFolder: boolean): Dataset {
  const endings: readonly (readonly [RegExp, unknown])[] = [
    [/\.npy(?:\.gz)?$/, npy],
    [/\.(?:csv|tsv|parquet)(?:\.gz)?$/, table],
  ];
  const [, ofFile = idx] = endings.find(([ending]) => ending.test(path)) ?? [];
  return (isFolder ? folder : ofFile) as unknown as Dataset;
}

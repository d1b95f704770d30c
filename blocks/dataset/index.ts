/** The datasets, sorted by name. */

import { folder } from "./folder.js";
import { idx } from "./idx.js";
import { npy } from "./npy.js";

export {
  DataError,
  type Dataset,
  type DatasetContext,
  defineDataset,
  type Files,
  type Sample,
  type SampleIndex,
  type SizedHeader,
  type Split,
  type StoredFile,
} from "./contract.js";
export { type NpyArray, readNpy } from "./npy-file.js";
export { folder, idx, npy };

export const datasets = [folder, idx, npy] as const;

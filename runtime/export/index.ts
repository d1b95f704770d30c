/** Export of trained models to files that others read. */

export type { ImageScale } from "./colours.js";
export { type ExportedPort, type ExportFacts, type ExportOptions, exportOnnx } from "./export.js";
export {
  type FeatureFormat,
  type FeatureRows,
  type FeaturesToStore,
  featureFormats,
  type SampleFacts,
  writeFeatures,
} from "./features-file.js";
export { exportFolder, type FolderFacts, folderFiles } from "./folders.js";
export { exportedFunctions } from "./functions.js";
export { type Library, libraries } from "./layers-elsewhere.js";

/** The door for browsers: executors on WebGPU, WebGL, WebAssembly and JavaScript, weights from bytes, and what a model makes of images. */

export { decodeSafetensors, type StoredTensor, type TensorFile } from "./checkpoint/safetensors.js";
export { type Checkpoint, checkpointFromBytes, weightsFrom } from "./checkpoint/stored.js";
export { type ColourScale, colourScale } from "./evaluate/colours.js";
export { encoderReader, type FeatureReader, predictionReader, type Selection } from "./evaluate/features.js";
export type { Trained } from "./evaluate/frozen.js";
export { openReconstructor, type ReconstructOptions, type Reconstructor, reconstruct } from "./evaluate/reconstruct.js";
export type { Reconstruction } from "./evaluate/reconstruction.js";
export type { Executor, Runner, Session } from "./executors/executor.js";
export { type BrowserBackend, listInBrowser, openInBrowser } from "./executors/tfjs/browser.js";
export { RunError, type RunErrorCode } from "./run-error.js";
export { initialWeights, type WeightValues } from "./train/weights.js";

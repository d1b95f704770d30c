/** Runs programs: executors, training, evaluation, export, data, checkpoints. */

export {
  type CheckpointPart,
  checkpointMetadata,
  listCheckpoints,
  loadWeights,
  newestCheckpoint,
  readCheckpoint,
} from "./checkpoint/checkpoint.js";
export {
  type InheritedWeight,
  inheritedWeights,
  type TableResizing,
  type WeightSource,
} from "./checkpoint/inherit.js";
export type {
  StoredTensor,
  StoredType,
  StoredValues,
  TensorFile,
  TensorToStore,
} from "./checkpoint/safetensors.js";
export {
  type Checkpoint,
  type CheckpointFacts,
  checkpointFromBytes,
  type DataCursor,
  hasAverages,
  stateFrom,
  weightsFrom,
} from "./checkpoint/stored.js";
export { readTensorFile, writeTensorFile } from "./checkpoint/tensor-file.js";
export { type BatchesOptions, type EvaluationBatch, evaluationBatches, type Views } from "./data/batches.js";
export { fileDigest } from "./data/digest.js";
export { writePng } from "./data/image/png.js";
export { type DecoderAvailability, probeDecoder } from "./data/image/sharp.js";
export { type DataNeeds, dataNeeds } from "./data/memory.js";
export { openData, openTestData, tokenizerOf } from "./data/open.js";
export { recordsOf } from "./data/records.js";
export { type DescribedTable, type DescribeOptions, describeTable } from "./data/table/describe.js";
export { type MadeVocabulary, type VocabularyOptions, vocabularyOf } from "./data/text/make-vocabulary.js";
export { type WholeSample, wholeSamples } from "./data/whole.js";
export * from "./diagnose/index.js";
export * from "./evaluate/index.js";
export * from "./executors/index.js";
export * from "./export/index.js";
export {
  importedWeights,
  outlineWeights,
  readForeignWeights,
  readWeightSource,
  type TakenWeight,
  type WeightsOutline,
  writeImported,
} from "./foreign/import.js";
export { type ForeignWeight, type ForeignWeights, outlineOf } from "./foreign/weights.js";
export type { Hosts } from "./hosts/hosts.js";
export { type Meeting, meetHosts } from "./hosts/meet.js";
export { packageRoot, version } from "./package.js";
export { ofRecipe, RunError, type RunErrorCode, runErrors } from "./run-error.js";
export { weightsBeside } from "./train/beside.js";
export type {
  BesideTraining,
  Bound,
  CheckpointInterval,
  ProbeRequest,
  TrainEvent,
  Training,
  TrainOptions,
  TrainResult,
} from "./train/contract.js";
export { type MaskFeeds, sampleMasks } from "./train/inputs.js";
export { type LogLine, logName } from "./train/log.js";
export { type Length, learningRate, lengthOf } from "./train/pace.js";
export { type RunStart, type StartFacts, startRun } from "./train/start.js";
export { type TrainingStep, trainingStep } from "./train/step.js";
export { train } from "./train/train.js";
export { lengthInTurns, turnsOf } from "./train/turns.js";
export { initialWeights, type WeightValues } from "./train/weights.js";

/** Evaluation: features, probes and reconstructions of trained models. */

export { type ColourScale, colourScale, coloursOf, withoutNormalization } from "./colours.js";
export {
  type ColumnErrors,
  errorsOfRows,
  type FillErrors,
  type FilledRow,
  fillErrors,
  openRowFiller,
  type RowFiller,
} from "./columns.js";
export type {
  EvaluateOptions,
  Evaluation,
  EvaluationProgress,
  EvaluationRow,
  FeatureSource,
  JudgedSource,
  LabelledData,
} from "./contract.js";
export { evaluate } from "./evaluate.js";
export {
  collectFeatures,
  encoderReader,
  type FeatureReader,
  type FeaturesOptions,
  featuresOf,
  type LabelledBatch,
  type Selection,
} from "./features.js";
export type { Trained } from "./frozen.js";
export { canGenerate, drawsFrom, generate, generatedPictures, generationCurves, type Rounds } from "./generate.js";
export { type GenerationErrors, generationErrors } from "./generation-errors.js";
export {
  errorsOfGuesses,
  type Guess,
  type GuessErrors,
  type Guessed,
  type Guesser,
  guessErrors,
  openGuesser,
} from "./guesses.js";
export { leadNames } from "./lead-names.js";
export { writeMedia } from "./media.js";
export { drawnObjects } from "./objects.js";
export { reconstructionPicture, stacked } from "./picture.js";
export { drawnValues } from "./place-values.js";
export { drawnMoves, drawnPlaces, judgedFields } from "./places.js";
export { pixelReader } from "./plain-values.js";
export { type Reconstructed, type ReconstructOptions, reconstruct, shownBy } from "./reconstruct.js";
export { meanErrors, type Reconstruction, type ReconstructionErrors, type Shown } from "./reconstruction.js";
export { type MeasuredErrors, reconstructionErrors } from "./reconstruction-errors.js";

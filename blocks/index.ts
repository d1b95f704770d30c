/**
 * The vocabulary: every block there is, by kind, and the layers they are made of. Emitted programs import from here.
 */

export type { Adversary, AdversaryContext, AdversaryInputs } from "./adversary/index.js";
export * as adversaries from "./adversary/index.js";
export {
  type ArrayShape,
  type Axis,
  type AxisName,
  arrayLength,
  arrayOfImage,
  axisNames,
  type CloudShape,
  type Column,
  type FrameGap,
  type FrameWindow,
  hasPictures,
  type IdsShape,
  type ImageShape,
  imageLength,
  isPicture,
  isRecorded,
  isVideo,
  isVolume,
  liesInSpace,
  type Medium,
  type MeshShape,
  mediumOf,
  type NumberKind,
  numberKinds,
  type PlacesInSpace,
  pictureOf,
  placesInSpace,
  planesOf,
  pointsIn,
  rateOf,
  type SampleWords,
  type SoundShape,
  sidesText,
  type TableShape,
  tableChannels,
  textChannels,
  wordsOf,
} from "./arrays.js";
export * as augments from "./augment/index.js";
export {
  type Augment,
  type AugmentContext,
  type AugmentStep,
  augmentContext,
  beginningOf,
  type ImageStep,
  isChanged,
  isOfPictures,
  type Mixing,
  middleView,
  type Nth,
  type PixelSize,
  partOf,
  type RecordingStep,
  type SincFilter,
  shareOf,
  type View,
} from "./augment/index.js";
export * from "./authoring.js";
export {
  bindField,
  bindJointMask,
  bindMask,
  bindMoving,
  bindPicture,
  bindTeacher,
  defineModel,
} from "./bind.js";
export type { Bound, Definition, ModelContext, Requirement } from "./block.js";
export { type BlockValue, isBlockValue } from "./block-values.js";
export {
  centresIn,
  differentPoints,
  farthestPoints,
  groupedPoints,
  meanPoint,
  nearestCentres,
  setDistance,
} from "./clouds.js";
export type { Code, Layer } from "./code.js";
export * as datasets from "./dataset/index.js";
export {
  type ArraySample,
  amountIn,
  type Cell,
  cellsOf,
  checkEncoding,
  DataError,
  type Dataset,
  type DatasetContext,
  datasetAt,
  type Files,
  type FrameSpan,
  isOfMedia,
  knownCell,
  type Label,
  labelFlags,
  NoTestData,
  nameOf,
  npyValues,
  type RowsWanted,
  readLines,
  readNpy,
  readNpyHeader,
  type Sample,
  type SampleIndex,
  type SizedHeader,
  type Split,
  type StoredFile,
  type TextTokens,
  type Tokenizer,
  type Written,
} from "./dataset/index.js";
export type {
  Decoder,
  DecoderContext,
  DecoderInputs,
  Encoded,
  HiddenBlocks,
  LatentInputs,
  TokenGroup,
} from "./decoder/index.js";
export * as decoders from "./decoder/index.js";
export {
  averagePrecisions,
  type FoundObject,
  type JudgedImage,
  type Precisions,
  type TrueObject,
} from "./detection/average-precision.js";
export { type DetectorFacts, type FindOptions, foundIn } from "./detection/dense.js";
export { type Annotated, type Box, type ImageObject, movedObjects } from "./detection/objects.js";
export { runsOfPolygons } from "./detection/runs.js";
export { divisors, divisorsBeside } from "./divisors.js";
export * as encoders from "./encoder/index.js";
export {
  cellsUnder,
  type Drops,
  type Encoder,
  type Kept,
  type MapLevel,
  type TokenOrigin,
  type Turned,
} from "./encoder/index.js";
export type { BoundField, Field, FieldContext, FieldSample } from "./field.js";
export { halfToNumber } from "./half.js";
export type { Head, HeadContext, HeadInputs, VectorContext, VectorInputs } from "./head/index.js";
export * as heads from "./head/index.js";
export { fixedTable, initialize, isFixedTable } from "./initialize.js";
export * as inputs from "./input/index.js";
export { columnsText, type Input } from "./input/index.js";
export type { Kind } from "./kinds.js";
export type { Latents } from "./latents/index.js";
export * as latents from "./latents/index.js";
export { type Freezing, frozenBy, layerScales } from "./layers.js";
export {
  type DataFacts,
  type Lint,
  type LintCategory,
  type LintRecipe,
  lints,
  type Place,
  type Remark,
} from "./lint/index.js";
export type { Loss, LossContext, LossInputs, Standing, ViewInputs } from "./loss/index.js";
export * as losses from "./loss/index.js";
export type { Guide, Hiding, Mask } from "./mask/index.js";
export * as masks from "./mask/index.js";
export { facesAsNumbers, type Mesh, meshOfNumbers, patchesOfMesh } from "./meshes.js";
export * from "./nn/index.js";
export type { Optimizer, UpdateInputs } from "./optimizer/index.js";
export * as optimizers from "./optimizer/index.js";
export {
  hasClassToken,
  headOutput,
  outputNames,
  pairedOutputs,
  predictOf,
  type UnseenVolume,
  unseenVolumes,
} from "./outputs.js";
export {
  fixed,
  hasStates,
  type Initializer,
  isGiven,
  isParameter,
  namedParameters,
  type Parameter,
  type ParameterTree,
  parameter,
  parameterShapes,
  type Weights,
} from "./parameters.js";
export type {
  DrawnValue,
  DurationValue,
  Measure,
  Param,
  Params,
  ParamType,
  RateValue,
  ScheduleValue,
  SourceValue,
  ValuesOf,
} from "./params.js";
export { defaultsOf, measureUnits } from "./params.js";
export { phasesOf, type Trainee, trainedNames } from "./phases.js";
export {
  type FedMask,
  feedName,
  guideNames,
  masksOf,
  type PlaceNames,
  type Places,
  placeNames,
  trainedMasksOf,
} from "./places.js";
export type { Positions } from "./positions/index.js";
export * as positions from "./positions/index.js";
export { eigenvalues } from "./probe/eigenvalues.js";
export * as probes from "./probe/index.js";
export {
  type AnomalyProbe,
  areaShare,
  Carrier,
  conditionName,
  contourShare,
  decay,
  type FeatureProbe,
  type Features,
  type GridSize,
  isAnomalyProbe,
  isObjectProbe,
  isPairProbe,
  isPassProbe,
  isPlaceProbe,
  isSequenceProbe,
  isShapeProbe,
  isValueProbe,
  type JudgedObject,
  type JudgedPlaces,
  judgedOutput,
  type Looks,
  labelsAt,
  labelsResized,
  likeliestShape,
  meanOf,
  missingOf,
  needsOneClass,
  needsTests,
  type ObjectProbe,
  overlapsOf,
  type PairProbe,
  type Pairs,
  type Passes,
  type PassProbe,
  type PlaceProbe,
  type Probe,
  type ProbeResult,
  type Propagation,
  pause,
  probeName,
  type ScoredRecord,
  type SeenImage,
  type SequenceProbe,
  type ShapeErrors,
  type ShapeProbe,
  type Sliding,
  sayingJudged,
  shapeErrors,
  sharesOf,
  slidingOf,
  surfaceDistances,
  type ValueErrors,
  type ValueProbe,
  valueErrorsOf,
  viewsOfProbe,
} from "./probe/index.js";
export { addGram, mirror } from "./probe/products.js";
export { effectiveRank } from "./probe/rank.js";
export type {
  AdversaryProgram,
  Arrays,
  Batch,
  CodesProgram,
  Drop,
  Encoding,
  Guiding,
  HeadFacts,
  Losses,
  MaskSampler,
  ModelProgram,
  Picture,
  Prediction,
  TeacherProgram,
  ViewProgram,
} from "./program.js";
export { afterTraining, inSteps, type Moving, type Progress } from "./progress.js";
export { augmentsOf, mixesPairs, type OfInput, type Precision, recipeSettings, type Training } from "./recipe.js";
export type { LabelMap, RegionSample, RegionSource } from "./regions/index.js";
export * as regionSources from "./regions/index.js";
export { asKind, type Kinds, mustBe, type Registry, registry } from "./registry.js";
export { type Logits, type Saying, saidBy, saidWords } from "./saying.js";
export type { Schedule } from "./schedule/index.js";
export * as schedules from "./schedule/index.js";
export {
  axesText,
  boxLength,
  boxOf,
  boxText,
  countsOf,
  countsText,
  cutInto,
  filledFromVisible,
  inPatches,
  isOverlapping,
  type Lattice,
  type LatticeAxis,
  patchMeans,
  patchPlaces,
  placeOf,
  tokenCount,
} from "./sets.js";
export type { ConvNextFacts, ResNetFacts, StagedModel, SwinFacts } from "./staged-model.js";
export type { Target, TargetContext, TargetInputs, TargetTokensContext } from "./target/index.js";
export * as targets from "./target/index.js";
export type { Teacher } from "./teacher/index.js";
export * as teachers from "./teacher/index.js";
export type { Tokens, TokensContext } from "./tokens/index.js";
export * as tokens from "./tokens/index.js";
export {
  arrayInputs,
  arrayOf,
  batchInputs,
  codeInputs,
  codesInput,
  dropFeeds,
  dropNumbers,
  dropsInput,
  imageOf,
  maskedBatch,
  namedWeights,
  rowsOf,
  type VisibleOf,
  varyingMasks,
  weightsOf,
  withVisible,
} from "./trace.js";
export * as views from "./view/index.js";
export {
  arrayOfStream,
  namesOfStream,
  type Stream,
  type ViewContext,
  type Views,
  viewName,
} from "./view/index.js";
export type { PlainModel, TransformerFacts } from "./vision-transformer.js";
export { bytesText, counted, grouped, oneLine } from "./wording.js";

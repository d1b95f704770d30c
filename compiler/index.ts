/** From text to checked models, and from models to plans and programs. */

export { type Analysis, analyze, type Host } from "./analyze.js";
export { arraysOf } from "./assemble/arrays.js";
export { type Assembly, assemble, programOf } from "./assemble/assemble.js";
export { lineOfWeight } from "./assemble/owners.js";
export { codes } from "./check/codes.js";
export { sourceFor } from "./check/files.js";
export { lintCodes, withIgnores } from "./check/ignores.js";
export { lintData } from "./check/lint.js";
export { units } from "./check/reading.js";
export { sample, valueText } from "./check/show.js";
export { blockNamed, blocksOf, defaultBlock } from "./check/vocabulary.js";
export { type Derived, derivedOfModel, derivedOfRecipe } from "./derived.js";
export { type DevicePlan, type Devices, devicePlan } from "./device-plan.js";
export { type Change, diff, type FromTo, type ModelDiff, type WeightChange } from "./diff.js";
export { type Followed, follow } from "./follow.js";
export { type ForeignMap, foreignMap } from "./foreign.js";
export { type Home, type Homes, noHomes } from "./homes.js";
export type { Mapping, MappingStatus, Resizing, StageStart, StageWeight } from "./mapping.js";
export {
  type DataMemory,
  type EngineMemory,
  type MemoryPlan,
  memoryPlan,
  type SharedMemory,
  type Splitting,
} from "./memory-plan.js";
export type {
  Family,
  Filled,
  Model,
  Origin,
  Recipe,
  RecipeBeside,
  RecipeStart,
  Setting,
  Use,
  Variant,
} from "./model.js";
export { blockPage, parameterTable, parameterText } from "./parameter-table.js";
export type { Pipeline, Stage } from "./pipeline.js";
export { type NotPlain, plainModel } from "./plain.js";
export {
  type Cost,
  costOf,
  flopText,
  type LearningRatePlan,
  lossesAcrossSamples,
  type MeasuredRate,
  type Plan,
  type PlanOptions,
  plan,
  planDevices,
  planMemory,
  type StepsPlan,
  showRate,
  type TimePlan,
} from "./plan.js";
export { type PlanByTurns, type PlannedRecipe, planByTurns } from "./plan-by-turns.js";
export { type RenderOptions, render, renderPipeline } from "./render.js";
export { besideEach, type RunSettings, repeatOf, settingsOf, trainingOf, withSettings } from "./settings.js";
export { edition, modelSlots, recipeSlots, type SlotRule, takesLabels, takesMany } from "./slots.js";
export { lossGraph } from "./training-graphs.js";
export { type Fault, foreignIn, foreignUses, tryOut } from "./trial.js";
export type { NoWeights, WeightsFile } from "./weights-file.js";
export { type WiringNode, wiringLines, wiringTree } from "./wiring-tree.js";

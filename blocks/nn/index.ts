/** Layers and weight declarations that emitted programs call by name. Not part of the language. */

export * from "./adversarial.js";
export * from "./asking.js";
export {
  type BatchNormParameters,
  batchNorm,
  batchNormParameters,
  plainBatchNormParameters,
  unshiftedBatchNormParameters,
} from "./batch-norm.js";
export * from "./binary-cross-entropy.js";
export { crossEntropy, droppedFeatures, headParameters } from "./classify.js";
export * from "./clusters.js";
export * from "./columns.js";
export * from "./convnext.js";
export {
  type ConvolutionParameters,
  convolutionParameters,
  convolve,
  convolveDown,
  convolveUp,
  type KernelParameters,
  kernelParameters,
  type TransposedParameters,
  transposedParameters,
} from "./convolution.js";
export * from "./convvit.js";
export {
  type CosineWindowBlockParameters,
  cosineWindowBlockParameters,
  cosineWindowBlocks,
} from "./cosine-windows.js";
export * from "./detection.js";
export * from "./front-tokens.js";
export * from "./guided-masks.js";
export * from "./hidden-blocks.js";
export { declarationOf, isDeclared } from "./layer.js";
export * from "./leads.js";
export * from "./linear.js";
export * from "./low-pass.js";
export * from "./maps.js";
export * from "./meshes.js";
export * from "./motion.js";
export * from "./necks.js";
export { inOwnUnit, type NumberMeasure, numberError } from "./numbers.js";
export * from "./oriented-gradients.js";
export * from "./parts.js";
export * from "./perceiver.js";
export * from "./perceptual.js";
export { exponentials, type PlaceMeasure, placeError } from "./place-values.js";
export * from "./points.js";
export * from "./positions.js";
export * from "./quantize.js";
export { queueContrast, queueParameters } from "./queue.js";
export * from "./regions.js";
export { roughness, warpedCorrelation, warpedError } from "./registration.js";
export { averagePlaces, resizePlaces, resizePositions } from "./resize.js";
export {
  type BottleneckDownParameters,
  type BottleneckParameters,
  bottleneck,
  bottleneckDown,
  bottleneckDownParameters,
  bottleneckParameters,
  kaimingKernelParameters,
  largestPlaces,
  resnetStem,
} from "./resnet.js";
export { rotaryTurns, rotaryTurnsOf, type TurnedPairs, type Turning } from "./rotary.js";
export * from "./scales.js";
export { placeDice, placeEntropy } from "./segmentation.js";
export { infoNce, meanSquaredCosine } from "./sphere.js";
export * from "./targets.js";
export * from "./teachers.js";
export * from "./text.js";
export * from "./tokens.js";
export * from "./transformer.js";
export * from "./tubes.js";
export * from "./unet.js";
export * from "./uneven.js";
export { joinMaps } from "./units.js";
export * from "./vectors.js";
export {
  centreParameters,
  ntXent,
  patchDistillation,
  selfDistillation,
  viewContrast,
} from "./views.js";
export { integrated, type Outside, warp } from "./warp.js";
export { lowPassed } from "./waves.js";
export {
  type ExpandParameters,
  expandParameters,
  expandPlaces,
  type MergeParameters,
  mergeParameters,
  mergePlaces,
  type WindowBlockParameters,
  windowBlockParameters,
  windowBlocks,
} from "./windows.js";

/** The steps of an augmentation plan that make pixels of pixels, carried out in their order. */

import { applyAffine } from "./affine.js";
import { crop, type Geometry, mirror, type Raster, resize, type Tone, turnOver } from "./raster.js";
import { applyTone } from "./tone.js";

export type PixelStep = Geometry | Tone;

/** Carries out steps in their order. Of an image that is resized and then cropped, only the crop is computed. */
export function applySteps(raster: Raster, [step, ...rest]: readonly PixelStep[]): Raster {
  if (step === undefined) return raster;
  const [next, ...later] = rest;
  if (step.kind === "resize" && next?.kind === "crop") return applySteps(resize(raster, step, next), later);
  return applySteps(applyStep(raster, step), rest);
}

function applyStep(raster: Raster, step: PixelStep): Raster {
  switch (step.kind) {
    case "crop":
      return crop(raster, step);
    case "resize":
      return resize(raster, step, { top: 0, left: 0, ...step });
    case "flip":
      return step.axis === "horizontal" ? mirror(raster) : turnOver(raster);
    case "affine":
      return applyAffine(raster, step);
    case "levels":
    case "stretch":
    case "blend":
    case "blur":
    case "hue":
      return applyTone(raster, step);
  }
}

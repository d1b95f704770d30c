/** The settings of a recipe that are plain values, declared like a block's parameters. */

import { choice, int, type Param, type Params, real } from "./params.js";

export const recipeSettings = {
  batch: int({ min: 1, default: 256, doc: "Samples of one optimizer step." }),
  epochs: int({ min: 1, doc: "Passes over the data; write this or `steps`." }) as Param<number>,
  steps: int({ min: 1, doc: "Optimizer steps; write this or `epochs`." }) as Param<number>,
  seed: int({ min: 0, default: 0, doc: "Seed of weights, masks, crops and order." }),
  clip: real({
    min: 0,
    openMin: true,
    doc: "Largest global norm of the gradients; absent: no clipping.",
  }) as Param<number>,
  precision: choice({
    default: "float32",
    options: { float32: "All numbers in 32-bit floating point." },
    doc: "Number format of training.",
  }),
} satisfies Params;

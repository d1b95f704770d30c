/** What a trained model can be asked for, by name. */

import type { ModelProgram } from "./program.js";

type Outputs = Pick<ModelProgram, "classes" | "encodings" | "predictions">;

/**
 * `features`, the latent of whole arrays; of a model of several arrays what each of its encoders makes of some of them (`audio`,
 * `joint.audio`); and what it predicts: `prediction` of patches, or `logits` of classes.
 */
export const outputNames = ({ classes, encodings = {} }: Outputs): readonly string[] => [
  "features",
  ...Object.keys(encodings),
  classes === undefined ? "prediction" : "logits",
];

/** Whether the first token of a sample stands for all of it: a class token, or the [CLS] of a text. */
export const hasClassToken = (
  { extraTokens, separators = 0 }: Pick<ModelProgram, "extraTokens" | "separators">,
  arrays: ModelProgram["arrays"],
): boolean => extraTokens > separators || Object.values(arrays).some(({ ids }) => ids !== undefined);

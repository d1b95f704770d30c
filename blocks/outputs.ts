/** What a trained model can be asked for, by name. */

import { invariant } from "../graph/index.js";
import { type ArrayShape, isVolume } from "./arrays.js";
import type { ParameterTree } from "./parameters.js";
import type { ModelProgram, Picture } from "./program.js";

type Outputs = Pick<ModelProgram, "classes" | "encodings" | "predict">;

/**
 * `features`, the latent of whole arrays; of a model of several arrays what each of its encoders makes of some of them (`audio`,
 * `joint.audio`); and what it predicts, where it does: `prediction` of patches, or `logits` of classes.
 */
export const outputNames = ({ classes, encodings = {}, predict }: Outputs): readonly string[] => [
  "features",
  ...Object.keys(encodings),
  ...(predict === undefined ? [] : [classes === undefined ? "prediction" : "logits"]),
];

/** What a model predicts, of one that predicts something. */
export function predictOf<T extends ParameterTree>({
  name,
  predict,
}: Pick<ModelProgram<T>, "name" | "predict">): NonNullable<ModelProgram<T>["predict"]> {
  invariant(predict, `${name} predicts something`);
  return predict;
}

/** A volume of one channel that is predicted, and of which no encoder sees anything. */
export interface UnseenVolume {
  readonly array: string;
  readonly shape: ArrayShape;
  readonly picture: Picture;
}

export const unseenVolumes = ({
  arrays,
  predictions = {},
}: Pick<ModelProgram, "arrays" | "predictions">): readonly UnseenVolume[] =>
  Object.values(predictions).flatMap(({ array, unseen = false, picture }) => {
    const shape = arrays[array];
    return unseen && picture && shape && isVolume(shape) && shape.channels === 1 ? [{ array, shape, picture }] : [];
  });

/** Whether the first token of a sample stands for all of it: a class token, or the [CLS] of a text. */
export const hasClassToken = (
  { extraTokens, separators = 0 }: Pick<ModelProgram, "extraTokens" | "separators">,
  arrays: ModelProgram["arrays"],
): boolean => extraTokens > separators || Object.values(arrays).some(({ ids }) => ids !== undefined);

/** The outputs of the first two inputs alone, of the encoder that reads them together where one does; null: there are no two. */
export function pairedOutputs({ arrays, encodings = {} }: ModelProgram): readonly [string, string] | null {
  const names = Object.keys(encodings);
  const [first, second] = Object.keys(arrays).map((input) =>
    names.filter((name) => name.split(".").at(-1) === input).at(-1),
  );
  return first !== undefined && second !== undefined ? [first, second] : null;
}

/** What a trained model can be asked for, by name. */

import { invariant } from "../graph/index.js";
import { type ArrayShape, isVolume } from "./arrays.js";
import type { ParameterTree } from "./parameters.js";
import type { ModelProgram, Picture } from "./program.js";

type Head = Pick<ModelProgram, "classes" | "number" | "registers" | "values">;
type Outputs = Head & Pick<ModelProgram, "encodings" | "picture" | "predictions">;

/** The name of the output of a model's head; null: it has no head. */
export function headOutput({ classes, number, registers, values }: Head): string | null {
  if (number) return "number";
  if (values) return "values";
  if (registers) return "displacement";
  return classes === undefined ? null : "logits";
}

/**
 * `features`, the latent of whole arrays; of a model of several arrays what each of its encoders makes of some of them (`audio`,
 * `joint.audio`); the output of its head, if it has one; and `prediction` of patches, if they can be shown.
 */
export function outputNames({ encodings = {}, picture, predictions, ...rest }: Outputs): readonly string[] {
  const head = headOutput(rest);
  const pictures = predictions ? Object.values(predictions).map((one) => one.picture) : [picture];
  const isShown = pictures.some((one) => one !== undefined);
  return ["features", ...Object.keys(encodings), ...(head === null ? [] : [head]), ...(isShown ? ["prediction"] : [])];
}

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

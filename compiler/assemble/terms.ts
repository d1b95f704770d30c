/** The terms of a loss, one for each loss of a model: what its block gives, by a name of its own. */

import type { Code, LossInputs } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import { numbered } from "./names.js";
import type { LabelledLoss } from "./parts.js";

/** A loss of the model: its scalar before its weight. */
export interface Term {
  readonly name: string;
  readonly weight: number;
  readonly value: Tensor;
}

/** The names of the terms of losses. */
export const termNames = (losses: readonly LabelledLoss[]): readonly string[] =>
  numbered(
    losses.map(({ definition }) => definition.name),
    "_",
  );

/** What each loss gives. `branches`: where it finds its weights in `w`. */
export function termsOf(
  code: Code,
  losses: readonly LabelledLoss[],
  inputs: LossInputs | ((loss: number) => LossInputs),
  w: WeightTree,
  branches: readonly (string | null)[],
): readonly Term[] {
  const names = termNames(losses);
  return losses.map(({ definition, values }, i) => ({
    name: names[i] as string,
    weight: definition.weight(values),
    value: definition.build(
      code,
      values,
      typeof inputs === "function" ? inputs(i) : inputs,
      weightsUnder(w, branches[i] ?? null),
    ),
  }));
}

/** What there is for some losses alone. */
const ofSome = [
  "prediction",
  "target",
  "visible",
  "hidden",
  "flags",
  "array",
  "grid",
  "original",
  "between",
  "latent",
  "pictures",
  "layers",
] as const satisfies readonly (keyof LossInputs)[];

/** The inputs of losses for which there is only what is given. `otherwise`: what is wrong where one reads something else. */
export function onlyInputs(
  given: Omit<LossInputs, (typeof ofSome)[number]> & Partial<LossInputs>,
  otherwise: string,
): LossInputs {
  const get = (): never => invariant(false, otherwise) as never;
  const unread = Object.fromEntries(ofSome.map((name) => [name, { get }]));
  return Object.create(Object.defineProperties({}, unread), Object.getOwnPropertyDescriptors(given)) as LossInputs;
}

export function nothingBetween(): never {
  invariant(false, "a loss of predictions compares no features");
}

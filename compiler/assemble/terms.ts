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

/** What each loss gives. `branches`: where it finds its weights in `w`. */
export function termsOf(
  code: Code,
  losses: readonly LabelledLoss[],
  inputs: LossInputs | ((loss: number) => LossInputs),
  w: WeightTree,
  branches: readonly (string | null)[],
): readonly Term[] {
  const names = numbered(
    losses.map(({ definition }) => definition.name),
    "_",
  );
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

export function nothingBetween(): never {
  invariant(false, "a loss of predictions compares no features");
}

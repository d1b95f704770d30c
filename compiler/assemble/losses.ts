/** The loss of a model: what each objective's losses give, what an adversary adds, and their weighted sum. */

import {
  type Adversary,
  type Batch,
  type Bound,
  type Code,
  type Losses,
  type LossInputs,
  weightedSum,
} from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { modelTerm } from "./adversary.js";
import { normalization } from "./backbone.js";
import type { FunctionCode, ModelFunction } from "./function.js";
import { layoutOf } from "./layout.js";
import { numbered } from "./names.js";
import type { Objective, Parts } from "./parts.js";
import { targetInputs } from "./targets.js";
import { type ObjectiveBranches, type WeightTree, weightsUnder } from "./weights.js";

/** An objective with its function and the places of its weights. */
interface Judged {
  readonly objective: Objective;
  readonly decode: ModelFunction;
  readonly branches: ObjectiveBranches;
}

/** A loss of the model: its scalar before its weight. */
interface Term {
  readonly name: string;
  readonly weight: number;
  readonly value: Tensor;
}

/** One latent serves all losses. `judge`: the adversary's, where there is one. */
export const lossFunction = (
  parts: Parts,
  encode: ModelFunction,
  judged: readonly Judged[],
  judge: ModelFunction | null,
): ModelFunction => ({
  name: "loss",
  doc: "The training loss: the weighted sum, and each term before its weight.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const latent = code.call("latent", encode, batch);
    const predicted = judged.map(({ objective: { label }, decode }) =>
      once(() => code.call(variable("prediction", label), decode, latent, batch)),
    );
    const terms = judged.flatMap((one, i) =>
      objectiveTerms(code, parts, w, one, { batch, latent, prediction: predicted[i] as () => Tensor }),
    );
    const { adversary } = parts;
    if (!adversary || !judge) return losses(code, terms);
    const decisions = code.call("decisions", judge, (predicted[0] as () => Tensor)(), batch);
    return adversarial(code, terms, adversary, decisions, batch);
  },
});

export const losses = (code: Code, terms: readonly Term[]): Losses => ({
  total: sumOf(code, terms),
  terms: Object.fromEntries(terms.map(({ name, value }) => [name, value])),
});

/** The losses with what the model pays for the judgement of its predictions, decisions [B, N]. */
function adversarial(
  code: Code,
  terms: readonly Term[],
  { definition, values }: Bound<Adversary>,
  decisions: Tensor,
  { visible, hidden }: Batch,
): Losses {
  const value = definition.modelLoss(code, values, decisions, { visible, hidden });
  const { kind, factor } = definition.weight(values);
  const term: Term = { name: modelTerm, weight: factor, value };
  if (kind === "fixed") return losses(code, [...terms, term]);
  const { total, terms: named } = losses(code, terms);
  return { total, terms: { ...named, [modelTerm]: value }, balanced: { term: modelTerm, factor } };
}

function objectiveTerms(
  code: FunctionCode,
  parts: Parts,
  w: WeightTree,
  { objective, branches }: Judged,
  { batch, latent, prediction }: { readonly batch: Batch; readonly latent: Tensor; readonly prediction: () => Tensor },
): readonly Term[] {
  const { label, target, losses } = objective;
  const wanted = once(() =>
    target.definition.build(code, target.values, targetInputs(code, parts, w, target, batch), parts),
  ); // [B, N, P]
  const inputs: LossInputs = {
    get prediction() {
      return prediction();
    },
    get target() {
      return wanted();
    },
    visible: batch.visible,
    hidden: batch.hidden,
    latent,
    extra: layoutOf(parts).extra,
    normalize: normalization(code, parts.encoder, w),
  };
  const terms = termsOf(code, losses, inputs, weightsUnder(w, branches.branch), branches.losses);
  return label === null ? terms : terms.map((term) => ({ ...term, name: `${label}.${term.name}` }));
}

/** What each loss gives. `branches`: where it finds its weights in `w`. */
export function termsOf(
  code: Code,
  losses: Objective["losses"],
  inputs: LossInputs,
  w: WeightTree,
  branches: ObjectiveBranches["losses"],
): readonly Term[] {
  const names = numbered(
    losses.map(({ definition }) => definition.name),
    "_",
  );
  return losses.map(({ definition, values }, i) => ({
    name: names[i] as string,
    weight: definition.weight(values),
    value: definition.build(code, values, inputs, weightsUnder(w, branches[i] ?? null)),
  }));
}

const variable = (name: string, label: string | null): string => (label === null ? name : `${name}_${label}`);

function once<V>(compute: () => V): () => V {
  let known: { readonly value: V } | null = null;
  return () => {
    known ??= { value: compute() };
    return known.value;
  };
}

/** The weighted sum; a single loss of weight 1 is its own sum. */
function sumOf(code: Code, terms: readonly Term[]): Tensor {
  const [only, another] = terms;
  if (only && !another && only.weight === 1) return only.value;
  return code.let(
    "total",
    weightedSum,
    terms.map(({ weight, value }) => [weight, value]),
  );
}

/** The loss of a model: what each objective's losses give, what an adversary adds, and their weighted sum. */

import {
  type Adversary,
  type Batch,
  type Bound,
  type Code,
  chosenFlags,
  hiddenFlags,
  type Losses,
  type LossInputs,
  type Places,
  tokenCount,
  weightedSum,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { modelTerm } from "./adversary.js";
import { deepestPlaces, normalization, type Placed, placesIn, placesOf } from "./backbone.js";
import { enteredIds } from "./fields.js";
import { type Calling, callingIn, type FunctionCode, type ModelFunction } from "./function.js";
import { extraTokensOf, jointMask, startIn } from "./layout.js";
import { numbered } from "./names.js";
import type { Comparison, Features, InputPart, Objective } from "./parts.js";
import { targetInputs } from "./targets.js";
import { type ModelWeights, type ObjectiveBranches, type WeightTree, weightsUnder } from "./weights.js";

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

/** What the losses of a model are computed from. */
interface Sources {
  /** Gives the latent: one serves all losses. */
  readonly latent: ModelFunction;
  /** For each comparison, what gives its two sides. */
  readonly between: readonly (readonly [ModelFunction, ModelFunction])[];
}

/** `judge`: the adversary's, where there is one. */
export const lossFunction = (
  parts: Placed,
  weights: ModelWeights,
  { latent, between }: Sources,
  judged: readonly Judged[],
  judge: ModelFunction | null,
): ModelFunction => ({
  name: "loss",
  doc: "The training loss: the weighted sum, and each term before its weight.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const calling = callingIn(code, batch);
    // It stands first, so that it is computed once for all.
    calling(latentName(parts), latent);
    const terms = [
      ...judged.flatMap((one) => objectiveTerms(code, parts, w, one, { batch, latent, calling })),
      ...comparisonTerms(code, parts, weights, w, between, calling),
    ];
    const { adversary } = parts;
    const [own] = judged;
    if (!adversary || !judge || !own) return losses(code, terms);
    const prediction = calling(variable("prediction", own.objective.label), own.decode);
    const decisions = code.call("decisions", judge, prediction, batch);
    return adversarial(code, terms, adversary, decisions, placesOf(parts, batch));
  },
});

/** What decoders are given of the encoder. */
const latentName = ({ encoder }: Placed): string => (encoder.block.definition.maps ? "maps" : "latent");

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
  { visible, hidden }: Places,
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
  parts: Placed,
  w: WeightTree,
  { objective, decode, branches }: Judged,
  { batch, latent, calling }: { readonly batch: Batch; readonly latent: ModelFunction; readonly calling: Calling },
): readonly Term[] {
  const { label, target, input, losses } = objective;
  const wanted = once(() =>
    target.definition.build(code, target.values, targetInputs(code, parts, w, objective, batch), input),
  ); // [B, N, P]
  const { encoder } = parts;
  const flags = once(() => hiddenFlagsOf(code, parts, input, batch));
  const inputs: LossInputs = {
    ...placesOf(parts, batch, input),
    get prediction() {
      return calling(variable("prediction", label), decode);
    },
    get target() {
      return wanted();
    },
    get flags() {
      return flags();
    },
    channels: input.array.channels,
    get latent() {
      const given: unknown = calling(latentName(parts), latent);
      return encoder.block.definition.maps ? deepestPlaces(code, given as readonly Tensor[]) : (given as Tensor);
    },
    extra: extraTokensOf(encoder),
    normalize: normalization(code, encoder.block, weightsUnder(w, parts.branchOf(encoder.label))),
    get between() {
      return nothingBetween();
    },
  };
  const terms = termsOf(code, losses, inputs, weightsUnder(w, branches.branch), branches.losses);
  return label === null ? terms : terms.map((term) => ({ ...term, name: `${label}.${term.name}` }));
}

/** 1 for the hidden tokens of an input under a mask that hides more of one sample than of another, [B, N]; null: there is no such mask. */
function hiddenFlagsOf(code: Code, parts: Placed, input: InputPart, batch: Batch): Tensor | null {
  const entered = enteredIds(parts, batch);
  if (entered) return code.let("flags", chosenFlags, entered);
  const joint = jointMask(parts);
  if (!joint) return null;
  const { visible, restore } = placesIn(parts, joint, batch);
  const sizes = {
    start: startIn(joint.over, input),
    count: tokenCount(input.grid),
    visible: visible.shape[1] as number,
  };
  return code.let("flags", hiddenFlags, restore, sizes);
}

export function nothingBetween(): never {
  invariant(false, "a loss of predictions compares no features");
}

/** Losses between what encoders make of two inputs. They are of no one prediction, target or mask. */
function comparisonTerms(
  code: FunctionCode,
  { comparisons }: Placed,
  weights: ModelWeights,
  w: WeightTree,
  between: Sources["between"],
  calling: Calling,
): readonly Term[] {
  const losses = comparisons.map(({ loss }) => loss);
  const inputsOf = (i: number): LossInputs => {
    const [first, second] = between[i] as Sources["between"][number];
    const [a, b] = (comparisons[i] as Comparison).between;
    return {
      get between() {
        return [calling(featuresName(a), first), calling(featuresName(b), second)] as const;
      },
      get prediction() {
        return noPrediction();
      },
      get target() {
        return noPrediction();
      },
      get visible() {
        return noPrediction();
      },
      get hidden() {
        return noPrediction();
      },
      get latent() {
        return noPrediction();
      },
      get flags() {
        return noPrediction();
      },
      channels: 0,
      extra: extraTokensOf(a.encoder),
      normalize: (x) => x,
    };
  };
  return termsOf(code, losses, inputsOf, w, weights.comparisons);
}

function noPrediction(): never {
  invariant(false, "a loss of features reads no prediction, target or mask");
}

/** `joint_audio` */
const featuresName = ({ encoder, input }: Features): string =>
  [encoder.label, input?.label].flatMap((x) => x ?? []).join("_");

/** What each loss gives. `branches`: where it finds its weights in `w`. */
export function termsOf(
  code: Code,
  losses: Objective["losses"],
  inputs: LossInputs | ((loss: number) => LossInputs),
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
    value: definition.build(
      code,
      values,
      typeof inputs === "function" ? inputs(i) : inputs,
      weightsUnder(w, branches[i] ?? null),
    ),
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

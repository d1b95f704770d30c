/** The loss of a model: what each objective's losses give, what an adversary adds, and their weighted sum. */

import {
  type Batch,
  type Code,
  chosenFlags,
  flagsOfWords,
  groupTokens,
  hiddenFlags,
  joinTokens,
  type Losses,
  type LossInputs,
  takeBlocks,
  tokenCount,
  tokensFrom,
  weightedSum,
} from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { type JudgedPrediction, modelTerm, picturesOf, predictionName, sideLoss } from "./adversary.js";
import { latentIn, layersSeen, normalizationOf } from "./backbone.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import { blocksOf, enteredIds } from "./fields.js";
import { type Calling, callingIn, type FunctionCode, type ModelFunction } from "./function.js";
import { groupsOf } from "./groups.js";
import { type HeadFunctions, headTerms } from "./heads.js";
import { arrayIn, maskedPlaces, type Placed, placesIn } from "./input-tokens.js";
import type { InputFunctions } from "./inputs.js";
import { extraTokensOf, jointMask, maskOver, startIn } from "./layout.js";
import { numbered } from "./names.js";
import type { AdversaryPart, Comparison, EncoderPart, Features, InputPart, Objective } from "./parts.js";
import { targetInputs } from "./targets.js";
import { nothingBetween, onlyInputs, type Term, termsOf } from "./terms.js";
import type { ModelWeights, ObjectiveBranches } from "./weights.js";

/** An objective with its function and the places of its weights. */
export interface Judged {
  readonly objective: Objective;
  readonly decode: ModelFunction;
  readonly branches: ObjectiveBranches;
  /** What gives the prediction that is its target; null: that is made of something else. */
  readonly imitated: ModelFunction | null;
}

/** What the losses of a model judge. */
export interface Judgements {
  readonly judged: readonly Judged[];
  readonly heads: readonly HeadFunctions[];
  /** What an adversary says of predictions, and of which; null: there is none. */
  readonly adversary: { readonly judge: ModelFunction; readonly of: readonly JudgedPrediction[] } | null;
}

/** Gives what an encoder makes of a batch: one pass serves all losses. */
export type LatentOf = (encoder: EncoderPart) => Tensor;

export const lossFunction = (
  parts: Placed,
  weights: ModelWeights,
  { latentOf, between }: Pick<InputFunctions, "latentOf" | "between">,
  { judged, heads, adversary }: Judgements,
): ModelFunction => ({
  name: "loss",
  doc: "The training loss: the weighted sum, and each term before its weight.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const calling = callingIn(code, batch);
    const read = new Set(judged.map(({ objective }) => objective.latent));
    const given = (encoder: EncoderPart): unknown =>
      calling(read.size > 1 ? variable(latentName(encoder), encoder.label) : latentName(encoder), latentOf(encoder));
    const latent: LatentOf = (encoder) => latentIn(code, encoder, given(encoder));
    // They stand first, so that each is computed once for all.
    for (const encoder of read) given(encoder);
    const terms = [
      ...judged.flatMap((one) => objectiveTerms(code, parts, w, one, { batch, latent, calling })),
      ...heads.flatMap((_, i) => headTerms(code, parts, weights, w, i, { batch, heads, latent })),
      ...comparisonTerms(code, parts, weights, w, between, calling),
    ];
    if (!adversary || !parts.adversary) return losses(code, terms);
    const { definition, values } = parts.adversary.block;
    const predictions = adversary.of.map((one) => calling(predictionName(one, adversary.of), one.decode));
    const constant = definition.backbone(values) === "one_way";
    const decisions = code[constant ? "callConstant" : "call"]("decisions", adversary.judge, ...predictions, batch);
    const value = sideLoss(code, parts, parts.adversary, adversary.of, decisions, batch, "modelLoss");
    return adversarial(code, terms, parts.adversary, value);
  },
});

/** What decoders are given of an encoder. */
export const latentName = ({ block }: EncoderPart): string => (block.definition.maps ? "maps" : "latent");

/** The names of terms, of which no two are alike. */
function apart(terms: readonly Term[]): readonly Term[] {
  const names = numbered(
    terms.map(({ name }) => name),
    "_",
  );
  return terms.map((term, i) => ({ ...term, name: names[i] as string }));
}

export const losses = (code: Code, terms: readonly Term[]): Losses => ({
  total: sumOf(code, terms),
  terms: Object.fromEntries(apart(terms).map(({ name, value }) => [name, value])),
});

/** The losses with what the model pays for the judgement of its predictions. */
function adversarial(
  code: Code,
  terms: readonly Term[],
  { block: { definition, values } }: AdversaryPart,
  value: Tensor,
): Losses {
  const { kind, factor } = definition.weight(values);
  const term: Term = { name: modelTerm, weight: factor, value };
  if (kind === "fixed") return losses(code, [...terms, term]);
  const { total, terms: named } = losses(code, terms);
  return { total, terms: { ...named, [modelTerm]: value }, balanced: { term: modelTerm, factor } };
}

export function objectiveTerms(
  code: FunctionCode,
  parts: Placed,
  w: WeightTree,
  { objective, decode, branches, imitated }: Judged,
  { batch, latent, calling }: { readonly batch: Batch; readonly latent: LatentOf; readonly calling: Calling },
): readonly Term[] {
  const { label, target, input, losses } = objective;
  const imitating = imitated && (() => calling(variable("prediction", objective.imitates?.label ?? null), imitated));
  const blocks = blocksOf(parts, batch, input);
  const wanted = once(() => {
    const given = targetInputs(code, parts, w, objective, batch, imitating);
    const every = target.definition.build(code, target.values, given, input);
    if (!blocks) return every;
    const { places, ...sizes } = blocks;
    return code.let("wanted", takeBlocks, every, places, sizes);
  }); // [B, N, P]
  const encoder = objective.latent;
  const flags = once(() => hiddenFlagsOf(code, parts, input, batch));
  const inputs: LossInputs = {
    get visible() {
      return maskedPlaces(parts, batch, input).visible;
    },
    get hidden() {
      return maskedPlaces(parts, batch, input).hidden;
    },
    get prediction() {
      return calling(variable("prediction", label), decode);
    },
    get target() {
      return wanted();
    },
    get flags() {
      return flags();
    },
    array: input.array,
    grid: input.grid,
    original: arrayIn(input, batch),
    // All that blocks have is hidden, and predicted alone.
    masked: maskOver(parts, input) !== null && blocks === null,
    get latent() {
      return latentOfInput(code, parts, objective, w, latent(encoder), batch);
    },
    extra: extraTokensOf(encoder),
    latents: encoder.latents !== null,
    normalize: normalizationOf(code, parts, encoder, w),
    get between() {
      return nothingBetween();
    },
    get layers() {
      return layersSeen(code, parts, encoder, w, batch);
    },
    pictures: (on) => picturesOf(code, parts, w, objective, inputs.prediction, batch, on),
  };
  const terms = termsOf(code, losses, inputs, weightsUnder(w, branches.branch), branches.losses);
  return label === null ? terms : terms.map((term) => ({ ...term, name: `${label}.${term.name}` }));
}

/** Of the latent of several inputs, what is of one of them, behind what stands in front. */
function latentOfInput(
  code: Code,
  parts: Placed,
  objective: Objective,
  w: WeightTree,
  latent: Tensor,
  batch: Batch,
): Tensor {
  const { input, latent: encoder } = objective;
  if (encoder.inputs.length === 1 || encoder.latents || jointMask(parts) || !encoder.inputs.includes(input))
    return latent;
  const { groups, extra } = groupsOf(code, parts, objective, w, latent, batch);
  const before = groups.slice(0, encoder.inputs.indexOf(input));
  const own = groups[before.length] as (typeof groups)[number];
  const patches = code.let("own", groupTokens, latent, own.places?.visible ?? own.count, {
    extra,
    before: before.map((other) => other.places?.visible ?? other.count),
  });
  if (extra === 0) return patches;
  return code.let("own", joinTokens, code.let("front", tokensFrom, latent, { start: 0, count: extra }), patches);
}

/**
 * 1 for the hidden tokens of an input under a mask that hides more of one sample than of another, [B, N]; of a text, for those of them that
 * are words. null: as many of each sample are judged.
 */
function hiddenFlagsOf(code: Code, parts: Placed, input: InputPart, batch: Batch): Tensor | null {
  const entered = enteredIds(parts, batch, input);
  if (entered) return code.let("flags", chosenFlags, entered);
  const mask = jointMask(parts) ?? (input.array.ids ? maskOver(parts, input) : null);
  if (!mask) return null;
  const { visible, restore } = placesIn(mask, batch);
  const sizes = {
    start: startIn(mask.over, input),
    count: tokenCount(input.grid),
    visible: visible.shape[1] as number,
  };
  const flags = code.let("flags", hiddenFlags, restore, sizes);
  return input.array.ids ? code.let("words", flagsOfWords, flags, arrayIn(input, batch)) : flags;
}

/** Losses between what encoders make of two inputs. They are of no one prediction, target or mask. */
function comparisonTerms(
  code: FunctionCode,
  { comparisons }: Placed,
  weights: ModelWeights,
  w: WeightTree,
  between: InputFunctions["between"],
  calling: Calling,
): readonly Term[] {
  const losses = comparisons.map(({ loss }) => loss);
  const inputsOf = (i: number): LossInputs => {
    const [first, second] = between[i] as InputFunctions["between"][number];
    const [a, b] = (comparisons[i] as Comparison).between;
    const given = {
      get between() {
        return [calling(featuresName(a), first), calling(featuresName(b), second)] as const;
      },
      masked: false,
      extra: extraTokensOf(a.encoder),
      latents: false,
      normalize: (x: Tensor) => x,
    };
    return onlyInputs(given, "a loss of features reads no prediction, target or mask");
  };
  return termsOf(code, losses, inputsOf, w, weights.comparisons);
}

/** `joint_audio` */
const featuresName = ({ encoder, input }: Features): string =>
  [encoder.label, input?.label].flatMap((x) => x ?? []).join("_");

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

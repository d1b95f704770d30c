/** How an adversary joins a model: what it judges, with which backbone, and its own loss. */

import {
  type Batch,
  type Code,
  detached,
  fillHidden,
  patchify,
  slopePenalty,
  tokensFrom,
  unpatchify,
  weightedSum,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { encodeWhole } from "./backbone.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import type { ModelFunction } from "./function.js";
import { arrayIn, maskedPlaces, type Placed } from "./input-tokens.js";
import { extraTokensOf, startIn, tokensOf } from "./layout.js";
import type { AdversaryPart, Objective } from "./parts.js";
import { targetInputs } from "./targets.js";
import { adversaryBranch, backboneBranch } from "./weights.js";

/** Names of the terms: what the model pays, and what the adversary does. */
export const modelTerm = "adversarial";
const ownTerm = "adversary";
const slopesTerm = "adversary_slopes";

/** A prediction that is judged: what gives it of a batch, and of the latent. */
export interface JudgedPrediction {
  readonly objective: Objective;
  readonly predict: ModelFunction;
  readonly decode: ModelFunction;
}

/** `prediction`, or of several `prediction_audio`. */
export const predictionName = ({ objective: { input } }: JudgedPrediction, of: readonly unknown[]): string =>
  of.length === 1 ? "prediction" : `prediction_${input.name}`;

/** The array that a prediction makes, and the original, [B, ...axes, C]. */
export function picturesOf(
  code: Code,
  parts: Placed,
  w: WeightTree,
  objective: Objective,
  prediction: Tensor,
  batch: Batch,
  on: "hidden" | "all",
): readonly [predicted: Tensor, original: Tensor] {
  const { input } = objective;
  const original = arrayIn(input, batch);
  if (on === "hidden") return [completed(code, parts, w, objective, prediction, batch), original];
  const pixels = pixelsOf(code, parts, w, objective, prediction, batch);
  return [code.let("predicted", unpatchify, pixels, input.grid, { channels: input.array.channels }), original];
}

/** A prediction in the values of the array, [B, N, values of a token]. */
function pixelsOf(
  code: Code,
  parts: Placed,
  w: WeightTree,
  objective: Objective,
  prediction: Tensor,
  batch: Batch,
): Tensor {
  const { target, input } = objective;
  invariant(target.definition.pixels, "the checker lets through only judges of pixels");
  const inputs = targetInputs(code, parts, w, objective, batch);
  return target.definition.pixels(code, target.values, prediction, inputs, input);
}

/** An array with its hidden patches predicted. */
function completed(
  code: Code,
  parts: Placed,
  w: WeightTree,
  objective: Objective,
  prediction: Tensor,
  batch: Batch,
): Tensor {
  const { input } = objective;
  const pixels = pixelsOf(code, parts, w, objective, prediction, batch);
  const originals = code.let("originals", patchify, arrayIn(input, batch), input.grid);
  const filled = code.let("filled", fillHidden, originals, pixels, maskedPlaces(parts, batch, input));
  return code.let("completed", unpatchify, filled, input.grid, { channels: input.array.channels });
}

/** The arrays with their hidden patches predicted, seen by the backbone and judged patch by patch. */
export const judgeFunction = (
  parts: Placed,
  { block: { definition, values }, backbone }: AdversaryPart,
  judged: readonly JudgedPrediction[],
): ModelFunction => ({
  name: "judge",
  doc:
    judged.length === 1
      ? `For every patch of the ${judged[0]?.objective.input.name} that prediction completes, the logit that it is an original.`
      : "For every patch of the arrays that predictions complete, one array after the other, the logit that it is an original.",
  inputs: [...judged.map((one) => ({ name: predictionName(one, judged), from: one.predict })), "batch"],
  body(code, w, { given, batch }) {
    const arrays = judged.map((one) => {
      const prediction = given[predictionName(one, judged)] as Tensor;
      return [one.objective.input.name, completed(code, parts, w, one.objective, prediction, batch)] as const;
    });
    return decisionsOf(code, parts, { block: { definition, values }, backbone }, w, {
      ...batch,
      ...Object.fromEntries(arrays),
    });
  },
});

/** What an adversary says of every patch of the arrays of a batch as they are. */
function decisionsOf(
  code: Code,
  parts: Placed,
  { block: { definition, values }, backbone }: Pick<AdversaryPart, "block" | "backbone">,
  w: WeightTree,
  batch: Batch,
): Tensor {
  const own = weightsUnder(w, adversaryBranch);
  const seeing = definition.backbone(values) === "separate" ? (own[backboneBranch] as WeightTree) : w;
  const latent = encodeWhole(code, parts, backbone, seeing, batch);
  const extra = extraTokensOf(backbone);
  return definition.judge(code, values, own, { latent, extra, count: tokensOf(backbone.inputs) });
}

/** What a side pays for the decisions about every patch that the backbone sees: the mean over what was predicted. */
export function sideLoss(
  code: Code,
  parts: Placed,
  { block: { definition, values }, backbone: { inputs } }: AdversaryPart,
  judged: readonly JudgedPrediction[],
  decisions: Tensor,
  batch: Batch,
  side: "ownLoss" | "modelLoss",
): Tensor {
  const losses = judged.map(({ objective: { input } }) => {
    const range = { start: startIn(inputs, input), count: tokensOf([input]) };
    const about = inputs.length === 1 ? decisions : code.let(`decisions_${input.name}`, tokensFrom, decisions, range);
    const { visible, hidden } = maskedPlaces(parts, batch, input);
    return definition[side](code, values, about, { visible, hidden });
  });
  const [only, another] = losses;
  if (only && !another) return only;
  return code.let(
    "mean",
    weightedSum,
    losses.map((loss) => [1 / losses.length, loss]),
  );
}

/** The adversary's own loss: the predictions are given, so that the decoders are not trained by it. */
export const adversaryLossFunction = (
  parts: Placed,
  adversary: AdversaryPart,
  judged: readonly JudgedPrediction[],
  judge: ModelFunction,
): ModelFunction => ({
  name: "adversaryLoss",
  doc: "What the adversary minimises: how badly it tells originals from predictions.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const given = judged.map((one) =>
      code.let("given", detached, code.call(predictionName(one, judged), one.predict, batch)),
    );
    const decisions = code.call("decisions", judge, ...given, batch);
    const own = sideLoss(code, parts, adversary, judged, decisions, batch, "ownLoss");
    const factor = adversary.block.definition.slopes?.(adversary.block.values) ?? null;
    if (factor === null) return { total: own, terms: { [ownTerm]: own } };
    const truths = decisionsOf(code, parts, adversary, w, batch);
    const arrays = judged.map(({ objective: { input } }) => arrayIn(input, batch));
    const slopes = code.let("slopes", slopePenalty, truths, arrays);
    const total = code.let("total", weightedSum, [
      [1, own],
      [factor / 2, slopes],
    ]);
    return { total, terms: { [ownTerm]: own, [slopesTerm]: slopes } };
  },
});

/** How an adversary joins a model: what it judges, with which backbone, and its own loss. */

import { type Adversary, type Bound, detached, fillHidden, patchify, unpatchify } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { arrayIn, encodeWhole, type Placed, placesOf } from "./backbone.js";
import type { ModelFunction } from "./function.js";
import { layoutOf } from "./layout.js";
import { ownObjectiveOf } from "./parts.js";
import { targetInputs } from "./targets.js";
import { adversaryBranch, backboneBranch, type WeightTree, weightsUnder } from "./weights.js";

/** Names of the terms: what the model pays, and what the adversary does. */
export const modelTerm = "adversarial";
const ownTerm = "adversary";

/** The image with its hidden patches predicted, seen by the backbone and judged patch by patch. */
export const judgeFunction = (
  parts: Placed,
  { definition, values }: Bound<Adversary>,
  predict: ModelFunction,
): ModelFunction => ({
  name: "judge",
  doc: "For every patch of the image that prediction completes, the logit that it is an original.",
  inputs: [{ name: "prediction", from: predict }, "batch"],
  body(code, w, { given: { prediction }, batch }) {
    const { extra, count } = layoutOf(parts);
    const objective = ownObjectiveOf(parts);
    const { target, input } = objective;
    invariant(target.definition.pixels, "the checker lets through only adversaries of pixels");
    const inputs = targetInputs(code, parts, w, objective, batch);
    const pixels = target.definition.pixels(code, target.values, prediction as Tensor, inputs, input);
    const originals = code.let("originals", patchify, arrayIn(input, batch), input.grid);
    const filled = code.let("filled", fillHidden, originals, pixels, placesOf(parts, batch));
    const completed = code.let("completed", unpatchify, filled, input.grid, { channels: input.array.channels });
    const own = weightsUnder(w, adversaryBranch);
    const backbone = definition.backbone(values) === "separate" ? (own[backboneBranch] as WeightTree) : w;
    const latent = encodeWhole(code, parts, input, backbone, completed);
    return definition.judge(code, values, own, { latent, extra, count });
  },
});

/** The adversary's own loss: the prediction is given, so the decoder is not trained by it. */
export const adversaryLossFunction = (
  parts: Placed,
  { definition, values }: Bound<Adversary>,
  predict: ModelFunction,
  judge: ModelFunction,
): ModelFunction => ({
  name: "adversaryLoss",
  doc: "What the adversary minimises: how badly it tells originals from predictions.",
  inputs: ["batch"],
  body(code, _, { batch }) {
    const given = code.let("given", detached, code.call("prediction", predict, batch));
    const decisions = code.call("decisions", judge, given, batch);
    const { visible, hidden } = placesOf(parts, batch);
    const total = definition.ownLoss(code, values, decisions, { visible, hidden });
    return { total, terms: { [ownTerm]: total } };
  },
});

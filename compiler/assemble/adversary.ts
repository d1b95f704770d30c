/** How an adversary joins a model: what it judges, with which backbone, and its own loss. */

import { type Adversary, type Bound, detached, fillHidden, patchify, unpatchify } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { arrayIn, encodeWhole } from "./backbone.js";
import type { ModelFunction } from "./function.js";
import { layoutOf } from "./layout.js";
import { ownObjectiveOf, type Parts } from "./parts.js";
import { targetInputs } from "./targets.js";
import { adversaryBranch, backboneBranch, type WeightTree, weightsUnder } from "./weights.js";

/** Names of the terms: what the model pays, and what the adversary does. */
export const modelTerm = "adversarial";
const ownTerm = "adversary";

/** The image with its hidden patches predicted, seen by the backbone and judged patch by patch. */
export const judgeFunction = (parts: Parts, { definition, values }: Bound<Adversary>): ModelFunction => ({
  name: "judge",
  doc: "For every patch of the image that prediction completes, the logit that it is an original.",
  inputs: ["prediction", "batch"],
  body(code, w, { prediction, batch }) {
    const { visible, hidden, restore } = batch;
    const { extra, count } = layoutOf(parts);
    const { target } = ownObjectiveOf(parts);
    invariant(target.definition.pixels, "the checker lets through only adversaries of pixels");
    const inputs = targetInputs(code, parts, w, target, batch);
    const pixels = target.definition.pixels(code, target.values, prediction, inputs, parts);
    const originals = code.let("originals", patchify, arrayIn(parts, batch), parts.grid);
    const filled = code.let("filled", fillHidden, originals, pixels, { visible, hidden, restore });
    const completed = code.let("completed", unpatchify, filled, parts.grid, { channels: parts.array.channels });
    const own = weightsUnder(w, adversaryBranch);
    const backbone = definition.backbone(values) === "separate" ? (own[backboneBranch] as WeightTree) : w;
    const latent = encodeWhole(code, parts, backbone, completed);
    return definition.judge(code, values, own, { latent, extra, count });
  },
});

/** The adversary's own loss: the prediction is given, so the decoder is not trained by it. */
export const adversaryLossFunction = (
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
    const { visible, hidden } = batch;
    const total = definition.ownLoss(code, values, decisions, { visible, hidden });
    return { total, terms: { [ownTerm]: total } };
  },
});

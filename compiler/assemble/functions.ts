/**
 * The functions of a model, put together from its blocks: encode, decode for each objective, predict, judge, loss, features.
 * Each is written once, over `FunctionCode`; running it traces the model, recording it gives the statements that `emit` prints.
 */

import type { Batch, Code, Encoded } from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { adversaryLossFunction, judgeFunction } from "./adversary.js";
import { arrayIn, embed, encodeTokens, encodeWhole, lastLayer, place, takeVisible } from "./backbone.js";
import { classFunctions } from "./classes.js";
import type { ModelFunction } from "./function.js";
import { guideFunction } from "./guide.js";
import { layoutOf } from "./layout.js";
import { lossFunction } from "./losses.js";
import { numbered, pascal } from "./names.js";
import { type Objective, ownObjectiveOf, type Parts } from "./parts.js";
import { targetInputs } from "./targets.js";
import {
  decoderPositions,
  encoderPositions,
  type ModelWeights,
  type ObjectiveBranches,
  type WeightTree,
  weightsUnder,
} from "./weights.js";

function encodeFunction(parts: Parts): ModelFunction {
  const { decoder } = ownObjectiveOf(parts);
  const enter = decoder.definition.enter?.bind(decoder.definition);
  return {
    name: "encode",
    doc: enter
      ? "The latent of every token, hidden ones entered as learned tokens."
      : "The latent of the visible tokens.",
    inputs: ["batch"],
    body(code, w, { batch }) {
      const tokens = embed(code, parts, w, arrayIn(parts, batch)); // [B, N, D]
      if (!enter) return encodeTokens(code, parts, w, takeVisible(code, place(code, parts, w, tokens), batch));
      const seen = takeVisible(code, tokens, batch); // [B, V, D]
      return encodeTokens(code, parts, w, place(code, parts, w, enter(code, decoder.values, w, seen, batch.restore)));
    },
  };
}

const featuresFunction = (parts: Parts): ModelFunction => ({
  name: "features",
  doc: `The latent of every token of the whole ${parts.name}, in raster order, after the first \`layers\` layers.`,
  inputs: ["array", "layers"],
  body: (code, w, { array }) => encodeWhole(code, parts, w, array),
});

/** `decode`, or `decodeRegion` for the objective with that label. */
function decodeFunction(parts: Parts, objective: Objective, branches: ObjectiveBranches): ModelFunction {
  const { label, decoder } = objective;
  return {
    name: `decode${pascal(label ?? "")}`,
    doc:
      label === null
        ? "A prediction for every patch from the latent."
        : `What \`${label}\` predicts for every patch from the latent.`,
    inputs: ["latent", "batch"],
    body(code, w, { latent, batch }) {
      const { extra, count } = layoutOf(parts);
      const own = weightsUnder(w, branches.branch);
      const positions = (own[decoderPositions] ?? null) as Tensor | null;
      const { visible, hidden, restore } = batch;
      const encoded = encodeTarget(code, parts, w, objective, branches, batch);
      const inputs = { latent, visible, hidden, restore, encoded, positions, extra, count };
      return decoder.definition.decode(code, decoder.values, own, inputs);
    },
  };
}

/** What the encoder in a target's braces makes of the target's visible tokens; null: there is none. */
function encodeTarget(
  code: Code,
  parts: Parts,
  w: WeightTree,
  { target, encoder }: Objective,
  branches: ObjectiveBranches,
  batch: Batch,
): Encoded | null {
  const { tokens } = target.definition;
  if (encoder === null || tokens === undefined) return null;
  const { definition, values } = encoder;
  const objectiveWeights = weightsUnder(w, branches.branch);
  const own = weightsUnder(objectiveWeights, branches.encoder);
  const context = { ...parts, width: definition.width(values), extra: definition.extraTokens(values) };
  const inputs = {
    target: target.definition.build(code, target.values, targetInputs(code, parts, w, target, batch), parts),
    positions: own[encoderPositions] as Tensor,
    visible: batch.visible,
  };
  const seen = tokens.call(target.definition, code, target.values, objectiveWeights, inputs, context);
  return lastLayer(code, encoder, own, seen);
}

const predictFunction = (encode: ModelFunction, decode: ModelFunction): ModelFunction => ({
  name: "predict",
  doc: "A prediction for every patch of the masked image.",
  inputs: ["batch"],
  body: (code, _, { batch }) => code.call("prediction", decode, code.call("latent", encode, batch), batch),
});

/** Names apart: `low_pass` and `lowPass` would both be `decodeLowPass`. */
function apart(functions: readonly ModelFunction[]): readonly ModelFunction[] {
  const names = numbered(functions.map(({ name }) => name));
  return functions.map((f, i) => ({ ...f, name: names[i] as string }));
}

/** The functions of a model, each after those that it calls. */
export function functionsOf(parts: Parts, weights: ModelWeights): readonly ModelFunction[] {
  if (parts.classes) return [...classFunctions(parts, parts.classes, weights), featuresFunction(parts)];
  const encode = encodeFunction(parts);
  const branches = weights.objectives;
  const decodes = apart(
    parts.objectives.map((objective, i) => decodeFunction(parts, objective, branches[i] as ObjectiveBranches)),
  );
  const judged = parts.objectives.map((objective, i) => ({
    objective,
    decode: decodes[i] as ModelFunction,
    branches: branches[i] as ObjectiveBranches,
  }));
  const predict = predictFunction(encode, decodes[0] as ModelFunction);
  const judge = parts.adversary && judgeFunction(parts, parts.adversary);
  const guide = guideFunction(parts);
  return [
    ...(guide ? [guide] : []),
    encode,
    featuresFunction(parts),
    ...decodes,
    predict,
    ...(judge ? [judge] : []),
    lossFunction(parts, encode, judged, judge),
    ...(parts.adversary && judge ? [adversaryLossFunction(parts.adversary, predict, judge)] : []),
  ];
}

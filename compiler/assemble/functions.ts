/**
 * The functions of a model, put together from its blocks: encode, decode for each objective, predict, judge, loss, features.
 * Each is written once, over `FunctionCode`; running it traces the model, recording it gives the statements that `emit` prints.
 */

import {
  type Batch,
  type Code,
  corruptIds,
  type DecoderInputs,
  type Encoded,
  type LatentInputs,
  restoreTokens,
  restoreZeros,
  tokenCount,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { adversaryLossFunction, judgeFunction } from "./adversary.js";
import {
  arrayIn,
  deepestPlaces,
  droppedIn,
  embed,
  encodeTokens,
  encodeWhole,
  keptUnder,
  lastLayer,
  normalization,
  type Placed,
  place,
  placesOf,
  takeVisible,
} from "./backbone.js";
import { classFunctions } from "./classes.js";
import { enteredIds } from "./fields.js";
import { callingIn, type ModelFunction } from "./function.js";
import { groupsOf, sharedFunctions } from "./groups.js";
import { guideFunction } from "./guide.js";
import { type InputFunctions, inputFunctions } from "./inputs.js";
import { hidingOf } from "./layout.js";
import { lossFunction } from "./losses.js";
import { numbered, pascal } from "./names.js";
import { type InputPart, mapsOf, type Objective, onlyInput, type Parts } from "./parts.js";
import { targetInputs } from "./targets.js";
import type { WeightTree } from "./weights.js";
import {
  decoderPositions,
  encoderPositions,
  hiddenToken,
  type ModelWeights,
  type ObjectiveBranches,
  weightsUnder,
} from "./weights.js";

/** The latent of the only input. */
function encodeFunction(parts: Placed): ModelFunction {
  const input = onlyInput(parts);
  const hiding = hidingOf(parts);
  const docs = {
    drop: "The latent of the visible tokens.",
    token: "The latent of every token, hidden ones entered as learned tokens.",
    zero: "The latent of every token, hidden ones entered as zeros.",
    corrupt: "The latent of every token, those of other ids where some were chosen.",
  };
  return {
    name: "encode",
    doc: docs[hiding],
    inputs: ["batch"],
    body(code, w, { batch }) {
      const drops = droppedIn(parts, batch, "encoder");
      if (hiding === "corrupt") {
        return encodeWhole(code, parts, input, w, corruptedArray(code, parts, input, batch), drops);
      }
      const tokens = embed(code, parts, input, w, arrayIn(input, batch)); // [B, N, D]
      const places = placesOf(parts, batch);
      const encode = (x: Tensor): Tensor => encodeTokens(code, parts, parts.encoder, w, x, drops);
      if (hiding === "drop") return encode(takeVisible(code, place(code, parts, input, w, tokens), places));
      const seen = takeVisible(code, tokens, places); // [B, V, D]
      const entered =
        hiding === "token"
          ? code.let("entered", restoreTokens, seen, w[hiddenToken], places.restore, { extra: 0 })
          : code.let("entered", restoreZeros, seen, places.restore);
      return encode(place(code, parts, input, w, entered));
    },
  };
}

/** The text with the ids that the mask lets enter. */
function corruptedArray(code: Code, parts: Placed, input: InputPart, batch: Batch): Tensor {
  const entered = enteredIds(parts, batch);
  invariant(entered, "a mask that lets other ids enter has a field of them");
  return code.let("corrupted", corruptIds, arrayIn(input, batch), entered);
}

function featuresFunction(parts: Placed): ModelFunction {
  const input = onlyInput(parts);
  return {
    name: "features",
    doc: parts.encoder.block.definition.maps
      ? `The places of the deepest map of the whole ${input.name}, in raster order.`
      : `The latent of every token of the whole ${input.name}, in raster order, after the first \`layers\` layers.`,
    inputs: parts.encoder.block.definition.maps ? ["arrays"] : ["arrays", "layers"],
    body: (code, w, { batch }) => encodeWhole(code, parts, input, w, arrayIn(input, batch)),
  };
}

/** `decode`, or `decodeRegion` for the objective with that label. `latent`: what gives the latent. */
function decodeFunction(
  parts: Placed,
  objective: Objective,
  branches: ObjectiveBranches,
  latent: ModelFunction,
): ModelFunction {
  const { label, decoder, input } = objective;
  return {
    name: `decode${pascal(label ?? "")}`,
    doc:
      label === null
        ? "A prediction for every patch from the latent."
        : `What \`${label}\` predicts for every patch from the latent.`,
    inputs: [{ name: parts.encoder.block.definition.maps ? "maps" : "latent", from: latent }, "batch"],
    body(code, w, { given, batch }) {
      const own = weightsUnder(w, branches.branch);
      const encoded = encodeTarget(code, parts, w, objective, branches, batch);
      const places = placesOf(parts, batch, input);
      const maps = (given.maps ?? []) as readonly Tensor[];
      const reading = given.maps ? null : groupsOf(parts, objective, w, given.latent as Tensor, batch);
      const inputs: DecoderInputs = {
        ...(reading ?? ofMaps),
        get latent() {
          return reading?.latent ?? deepestPlaces(code, maps);
        },
        ...places,
        maps,
        kept: keptUnder(code, input, places),
        encoded,
        positions: (own[decoderPositions] ?? null) as Tensor | null,
        count: tokenCount(input.grid),
        own: parts.encoder.inputs.indexOf(input),
        table: input.tokens?.definition.table?.(weightsUnder(w, parts.branchOf(input.label))) ?? null,
      };
      return decoder.definition.decode(code, decoder.values, own, inputs);
    },
  };
}

/** What a decoder reads of maps besides them: the places of the deepest are its latent. */
const ofMaps: Omit<LatentInputs, "latent"> = { whole: true, extra: 0, groups: [], joint: null };

/** What the encoder in a target's braces makes of the target's visible tokens; null: there is none. */
function encodeTarget(
  code: Code,
  parts: Placed,
  w: WeightTree,
  objective: Objective,
  branches: ObjectiveBranches,
  batch: Batch,
): Encoded | null {
  const { target, encoder, input } = objective;
  const { tokens } = target.definition;
  if (encoder === null || tokens === undefined) return null;
  const { definition, values } = encoder;
  const objectiveWeights = weightsUnder(w, branches.branch);
  const own = weightsUnder(objectiveWeights, branches.encoder);
  const context = { ...input, width: definition.width(values), extra: definition.extraTokens(values) };
  const inputs = {
    target: target.definition.build(code, target.values, targetInputs(code, parts, w, objective, batch), input),
    positions: own[encoderPositions] as Tensor,
    visible: placesOf(parts, batch, input).visible,
  };
  const seen = tokens.call(target.definition, code, target.values, objectiveWeights, inputs, context);
  return lastLayer(code, encoder, own, seen);
}

/** `predict`, or `predictImage` for another objective than the first. */
const predictFunction = ({ label }: Objective, i: number, decode: ModelFunction): ModelFunction => ({
  name: i === 0 ? "predict" : `predict${pascal(label ?? "")}`,
  doc:
    label === null
      ? "A prediction for every patch of the masked image."
      : `A prediction for every patch of \`${label}\`.`,
  inputs: ["batch"],
  predicts: true,
  body: (code, _, { batch }) => callingIn(code, batch)("prediction", decode),
});

/** Names apart: `low_pass` and `lowPass` would both be `decodeLowPass`. */
function apart(functions: readonly ModelFunction[]): readonly ModelFunction[] {
  const names = numbered(functions.map(({ name }) => name));
  return functions.map((f, i) => ({ ...f, name: names[i] as string }));
}

/** What gives the latent of the only input. */
function onlyFunctions(parts: Placed): InputFunctions {
  const features = featuresFunction(parts);
  if (parts.encoder.block.definition.maps) return mapFunctions(parts, features);
  const encode = encodeFunction(parts);
  return { before: [], encode, latent: encode, features, between: [] };
}

/** Of an encoder of maps: its maps, and the deepest as a latent. */
function mapFunctions(parts: Placed, features: ModelFunction): InputFunctions {
  const input = onlyInput(parts);
  const { definition, values } = parts.encoder.block;
  const maps: ModelFunction = {
    name: "encodeMaps",
    doc: "The maps of what is visible, the finest first; hidden cells are zeros.",
    inputs: ["batch"],
    body(code, w, { batch }) {
      const kept = keptUnder(code, input, placesOf(parts, batch));
      return mapsOf(definition).encode(code, values, w, arrayIn(input, batch), kept);
    },
  };
  const encode: ModelFunction = {
    name: "encode",
    doc: "The latent of every cell: the places of the deepest map.",
    inputs: ["batch"],
    body: (code, w, { batch }) =>
      normalization(
        code,
        parts.encoder.block,
        w,
      )(deepestPlaces(code, code.call<readonly Tensor[]>("maps", maps, batch))),
  };
  return { before: [maps], encode, latent: maps, features, between: [] };
}

/** The functions of a model, each after those that it calls. */
export function functionsOf(model: Parts, weights: ModelWeights): readonly ModelFunction[] {
  const parts: Placed = { ...model, branchOf: weights.branchOf };
  if (parts.classes) return [...classFunctions(parts, parts.classes, weights), featuresFunction(parts)];
  const { before, encode, latent, features, between } =
    parts.inputs.length === 1 ? onlyFunctions(parts) : inputFunctions(parts);
  const { objectives, adversary } = parts;
  const shared = sharedFunctions(parts, weights, latent);
  const decodes = apart(
    objectives.map(
      (objective, i) =>
        shared?.predictionOf(objective) ??
        decodeFunction(parts, objective, weights.objectives[i] as ObjectiveBranches, latent),
    ),
  );
  const judged = objectives.map((objective, i) => ({
    objective,
    decode: decodes[i] as ModelFunction,
    branches: weights.objectives[i] as ObjectiveBranches,
  }));
  // What one input's model predicts beside its own target is no output of it.
  const predicting = parts.inputs.length === 1 ? judged.slice(0, 1) : judged;
  const predicts = apart(predicting.map(({ objective, decode }, i) => predictFunction(objective, i, decode)));
  const [predict] = predicts as [ModelFunction];
  const judge = adversary && judgeFunction(parts, adversary, predict);
  const guide = guideFunction(parts);
  return [
    ...(guide ? [guide] : []),
    ...before,
    encode,
    features,
    ...(shared ? [shared.decode] : []),
    ...decodes,
    ...predicts,
    ...(judge ? [judge] : []),
    lossFunction(parts, weights, { latent, between }, judged, judge),
    ...(adversary && judge ? [adversaryLossFunction(parts, adversary, predict, judge)] : []),
  ];
}

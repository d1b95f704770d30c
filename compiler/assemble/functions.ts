/**
 * The functions of a model, put together from its blocks: encode, decode for each objective, predict, judge, loss, features.
 * Each is written once, over `FunctionCode`; running it traces the model, recording it gives the statements that `emit` prints.
 */

import {
  type Batch,
  type Code,
  type DecoderInputs,
  type Encoded,
  type LatentInputs,
  tokenCount,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { adversaryLossFunction, type JudgedPrediction, judgeFunction } from "./adversary.js";
import {
  deepestPlaces,
  droppedIn,
  encodeTokens,
  encodeWhole,
  keptUnder,
  lastLayer,
  mapsFor,
  normalizationOf,
  tokensFor,
  toldOf,
} from "./backbone.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import { blocksOf } from "./fields.js";
import { callingIn, type ModelFunction } from "./function.js";
import { codeFunctions } from "./generation.js";
import { groupsOf, sharedFunctions } from "./groups.js";
import { guideFunctions } from "./guide.js";
import { headFunctions } from "./heads.js";
import { maskedPlaces, type Placed, placesOf } from "./input-tokens.js";
import { type InputFunctions, inputFunctions } from "./inputs.js";
import { hidingOf, inputsOf, onlyInput } from "./layout.js";
import { type Judged, lossFunction } from "./losses.js";
import { numbered, pascal } from "./names.js";
import { asksOf, type EncoderPart, type Objective, type Parts, wholeParts } from "./parts.js";
import { targetInputs } from "./targets.js";
import { type StreamFunctions, seeing, taughtFunction, taughtPrediction, viewLossFunction } from "./views.js";
import { encoderPositions, type ModelWeights, type ObjectiveBranches } from "./weights.js";

/** The name of a function of a model that sees the views of a stream: `encodeFirst`. */
const named = ({ stream }: Pick<Parts, "stream">, name: string): string => `${name}${pascal(stream ?? "")}`;

/** ` of the views `global``: what a function is about, of a model that sees those. */
const ofViews = ({ stream }: Pick<Parts, "stream">): string => (stream === null ? "" : ` of the views \`${stream}\``);

/** The latent of the only input. */
function encodeFunction(parts: Placed): ModelFunction {
  const docs = {
    drop: "The latent of the visible tokens.",
    token: "The latent of every token, hidden ones entered as learned tokens.",
    zero: "The latent of every token, hidden ones entered as zeros.",
    corrupt: "The latent of every token, those of other ids where some were chosen.",
    nothing: "The latent of every token: nothing is hidden.",
  };
  const latents = "Latents of what is visible: a decoder reads nothing else.";
  const doc = parts.encoder.latents ? latents : docs[hidingOf(parts, onlyInput(parts)) ?? "nothing"];
  return {
    name: named(parts, "encode"),
    doc: doc.replace(/[,:.]/, (mark) => `${ofViews(parts)}${mark}`),
    inputs: ["batch"],
    body(code, w, { batch }) {
      const { encoder } = parts;
      const tokens = tokensFor(code, parts, encoder, w, batch, "seen");
      const told = toldOf(code, parts, encoder, w, batch, "seen");
      return encodeTokens(code, parts, encoder, w, tokens, { ...told, ...droppedIn(parts, batch, encoder) });
    },
  };
}

function featuresFunction(parts: Placed): ModelFunction {
  const input = onlyInput(parts);
  return {
    name: "features",
    doc: parts.encoder.block.definition.maps
      ? `The places of the deepest map of the whole ${input.name}, in raster order.`
      : parts.encoder.latents
        ? `The latents of the whole ${input.name}, after the first \`layers\` layers.`
        : `The latent of every token of the whole ${input.name}, in raster order, after the first \`layers\` layers.`,
    inputs: parts.encoder.block.definition.maps ? ["arrays"] : ["arrays", "layers"],
    body: (code, w, { batch }) => encodeWhole(code, parts, parts.encoder, w, batch),
  };
}

/** `decode`, or `decodeRegion` for the objective with that label. `latent`: what gives the latent. */
function decodeFunction(
  parts: Placed,
  objective: Objective,
  branches: ObjectiveBranches,
  latent: ModelFunction,
  asked: readonly AskedView[] = [],
): ModelFunction {
  const { label, decoder, input } = objective;
  const inputs = inputsOf(objective);
  const besides = asked.length === 0 ? "" : `, which asks ${namesOf(asked)}`;
  const begun = objective.behind ?? objective;
  return {
    name: named(parts, `decode${pascal(label ?? "")}`),
    doc:
      label === null
        ? `A prediction for every patch${ofViews(parts)} from the latent${besides}.`
        : `What \`${label}\` predicts for every patch${ofViews(parts)} from the latent${besides}.`,
    inputs: [
      { name: objective.latent.block.definition.maps ? "maps" : "latent", from: latent },
      ...asked.map(({ seen: { stream }, latentOf }) => ({
        name: `latent_${stream}`,
        from: latentOf(objective.latent),
      })),
      "batch",
    ],
    body(code, w, { given, batch }) {
      const own = weightsUnder(w, branches.branch);
      const encoded = encodeTarget(code, parts, w, objective, branches, batch);
      const places = placesOf(parts, batch, input);
      const maps = (given.maps ?? []) as readonly Tensor[];
      const reading = given.maps ? null : groupsOf(code, parts, begun, w, given.latent as Tensor, batch);
      const reads: DecoderInputs = {
        ...(reading ?? ofMaps),
        get latent() {
          return reading?.latent ?? normalizationOf(code, parts, objective.latent, w)(deepestPlaces(code, maps));
        },
        places,
        blocks: blocksOf(parts, batch, input),
        maps,
        kept: places ? keptUnder(code, input, places) : nothingHidden,
        encoded,
        grid: input.grid,
        count: tokenCount(input.grid),
        own: inputs.indexOf(input),
        asked: asked.map(({ seen }) =>
          groupsOf(code, seen, ofStream(seen, objective), w, given[`latent_${seen.stream}`] as Tensor, batch),
        ),
        behind: (blocks) => blocksBehind(code, parts, w, begun, reads, blocks),
        table: input.tokens?.definition.table?.(weightsUnder(w, parts.branchOf(input.label))) ?? null,
      };
      return decoder.definition.decode(code, decoder.values, own, reads);
    },
  };
}

/** A view that a decoder asks, as the model sees it. */
type AskedView = Pick<StreamFunctions, "seen" | "latentOf">;

const namesOf = (asked: readonly AskedView[]): string => asked.map(({ seen }) => `\`${seen.stream}\``).join(" and ");

/** An objective of the same place, of a model that sees another stream. */
function ofStream({ inputs: [input], encoder }: Parts, objective: Objective): Objective {
  invariant(input, "a model that sees views has one input");
  return { ...objective, input, latent: encoder };
}

/** Every token as the first blocks of the model's own decoder leave it. */
function blocksBehind(
  code: Code,
  { branchOf }: Placed,
  w: WeightTree,
  { label, decoder: { definition, values } }: Objective,
  reads: LatentInputs,
  blocks: number,
): Tensor {
  invariant(definition.blocks, "the checker lets through only decoders behind whose blocks others can begin");
  return definition.blocks.behind(code, values, weightsUnder(w, branchOf(label)), reads, blocks);
}

/** What a decoder reads of maps besides them: the places of the deepest are its latent. */
const ofMaps: Omit<LatentInputs, "latent"> = {
  whole: true,
  extra: 0,
  front: null,
  groups: [],
  padding: null,
  joint: null,
};

function nothingHidden(): never {
  invariant(false, "a decoder of what a mask hides predicts what one lies over");
}

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
    visible: maskedPlaces(parts, batch, input).visible,
  };
  const seen = tokens.call(target.definition, code, target.values, objectiveWeights, inputs, context);
  return lastLayer(code, encoder, own, seen, { positions: inputs.positions, input: null, padding: null });
}

/** `predict`, or `predictImage` for another objective than the first; where a head is asked what it predicts, none is `predict`. */
const predictFunction = (
  { label }: Objective,
  i: number,
  decode: ModelFunction,
  besideHead: boolean,
): ModelFunction => ({
  name: i === 0 && !besideHead ? "predict" : `predict${pascal(label ?? (besideHead ? "patches" : ""))}`,
  doc:
    label === null
      ? "A prediction for every patch of the masked image."
      : `A prediction for every patch of \`${label}\`.`,
  inputs: ["batch"],
  predicts: true,
  body: (code, _, { batch }) => callingIn(code, batch)("prediction", decode),
});

/** `predictStudent`: what imitates the prediction of the model's own decoder. */
const imitateFunction = ({ label }: Objective, decode: ModelFunction): ModelFunction => ({
  name: `predict${pascal(label ?? "")}`,
  doc: `A prediction of \`${label}\` for every patch, which imitates the model's own.`,
  inputs: ["batch"],
  imitates: true,
  body: (code, _, { batch }) => callingIn(code, batch)("prediction", decode),
});

/** Each with what gives the prediction that it imitates. */
function withImitated(judged: readonly Omit<Judged, "imitated">[]): readonly Judged[] {
  const decodeOf = ({ label }: Objective): ModelFunction | null =>
    judged.find(({ objective }) => objective.label === label)?.decode ?? null;
  return judged.map((one) => ({ ...one, imitated: one.objective.imitates && decodeOf(one.objective.imitates) }));
}

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
  return {
    before: [],
    encode,
    latentOf: () => encode,
    features,
    between: [],
    tokensFor: (code, w, { batch }, { encoder }, sight) => tokensFor(code, parts, encoder, w, batch, sight),
  };
}

/** Of an encoder of maps: its maps, and the deepest as a latent. */
function mapFunctions(parts: Placed, features: ModelFunction): InputFunctions {
  const { encoder } = parts;
  const maps: ModelFunction = {
    name: named(parts, "encodeMaps"),
    doc:
      encoder.block.definition.maps?.hiding === "token"
        ? `The maps${ofViews(parts)}, the finest first; hidden cells entered as a learned token.`
        : `The maps of what is visible${ofViews(parts)}, the finest first; hidden cells are zeros.`,
    inputs: ["batch"],
    body: (code, w, { batch }) => mapsFor(code, parts, encoder, w, batch, "seen", droppedIn(parts, batch, encoder)),
  };
  const encode: ModelFunction = {
    name: named(parts, "encode"),
    doc: `The latent of every cell${ofViews(parts)}: the places of the deepest map.`,
    inputs: ["batch"],
    body: (code, w, { batch }) =>
      normalizationOf(code, parts, encoder, w)(deepestPlaces(code, code.call<readonly Tensor[]>("maps", maps, batch))),
  };
  return {
    before: parts.objectives.length > 0 ? [maps] : [],
    encode: parts.objectives.length > 0 ? encode : wholeEncode(parts, encoder),
    latentOf: () => maps,
    features,
    between: [],
    tokensFor: (code, w, { batch }, { encoder: own }, sight, drops) =>
      deepestPlaces(code, mapsFor(code, parts, own, w, batch, sight, drops)),
  };
}

/** The latent where nothing is predicted, and nothing hidden. */
const wholeEncode = (parts: Placed, encoder: EncoderPart): ModelFunction => ({
  name: named(parts, "encode"),
  doc: `The latent of every token${ofViews(parts)}: nothing is hidden.`,
  inputs: ["batch"],
  body: (code, w, { batch }) => encodeWhole(code, parts, encoder, w, batch),
});

/** What is computed of the views of each stream, as the model sees those. A decoder predicts those that a mask lies over and that it does not ask. */
function streamFunctions(parts: Placed, weights: ModelWeights): readonly StreamFunctions[] {
  const all = parts.streams.map((stream) => {
    const seen = seeing(parts, stream);
    return { stream, seen, ...onlyFunctions(seen) };
  });
  return all.map(({ stream, seen, before, encode, latentOf }) => {
    const isMasked = stream.mask !== null || parts.masks.length === 0;
    const isPredicted = (objective: Objective): boolean =>
      isMasked && [objective, objective.imitates].every((one) => !one || !asksOf(one).includes(stream.name));
    const isPredictedByTeacher = stream.isTaught && parts.teacher?.block.definition.predicts === true;
    const judged = seen.objectives.flatMap((objective, i) => {
      if (!isPredicted(objective)) return [];
      const branches = weights.objectives[i] as ObjectiveBranches;
      const asked = asksOf(objective).map((name) => all.find((one) => one.stream.name === name) as AskedView);
      const decode = decodeFunction(seen, objective, branches, latentOf(objective.latent), asked);
      return [{ objective, branches, decode: isPredictedByTeacher ? taughtPrediction(seen, decode) : decode }];
    });
    const taught = stream.isTaught && !isPredictedByTeacher ? taughtFunction(seen) : null;
    return { stream, seen, before, encode, latentOf, judged: withImitated(judged), taught };
  });
}

/** Whether a prediction is of what the model reads, and not of another prediction. */
const isShown = ({ imitated }: Judged): boolean => imitated === null;

/** The functions of a model, each after those that it calls. */
export function functionsOf(model: Parts, weights: ModelWeights): readonly ModelFunction[] {
  const placed: Placed = { ...model, branchOf: weights.branchOf };
  const streams = streamFunctions(placed, weights);
  const parts = wholeParts(placed);
  const isAlone = parts.inputs.length === 1 && parts.encoders.length === 1;
  const reading = isAlone ? onlyFunctions(parts) : inputFunctions(parts);
  const { before, encode, latentOf, features } = reading;
  const { objectives, adversary } = parts;
  const shared = sharedFunctions(parts, weights, latentOf);
  const decodes = apart(
    objectives.map(
      (objective, i) =>
        shared?.predictionOf(objective) ??
        decodeFunction(parts, objective, weights.objectives[i] as ObjectiveBranches, latentOf(objective.latent)),
    ),
  );
  const judged = withImitated(
    objectives.map((objective, i) => ({
      objective,
      decode: decodes[i] as ModelFunction,
      branches: weights.objectives[i] as ObjectiveBranches,
    })),
  );
  const heads = headFunctions(parts, weights, reading);
  const besideHead = heads.length > 0;
  // What one input's model predicts beside its own target is no output of it.
  const predicting = (parts.inputs.length === 1 ? judged.slice(0, 1) : judged).filter(isShown);
  const imitating = judged.filter((one) => !isShown(one));
  const predicts = apart([
    ...predicting.map(({ objective, decode }, i) => predictFunction(objective, i, decode, besideHead)),
    ...imitating.map(({ objective, decode }) => imitateFunction(objective, decode)),
  ]);
  const of = adversary?.judges.map((objective): JudgedPrediction => {
    const at = predicting.findIndex((one) => one.objective === objective);
    const { decode } = predicting[at] as Judged;
    return { objective, decode, predict: predicts[at] as ModelFunction };
  });
  const judge = adversary && of && judgeFunction(parts, adversary, of);
  return [
    ...guideFunctions(parts),
    ...before,
    encode,
    ...(objectives.length > 0 ? [features] : []),
    ...(shared ? [shared.decode] : []),
    ...decodes,
    ...heads.flatMap(({ predict, judged: other }) => (other === predict ? [predict] : [predict, other])),
    ...predicts,
    ...codeFunctions(parts),
    ...(judge ? [judge] : []),
    ...streams.flatMap((one) => [
      ...one.before,
      one.encode,
      ...one.judged.map(({ decode }) => decode),
      ...(one.taught ? [one.taught] : []),
    ]),
    streams.length > 0
      ? viewLossFunction(placed, weights, streams)
      : lossFunction(parts, weights, reading, { judged, heads, adversary: judge && of ? { judge, of } : null }),
    ...(adversary && judge && of ? [adversaryLossFunction(parts, adversary, of, judge)] : []),
    ...(objectives.length > 0 ? [] : [features]),
  ];
}

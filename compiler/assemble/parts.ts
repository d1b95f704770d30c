/** Follows the wires of a checked model to what it is built of: the one place that knows which part plays which role. */

import { type ArrayShape, cellsUnder } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Model } from "../model.js";
import { givesVectors } from "../wire/roles.js";
import { namesAt, ownParts, setParts, sourceAt, sourcesAt } from "../wire/wiring.js";
import { arraysOf, boundOf, declaredArray, inputName, wiringOf } from "./arrays.js";
import {
  type AdversaryPart,
  atMostOne,
  type Comparison,
  type EncoderPart,
  type Encoders,
  encoderAt,
  type Features,
  type HeadPart,
  type InputPart,
  isEncoder,
  labelledLoss,
  type MaskPart,
  type ModelPart,
  type ModelWiring,
  mapsOf,
  type Objective,
  type Parts,
} from "./part.js";
import { streamsOf, teacherOf, vectorsOf, viewComparisonsOf } from "./view-parts.js";

export * from "./part.js";

/** The inputs, each by the part that cuts it: its tokens, or an encoder of maps. */
function inputsOf(model: Model, wiring: ModelWiring): ReadonlyMap<ModelPart, InputPart> {
  const arrays = arraysOf(model);
  const parts = setParts(wiring);
  return new Map(
    parts.map((part): readonly [ModelPart, InputPart] => {
      const source = sourceAt(wiring, part, "array");
      invariant(source, "the checker lets through only tokens of an array");
      const name = inputName(source.line);
      const array = arrays[name] as ArrayShape;
      const label = parts.length === 1 ? null : name;
      if (part.slot === "encoder") {
        const { definition, values } = boundOf("encoder", part);
        const grid = cellsUnder(mapsOf(definition), values, array);
        return [part, { name, label, array, tokens: null, positions: null, grid }];
      }
      const place = (wiring.readers.get(part) ?? []).find(({ slot }) => slot === "positions");
      invariant(place, "the checker lets through only tokens with positions");
      const tokens = boundOf("tokens", part);
      const grid = tokens.definition.grid(tokens.values, declaredArray(source.line));
      const { codes } = tokens.definition;
      const coded = codes ? { codes: codes.count(tokens.values) } : {};
      return [part, { name, label, array, tokens, positions: boundOf("positions", place), grid, ...coded }];
    }),
  );
}

/** The masks, in the order of the inputs. */
function masksOf(
  wiring: ModelWiring,
  inputs: ReadonlyMap<ModelPart, InputPart>,
  encoders: Encoders,
): readonly MaskPart[] {
  const parts = ownParts(wiring, "mask");
  return parts.map((part) => {
    const over = sourcesAt(wiring, part, "set").map((source) => inputs.get(source) as InputPart);
    const [only, another] = over;
    const block = boundOf("mask", part);
    const guided = block.definition.guide;
    const guide = guided ? encoderAt(wiring, part, guided.asks === "latents" ? "asked" : "attention", encoders) : null;
    const name = only && !another ? only.name : "all";
    return { name, label: parts.length === 1 ? null : name, block, over, guide };
  });
}

/** The encoders of the model, each after those that it reads, and under the latents that are made by one too. */
function encodersOf(wiring: ModelWiring, inputs: ReadonlyMap<ModelPart, InputPart>): Encoders {
  const all = ownParts(wiring, "encoder");
  const known = new Map<ModelPart, EncoderPart>();
  const add = (part: ModelPart): EncoderPart => {
    const before = known.get(part);
    if (before) return before;
    const own = inputs.get(part);
    const reads = own ? [own] : sourcesAt(wiring, part, "tokens").map((source) => inputs.get(source) ?? add(source));
    const latents = (wiring.readers.get(part) ?? []).find(({ slot }) => slot === "latents");
    const encoder: EncoderPart = {
      label: inputs.size === 1 && all.length === 1 ? null : part.line.label,
      block: boundOf("encoder", part),
      reads,
      inputs: reads.flatMap((read) => (isEncoder(read) ? read.inputs : [read])),
      latents: latents ? boundOf("latents", latents) : null,
    };
    known.set(part, encoder);
    if (latents) known.set(latents, encoder);
    return encoder;
  };
  for (const part of all) add(part);
  return known;
}

/** The losses that read a part, the model's own first where it is the model's. */
function lossesOf(wiring: ModelWiring, read: ModelPart): readonly ModelPart[] {
  const losses = (wiring.readers.get(read) ?? []).filter(({ slot }) => slot === "loss");
  const isOwn = ({ within }: ModelPart): boolean => (within === null) === (read.within === null);
  return [...losses.filter(isOwn), ...losses.filter((loss) => !isOwn(loss))];
}

/**
 * What a decoder predicts, one objective for each target. Weights and functions bear the label of the target in whose braces it
 * stands, and of each of several targets.
 */
function objectivesOfDecoder(
  wiring: ModelWiring,
  decoder: ModelPart,
  inputs: ReadonlyMap<ModelPart, InputPart>,
  encoders: Encoders,
  before: ReadonlyMap<ModelPart, readonly Objective[]>,
): readonly Objective[] {
  const own = sourceAt(wiring, decoder, "behind");
  const behind = own && onlyObjective(before, own);
  const latent = behind?.latent ?? encoderAt(wiring, decoder, "latent", encoders);
  const targets = sourcesAt(wiring, decoder, "target");
  const encoder = sourceAt(wiring, decoder, "encoded");
  const losses = lossesOf(wiring, decoder);
  const together = targets.length > 1;
  const labelOf = ({ line, input }: ModelPart): string | null => line.label ?? input;
  const labels = new Set(targets.map(labelOf));
  const bound = boundOf("decoder", decoder);
  const isOneOfSeveral = ownParts(wiring, "decoder").length > 1;
  return targets.map((target) => {
    const set = sourceAt(wiring, target, "set");
    const input = set && inputs.get(set);
    invariant(input, "the checker lets through only targets of tokens");
    const label = labelOf(target);
    const imitated = sourceAt(wiring, target, "prediction");
    // A loss with the label of one of several targets judges it alone.
    const judging = losses.filter(({ line }) => !together || line.label === label || !labels.has(line.label));
    return {
      label: together || decoder.within || isOneOfSeveral ? label : null,
      decoder: bound,
      target: boundOf("target", target),
      input,
      latent,
      encoder: encoder && boundOf("encoder", encoder),
      losses: judging.map(labelledLoss),
      behind,
      imitates: imitated && onlyObjective(before, imitated),
      together,
    };
  });
}

/** The objective of a decoder that stands before those that read it. */
function onlyObjective(before: ReadonlyMap<ModelPart, readonly Objective[]>, decoder: ModelPart): Objective {
  const [only, another] = before.get(decoder) ?? [];
  invariant(only && !another, "the checker lets through only decoders of one target for others to read");
  return only;
}

/** By their decoders. The model's own is that of its decoder, and where it has none, the first. */
function objectivesOf(
  wiring: ModelWiring,
  inputs: ReadonlyMap<ModelPart, InputPart>,
  encoders: Encoders,
): ReadonlyMap<ModelPart, readonly Objective[]> {
  const decoders = wiring.parts.filter(({ slot }) => slot === "decoder");
  const own = decoders.filter(({ within }) => within === null);
  const others = decoders.filter(({ within }) => within !== null);
  const found = new Map<ModelPart, readonly Objective[]>();
  for (const decoder of [...own, ...others]) {
    found.set(decoder, objectivesOfDecoder(wiring, decoder, inputs, encoders, found));
  }
  return found;
}

/** What a part reads at a port where `joint.audio` may be written: what encoders make of all that they read, or of one input. */
function featuresAt(
  wiring: ModelWiring,
  part: ModelPart,
  port: string,
  inputs: ReadonlyMap<ModelPart, InputPart>,
  encoders: Encoders,
): readonly Features[] {
  const names = namesAt(wiring, part, port) ?? [];
  return sourcesAt(wiring, part, port).map((source, i): Features => {
    const encoder = encoders.get(source);
    invariant(encoder, `the checker lets through only models whose ${part.slot} reads encoders`);
    const [, name] = names[i]?.split(".") ?? [];
    return { encoder, input: [...inputs.values()].find((input) => input.name === name) ?? null };
  });
}

/** A head has its weights under its label where there are others. */
function headsOf(
  wiring: ModelWiring,
  inputs: ReadonlyMap<ModelPart, InputPart>,
  encoders: Encoders,
): readonly HeadPart[] {
  const all = ownParts(wiring, "head");
  const heads = all.filter(({ definition }) => !givesVectors(definition));
  return heads.map((part) => {
    const [latent] = featuresAt(wiring, part, "latent", inputs, encoders);
    invariant(latent, "the checker lets through only heads of an encoder");
    const label = all.length === 1 ? null : part.line.label;
    return { label, block: boundOf("head", part), latent, losses: lossesOf(wiring, part).map(labelledLoss) };
  });
}

function adversaryOf(
  wiring: ModelWiring,
  encoders: Encoders,
  objectives: ReadonlyMap<ModelPart, readonly Objective[]>,
): AdversaryPart | null {
  const part = atMostOne(wiring, "adversary");
  if (!part) return null;
  const names = namesAt(wiring, part, "prediction");
  const judged = sourcesAt(wiring, part, "prediction").flatMap((decoder) => objectives.get(decoder) ?? []);
  const isNamed = ({ label, input }: Objective): boolean =>
    names === null || names.includes(label ?? input.name) || names.includes(input.name);
  const backbone = encoderAt(wiring, part, "backbone", encoders);
  return { block: boundOf("adversary", part), backbone, judges: judged.filter(isNamed) };
}

function comparisonsOf(
  wiring: ModelWiring,
  inputs: ReadonlyMap<ModelPart, InputPart>,
  encoders: Encoders,
): readonly Comparison[] {
  return wiring.parts.flatMap((part): readonly Comparison[] => {
    if (!namesAt(wiring, part, "compared")) return [];
    const features = featuresAt(wiring, part, "compared", inputs, encoders);
    const [first, second] = features;
    invariant(first && second && features.length === 2, "the checker lets through only losses between two");
    return [{ loss: labelledLoss(part), between: [first, second] }];
  });
}

/** The parts of a model without findings. */
export function partsOf(model: Model): Parts {
  const wiring = wiringOf(model);
  const inputs = inputsOf(model, wiring);
  const encoders = encodersOf(wiring, inputs);
  const [encoder] = wiring.parts.flatMap((part) => {
    const source = sourceAt(wiring, part, "latent") ?? sourceAt(wiring, part, "vectors");
    return (source && encoders.get(source)) ?? [];
  });
  invariant(encoder, "the checker lets through only models whose latent is read");
  const vectors = vectorsOf(wiring, encoders);
  const teacher = teacherOf(wiring, encoders, vectors);
  const masks = masksOf(wiring, inputs, encoders);
  const objectives = objectivesOf(wiring, inputs, encoders);
  return {
    inputs: [...inputs.values()],
    masks,
    encoders: [...new Set(encoders.values())],
    encoder,
    objectives: [...objectives.values()].flat(),
    comparisons: comparisonsOf(wiring, inputs, encoders),
    heads: headsOf(wiring, inputs, encoders),
    vectors: [...vectors.values()],
    viewComparisons: viewComparisonsOf(wiring, encoders, vectors),
    streams: streamsOf(wiring, [...inputs.values()], masks, teacher),
    stream: null,
    adversary: adversaryOf(wiring, encoders, objectives),
    teacher,
  };
}

/** Follows the wires of a checked model to what it is built of: the one place that knows which part plays which role. */

import {
  type Adversary,
  type ArrayShape,
  type Bound,
  cellsUnder,
  type Decoder,
  type Encoder,
  type Head,
  type Input,
  type Kinds,
  type Lattice,
  type Loss,
  type Mask,
  type ModelProgram,
  mustBe,
  type Positions,
  type Target,
  type Teacher,
  type Tokens,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Filled, Model } from "../model.js";
import { namesAt, ownParts, type Part, setParts, sourceAt, sourcesAt, type Wiring, wire } from "../wire/wiring.js";

/** One array that a model reads, and how it is cut into tokens that know their places, or into the cells of an encoder of maps. */
export interface InputPart {
  /** What the array is called: as the label of its input, or its medium. */
  readonly name: string;
  /** null: it is the model's only one, whose weights and functions bear no label. */
  readonly label: string | null;
  readonly array: ArrayShape;
  /** null: its encoder reads the array itself. */
  readonly tokens: Bound<Tokens> | null;
  readonly positions: Bound<Positions> | null;
  readonly grid: Lattice;
}

/** A mask and the inputs over which it lies. */
export interface MaskPart {
  readonly name: string;
  readonly block: Bound<Mask>;
  readonly over: readonly InputPart[];
}

export interface EncoderPart {
  readonly label: string | null;
  readonly block: Bound<Encoder>;
  /** Inputs, and encoders of inputs; the tokens of all stand one after the other. */
  readonly reads: readonly (InputPart | EncoderPart)[];
  /** The inputs whose tokens it sees, through other encoders too. */
  readonly inputs: readonly InputPart[];
}

export const isEncoder = (part: InputPart | EncoderPart): part is EncoderPart => "reads" in part;

/** A target, the decoder that predicts it, and the losses that judge the prediction. */
export interface Objective {
  /** null: the model's own, whose weights and functions bear no label. */
  readonly label: string | null;
  readonly decoder: Bound<Decoder>;
  readonly target: Bound<Target>;
  /** The input that the target is made of. */
  readonly input: InputPart;
  /** Encodes the target itself for its decoder; null: the decoder sees the latent alone. */
  readonly encoder: Bound<Encoder> | null;
  readonly losses: readonly LabelledLoss[];
  /** Whether the decoder predicts other targets too. */
  readonly together: boolean;
}

export type LabelledLoss = Bound<Loss> & { readonly label: string | null };

/** A head and the losses that judge its classes. */
export interface Classes {
  readonly head: Bound<Head>;
  readonly losses: readonly LabelledLoss[];
}

/** What an encoder makes of one input, or of all that it reads. */
export interface Features {
  readonly encoder: EncoderPart;
  /** null: of all. */
  readonly input: InputPart | null;
}

/** A loss between what encoders make of two inputs. */
export interface Comparison {
  readonly loss: LabelledLoss;
  readonly between: readonly [Features, Features];
}

/** A model whose inputs are masked and encoded once; what is made of its latent are the objectives, or classes. */
export interface Parts {
  readonly inputs: readonly InputPart[];
  /** None: nothing is hidden. */
  readonly masks: readonly MaskPart[];
  /** Each after those that it reads. */
  readonly encoders: readonly EncoderPart[];
  /** The one that gives the latent: what decoders and heads read. */
  readonly encoder: EncoderPart;
  /** The model's own first; none where there are classes. */
  readonly objectives: readonly Objective[];
  readonly comparisons: readonly Comparison[];
  readonly classes: Classes | null;
  readonly adversary: Bound<Adversary> | null;
  readonly teacher: Bound<Teacher> | null;
}

type ModelPart = Part<Filled>;
type ModelWiring = Wiring<Filled>;

const boundOf = <K extends keyof Kinds>(kind: K, { line: { use } }: Pick<ModelPart, "line">): Bound<Kinds[K]> => ({
  definition: mustBe(kind, use.definition),
  values: use.values,
});

function atMostOne<K extends keyof Kinds>(wiring: ModelWiring, slot: K): Bound<Kinds[K]> | null {
  const [part, another] = ownParts(wiring, slot);
  invariant(!another, `the checker lets through only models with one ${slot}`);
  return part ? boundOf(slot, part) : null;
}

/** The wires of a model without findings. */
export const wiringOf = ({ slots }: Model): ModelWiring =>
  wire(slots, {
    definitionOf: ({ use }) => use.definition,
    labelsOf: ({ use }, parameter) => (use.values[parameter] ?? null) as readonly string[] | null,
  });

const inputName = (line: Filled): string => line.label ?? line.use.definition.name;

/** What the model reads of a sample, by name: as the labels of its inputs, or the medium of the only one. */
export const arraysOf = ({ slots }: Model): ModelProgram["arrays"] =>
  Object.fromEntries(
    slots
      .filter(({ slot }) => slot === "input")
      .map((line) => {
        const { definition, values } = boundOf("input", { line });
        return [inputName(line), (definition as Input).shape(values)];
      }),
  );

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
        const grid = cellsUnder(mapsOf(definition).levels(values), array);
        return [part, { name, label, array, tokens: null, positions: null, grid }];
      }
      const place = (wiring.readers.get(part) ?? []).find(({ slot }) => slot === "positions");
      invariant(place, "the checker lets through only tokens with positions");
      const tokens = boundOf("tokens", part);
      const grid = tokens.definition.grid(tokens.values, array);
      return [part, { name, label, array, tokens, positions: boundOf("positions", place), grid }];
    }),
  );
}

/** The masks. One that lies over all inputs reads none of them. */
function masksOf(wiring: ModelWiring, inputs: ReadonlyMap<ModelPart, InputPart>): readonly MaskPart[] {
  return ownParts(wiring, "mask").map((part) => {
    const over = sourcesAt(wiring, part, "set").map((source) => inputs.get(source) as InputPart);
    const [only, another] = over;
    return { name: only && !another ? only.name : "all", block: boundOf("mask", part), over };
  });
}

/** The encoders of the model, each after those that it reads. */
function encodersOf(
  wiring: ModelWiring,
  inputs: ReadonlyMap<ModelPart, InputPart>,
): ReadonlyMap<ModelPart, EncoderPart> {
  const known = new Map<ModelPart, EncoderPart>();
  const add = (part: ModelPart): EncoderPart => {
    const before = known.get(part);
    if (before) return before;
    const own = inputs.get(part);
    const reads = own ? [own] : sourcesAt(wiring, part, "tokens").map((source) => inputs.get(source) ?? add(source));
    const encoder: EncoderPart = {
      label: inputs.size === 1 ? null : part.line.label,
      block: boundOf("encoder", part),
      reads,
      inputs: reads.flatMap((read) => (isEncoder(read) ? read.inputs : [read])),
    };
    known.set(part, encoder);
    return encoder;
  };
  for (const part of ownParts(wiring, "encoder")) add(part);
  return known;
}

const labelledLoss = (part: ModelPart): LabelledLoss => ({ ...boundOf("loss", part), label: part.line.label });

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
): readonly Objective[] {
  const targets = sourcesAt(wiring, decoder, "target");
  const encoder = sourceAt(wiring, decoder, "encoded");
  const losses = lossesOf(wiring, decoder);
  const together = targets.length > 1;
  const labelOf = ({ line, input }: ModelPart): string | null => line.label ?? input;
  const labels = new Set(targets.map(labelOf));
  const bound = boundOf("decoder", decoder);
  return targets.map((target) => {
    const set = sourceAt(wiring, target, "set");
    const input = set && inputs.get(set);
    invariant(input, "the checker lets through only targets of tokens");
    const label = labelOf(target);
    // A loss with the label of one of several targets judges it alone.
    const judging = losses.filter(({ line }) => !together || line.label === label || !labels.has(line.label));
    return {
      label: together || decoder.within ? label : null,
      decoder: bound,
      target: boundOf("target", target),
      input,
      encoder: encoder && boundOf("encoder", encoder),
      losses: judging.map(labelledLoss),
      together,
    };
  });
}

/** The model's own is that of its decoder, and where it has none, the first. */
function objectivesOf(wiring: ModelWiring, inputs: ReadonlyMap<ModelPart, InputPart>): Parts["objectives"] {
  const decoders = wiring.parts.filter(({ slot }) => slot === "decoder");
  const own = decoders.filter(({ within }) => within === null);
  const others = decoders.filter(({ within }) => within !== null);
  return [...own, ...others].flatMap((decoder) => objectivesOfDecoder(wiring, decoder, inputs));
}

function classesOf(wiring: ModelWiring): Classes | null {
  const [head] = ownParts(wiring, "head");
  return head ? { head: boundOf("head", head), losses: lossesOf(wiring, head).map(labelledLoss) } : null;
}

function comparisonsOf(
  wiring: ModelWiring,
  inputs: ReadonlyMap<ModelPart, InputPart>,
  encoders: ReadonlyMap<ModelPart, EncoderPart>,
): readonly Comparison[] {
  const named = new Map([...inputs.values()].map((input) => [input.name, input]));
  return wiring.parts.flatMap((part): readonly Comparison[] => {
    const names = namesAt(wiring, part, "compared");
    if (!names) return [];
    const features = sourcesAt(wiring, part, "compared").map((source, i): Features => {
      const encoder = encoders.get(source);
      invariant(encoder, "the checker lets through only losses between encoders");
      const [, input] = names[i]?.split(".") ?? [];
      return { encoder, input: input === undefined ? null : (named.get(input) ?? null) };
    });
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
  const reader = wiring.parts.find((part) => sourceAt(wiring, part, "latent"));
  const latent = reader && sourceAt(wiring, reader, "latent");
  const encoder = latent && encoders.get(latent);
  invariant(encoder, "the checker lets through only models whose latent is read");
  return {
    inputs: [...inputs.values()],
    masks: masksOf(wiring, inputs),
    encoders: [...encoders.values()],
    encoder,
    objectives: objectivesOf(wiring, inputs),
    comparisons: comparisonsOf(wiring, inputs, encoders),
    classes: classesOf(wiring),
    adversary: atMostOne(wiring, "adversary"),
    teacher: atMostOne(wiring, "teacher"),
  };
}

/** What an encoder of maps has of them. */
export function mapsOf({ maps }: Encoder): NonNullable<Encoder["maps"]> {
  invariant(maps, "an encoder that reads an array gives maps");
  return maps;
}

/** The model's own objective, of a model that predicts patches. */
export function ownObjectiveOf({ objectives }: Parts): Objective {
  const [own] = objectives;
  invariant(own, "a model of classes predicts no patches");
  return own;
}

/** The input of a model that has one: what only such models have is built of it. */
export function onlyInput({ inputs }: Parts): InputPart {
  const [only, another] = inputs;
  invariant(only && !another, "the checker lets through only models of one input here");
  return only;
}

/** Follows the wires of a checked model to what it is built of: the one place that knows which part plays which role. */

import {
  type Adversary,
  type ArrayShape,
  arrayOf,
  type Bound,
  type Decoder,
  type Encoder,
  type Head,
  type Input,
  type Kinds,
  type Lattice,
  type Loss,
  type Mask,
  type ModelProgram,
  type Positions,
  type Target,
  type Teacher,
  type Tokens,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Filled, Model } from "../model.js";
import { ownParts, type Part, sourceAt, type Wiring, wire } from "../wire/wiring.js";

/** A target, the decoder that predicts it, and the losses that judge the prediction. */
export interface Objective {
  /** null: the model's own, whose weights and functions bear no label. */
  readonly label: string | null;
  readonly decoder: Bound<Decoder>;
  readonly target: Bound<Target>;
  /** Encodes the target itself for its decoder; null: the decoder sees the latent alone. */
  readonly encoder: Bound<Encoder> | null;
  readonly losses: readonly (Bound<Loss> & { readonly label: string | null })[];
}

/** A head and the losses that judge its classes. */
export interface Classes {
  readonly head: Bound<Head>;
  readonly losses: Objective["losses"];
}

/** A model of one input, masked and encoded once; what is made of its latent are the objectives, or classes. */
export interface Parts {
  readonly input: Bound<Input>;
  readonly tokens: Bound<Tokens>;
  readonly positions: Bound<Positions>;
  /** null: nothing is hidden. */
  readonly mask: Bound<Mask> | null;
  readonly encoder: Bound<Encoder>;
  /** The model's own first; none where there are classes. */
  readonly objectives: readonly Objective[];
  readonly classes: Classes | null;
  readonly adversary: Bound<Adversary> | null;
  readonly teacher: Bound<Teacher> | null;
  /** What the array is called: as the label of its input, or its medium. */
  readonly name: string;
  readonly array: ArrayShape;
  readonly grid: Lattice;
}

type ModelPart = Part<Filled>;

const boundOf = <K extends keyof Kinds>({ line: { use } }: Pick<ModelPart, "line">): Bound<Kinds[K]> => ({
  definition: use.definition as unknown as Kinds[K],
  values: use.values,
});

function atMostOne<K extends keyof Kinds>(wiring: Wiring<Filled>, slot: K): Bound<Kinds[K]> | null {
  const [part, another] = ownParts(wiring, slot);
  invariant(!another, `the checker lets through only models with one ${slot}`);
  return part ? boundOf<K>(part) : null;
}

function only<K extends keyof Kinds>(wiring: Wiring<Filled>, slot: K): Bound<Kinds[K]> {
  const found = atMostOne(wiring, slot);
  invariant(found, `the checker lets through only models with a ${slot}`);
  return found;
}

/** The losses that read a part, the model's own first where it is the model's. */
function lossesOf(wiring: Wiring<Filled>, read: ModelPart): Objective["losses"] {
  const losses = (wiring.readers.get(read) ?? []).filter(({ slot }) => slot === "loss");
  const isOwn = ({ within }: ModelPart): boolean => (within === null) === (read.within === null);
  return [...losses.filter(isOwn), ...losses.filter((loss) => !isOwn(loss))].map((part) => ({
    ...boundOf<"loss">(part),
    label: part.line.label,
  }));
}

/** What a decoder predicts. Weights and functions bear the label of the target in whose braces it stands. */
function objectiveOf(wiring: Wiring<Filled>, decoder: ModelPart): Objective {
  const target = sourceAt(wiring, decoder, "target");
  const encoder = sourceAt(wiring, decoder, "encoded");
  invariant(target, "the checker lets through only decoders of a target");
  return {
    label: decoder.within && target.line.label,
    decoder: boundOf<"decoder">(decoder),
    target: boundOf<"target">(target),
    encoder: encoder && boundOf<"encoder">(encoder),
    losses: lossesOf(wiring, decoder),
  };
}

/** The model's own is that of its decoder, and where it has none, the first. */
function objectivesOf(wiring: Wiring<Filled>): Parts["objectives"] {
  const decoders = wiring.parts.filter(({ slot }) => slot === "decoder");
  const own = decoders.filter(({ within }) => within === null);
  return [...own, ...decoders.filter(({ within }) => within !== null)].map((decoder) => objectiveOf(wiring, decoder));
}

function classesOf(wiring: Wiring<Filled>): Classes | null {
  const [head] = ownParts(wiring, "head");
  return head ? { head: boundOf<"head">(head), losses: lossesOf(wiring, head) } : null;
}

/** What the model reads of a sample, by name: as the label of its input, or its medium. */
export function arraysOf({ slots }: Model): ModelProgram["arrays"] {
  const [input, another] = slots.filter(({ slot }) => slot === "input");
  invariant(input && !another, "a model reads one array");
  const { definition, values } = boundOf<"input">({ line: input });
  return { [input.label ?? definition.name]: definition.shape(values) };
}

/** The parts of a model without findings. */
export function partsOf(model: Model): Parts {
  const wiring = wire(model.slots, ({ use }) => use.definition);
  const tokens = only(wiring, "tokens");
  const { name, shape: array } = arrayOf({ arrays: arraysOf(model) });
  return {
    input: only(wiring, "input"),
    tokens,
    positions: only(wiring, "positions"),
    mask: atMostOne(wiring, "mask"),
    encoder: only(wiring, "encoder"),
    objectives: objectivesOf(wiring),
    classes: classesOf(wiring),
    adversary: atMostOne(wiring, "adversary"),
    teacher: atMostOne(wiring, "teacher"),
    name,
    array,
    grid: tokens.definition.grid(tokens.values, array),
  };
}

/** The model's own objective, of a model that predicts patches. */
export function ownObjectiveOf({ objectives }: Parts): Objective {
  const [own] = objectives;
  invariant(own, "a model of classes predicts no patches");
  return own;
}

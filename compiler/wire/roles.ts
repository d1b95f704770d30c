/**
 * What a block reads because of the slot that it fills: one row a port. Rows name slots and ask definitions, never blocks by
 * name; a new role is a row, and whoever wires, checks or builds models reads it from here.
 */

import { asKind, type Decoder, type Definition, type Loss, type Mask } from "../../blocks/index.js";
import {
  amountsToSee,
  comparesViews,
  type Demand,
  endsKnown,
  givesMaps,
  givesVectors,
  guidedBy,
  idsToBeTarget,
  idsToChoose,
  idsToPredict,
  needsAsking,
  needsBlocks,
  needsGuide,
  needsTokens,
  needsVectors,
  onlyVectors,
  placesInSpace,
  readsCoordinates,
  readsTokens,
  sameNumbers,
} from "./demands.js";

export { comparesViews, type Demand, givesMaps, givesVectors } from "./demands.js";

/**
 * Where a source is looked for. `model`: among the lines of the model; `braces`: among those beside it in the same braces; `around`: it
 * is the line whose braces these are; `nearest`: the first of `braces`, `around` and `model` that has one, and where the model has
 * none, in the braces of the first line that does.
 */
export type Place = "model" | "braces" | "around" | "nearest";

export interface Port {
  readonly name: string;
  /** The slot that its sources fill. */
  readonly from: string;
  /** Another slot, whose parts are read instead where they give what is read. */
  readonly instead?: { readonly from: string; readonly gives: (source: Definition) => boolean };
  readonly place: Place;
  /** Whether this block reads it; if absent, every block of the slot does. `inBraces`: whether it stands in the braces of another line. */
  readonly reads?: (reader: Definition, inBraces: boolean) => boolean;
  /** A model may be without a source. */
  readonly optional?: true;
  /** One reader a source: who reads it from its own braces has it for itself. */
  readonly alone?: true;
  /** Whether the reader can read several sources at once; if absent, it reads one. */
  readonly several?: (reader: Definition) => boolean;
  /** Several sources are those of different inputs, or each has a label. */
  readonly each?: true;
  /**
   * The parameter that names the sources, by the labels of parts of the slot or of inputs. Where a part can read several, those are named,
   * unless it is of an input or has no label itself: then it reads all.
   */
  readonly named?: string;
  /** It reads several only where they are named. */
  readonly onlyNamed?: true;
  /** The names are those of what the sources read at this port of theirs: a prediction is named by its target. */
  readonly by?: string;
  /** A slot whose parts are read in place of the sources, where they have the label: what an encoder makes of tokens. */
  readonly through?: string;
  /** Of parts that read each other, those that no other reads. */
  readonly last?: true;
  readonly asks?: Demand;
  /** Why the block cannot do without it. */
  readonly why: string;
}

/** What cuts an array: tokens, or an encoder whose deepest map has a place for each cell. */
const set: Pick<Port, "name" | "from" | "instead" | "place"> = {
  name: "set",
  from: "tokens",
  instead: { from: "encoder", gives: givesMaps },
  place: "model",
};

/** What a loss compares. */
const compares = (reader: Definition): NonNullable<Loss["compares"]> => asKind("loss", reader)?.compares ?? "patches";

/** Whether a decoder begins behind blocks of the model's own. */
const beginsInside = (reader: Definition): boolean => asKind("decoder", reader)?.readsDecoder === true;

/** Whether a target is made of what the model's own decoder predicts. */
export const isOfDecoder = (reader: Definition | undefined): boolean => asKind("target", reader)?.fromDecoder === true;

/** Whether a loss of views compares what is predicted of them. */
const comparesPredictions = (reader: Definition): boolean => asKind("loss", reader)?.ofPredictions === true;

/** A part reads the positions of all inputs whose tokens it sees. */
const positionsPort: Port = {
  name: "positions",
  from: "positions",
  place: "model",
  optional: true,
  several: () => true,
  asks: readsCoordinates,
  why: "Tokens know their places.",
};

/** The ports of each slot of a model. A slot that is not named reads nothing. */
const portsOfSlots: Readonly<Record<string, readonly Port[]>> = {
  tokens: [{ name: "array", from: "input", place: "model", asks: sameNumbers, why: "Tokens are cut from an array." }],
  positions: [
    { name: "set", from: "tokens", place: "model", asks: placesInSpace, why: "Positions are those of tokens." },
  ],
  mask: [
    {
      ...set,
      several: (reader) => (reader as Mask).joint !== undefined,
      asks: idsToChoose,
      why: "A mask hides tokens.",
    },
    {
      name: "attention",
      from: "encoder",
      place: "model",
      named: "of",
      reads: (reader) => ["tokens", "features"].includes(guidedBy(reader) ?? ""),
      asks: needsGuide,
      why: "The mask is decided by what the encoder makes of the whole image.",
    },
    {
      name: "asked",
      from: "latents",
      place: "model",
      named: "of",
      reads: (reader) => guidedBy(reader) === "latents",
      asks: needsAsking,
      why: "The mask is decided by what the latents ask for.",
    },
  ],
  encoder: [
    {
      name: "array",
      from: "input",
      place: "model",
      reads: (reader, inBraces) => !inBraces && givesMaps(reader),
      asks: amountsToSee,
      why: "An encoder of maps reads an array.",
    },
    {
      name: "tokens",
      from: "tokens",
      place: "model",
      reads: (reader, inBraces) => !inBraces && !givesMaps(reader),
      several: () => true,
      named: "of",
      through: "encoder",
      asks: endsKnown,
      why: "An encoder reads tokens.",
    },
    {
      name: "target",
      from: "target",
      place: "around",
      reads: (_, inBraces) => inBraces,
      asks: needsTokens,
      why: "An encoder in the braces of a target encodes the target.",
    },
    positionsPort,
    {
      name: "mask",
      from: "mask",
      place: "model",
      optional: true,
      several: () => true,
      why: "A mask says which tokens are seen.",
    },
    { name: "views", from: "views", place: "model", optional: true, why: "An encoder sees views of samples." },
  ],
  latents: [
    {
      name: "latent",
      from: "encoder",
      place: "model",
      last: true,
      named: "of",
      why: "Latents are what an encoder makes of tokens that it is given besides.",
    },
  ],
  decoder: [
    {
      name: "latent",
      from: "encoder",
      instead: { from: "latents", gives: () => true },
      place: "model",
      last: true,
      named: "of",
      reads: (reader) => !beginsInside(reader),
      why: "A decoder reads what the encoder gives.",
    },
    {
      name: "behind",
      from: "decoder",
      place: "model",
      reads: beginsInside,
      asks: needsBlocks,
      why: "It begins behind the first blocks of the model's own decoder.",
    },
    {
      name: "target",
      from: "target",
      place: "nearest",
      alone: true,
      several: (reader) => (reader as Decoder).several !== undefined,
      each: true,
      asks: idsToPredict,
      why: "A decoder predicts a target.",
    },
    {
      name: "encoded",
      from: "encoder",
      place: "braces",
      reads: (reader) => (reader as Decoder).readsEncoded === true,
      why: "Its decoder completes what an encoder has seen of the target.",
    },
    positionsPort,
  ],
  target: [
    { name: "array", from: "input", place: "model", why: "A target is made of what enters the model." },
    { ...set, asks: idsToBeTarget, why: "A target is predicted token by token." },
    {
      name: "teacher",
      from: "teacher",
      place: "model",
      reads: (reader) => asKind("target", reader)?.fromTeacher === true,
      why: "The target is made of what a slow copy of the encoder gives for the whole image.",
    },
    {
      name: "prediction",
      from: "decoder",
      place: "model",
      reads: isOfDecoder,
      why: "The target is made of what the model's own decoder predicts.",
    },
  ],
  head: [
    {
      name: "latent",
      from: "encoder",
      place: "model",
      last: true,
      named: "of",
      through: "head",
      asks: needsVectors,
      why: "A head reads what the encoder gives.",
    },
  ],
  loss: [
    {
      name: "prediction",
      from: "decoder",
      place: "nearest",
      reads: (reader) => ["patches", "points", "ids", "columns"].includes(compares(reader)),
      several: () => true,
      why: "The loss compares patches.",
    },
    {
      name: "logits",
      from: "head",
      place: "model",
      reads: (reader) => !["patches", "ids", "features"].includes(compares(reader)) && !comparesPredictions(reader),
      several: () => true,
      why: "The loss compares what a head says.",
    },
    {
      name: "compared",
      from: "encoder",
      place: "model",
      reads: (reader) => compares(reader) === "features",
      several: () => true,
      named: "between",
      why: "The loss compares what encoders give.",
    },
    {
      name: "vectors",
      from: "encoder",
      instead: { from: "head", gives: givesVectors },
      place: "model",
      last: true,
      named: "of",
      through: "head",
      reads: comparesViews,
      asks: onlyVectors,
      why: "The loss compares what stands for views.",
    },
    { name: "views", from: "views", place: "model", reads: comparesViews, why: "The loss compares views of a sample." },
    {
      name: "teacher",
      from: "teacher",
      place: "model",
      reads: (reader) => asKind("loss", reader)?.taught === true,
      why: "The loss compares views with what a slow copy makes of others.",
    },
  ],
  teacher: [
    {
      name: "student",
      from: "encoder",
      place: "model",
      last: true,
      several: () => true,
      onlyNamed: true,
      named: "of",
      through: "head",
      why: "A teacher follows an encoder.",
    },
  ],
  adversary: [
    {
      name: "prediction",
      from: "decoder",
      place: "nearest",
      several: () => true,
      named: "of",
      by: "target",
      why: "An adversary judges predictions.",
    },
    {
      name: "backbone",
      from: "encoder",
      place: "model",
      last: true,
      named: "through",
      asks: readsTokens,
      why: "An adversary looks through an encoder.",
    },
  ],
};

export const portsOf = (slot: string): readonly Port[] => portsOfSlots[slot] ?? [];

/** The slots whose blocks read what fills a slot. */
export const readersOf = (slot: string): readonly string[] =>
  Object.keys(portsOfSlots).filter((reader) => portsOf(reader).some(({ from }) => from === slot));

/** Whether a line without a label stands for each labelled input. A mask may be drawn over all of them together. */
export const isForEachInput = (slot: string, definition: Definition | undefined): boolean =>
  ["tokens", "positions", "mask", "target"].includes(slot) && (definition as Mask | undefined)?.joint === undefined;

/** Whether the parameter `of` of a line names the input that it belongs to, where its label does not. */
export const isOfNamedInput = (slot: string): boolean => slot === "target";

/**
 * Whether a model is asked for what fills a slot, whatever its losses read: features, predictions of classes, what is minimised.
 * `inBraces`: whether it stands in the braces of another line.
 */
export const isOutput = (slot: string, inBraces: boolean): boolean =>
  ["loss", "adversary"].includes(slot) || (["encoder", "latents", "head"].includes(slot) && !inBraces);

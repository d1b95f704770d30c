/**
 * What blocks are told about the rest of the model: array, lattice, widths. Reading is watched, so that a finding can point
 * at every place that its numbers come from; reading something broken ends the question without an answer.
 */

import {
  type ArrayShape,
  asKind,
  cellsUnder,
  type Decoder,
  type Definition,
  type Encoder,
  type FrameGap,
  type ImageShape,
  type Input,
  type Lattice,
  type ModelContext,
  mustBe,
  planesOf,
  type Saying,
  type Stream,
  saidBy,
  type Tokens,
  tokenCount,
} from "../../blocks/index.js";
import type { Span } from "../../grammar/index.js";
import { givesMaps, givesVectors, isOfDecoder } from "../wire/roles.js";
import {
  inputsUnder,
  isCalled,
  namesAt,
  onlyPart,
  ownParts,
  type Part,
  relatedTo,
  setParts,
  sourceAt,
  sourcesAt,
  type Wiring,
} from "../wire/wiring.js";
import type { DraftBlock, DraftLine, DraftValue } from "./draft.js";
import { valueText } from "./show.js";

/** A value of a block that something was computed from. */
export interface Source {
  readonly name: string;
  readonly span: Span;
  readonly message: string;
}

/** A fact, or null when it cannot be known. */
export type Fact<V> = { readonly value: V; readonly sources: readonly Source[] } | null;

export type Facts = Readonly<Record<string, Fact<unknown>>>;

/** Known, and nothing. */
export const none = { value: null, sources: [] } as const;

/** Thrown by a watched read of what is broken, caught by `ask`; it never leaves this file. */
const unreadable = Symbol("unreadable");

/** The answer to a question about watched values; null when it needs something that is broken. */
export function ask<R>(question: () => R): { readonly answer: R } | null {
  try {
    return { answer: question() };
  } catch (error) {
    if (error === unreadable) return null;
    throw error;
  }
}

export function sourceOf(block: DraftBlock, name: string): Source | null {
  const value = block.values.get(name);
  const type = block.definition.params[name]?.type;
  // What is absent is no place to point at.
  if (!value || !type || value.value === null) return null;
  const text = `\`${name}\` of \`${block.definition.name}\` is ${valueText(type, value.value)}`;
  const { how, span } = value.origin;
  return { name, span, message: how === "default" ? `${text} by default` : `${text} here` };
}

/** A record of which some parts are broken, those that are null: reading one ends the question without an answer. */
export const soundParts = <T extends object>(parts: { readonly [K in keyof T]: T[K] | null }): T =>
  new Proxy(parts, {
    get(held, key) {
      const part = Reflect.get(held, key);
      if (part === null) throw unreadable;
      return part;
    },
  }) as T;

const records = new WeakMap<DraftBlock, Readonly<Record<string, DraftValue | null>>>();

/** The values of a block by name: made once, since a block is asked about again and again. */
function recordOf(block: DraftBlock): Readonly<Record<string, DraftValue | null>> {
  const record = records.get(block) ?? Object.fromEntries(block.values);
  records.set(block, record);
  return record;
}

/** The values of a block as an object; `seen` gets the name of each one that is read. */
export const watchedValues = (block: DraftBlock, seen: Set<string>): never =>
  new Proxy(recordOf(block), {
    get(values: Readonly<Record<string, DraftValue | null>>, name) {
      if (typeof name !== "string" || !Object.hasOwn(values, name)) return undefined;
      seen.add(name);
      const value = values[name];
      if (!value) throw unreadable;
      return value.value;
    },
  }) as never;

/** Facts as an object; `seen` gets the sources of each one that is read. */
export const watchedFacts = (facts: Facts, seen: Set<Source>): never =>
  new Proxy(facts, {
    get(_, key) {
      if (typeof key !== "string" || !Object.hasOwn(facts, key)) return undefined;
      const fact = facts[key];
      if (!fact) throw unreadable;
      return typeof fact.value === "object" && fact.value !== null
        ? watchedParts(fact.value, fact.sources, seen)
        : seeAll(fact, seen);
    },
  }) as never;

function seeAll({ value, sources }: NonNullable<Fact<unknown>>, seen: Set<Source>): unknown {
  for (const source of sources) seen.add(source);
  return value;
}

/** A record whose parts are watched one by one: reading the axes of an array says nothing of its channels. */
function watchedParts(value: object, sources: readonly Source[], seen: Set<Source>): object {
  const parts = Object.keys(value);
  return new Proxy(value, {
    get(target, key) {
      // How many parts a list has follows from the kind of thing that it is.
      if (Array.isArray(target) && key === "length") return target.length;
      const own = sources.filter((source) => source.name === key);
      for (const source of own.length > 0 ? own : sources.filter(({ name }) => !parts.includes(name))) seen.add(source);
      return Reflect.get(target, key);
    },
  });
}

/** Computes a fact from the values of one block. */
export function fact<V>(line: DraftLine | null, compute: (definition: Definition, values: never) => V): Fact<V> {
  const block = line?.block;
  if (!block) return null;
  const seen = new Set<string>();
  const result = ask(() => compute(block.definition, watchedValues(block, seen)));
  return result && { value: result.answer, sources: [...seen].flatMap((name) => sourceOf(block, name) ?? []) };
}

/** What a block of a model is told of another: of the part of that slot that it has to do with. */
function factOf<V>(
  { wiring, part }: Place,
  slot: string,
  compute: (definition: Definition, values: never) => V,
): Fact<V> {
  const source = part ? relatedTo(wiring, part, slot) : onlyPart(wiring, slot);
  return fact(source?.line ?? null, compute);
}

/** Where a question is asked: at a part of a model; `part` null: from outside, of what there is one of. */
export interface Place {
  readonly wiring: Wiring<DraftLine>;
  readonly part: Part<DraftLine> | null;
}

/** What the input declares. */
const declaredArray = (place: Place): Fact<ArrayShape> =>
  factOf(place, "input", (definition, values) => (definition as Input).shape(values));

/** The views of a sample that training sees; none: it sees whole samples. */
export function streamsOf({ wiring }: Pick<Place, "wiring">): Fact<readonly Stream[]> {
  const [views] = ownParts(wiring, "views");
  return views
    ? fact(views.line, (definition, values) => mustBe("view", definition).streams(values))
    : { value: [], sources: [] };
}

/** How far apart two frames of a video are that training sees; null as a value: samples are no videos of which frames are seen. */
export function gapOf({ wiring }: Pick<Place, "wiring">): Fact<FrameGap | null> {
  const [views] = ownParts(wiring, "views");
  return views
    ? fact(views.line, (definition, values) => mustBe("view", definition).gap?.(values) ?? null)
    : { value: null, sources: [] };
}

/** What enters the model: as the input declares it, or of a cloud what its tokens make of that. Tokens themselves are told of the former. */
export function arrayOf(place: Place): Fact<ArrayShape> {
  const { wiring, part } = place;
  const declared = declaredArray(place);
  if (!declared || part?.slot === "tokens") return declared;
  const tokens = part ? relatedTo(wiring, part, "tokens") : onlyPart(wiring, "tokens");
  if (!asKind("tokens", tokens?.definition)?.cloud) return declared;
  const entered = fact(tokens?.line ?? null, (definition, values) =>
    mustBe("tokens", definition).cloud?.array(values, declared.value),
  );
  return entered?.value ? { value: entered.value, sources: [...declared.sources, ...entered.sources] } : null;
}

/** Of all inputs. */
export function arraysOf({ wiring }: Place): Fact<readonly ArrayShape[]> {
  const found = ownParts(wiring, "input").map((part) => arrayOf({ wiring, part }));
  const known = found.filter((array) => array !== null);
  if (known.length < found.length) return null;
  return { value: known.map(({ value }) => value), sources: known.flatMap(({ sources }) => sources) };
}

/** How many targets the model predicts. */
export const targetsOf = ({ wiring }: Place): Fact<number> => ({
  value: ownParts(wiring, "target").length,
  sources: [],
});

/** Labels of the targets that are made of what the model's own decoder predicts. */
export const imitationsOf = ({ wiring }: Place): Fact<readonly string[]> => ({
  value: ownParts(wiring, "target").flatMap(({ definition, line }) =>
    isOfDecoder(definition) ? (line.label ?? []) : [],
  ),
  sources: [],
});

/** One of the pictures of the array, as augmentations speak of it. */
export function planeOf(place: Place): Fact<ImageShape> {
  const array = arrayOf(place);
  return array && { value: planesOf(array.value).shape, sources: array.sources };
}

/** The lattice of tokens. `isSound`: whether the conditions of the tokens hold, without which there is none. */
export function gridOf(place: Place, isSound: (tokens: Part<DraftLine>) => boolean): Fact<Lattice> {
  const { wiring, part } = place;
  const [maps] = setParts(wiring).filter(({ slot }) => slot === "encoder");
  const tokens = maps ?? (part ? relatedTo(wiring, part, "tokens") : onlyPart(wiring, "tokens"));
  const array = arrayOf({ wiring, part: tokens });
  if (!array || !tokens || !isSound(tokens)) return null;
  const grid = fact(tokens.line, (definition, values) => latticeUnder(definition, values, array.value));
  return (
    grid && {
      value: grid.value,
      sources: [...grid.sources, ...array.sources.filter(({ name }) => !(name in array.value))],
    }
  );
}

/** The tokens that an array is cut into, or the cells of an encoder of maps. */
export const latticeUnder = (definition: Definition, values: never, array: ArrayShape): Lattice =>
  givesMaps(definition)
    ? cellsUnder(mapsOf(definition as Encoder), values, array)
    : (definition as Tokens).grid(values, array);

const mapsOf = ({ maps }: Encoder): NonNullable<Encoder["maps"]> => maps as NonNullable<Encoder["maps"]>;

/** null as a value: the encoder gives tokens. */
export function mapsUnder({ wiring }: Place): Fact<ModelContext["maps"]> {
  const [encoder] = setParts(wiring).filter(({ slot }) => slot === "encoder");
  if (!encoder) return none;
  return fact(encoder.line, (definition, values) => {
    const { levels, hiding } = mapsOf(definition as Encoder);
    return { levels: levels(values), hiding };
  });
}

/** Tokens of all inputs together. */
export function allTokensOf({ wiring }: Place, isSound: (tokens: Part<DraftLine>) => boolean): Fact<number> {
  let [value, sources]: [number, readonly Source[]] = [0, []];
  for (const part of setParts(wiring)) {
    const grid = gridOf({ wiring, part }, isSound);
    if (!grid) return null;
    value += tokenCount(grid.value);
    sources = [...sources, ...grid.sources];
  }
  return { value, sources };
}

/** Whether an input bears a label. */
export const labelledOf = ({ wiring }: Place): Fact<boolean> => ({
  value: ownParts(wiring, "input").some(({ line }) => line.label !== null),
  sources: [],
});

/** Arrays that the model reads. */
export function inputsOf({ wiring }: Place): Fact<number> {
  const inputs = ownParts(wiring, "input");
  const sources = inputs.map(({ line }, i) => ({ name: "input", span: line.span, message: `input ${i + 1}` }));
  return { value: inputs.length, sources };
}

export const encoderWidthOf = (place: Place): Fact<number> =>
  factOf(place, "encoder", (definition, values) => (definition as Encoder).width(values));

export const layersOf = (place: Place): Fact<number> =>
  factOf(place, "encoder", (definition, values) => (definition as Encoder).layers(values));

/** Those that the encoder puts there, and those that the encoders do which it reads; none, where latents alone go on. */
export function extraTokensOf({ wiring, part }: Place): Fact<number> {
  const encoder = part ? relatedTo(wiring, part, "encoder") : onlyPart(wiring, "encoder");
  if (!encoder) return null;
  const latents = wiring.readers.get(encoder)?.find(({ slot }) => slot === "latents");
  if (latents) return { value: 0, sources: [{ name: "latents", span: latents.line.span, message: "the latents" }] };
  const [, only] = (part && namesAt(wiring, part, "latent")?.[0]?.split(".")) ?? [];
  const isUnder = (source: Part<DraftLine>): boolean =>
    source.slot === "encoder" && (only === undefined || inputsUnder(wiring, source).has(only));
  const under = new Set([encoder]);
  // A set gives its iterator what is added meanwhile.
  for (const one of under) for (const source of sourcesAt(wiring, one, "tokens").filter(isUnder)) under.add(source);
  const facts = [...under].map(({ line }) =>
    fact(line, (definition, values) => (definition as Encoder).extraTokens(values)),
  );
  if (facts.some((one) => one === null)) return null;
  return {
    value: facts.reduce((sum, one) => sum + (one?.value ?? 0), 0),
    sources: facts.flatMap((one) => one?.sources ?? []),
  };
}

/** Whether a mask hides anything. */
export function maskedOf({ wiring }: Place): Fact<boolean> {
  const masks = ownParts(wiring, "mask");
  const sources = masks.map(({ line }) => ({ name: "mask", span: line.span, message: "the mask" }));
  return { value: masks.length > 0, sources };
}

/** null as a value: a mask lies over all that a loss judges. A model without any mask is told that it lacks one, and nothing else. */
export function unmaskedOf({ wiring, part }: Place): Fact<string | null> {
  if (!part || ownParts(wiring, "mask").length === 0) return none;
  const targets = sourcesAt(wiring, part, "prediction").flatMap((decoder) => judgedTargets(wiring, part, decoder));
  const tokens = targets.flatMap((target) => sourceAt(wiring, target, "set") ?? []);
  const open = tokens.find((one) => !wiring.readers.get(one)?.some(({ slot }) => slot === "mask"));
  return { value: open ? (open.input ?? sourceAt(wiring, open, "array")?.definition?.name ?? "") : null, sources: [] };
}

/** The targets of a decoder that a part judges: of several those that it names, or whose label it has, or all. */
function judgedTargets(
  wiring: Wiring<DraftLine>,
  part: Part<DraftLine>,
  decoder: Part<DraftLine>,
): readonly Part<DraftLine>[] {
  const targets = sourcesAt(wiring, decoder, "target");
  const names = namesAt(wiring, part, "prediction") ?? (part.line.label === null ? [] : [part.line.label]);
  const own = targets.filter((target) => isCalled(target, names));
  return targets.length > 1 && own.length > 0 ? own : targets;
}

/** null as a value: the model has no head. */
export const classesOf = (place: Place): Fact<number | null> =>
  ownParts(place.wiring, "head").every(({ definition }) => givesVectors(definition))
    ? none
    : factOf(place, "head", (definition, values) => mustBe("head", definition).classes(values));

/** What the head says; null as a value: the model has none. */
export const sayingOf = (place: Place): Fact<Saying | null> =>
  ownParts(place.wiring, "head").every(({ definition }) => givesVectors(definition))
    ? none
    : factOf(place, "head", (definition) => saidBy(mustBe("head", definition)));

/** Whether a head says parts of clouds. */
export const partsSaid = (place: Place): Fact<boolean> =>
  ownParts(place.wiring, "head").every(({ definition }) => givesVectors(definition))
    ? { value: false, sources: [] }
    : factOf(place, "head", (definition) => mustBe("head", definition).parts !== undefined);

/** null as a value: the model has no decoder, or one without a width. */
export const decoderWidthOf = (place: Place): Fact<number | null> =>
  ownParts(place.wiring, "decoder").length === 0
    ? none
    : factOf(place, "decoder", (definition, values) => (definition as Decoder).width(values));

/** null as a value: the decoder does not begin behind blocks of the model's own. */
export function behindOf({ wiring, part }: Place): Fact<ModelContext["behind"]> {
  const decoder = part && sourceAt(wiring, part, "behind");
  if (!decoder || !asKind("decoder", decoder.definition)?.blocks) return none;
  return fact(decoder.line, (definition, values) => {
    const { blocks, width } = definition as Decoder;
    return { blocks: blocks?.count(values) ?? null, width: width(values) };
  });
}

/** Whether the targets whose predictions are judged lead back to pixels. */
export function predictsPixels({ wiring, part }: Place): Fact<boolean> {
  if (!part) return null;
  const targets = sourcesAt(wiring, part, "prediction").flatMap((decoder) => judgedTargets(wiring, part, decoder));
  const sources = targets.flatMap(({ line: { block, span } }) =>
    block ? { name: "target", span, message: `the target is \`${block.definition.name}\`` } : [],
  );
  if (sources.length === 0 || sources.length < targets.length) return null;
  return { value: targets.every(({ definition }) => asKind("target", definition)?.pixels !== undefined), sources };
}

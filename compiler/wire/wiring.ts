/**
 * Joins the lines of a model by wires: which part reads which. Works on lines that are still being checked and on those of a
 * checked model, broken ones included; what follows from the wires is said in `compiler/check/wires.ts` and built in
 * `compiler/assemble/`.
 */

import type { Definition } from "../../blocks/index.js";
import { givesMaps, isForEachInput, isOfNamedInput, isOutput, type Port, portsOf } from "./roles.js";

/** A line of a model, as far as wiring looks at it. */
export interface Line<L> {
  readonly slot: string;
  readonly label: string | null;
  readonly inner: readonly L[];
}

/** A line in its place: one part for each input that it stands for. */
export interface Part<L extends Line<L>> {
  readonly line: L;
  readonly slot: string;
  /** undefined: the block could not be read. */
  readonly definition: Definition | undefined;
  /** The part in whose braces it stands; null: the model's own. */
  readonly within: Part<L> | null;
  /** The label of the input that it belongs to; null: of all, or of the only one. */
  readonly input: string | null;
}

/** What a part reads at one of its ports. */
export interface Wire<L extends Line<L>> {
  readonly port: Port;
  /** One, where all is well, or as many as the part reads at once. Of named ones, in the order of the names. */
  readonly sources: readonly Part<L>[];
  /** Whether all of them are read. */
  readonly joined: boolean;
  /** What the line says of them, `joint.audio`; null: nothing. */
  readonly names: readonly string[] | null;
}

/** How wiring reads a line. */
export interface Reading<L> {
  /** What fills it; undefined where it is broken. */
  readonly definitionOf: (line: L) => Definition | undefined;
  /** The labels that a parameter of it names; null: none are written. */
  readonly labelsOf: (line: L, parameter: string) => readonly string[] | null;
}

export interface Wiring<L extends Line<L>> {
  /** In the order of the lines; those in braces follow the line that has them. */
  readonly parts: readonly Part<L>[];
  readonly wires: ReadonlyMap<Part<L>, readonly Wire<L>[]>;
  /** Who reads a part. */
  readonly readers: ReadonlyMap<Part<L>, readonly Part<L>[]>;
}

/** Wires the lines of a model. */
export function wire<L extends Line<L>>(lines: readonly L[], { definitionOf, labelsOf }: Reading<L>): Wiring<L> {
  const parts = partsOf(lines, { definitionOf, labelsOf });
  const rooms = new Rooms(parts, labelsOf);
  const wires = new Map(parts.map((part) => [part, wiresOf(part, rooms)]));
  const readers = new Map<Part<L>, Part<L>[]>();
  for (const part of parts) {
    for (const source of sources({ wires }, part)) {
      const others = readers.get(source) ?? [];
      readers.set(source, others);
      others.push(part);
    }
  }
  return { parts, wires, readers };
}

function partsOf<L extends Line<L>>(
  lines: readonly L[],
  { definitionOf, labelsOf: namesOf }: Reading<L>,
): readonly Part<L>[] {
  const part = (line: L, input: string | null, within: Part<L> | null): readonly Part<L>[] => {
    const own: Part<L> = { line, slot: line.slot, definition: definitionOf(line), within, input };
    return [own, ...line.inner.flatMap((inner) => part(inner, input, own))];
  };
  const labelsOf = (slot: string): ReadonlySet<string> =>
    new Set(lines.flatMap((line) => (line.slot === slot ? (line.label ?? []) : [])));
  const inputs = labelsOf("input");
  return lines.flatMap((line) => {
    const { slot, label } = line;
    const [only, another] = isOfNamedInput(slot) ? (namesOf(line, "of") ?? []) : [];
    const own = only !== undefined && another === undefined ? only : label;
    if (own !== null || inputs.size < 2 || !isForEachInput(slot, definitionOf(line))) {
      return part(line, own !== null && inputs.has(own) ? own : null, null);
    }
    const filled = labelsOf(slot);
    return [...inputs].filter((input) => !filled.has(input)).flatMap((input) => part(line, input, null));
  });
}

/** The parts of a slot in one place: those of the model, or of one pair of braces. */
interface Room<L extends Line<L>> {
  readonly all: Part<L>[];
  readonly byInput: Map<string, Part<L>[]>;
  readonly byLabel: Map<string, Part<L>>;
  /** Those that no block of a slot reads from their own braces, by that slot. */
  readonly free: Map<string, Part<L>[]>;
}

/** The parts of a model by place and slot, so that wiring takes a time that grows as they do. */
class Rooms<L extends Line<L>> {
  readonly #rooms = new Map<Part<L> | null, Map<string, Room<L>>>();
  /** Of each slot, the first part, and the first that is of an input. */
  readonly #first = new Map<string, Part<L>>();
  readonly #labelsOf: Reading<L>["labelsOf"];
  readonly #parts: readonly Part<L>[];
  /** Parts that another part of their own slot reads. */
  readonly #passed = new Set<Part<L>>();

  constructor(parts: readonly Part<L>[], labelsOf: Reading<L>["labelsOf"]) {
    this.#labelsOf = labelsOf;
    this.#parts = parts;
    for (const part of parts) this.#add(part);
    for (const part of parts) {
      for (const port of portsOf(part.slot)) {
        if (port.through !== part.slot || part.within !== null) continue;
        const sources = this.#named(port, part, this.names(port, part) ?? []);
        for (const source of sources) if (source.slot === part.slot) this.#passed.add(source);
      }
    }
  }

  #add(part: Part<L>): void {
    const place = this.#rooms.get(part.within) ?? new Map<string, Room<L>>();
    this.#rooms.set(part.within, place);
    const room: Room<L> = place.get(part.slot) ?? { all: [], byInput: new Map(), byLabel: new Map(), free: new Map() };
    place.set(part.slot, room);
    room.all.push(part);
    if (part.input !== null) {
      const same = room.byInput.get(part.input) ?? [];
      room.byInput.set(part.input, same);
      same.push(part);
    }
    if (part.line.label !== null) room.byLabel.set(part.line.label, part);
    for (const key of [part.slot, `${part.slot} ${part.input}`]) {
      if (!this.#first.has(key)) this.#first.set(key, part);
    }
  }

  #room(within: Part<L> | null, slot: string): Room<L> | undefined {
    return this.#rooms.get(within)?.get(slot);
  }

  /** The parts of a slot in one place; of those that are read alone, the ones without a reader in their own braces. */
  #in(within: Part<L> | null, { from, alone, last }: Port, reader: Part<L>): readonly Part<L>[] {
    const room = this.#room(within, from);
    if (!room) return [];
    const isLast = (part: Part<L>): boolean => !last || !this.#passed.has(part);
    const same = reader.input === null ? [] : (room.byInput.get(reader.input) ?? []).filter(isLast);
    if (same.length > 0) return same;
    const alike = reader.line.label === null ? undefined : room.byLabel.get(reader.line.label);
    if (alike && alike !== reader && isLast(alike)) return [alike];
    if (!alone) return last ? room.all.filter(isLast) : room.all;
    const known = room.free.get(reader.slot);
    const free = known ?? room.all.filter((part) => this.#room(part, reader.slot) === undefined);
    room.free.set(reader.slot, free);
    return free;
  }

  /** What a line names at a port; null: nothing is written. */
  names({ named }: Port, { line }: Part<L>): readonly string[] | null {
    return named === undefined ? null : this.#labelsOf(line, named);
  }

  /** The parts of the model that names mean: `joint.audio` is the part `joint`. A name that means nothing gives none. */
  #named({ from, through, by }: Port, reader: Part<L>, names: readonly string[]): readonly Part<L>[] {
    if (by !== undefined) return this.#namedBy(from, by, names);
    return names.flatMap((name) => {
      const [label = name] = name.split(".");
      const other = through === undefined ? undefined : this.#room(null, through)?.byLabel.get(label);
      if (other && other !== reader) return [other];
      const room = this.#room(null, from);
      return room?.byLabel.get(label) ?? room?.byInput.get(label)?.[0] ?? [];
    });
  }

  /** The parts of a slot that read at a port what is called so, each once. */
  #namedBy(slot: string, port: string, names: readonly string[]): readonly Part<L>[] {
    const via = portsOf(slot).find(({ name }) => name === port);
    const all = this.#parts.filter((part) => part.slot === slot);
    const isMeant = (part: Part<L>): boolean =>
      via !== undefined && this.sources(via, part).some((source) => isCalled(source, names));
    return all.filter(isMeant);
  }

  /** What can be read at a port. */
  sources(port: Port, reader: Part<L>): readonly Part<L>[] {
    const named = this.names(port, reader);
    if (named) return this.#named(port, reader, named);
    const { instead } = port;
    const others = instead ? this.#in(null, { ...port, from: instead.from }, reader) : [];
    const giving = others.filter(({ definition }) => definition && instead?.gives(definition));
    if (giving.length > 0) return giving;
    const { within } = reader;
    const braces = within === null ? [] : this.#in(within, port, reader);
    if (port.place === "braces") return braces;
    const around = within?.slot === port.from ? [within] : [];
    if (port.place === "around") return around;
    const model = this.#in(null, port, reader);
    if (port.place === "model") return model;
    const own = reader.input === null ? undefined : this.#first.get(`${port.from} ${reader.input}`);
    const first = (own ?? this.#first.get(port.from))?.within ?? null;
    const elsewhere = first === null || port.alone ? [] : this.#in(first, port, reader);
    return [braces, around, model, elsewhere].find(({ length }) => length > 0) ?? [];
  }
}

/** Whether a part has one of some names: by its label, or by that of its input. */
export const isCalled = <L extends Line<L>>({ line, input }: Part<L>, names: readonly string[]): boolean =>
  [line.label, input].some((label) => label !== null && names.includes(label));

/** Whether parts are told apart: each is of another input, or has a label of its own. */
const areApart = <L extends Line<L>>(parts: readonly Part<L>[]): boolean => {
  const inputs = new Set(parts.map(({ input }) => input));
  return (!inputs.has(null) && inputs.size === parts.length) || parts.every(({ line }) => line.label !== null);
};

const wiresOf = <L extends Line<L>>(part: Part<L>, rooms: Rooms<L>): readonly Wire<L>[] =>
  portsOf(part.slot).flatMap((port) => {
    const { definition, within } = part;
    if (port.reads && !(definition && port.reads(definition, within !== null))) return [];
    const names = rooms.names(port, part);
    const isOfAll = part.line.label === null || part.line.label === part.input;
    const sources = rooms.sources(port, part);
    const isOne = port.each && !areApart(sources);
    const joined = definition !== undefined && (port.several?.(definition) ?? false) && !isOne;
    const isSaid = !port.named || names !== null || (isOfAll && !port.onlyNamed);
    return [{ port, sources, joined: joined && isSaid, names }];
  });

/** What a part reads, wherever it is known which parts those are. */
const sources = <L extends Line<L>>({ wires }: Pick<Wiring<L>, "wires">, part: Part<L>): readonly Part<L>[] =>
  (wires.get(part) ?? []).flatMap(({ sources, joined }) => (joined || sources.length === 1 ? sources : []));

/** What a part reads at a port that reads several; none where it cannot be told. */
export function sourcesAt<L extends Line<L>>({ wires }: Wiring<L>, part: Part<L>, port: string): readonly Part<L>[] {
  const wire = wires.get(part)?.find((other) => other.port.name === port);
  return wire && (wire.joined || wire.sources.length === 1) ? wire.sources : [];
}

/** What a line names at a port; null: nothing is written. */
export const namesAt = <L extends Line<L>>(
  { wires }: Wiring<L>,
  part: Part<L>,
  port: string,
): readonly string[] | null => wires.get(part)?.find((wire) => wire.port.name === port)?.names ?? null;

/** What a part reads at a port; null where there is none, or more than one. */
export function sourceAt<L extends Line<L>>(wiring: Wiring<L>, part: Part<L>, port: string): Part<L> | null {
  const [source, another] = sourcesAt(wiring, part, port);
  return source && !another ? source : null;
}

/** Walks from parts to those next to them, from near to far. Gives each once, the first ones included. */
export function reached<L extends Line<L>>(
  from: readonly Part<L>[],
  next: (part: Part<L>) => readonly Part<L>[],
): ReadonlySet<Part<L>> {
  const found = new Set(from);
  // A set gives its iterator what is added meanwhile.
  for (const part of found) for (const other of next(part)) found.add(other);
  return found;
}

/** The parts that read themselves, through others. */
export const circularParts = <L extends Line<L>>(wiring: Wiring<L>): readonly Part<L>[] =>
  wiring.parts.filter((part) => {
    // Only parts that name parts of their own slot can; a mask that an encoder guides is decided before that encoder sees it.
    const ownSlot = (reader: Part<L>): readonly Part<L>[] =>
      (wiring.wires.get(reader) ?? []).flatMap(({ port, sources }) =>
        port.through === part.slot ? sources.filter(({ slot }) => slot === part.slot) : [],
      );
    return reached(ownSlot(part), ownSlot).has(part);
  });

/** The parts that nothing reads which a model is asked for. */
export function idleParts<L extends Line<L>>(wiring: Wiring<L>): readonly Part<L>[] {
  const asked = wiring.parts.filter(({ slot, within }) => isOutput(slot, within !== null));
  const read = reached(asked, (part) => sources(wiring, part));
  return wiring.parts.filter((part) => !read.has(part));
}

/**
 * The part of a slot that a part has to do with: the nearest one that it reads; else the one of the model that reads it; else the only
 * one of the model. null: there is none, or it cannot be told which.
 */
export function relatedTo<L extends Line<L>>(wiring: Wiring<L>, part: Part<L>, slot: string): Part<L> | null {
  const fills = (other: Part<L>): boolean => other.slot === slot;
  const ahead = [...reached([part], (other) => sources(wiring, other))].find(fills);
  if (ahead) return ahead;
  const isOwn = (other: Part<L>): boolean => fills(other) && other.within === null;
  const behind = [...reached([part], (other) => wiring.readers.get(other) ?? [])].find(isOwn);
  return behind ?? onlyPart(wiring, slot);
}

/** The parts of a slot that are the model's own. */
export const ownParts = <L extends Line<L>>({ parts }: Wiring<L>, slot: string): readonly Part<L>[] =>
  parts.filter((part) => part.slot === slot && part.within === null);

/** What cuts arrays into the tokens or cells that masks hide and targets are made of. */
export const setParts = <L extends Line<L>>(wiring: Wiring<L>): readonly Part<L>[] => {
  const giving = ownParts(wiring, "encoder").filter(({ definition }) => givesMaps(definition));
  return giving.length > 0 ? giving : ownParts(wiring, "tokens");
};

/** The inputs whose tokens an encoder sees, through others too. */
export function inputsUnder<L extends Line<L>>(wiring: Wiring<L>, encoder: Part<L>): ReadonlySet<string> {
  const under = reached(sourcesAt(wiring, encoder, "tokens"), (part) => sourcesAt(wiring, part, "tokens"));
  return new Set([...under].flatMap(({ slot, input }) => (slot === "tokens" ? (input ?? []) : [])));
}

/** What a model can be asked for of its encoders, by name: `features`, `audio`, `joint.audio`. */
export function outputsOf<L extends Line<L>>(wiring: Wiring<L>): readonly string[] {
  const encoders = ownParts(wiring, "encoder");
  if (encoders.length < 2 && ownParts(wiring, "input").length < 2) return ["features"];
  const named = encoders.flatMap((encoder) => {
    const { label } = encoder.line;
    const read = sourcesAt(wiring, encoder, "tokens");
    const parts = read.flatMap(({ slot, line, input }) => (slot === "encoder" ? line.label : input) ?? []);
    return [
      ...(label === null ? [] : [label]),
      ...(read.length > 1 ? parts.map((part) => `${label ?? "encoder"}.${part}`) : []),
    ];
  });
  return ["features", ...named];
}

/** The model's own part of a slot; null: there is none, or more than one. */
export function onlyPart<L extends Line<L>>(wiring: Wiring<L>, slot: string): Part<L> | null {
  const [only, another] = ownParts(wiring, slot);
  return only && !another ? only : null;
}

/**
 * Where the weights of a stage come from: for each weight of its model the one of an earlier stage that it starts with, and
 * what becomes of the others. Weights are told apart by the part of the model they belong to and their place in it, so that
 * a part that bears another label, or stands under another name, is found again.
 */

import { countsOf } from "../blocks/index.js";
import { sameShape, sizeOf } from "../graph/index.js";
import type { OwnedWeight, TablePlaces } from "./assemble/owners.js";
import type { ChannelChange, Mapping, Resizing, StageWeight, Start } from "./mapping.js";

type Dims = readonly number[];

/** Of a weight of the stage's own model. */
type OwnMapping = Exclude<Mapping, { status: "dropped" }>;

/** What a stage may take: the weights of an earlier one, and which part of them. */
export interface Source {
  readonly stage: string;
  /** null: all of them. */
  readonly part: string | null;
  /** Every weight of that stage's model. */
  readonly weights: readonly OwnedWeight[];
}

export interface KeyMap {
  /** The stage's own weights in their order, then what is dropped. */
  readonly mappings: readonly Mapping[];
  /** For each source, how many weights it gives. */
  readonly given: readonly number[];
  /** Weights that more than one source would give, with the numbers of the first two. */
  readonly doubled: readonly { readonly name: string; readonly sources: readonly [number, number] }[];
}

/** What a source offers for one weight. */
interface Offer {
  readonly source: number;
  readonly weight: OwnedWeight;
}

/**
 * Maps the weights of a stage's model.
 * @param adapt whether matrices over patches are brought to another number of channels
 */
export function keyMap(own: readonly OwnedWeight[], sources: readonly Source[], adapt = false): KeyMap {
  const offers = sources.map((source, i) => offersOf(own, source, i));
  const doubled: KeyMap["doubled"][number][] = [];
  const found = own.map((weight) => {
    const [first, second] = offers.flatMap((offer) => offer.get(weight.name) ?? []);
    if (first && second) doubled.push({ name: weight.name, sources: [first.source, second.source] });
    return { source: first?.source ?? null, mapping: mappingOf(weight, first && stageWeight(first, sources), adapt) };
  });
  const whole = followed(wholeLayers(found.map(({ mapping }) => mapping)), own);
  const given = sources.map((_, i) => whole.filter((mapping, k) => found[k]?.source === i && "from" in mapping).length);
  return { mappings: [...whole, ...dropped(sources, whole)], given, doubled };
}

/** A layer is taken as a whole: where its matrix has another shape, its bias would be that of another layer. */
function wholeLayers(mappings: readonly OwnMapping[]): readonly OwnMapping[] {
  const broken = new Set(
    mappings.flatMap((mapping) => (mapping.status === "new" && mapping.instead ? layerOf(mapping.name) : [])),
  );
  return mappings.map((mapping) => {
    if (!("from" in mapping) || !layerOf(mapping.name).some((layer) => broken.has(layer))) return mapping;
    const { name, parts, shape, from } = mapping;
    return { name, parts, shape, status: "new", instead: from };
  });
}

/** A weight that follows another, and is not taken itself, begins as the other does. */
function followed(mappings: readonly OwnMapping[], own: readonly OwnedWeight[]): readonly OwnMapping[] {
  const byName = new Map(mappings.map((mapping) => [mapping.name, mapping]));
  return mappings.map((mapping, i): OwnMapping => {
    const leader = byName.get(own[i]?.follows ?? "");
    if (mapping.status !== "computed" || !leader || !("from" in leader)) return mapping;
    const { name, parts, shape } = mapping;
    return leader.status === "resized"
      ? { ...leader, name, parts, shape }
      : { name, parts, shape, status: "renamed", from: leader.from };
  });
}

/** `blocks.0.mlp.fc1` of `blocks.0.mlp.fc1.weight`; nothing of a weight that stands alone. */
const layerOf = (name: string): readonly string[] => (name.includes(".") ? [name.slice(0, name.lastIndexOf("."))] : []);

/** The weight of a source that stands in the same place of the same part, for each weight that has one. */
function offersOf(own: readonly OwnedWeight[], { part, weights }: Source, source: number): ReadonlyMap<string, Offer> {
  const offered = weights.filter(({ parts }) => part === null || parts.includes(part));
  const exact = new Map(offered.map((weight) => [placeOf(weight), weight]));
  const found = new Map<string, Offer>();
  const taken = new Set<OwnedWeight>();
  const offer = (to: OwnedWeight, weight: OwnedWeight | undefined): void => {
    if (!weight) return;
    found.set(to.name, { source, weight });
    taken.add(weight);
  };
  // What is never trained here goes first to a network that others have trained.
  for (const weight of own) if (weight.given) offer(weight, exact.get(placeOf(weight)));
  for (const weight of own) {
    const same = weight.given ? undefined : exact.get(placeOf(weight));
    if (same && !taken.has(same)) offer(weight, same);
  }
  if (part === null) return found;
  // A part that is named goes into the only one of its kind, whatever that is labelled.
  const open = own.filter(({ name }) => !found.has(name));
  const left = offered.filter((weight) => !taken.has(weight));
  for (const weight of open) {
    const [only, another] = alike(left, weight);
    if (alike(open, weight).length === 1 && !another) offer(weight, only);
  }
  return found;
}

const placeOf = ({ role, label, local }: OwnedWeight): string => JSON.stringify([role, label, local]);

/** Weights in the same place of parts of the same kind, under any label. */
const alike = (weights: readonly OwnedWeight[], { role, local }: OwnedWeight): readonly OwnedWeight[] =>
  weights.filter((other) => other.role === role && other.local === local);

const stageWeight = ({ source, weight }: Offer, sources: readonly Source[]): [StageWeight, OwnedWeight] => [
  { stage: (sources[source] as Source).stage, name: weight.name, shape: weight.shape },
  weight,
];

function mappingOf(
  to: OwnedWeight,
  offered: readonly [StageWeight, OwnedWeight] | undefined,
  adapt: boolean,
): OwnMapping {
  const { name, parts, shape } = to;
  const start: Start = { name, parts, shape };
  if (!to.trainable && !to.given) {
    const isSame = offered && !offered[1].trainable && sameShape(offered[1].shape, shape) && sameStart(offered[1], to);
    return isSame ? { ...start, status: "kept", from: offered[0] } : { ...start, status: "computed" };
  }
  if (!offered) return { ...start, status: "new", instead: null };
  const [from, weight] = offered;
  const table = to.table && weight.table && resizing(weight.table, to.table);
  const fits = sameShape(from.shape, shape);
  if (table && from.shape.at(-1) === shape.at(-1)) return { ...start, status: "resized", from, table };
  const channels = fits ? null : otherChannels(weight, to);
  if (channels && adapt) return { ...start, status: "adapted", from, channels };
  if (!fits) return { ...start, status: "new", instead: from, ...(channels ? { adaptable: channels } : {}) };
  return { ...start, status: from.name === name ? "kept" : "renamed", from };
}

/** Of a matrix or kernel over as many places of the input with another number of channels: both numbers; null: it is none. */
function otherChannels(from: OwnedWeight, to: OwnedWeight): ChannelChange | null {
  if (from.channels === null || to.channels === null || from.channels === to.channels) return null;
  const rowsAndPlaces = ({ shape }: OwnedWeight, channels: number): Dims => [
    shape[0] ?? 0,
    ...shape.slice(2),
    sizeOf(shape.slice(1)) / channels,
  ];
  const isSame = sameShape(rowsAndPlaces(from, from.channels), rowsAndPlaces(to, to.channels));
  return isSame ? { from: from.channels, to: to.channels } : null;
}

const sameStart = (a: OwnedWeight, b: OwnedWeight): boolean =>
  a.follows === b.follows && JSON.stringify(a.init) === JSON.stringify(b.init);

/** How a table becomes one for another lattice or order; null where they are the same, or have other axes or other rows before them. */
function resizing(from: TablePlaces, to: TablePlaces): Resizing | null {
  const axes = (places: TablePlaces): string => places.axes.map(({ name }) => name).join();
  if (axes(from) !== axes(to) || from.extra !== to.extra) return null;
  const [before, after] = [countsOf(from.axes), countsOf(to.axes)];
  const turned = from.turned ? { turned: from.turned } : {};
  return sameShape(before, after) && !from.turned ? null : { from: before, to: after, extra: to.extra, ...turned };
}

/** Every weight of the stages that something is taken from, and that is taken from none of them. */
function dropped(sources: readonly Source[], taken: readonly OwnMapping[]): readonly Mapping[] {
  const used = new Set(taken.flatMap((mapping) => ("from" in mapping ? keyOf(mapping.from) : [])));
  const stages = new Map(sources.map(({ stage, weights }) => [stage, weights]));
  return [...stages].flatMap(([stage, weights]) =>
    weights
      .map(({ name, shape, parts }) => ({ status: "dropped", from: { stage, name, shape }, parts }) as const)
      .filter(({ from }) => !used.has(keyOf(from))),
  );
}

const keyOf = ({ stage, name }: StageWeight): string => `${stage} ${name}`;

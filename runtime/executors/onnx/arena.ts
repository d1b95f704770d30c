/**
 * State side by side in WebAssembly memories, with room for gradients, so that onnxruntime reads parameters and writes
 * gradients without copies and the optimizer updates parameters in place. A memory is made once with its final size:
 * growing it would take it away from under onnxruntime. Room that is never written costs no memory.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { invariant, type StateSlot, sizeOf } from "../../../graph/index.js";
import { packageRoot } from "../../package.js";
import type { InPlace } from "./plan.js";

/** Bytes of a WebAssembly page, and the most of them: all that 32-bit addresses reach but the last, so that ends have an address. */
const PAGE = 65_536;
const MOST_PAGES = 65_535;
/** A line of the cache. */
const ALIGNMENT = 64;

/** All addresses, and the end of p, in bytes. */
interface Kernels {
  adamw(
    p: number,
    g: number,
    m: number,
    v: number,
    end: number,
    beta1: number,
    beta2: number,
    keep: number,
    rate: number,
    root: number,
    epsilon: number,
  ): void;
  sgd(
    p: number,
    g: number,
    m: number,
    end: number,
    lr: number,
    momentum: number,
    decay: number,
    nesterov: number,
  ): void;
  accumulate(p: number, g: number, end: number, keep: number, share: number): void;
}

export interface Arena {
  /** Views of all float32 state, by name. */
  readonly state: ReadonlyMap<string, Float32Array>;
  /** Where the gradient goes that a slot is updated by: one place for a parameter and what lies beside it. */
  readonly gradient: (slot: string) => Float32Array;
  /** Applies an update with its scalars: the learning rate, and for adamw the step counted from 1; for a sum what is kept. */
  readonly apply: (update: InPlace, scalars: readonly number[]) => void;
}

/** Bytes of an array with its padding: whole vectors of four, then up to the next line of the cache. */
const roomFor = ({ shape }: StateSlot): number => Math.ceil((sizeOf(shape) * 4) / ALIGNMENT) * ALIGNMENT;

/** A parameter with what lies beside it, in one memory: the slots, then the first one's gradient. */
type Group = readonly [StateSlot, ...StateSlot[]];

const roomForGroup = (group: Group): number => roomFor(group[0]) + group.reduce((sum, slot) => sum + roomFor(slot), 0);

function groupsOf(slots: readonly StateSlot[]): readonly Group[] {
  const groups = new Map<string, [StateSlot, ...StateSlot[]]>();
  for (const slot of slots.filter(({ dtype }) => dtype === "float32")) {
    const group = groups.get(slot.beside ?? slot.name);
    if (group) group.push(slot);
    else groups.set(slot.name, [slot]);
  }
  return [...groups.values()];
}

/** Groups that share a memory. */
function memoriesOf(groups: readonly Group[]): readonly (readonly Group[])[] {
  const made: Group[][] = [];
  let left = 0;
  for (const group of groups) {
    const wanted = roomForGroup(group);
    invariant(wanted <= PAGE * MOST_PAGES, `"${group[0].name}", its moments and its gradient fit into 4 GiB`);
    if (made.length === 0 || left < wanted) {
      made.push([]);
      left = PAGE * MOST_PAGES;
    }
    (made.at(-1) as Group[]).push(group);
    left -= wanted;
  }
  return made;
}

/** Where an array lies. */
interface Place {
  readonly kernels: Kernels;
  readonly address: number;
  readonly view: Float32Array;
}

function layOut(
  groups: readonly Group[],
  module: WebAssembly.Module,
  state: Map<string, Place>,
  gradients: Map<string, Place>,
): void {
  const bytes = groups.reduce((sum, group) => sum + roomForGroup(group), 0);
  const pages = Math.max(1, Math.ceil(bytes / PAGE));
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const kernels = new WebAssembly.Instance(module, { maelang: { memory } }).exports as unknown as Kernels;
  let next = 0;
  const place = (slot: StateSlot): Place => {
    const address = next;
    next += roomFor(slot);
    return { kernels, address, view: new Float32Array(memory.buffer, address, sizeOf(slot.shape)) };
  };
  for (const group of groups) {
    for (const slot of group) state.set(slot.name, place(slot));
    const gradient = place(group[0]);
    for (const slot of group) gradients.set(slot.name, gradient);
  }
}

export function createArena(slots: readonly StateSlot[]): Arena {
  const module = new WebAssembly.Module(readFileSync(join(packageRoot, "dist", "optimizer.wasm")));
  const state = new Map<string, Place>();
  const gradients = new Map<string, Place>();
  for (const groups of memoriesOf(groupsOf(slots))) layOut(groups, module, state, gradients);
  return {
    state: new Map([...state].map(([name, { view }]) => [name, view])),
    gradient: (slot) => (gradients.get(slot) as Place).view,
    apply({ rule, state: names, size }, scalars) {
      const [p, m, v] = names.map((name) => state.get(name)) as [Place, Place?, Place?];
      const { address: gradient, kernels } = gradients.get(names[0] as string) as Place;
      const together = [p, m, v].every((place) => place === undefined || place.kernels === kernels);
      invariant(together, `${names.join(", ")} lie beside each other`);
      // Whole vectors: the padding behind the last element belongs to this array.
      const end = p.address + Math.ceil(size / 4) * 16;
      const at = { p: p.address, m: m?.address ?? 0, v: v?.address ?? 0, gradient, end };
      applyRule(kernels, rule, at, scalars);
    },
  };
}

interface Addresses {
  readonly p: number;
  readonly m: number;
  readonly v: number;
  readonly gradient: number;
  readonly end: number;
}

function applyRule(
  kernels: Kernels,
  { kind, settings }: InPlace["rule"],
  at: Addresses,
  scalars: readonly number[],
): void {
  const [first = 0, step = 0] = scalars;
  if (kind === "accumulate") {
    kernels.accumulate(at.p, at.gradient, at.end, first, settings.share);
    return;
  }
  if (kind === "sgd") {
    const { momentum, decay, nesterov } = settings;
    kernels.sgd(at.p, at.gradient, at.m, at.end, first, momentum, decay, nesterov ? 1 : 0);
    return;
  }
  const { beta1, beta2, epsilon, decay } = settings;
  const rate = first / (1 - beta1 ** step);
  const root = 1 / Math.sqrt(1 - beta2 ** step);
  kernels.adamw(at.p, at.gradient, at.m, at.v, at.end, beta1, beta2, 1 - first * decay, rate, root, epsilon);
}

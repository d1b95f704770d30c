/** A piece of a batch: what a data worker is told and what it answers. Both are plain values that threads can exchange. */

import { basename } from "node:path";
import {
  type Augment,
  type BoundField,
  bindField,
  type Definition,
  isBlockValue,
  type Kind,
  kindOf,
  registry,
} from "../../blocks/index.js";
import { invariant, sizeOf } from "../../graph/index.js";
import { RunError, type RunErrorCode } from "../run-error.js";
import { BrokenFile } from "./broken-file.js";
import { viewOf } from "./fields.js";
import { keepUpTo } from "./kept.js";
import { type Item, numbersPrepared, type Places, type Preparation, preparedOf } from "./preparation.js";
import { type FileRemark, prepare } from "./prepare.js";

/** What a worker is given when it starts: the preparation, with blocks by their names in the registry. */
export interface Setup extends Omit<Preparation, "augment" | "fields" | "kept"> {
  readonly augment: readonly (NamedBlock & { readonly input?: string })[];
  readonly fields: Readonly<Record<string, NamedField>>;
  /** Bytes that it may keep of files. */
  readonly keeps: number;
}

/** A block of the registry and its values. Threads cannot exchange functions. */
interface NamedBlock {
  readonly kind: Kind;
  readonly name: string;
  readonly values: Values;
  /** The values that are blocks themselves, by the names of the parameters; they are not among `values`. */
  readonly blocks: Readonly<Record<string, NamedBlock>>;
}

type NamedField = NamedBlock & Pick<BoundField, "kind" | "context" | "input">;
type Values = Readonly<Record<string, unknown>>;

/** As a worker can be told it; null where a block is not of the registry, so that no worker knows it. */
export function toSetup(preparation: Omit<Preparation, "kept">, keeps: number): Setup | null {
  const { augment, fields, ...rest } = preparation;
  const steps = augment.map(({ definition, values, input }) => {
    const named = toNamed(definition, values);
    return named && { ...named, ...ofInput(input) };
  });
  const named = Object.entries(fields).map(([name, { kind, block, values, context, input }]) => {
    const asking = toNamed(block, values);
    return asking && ([name, { ...asking, kind, context, ...ofInput(input) }] as const);
  });
  if (!steps.every((step) => step !== null) || !named.every((field) => field !== null)) return null;
  return { ...rest, augment: steps, fields: Object.fromEntries(named), keeps };
}

const ofInput = (input: string | undefined) => (input === undefined ? {} : { input });

type Named = Pick<Definition, "name">;

const blockOf = (kind: Kind, name: string): Named | undefined =>
  (registry[kind] as readonly Named[]).find((block) => block.name === name);

/** null: it, or a block among its values, is not of the registry. */
function toNamed(block: Named, values: Values): NamedBlock | null {
  const kind = kindOf(block);
  if (!kind || blockOf(kind, block.name) !== block) return null;
  const plain: Record<string, unknown> = {};
  const blocks: Record<string, NamedBlock> = {};
  for (const [name, value] of Object.entries(values)) {
    const inner = isBlockValue(value) ? toNamed(value.block, value.values) : undefined;
    if (inner === null) return null;
    if (inner) blocks[name] = inner;
    else plain[name] = value;
  }
  return { kind, name: block.name, values: plain, blocks };
}

function fromNamed({ kind, name, values, blocks }: NamedBlock): { readonly block: Named; readonly values: Values } {
  const block = blockOf(kind, name);
  invariant(block, `no ${kind} ${name} in the registry`);
  const inner = Object.entries(blocks).map(([param, named]) => [param, fromNamed(named)] as const);
  return { block, values: { ...values, ...Object.fromEntries(inner) } };
}

function boundField(named: NamedField): BoundField {
  const { block, values } = fromNamed(named);
  return { ...bindField(named.kind, block as BoundField["block"], values, named.context), ...ofInput(named.input) };
}

/** What `toSetup` was told. */
export function fromSetup({ augment, fields, keeps, ...rest }: Setup): Preparation {
  return {
    ...rest,
    kept: keepUpTo(keeps),
    fields: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, boundField(field)])),
    augment: augment.map((named) => {
      const { block, values } = fromNamed(named);
      return { definition: block as Augment, values, ...ofInput(named.input) };
    }),
  };
}

/** Memory of a whole batch. */
export interface BatchBuffers {
  /** By the names of the arrays. */
  readonly arrays: Readonly<Record<string, SharedArrayBuffer>>;
  readonly fields: Readonly<Record<string, SharedArrayBuffer>>;
}

export interface Task {
  readonly id: number;
  /** Where the piece's numbers go. Shared with the thread that asked. */
  readonly buffers: BatchBuffers;
  readonly items: readonly (Item & { /** Its place in the batch. */ readonly place: number })[];
}

/** A file that is of no use to the model, so its place is still to be filled. */
export interface Failed {
  readonly place: number;
  readonly path: string;
  readonly why: string;
  /** What to say when all files are like it; null: it is broken. */
  readonly error: PlainError | null;
}

export interface Remarked extends FileRemark {
  readonly place: number;
}

export type Answer =
  | { readonly id: number; readonly failed: readonly Failed[]; readonly remarks: readonly Remarked[] }
  | { readonly id: number; readonly error: PlainError };

/** An error as it travels between threads. `code` null: ours, not the user's. */
export interface PlainError {
  readonly code: RunErrorCode | null;
  readonly what: string;
  readonly why: string | null;
  readonly help: string;
}

/** Samples of a piece that are on their way at once: while one is read or decoded by the system's threads, the next one is too. */
const together = 4;

/** Prepares a piece. The answer holds every failure, so that asking never throws. */
export async function work(task: Task, preparation: Preparation): Promise<Answer> {
  const placesOf = placesIn(task.buffers, preparation);
  const failed: Failed[] = [];
  const remarks: Remarked[] = [];
  const waiting = task.items.values();
  const prepareInTurn = async (): Promise<void> => {
    for (const item of waiting) {
      const { place } = item;
      let path = "";
      try {
        const found = await prepare(item, preparation, placesOf(place), (begun) => {
          path = begun;
        });
        remarks.push(...found.map((one) => ({ ...one, place })));
      } catch (error) {
        if (error instanceof BrokenFile) failed.push({ place, path, why: whyOf(error, path), error: null });
        else if (path !== "" && isUnfit(error)) failed.push({ place, path, why: error.what, error: toPlain(error) });
        else throw error;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: together }, prepareInTurn));
  } catch (error) {
    return { id: task.id, error: toPlain(error) };
  }
  // As they stand in the batch, whichever was ready first.
  return { id: task.id, failed: failed.sort(byPlace), remarks: remarks.sort(byPlace) };
}

/** Of a clip, also which frame is broken. */
const whyOf = ({ path, why }: BrokenFile, sample: string): string =>
  path === sample ? why : `${basename(path)}: ${why}`;

/** A file may be of another kind than the rest: that need not end a run. */
export const isUnfit = (error: unknown): error is RunError => error instanceof RunError && unfitCodes.has(error.code);

const unfitCodes: ReadonlySet<RunErrorCode> = new Set([
  "run/array-size",
  "run/channels",
  "run/image-size",
  "run/sampling-rate",
]);

const byPlace = (a: { readonly place: number }, b: { readonly place: number }): number => a.place - b.place;

/** The places of each sample of a batch. */
function placesIn(buffers: BatchBuffers, preparation: Preparation): (place: number) => Places {
  const { fields } = preparation;
  const lengths = preparedOf(preparation).map((one) => [one.name, numbersPrepared(one)] as const);
  return (place) => ({
    arrays: Object.fromEntries(
      lengths.map(([name, length]) => {
        const memory = buffers.arrays[name] as SharedArrayBuffer;
        return [name, new Float32Array(memory, place * length * Float32Array.BYTES_PER_ELEMENT, length)];
      }),
    ),
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, { shape, dtype }]) => {
        const count = sizeOf(shape);
        return [name, viewOf(dtype, buffers.fields[name] as SharedArrayBuffer, place * count, count)];
      }),
    ),
  });
}

export function toPlain(error: unknown): PlainError {
  if (error instanceof RunError) return { code: error.code, what: error.what, why: error.why, help: error.help };
  return {
    code: null,
    what: error instanceof Error ? (error.stack ?? error.message) : String(error),
    why: null,
    help: "",
  };
}

export function fromPlain({ code, what, why, help }: PlainError): Error {
  if (code === null) return new Error(what);
  return new RunError(code, { what, help, ...(why === null ? {} : { why }) });
}

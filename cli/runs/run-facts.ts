/**
 * Reads `run.json` with care: a run may come from a stranger. Every value that a command uses is of its kind and its range, and every
 * text can be printed. What the values are for is said in `run-directory.ts`.
 */

import { mostThreads } from "../options.js";
import { type Reading, readSpec } from "../specs/files.js";

/** What is wrong with a value, as the path of the field that is not what it should be; null: nothing. */
type Test = (value: unknown, path: string) => string | null;

const when =
  (holds: (value: unknown) => boolean): Test =>
  (value, path) =>
    holds(value) ? null : path;

/** No path, name or date is longer. */
const longestText = 4096;

const text = when((value) => typeof value === "string" && value.length <= longestText && !/\p{C}/u.test(value));
const flag = when((value) => typeof value === "boolean");
const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Test =>
  when((value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most);

const optional =
  (test: Test): Test =>
  (value, path) =>
    value === undefined ? null : test(value, path);

const orNull =
  (test: Test): Test =>
  (value, path) =>
    value === null ? null : test(value, path);

const first = (results: Iterable<string | null>): string | null => {
  for (const wrong of results) if (wrong !== null) return wrong;
  return null;
};

const list =
  (test: Test): Test =>
  (value, path) =>
    Array.isArray(value) ? first(value.map((item, i) => test(item, `${path}[${i}]`))) : path;

const table =
  (test: Test): Test =>
  (value, path) =>
    isObject(value) ? first(Object.entries(value).map(([name, item]) => test(item, `${path}.${name}`))) : path;

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const record =
  (fields: Readonly<Record<string, Test>>): Test =>
  (value, path) => {
    if (!isObject(value)) return path;
    const own = (name: string): unknown => (Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined);
    return first(Object.entries(fields).map(([name, test]) => test(own(name), path === "" ? name : `${path}.${name}`)));
  };

const settings = record({
  batch: whole(1),
  epochs: orNull(whole(1)),
  steps: orNull(whole(1)),
  seed: whole(0),
});

const time = record({
  amount: when((value) => typeof value === "number" && value >= 0),
  unit: when((value) => value === "steps" || value === "epochs"),
});

/** Fields that are not named here are those of another version, and nobody reads them. */
const facts = record({
  format_version: when((value) => value === "1.0"),
  file: text,
  model: text,
  recipe: text,
  root: text,
  settings,
  written: optional(settings),
  executor: record({ name: text, backend: text, device: text }),
  shorter: optional(table(record({ from: time, to: time }))),
  computing: optional(
    record({
      micro_batch: whole(1),
      recompute: flag,
      threads: optional(whole(1, mostThreads)),
      beside: optional(list(whole(1))),
    }),
  ),
  started: text,
  project: optional(record({ config: text, files: list(record({ name: text, sha256: text })) })),
  from: optional(list(record({ stage: text, started: text, step: whole(0) }))),
  files: optional(list(record({ file: text, weights: text, sha256: text }))),
});

/** What a file of a run holds, or why it cannot be used. */
export type Kept<T> = { readonly value: T } | { readonly why: string };

/** The value in `run.json`. */
export function readFacts(path: string): Kept<unknown> {
  const read = readKept(path);
  if ("why" in read) return read;
  let value: unknown;
  try {
    value = JSON.parse(read.value);
  } catch {
    return { why: "it is not JSON" };
  }
  const wrong = facts(value, "");
  if (wrong === null) return { value };
  return { why: wrong === "" ? "it is not an object" : `its \`${wrong}\` is not what a run has there` };
}

/** A text that a run keeps. */
export function readKept(path: string): Kept<string> {
  const read = readSpec(path);
  return read.ok ? { value: read.text } : { why: reasons[read.problem.code] };
}

const reasons: Readonly<Record<(Reading & { ok: false })["problem"]["code"], string>> = {
  "file/missing": "it is not there",
  "file/not-a-file": "it is not a file",
  "file/too-large": "it is larger than 4 MiB",
  "file/not-utf8": "it is not UTF-8",
  "file/unreadable": "it may not be read by you",
};

/**
 * Every example trains as PyTorch does, and the same on every executor: the losses of 20 steps on the float64 reference are those
 * that test/reference/steps.py recorded in float64, those on onnx and wasm are the same to 1e-4. PyTorch is given the first weights
 * and what each step is fed, and computes all else by code of its own.
 */

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Executor, openExecutor } from "../../runtime/index.js";
import { backendsHere } from "../support/backends.js";
import { type Example, listExamples, lossesOf, steps } from "../support/examples.js";
import { recordedOf, recorderOf, writeRecorded } from "../support/recording.js";
import { referenceExecutor } from "../support/reference-executor.js";

const again =
  "Record again: `MAE_RECORD=FOLDER npx vitest run test/examples/agreement.test.ts`, then `python test/reference/steps.py FOLDER`";
/** Where this variable says so, what the examples are fed is written there, for PyTorch. */
const recordInto = process.env.MAE_RECORD;

interface Recorded {
  readonly examples: Readonly<Record<string, { readonly digest: string; readonly losses: readonly number[] }>>;
}

const { examples: byPyTorch } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../reference/steps.json"), "utf8"),
) as Recorded;
const examples = await listExamples();
const executors: Executor[] = [];
let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "maelang-agreement-"));
  for (const backend of backendsHere) executors.push(await openExecutor(backend));
});
afterAll(async () => {
  for (const executor of executors) await executor.close();
  await rm(parent, { recursive: true });
});

/** The largest difference of the losses of a step, relative to them. */
function difference(found: readonly number[], expected: readonly number[]): number {
  expect(found).toHaveLength(steps);
  return Math.max(...found.map((loss, i) => Math.abs(loss / (expected[i] as number) - 1)));
}

/** The losses on the float64 reference; with what a difference from those of PyTorch means. */
async function reference(example: Example) {
  const recorder = recorderOf(referenceExecutor);
  const directory = join(parent, example.name, "reference");
  const losses = await lossesOf(example, recorder.executor, directory, recorder.endStep);
  const inputs = recordedOf(example, recorder);
  if (recordInto !== undefined) await writeRecorded(recordInto, inputs);
  const same = byPyTorch[example.name]?.digest === inputs.digest;
  const meaning = same ? "PyTorch was fed the same" : `PyTorch was fed something else. ${again}`;
  return { losses, meaning };
}

describe.each(examples)("$name", (example) => {
  test(`${steps} steps in PyTorch and on every executor`, { timeout: 120_000 }, async () => {
    const { losses: exact, meaning } = await reference(example);
    const expected = byPyTorch[example.name]?.losses ?? [];
    expect(expected, `No losses of PyTorch are recorded. ${again}`).toHaveLength(steps);
    expect(difference(exact, expected), `reference. ${meaning}`).toBeLessThan(1e-7);
    expect(executors.map(({ backend }) => backend)).toContain("wasm");
    for (const executor of executors) {
      const losses = await lossesOf(example, executor, join(parent, example.name, executor.backend));
      expect(difference(losses, exact), `${executor.backend} and the reference`).toBeLessThan(1e-4);
      expect(difference(losses, expected), `${executor.backend} and PyTorch. ${meaning}`).toBeLessThan(1e-4);
    }
  });
});

test("no losses are recorded of examples that are gone", () => {
  expect(Object.keys(byPyTorch).sort()).toEqual(examples.map(({ name }) => name).sort());
});

/**
 * Every example trains as PyTorch does, and the same on every executor: the losses of 20 steps on the float64 reference are those
 * that test/reference/steps.py recorded in float64; those on onnx and xla are the same to 1e-4, and the first of them on wasm. PyTorch is
 * given the first weights and what each step is fed, and computes all else by code of its own.
 *
 * XLA, where there is a plugin, compiles an example for seconds. It leaves out an example whose step has the same operations in the same
 * order as one before, and other sizes alone; `MAE_EXECUTORS=xla` has it train those, too.
 */

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Graph, simplify } from "../../graph/index.js";
import { type Backend, type Executor, openExecutor } from "../../runtime/index.js";
import { backendsHere, xlaHere } from "../support/backends.js";
import { listExamples, lossesOf, steps } from "../support/examples.js";
import { recordedOf, recorderOf, writeRecorded } from "../support/recording.js";
import { referenceExecutor } from "../support/reference-executor.js";

const again =
  "Where what PyTorch is given has changed, record it again: `MAE_RECORD=FOLDER npx vitest run test/examples/agreement.test.ts`, then `python test/reference/steps.py FOLDER`";
/** Where this variable says so, what the examples are fed is written there, for PyTorch. */
const recordInto = process.env.MAE_RECORD;

/** Other executors than those that are tried wherever they are: `MAE_EXECUTORS=xla`, also several with commas. */
const chosen = process.env.MAE_EXECUTORS?.split(",") as Backend[] | undefined;
const backends = chosen ?? [...backendsHere, ...(xlaHere.present ? (["xla"] as const) : [])];
if (!chosen && !xlaHere.present) {
  console.log(`agreement of the examples on xla: skipped, ${xlaHere.why}. ${xlaHere.remedy}`);
  test.skip(`examples on xla: ${xlaHere.why}`, () => {});
}

/** Steps on executors that start every operation from JavaScript: the optimizer's moments are at work in all but the first. */
const fewer = 3;

interface Recorded {
  readonly examples: Readonly<Record<string, { readonly losses: readonly number[] }>>;
}

const { examples: byPyTorch } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../reference/steps.json"), "utf8"),
) as Recorded;
const examples = await listExamples();
const executors: Executor[] = [];
let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "maelang-agreement-"));
  for (const backend of backends) executors.push(await openExecutor(backend));
});
afterAll(async () => {
  for (const executor of executors) await executor.close();
  await rm(parent, { recursive: true });
});

/** The largest difference of the losses of a step, relative to them. */
const difference = (found: readonly number[], expected: readonly number[]): number =>
  Math.max(...found.map((loss, i) => Math.abs(loss / (expected[i] as number) - 1)));

/** An executor that is given what the reference is given, and the losses of its steps. */
interface Follower {
  readonly executor: Executor;
  readonly losses: number[];
  /** Whether it trains this example; undefined: if its step is not like one before. */
  trains: boolean | undefined;
}

const stepsBefore = new Set<string>();

/** Whether no graph before had the same operations in the same order, with results of so many axes. */
function isNewStep(graph: Graph): boolean {
  const operations = simplify(graph).nodes.map(
    ({ operation, outputs }) => `${operation}(${outputs.map(({ shape }) => shape.length)})`,
  );
  const before = stepsBefore.size;
  return stepsBefore.add(operations.join()).size > before;
}

/**
 * The reference as an executor that takes followers along: they run every graph that it runs on the same feeds, each on state of its
 * own, so that an example is traced, simplified and drawn for once.
 */
function withFollowers(followers: readonly Follower[]): { readonly executor: Executor; readonly endStep: () => void } {
  const told = new Map<Follower, number>();
  return {
    executor: {
      ...referenceExecutor,
      async open(slots, initial) {
        const own = await referenceExecutor.open(slots, initial);
        const others = await Promise.all(
          followers.map(async (follower) => ({ follower, session: await follower.executor.open(slots, initial) })),
        );
        return {
          ...own,
          async load(graph) {
            const run = await own.load(graph);
            const isNew = isNewStep(graph);
            // By the first graph of its step.
            for (const follower of followers) follower.trains ??= isNew;
            const runs = await Promise.all(
              others
                .filter(({ follower }) => follower.trains)
                .map(async ({ follower, session }) => ({ follower, run: await session.load(graph) })),
            );
            return async (feeds) => {
              for (const { follower, run: runBeside } of runs.filter(({ follower }) => goesOn(follower))) {
                const [loss] = (await runBeside(feeds)).loss ?? [];
                // Of several phases, what the first one tells of the step.
                if (loss !== undefined && !told.has(follower)) told.set(follower, loss);
              }
              return run(feeds);
            };
          },
          async close() {
            for (const { session } of others) await session.close();
            await own.close();
          },
        };
      },
    },
    endStep() {
      for (const [follower, loss] of told) follower.losses.push(loss);
      told.clear();
    },
  };
}

/** Where the whole step is compiled, all of them. */
const stepsOn = ({ name }: Executor): number => (name === "tfjs" ? fewer : steps);

const goesOn = ({ executor, losses }: Follower): boolean => losses.length < stepsOn(executor);

describe.each(examples)("$name", (example) => {
  test(`${steps} steps in PyTorch and on every executor`, async () => {
    const followers: Follower[] = executors.map((executor) => ({
      ...{ executor, losses: [] },
      trains: chosen || executor.name !== "xla" ? true : undefined,
    }));
    const lead = withFollowers(followers);
    const recorder = recorderOf(lead.executor);
    const exact = await lossesOf(example, recorder.executor, join(parent, example.name), () => {
      recorder.endStep();
      lead.endStep();
    });
    if (recordInto !== undefined) await writeRecorded(recordInto, recordedOf(example, recorder));
    const expected = byPyTorch[example.name]?.losses ?? [];
    expect(expected, `No losses of PyTorch are recorded. ${again}`).toHaveLength(steps);
    expect(exact).toHaveLength(steps);
    expect(difference(exact, expected), `reference. ${again}`).toBeLessThan(1e-7);
    expect(backendsHere).toContain("wasm");
    for (const { executor, losses } of followers.filter(({ trains }) => trains)) {
      expect(losses).toHaveLength(stepsOn(executor));
      expect(difference(losses, exact), `${executor.backend} and the reference`).toBeLessThan(1e-4);
      expect(difference(losses, expected), `${executor.backend} and PyTorch. ${again}`).toBeLessThan(1e-4);
    }
  });
});

test("no losses are recorded of examples that are gone", () => {
  expect(Object.keys(byPyTorch).sort()).toEqual(examples.map(({ name }) => name).sort());
});

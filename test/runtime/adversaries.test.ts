/**
 * Two sides of one model: what each phase of a step changes and what it leaves alone, bit for bit on real executors; gradients and
 * some steps of training as PyTorch has them (test/reference/gan-mae.py), for both backbones, updates and balances.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ModelProgram, namedParameters, parameter } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { evaluate, type TypedArray, type Values } from "../../graph/index.js";
import { type Executor, openExecutor, RunError, type Training } from "../../runtime/index.js";
import { feedsFor } from "../../runtime/train/inputs.js";
import { startingState, type TrainingStep, trainingStep } from "../../runtime/train/step.js";
import { bound, inMemory, recipe, stripes } from "../support/data.js";
import { difference, feedsIn, type RecordedBatch, recorded, shapesIn, under } from "../support/recorded.js";
import { trained } from "../support/runs.js";
import { tinyProgram } from "../support/tiny-program.js";

interface Header extends RecordedBatch {
  readonly spec: string;
  readonly terms: Readonly<Record<string, number>>;
  readonly loss: number;
  readonly training: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
    readonly told: readonly Readonly<Record<string, number>>[];
  };
}

const cases = [
  "gan-mae",
  "gan-mae-joint",
  "gan-mae-separate",
  "gan-mae-separate-joint",
  "gan-mae-slopes",
  "gan-mae-one-way",
];

/** `change`: of the spec. */
function load(name: string, change?: (spec: string) => string) {
  const { fixture, model, weights } = recorded<Header>(name, change);
  return { fixture, program: programOf(assemble(model)), weights, feeds: feedsIn(fixture) };
}

const stepOf = (program: ModelProgram, { batch }: Header, optimizer: Training["optimizer"]): TrainingStep =>
  trainingStep(program, { batch, clip: null, optimizer });

const adamw = ({ training: { betas, weight_decay, eps } }: Header): Training["optimizer"] =>
  bound("optimizer", "adamw", { betas, weight_decay, epsilon: eps });

/** Its update is the gradient, taken off. */
const plain = bound("optimizer", "sgd", { momentum: 0, weight_decay: 0 });

const scalar = (value: number): Float32Array => Float32Array.of(value);

/** Runs the phases of a step in float64. */
function runStep({ phases }: TrainingStep, feeds: Values, state: Values): { told: Values; state: Values } {
  let told: Values = {};
  let now = state;
  for (const { graph } of phases) {
    const { outputs, updates } = evaluate(graph, feedsFor(graph, feeds), now);
    told = { ...outputs, ...told };
    now = { ...now, ...updates };
  }
  return { told, state: now };
}

describe.each(cases)("%s", (name) => {
  const { fixture, program, weights, feeds } = load(name);
  const { header } = fixture;

  test("has the weights of PyTorch, with their names and shapes", () => {
    const ours = [...namedParameters(program.parameters)].map(([path, { shape }]) => [path, [...shape]]);
    expect(Object.fromEntries(ours)).toEqual(shapesIn(fixture));
  });

  test("what both sides pay, and the gradients of both", () => {
    const { phases, slots } = stepOf(program, header, plain);
    const state = startingState(slots, weights);
    const step = { ...feeds, lr: scalar(1), step: scalar(1) };
    // Each phase from the first weights, so that all gradients are of the same ones.
    const results = phases.map(({ graph }) => evaluate(graph, feedsFor(graph, step), state));
    const told: Values = Object.assign({}, ...results.map(({ outputs }) => outputs).reverse());
    expect(difference(told.loss, [header.loss])).toBeLessThan(1e-5);
    expect(under("loss/", Object.keys(told)).toSorted()).toEqual(Object.keys(header.terms).toSorted());
    for (const [term, value] of Object.entries(header.terms))
      expect(difference(told[`loss/${term}`], [value]), term).toBeLessThan(1e-5);
    const expected = new Map<string, number[]>();
    const add = (key: string, path: string) => {
      const before = expected.get(key);
      expected.set(
        key,
        Array.from(fixture.values(path), (value, i) => value + (before?.[i] ?? 0)),
      );
    };
    // One update from both losses has the sum of their gradients.
    const phase = (side: number) => Math.min(side, phases.length - 1);
    for (const path of under("gradients/", fixture.names)) add(`${phase(0)} ${path}`, `gradients/${path}`);
    for (const path of under("against/", fixture.names)) add(`${phase(1)} ${path}`, `against/${path}`);
    const changed = phases.flatMap(({ changes }, i) => changes.map((path) => `${i} ${path}`));
    expect(changed.toSorted()).toEqual([...expected.keys()].toSorted());
    for (const [key, gradient] of expected) {
      const [i, path] = key.split(" ") as [string, string];
      const after = results[Number(i)]?.updates[path];
      const ours = Array.from(after ?? [], (value, at) => (weights[path]?.[at] as number) - value);
      expect(difference(ours, gradient), key).toBeLessThan(1e-5);
    }
  });

  test("some steps of AdamW, in which a weight of both sides counts each of its updates", () => {
    const step = stepOf(program, header, adamw(header));
    let state: Values = startingState(step.slots, weights);
    for (const [i, expected] of header.training.told.entries()) {
      const result = runStep(step, { ...feeds, lr: scalar(header.training.lr), step: scalar(i + 1) }, state);
      expect(Object.keys(result.told).toSorted()).toEqual(Object.keys(expected).toSorted());
      for (const [output, value] of Object.entries(expected))
        expect(difference(result.told[output], [value]), `${output} ${i}`).toBeLessThan(1e-4);
      state = result.state;
    }
    for (const path of under("trained/", fixture.names))
      expect(difference(state[path], fixture.values(`trained/${path}`)), path).toBeLessThan(1e-4);
  });
});

test.each(["gan-mae-joint", "gan-mae-separate"])(
  "the gradients of %s, one side after the other, are slopes",
  (name) => {
    const { fixture, program, weights, feeds } = load(name, (spec) =>
      spec.replace("update: joint", "update: alternate"),
    );
    const { phases, slots } = stepOf(program, fixture.header, plain);
    const step = { ...feeds, lr: scalar(1), step: scalar(1) };
    const state = startingState(slots, weights);
    for (const [side, { graph, changes }] of phases.entries()) {
      // The adversary is given predictions, which weights that it shares would move.
      const moved = changes.filter((path) => side === 0 || path.startsWith("adversary."));
      const shifted = (by: number): Values => ({
        ...state,
        ...Object.fromEntries(
          moved.map((path) => [path, Float64Array.from(state[path] ?? [], (value, i) => value + by * direction(i))]),
        ),
      });
      const lossAt = (by: number): number =>
        evaluate(graph, feedsFor(graph, step), shifted(by)).outputs.loss?.[0] as number;
      const { updates } = evaluate(graph, feedsFor(graph, step), shifted(0));
      const slope = moved.flatMap((path) =>
        Array.from(updates[path] ?? [], (value, i) => ((state[path]?.[i] as number) - value) * direction(i)),
      );
      const width = 1e-5;
      const expected = (lossAt(width) - lossAt(-width)) / (2 * width);
      expect(moved.length).toBeGreaterThan(0);
      const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
      // Parts of both signs all but cancel each other.
      expect(Math.abs(sum(slope) - expected) / sum(slope.map(Math.abs))).toBeLessThan(1e-6);
    }
  },
);

/** A fixed direction in which to move weights, of no special values. */
const direction = (i: number): number => Math.sin(12.9898 * (i + 1));

test("a step in micro-batches is that of the whole batch, for both sides", () => {
  const { fixture, program, weights, feeds } = load("gan-mae-joint", (spec) => spec.replace("joint", "alternate"));
  const { header } = fixture;
  const optimizer = adamw(header);
  const whole = stepOf(program, header, optimizer);
  const given = { ...feeds, lr: scalar(header.training.lr), step: scalar(1) };
  const expected = runStep(whole, given, startingState(whole.slots, weights)).state;
  const parts = trainingStep(program, { batch: header.batch, microBatch: 1, clip: null, optimizer });
  let state: Values = startingState([...parts.slots, ...parts.sums], weights);
  for (const { graph, each } of parts.phases) {
    for (let i = 0; i < (each === "micro-batch" ? header.batch : 1); i++) {
      const sample = Object.entries(feeds).map(([name, values]) => {
        const size = values.length / header.batch;
        return [name, values.slice(i * size, (i + 1) * size)] as const;
      });
      const one = { ...given, ...Object.fromEntries(sample), keep: scalar(i === 0 ? 0 : 1) };
      state = { ...state, ...evaluate(graph, feedsFor(graph, one), state).updates };
    }
  }
  for (const [path, values] of Object.entries(expected))
    expect(difference(state[path], values), path).toBeLessThan(1e-7);
});

test("a loss of the adversary that is not finite stops the run and is found in its own phase", async () => {
  const tiny = tinyProgram();
  const parameters = { ...tiny.parameters, adversary: { scale: parameter([1], { kind: "ones" }) } };
  const program: ModelProgram<typeof parameters> = {
    ...tiny,
    parameters,
    adversary: {
      own: ["adversary"],
      shared: [],
      update: "alternate",
      // Falls without end: the scale passes zero after some steps, beside a model that goes on learning.
      loss(g, w) {
        const total = g.sum(g.log(w.adversary.scale));
        return { total, terms: { adversary: total } };
      },
    },
  };
  const sgd = bound("optimizer", "sgd", { lr: { value: 0.3, per: null }, momentum: 0, weight_decay: 0 });
  const training = recipe(inMemory(stripes(27)), { optimizer: sgd, schedule: bound("schedule", "constant") });
  const executor = await openExecutor("wasm");
  const directory = await mkdtemp(join(tmpdir(), "maelang-adversary-"));
  const run = trained(program as unknown as ModelProgram, training, { directory, executor });
  const error: unknown = await run.catch((e: unknown) => e);
  await executor.close();
  await rm(directory, { recursive: true });
  expect(error).toBeInstanceOf(RunError);
  const { code, what, why } = error as RunError;
  expect(code).toBe("run/loss-not-finite");
  expect(what).toMatch(/^`adversary` of the loss at step 4 is NaN$/);
  expect(why).toMatch(
    /^first bad tensor: log\(adversary\.scale\) \[1\]: 1 of 1 values are not finite; what it reads goes up to /,
  );
});

describe.each(["wasm", "onnx"] as const)("on %s", (backend) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await openExecutor(backend);
  });
  afterAll(() => executor.close());

  test.each(cases)("%s trains as PyTorch does", async (name) => {
    const { fixture, program, weights, feeds } = load(name);
    const { header } = fixture;
    const step = stepOf(program, header, adamw(header));
    const session = await executor.open(step.slots, startingState(step.slots, weights));
    const runners = [];
    for (const { graph } of step.phases) runners.push({ graph, run: await session.load(graph) });
    for (const [i, expected] of header.training.told.entries()) {
      const given = { ...feeds, lr: scalar(header.training.lr), step: scalar(i + 1) };
      let told: Values = {};
      for (const { graph, run } of runners) told = { ...(await run(feedsFor(graph, given))), ...told };
      for (const [output, value] of Object.entries(expected))
        expect(difference(told[output], [value]), `${output} ${i}`).toBeLessThan(1e-4);
    }
    const state = await session.read();
    for (const path of under("trained/", fixture.names))
      expect(difference(state[path], fixture.values(`trained/${path}`)), path).toBeLessThan(1e-4);
    await session.close();
  });

  test.each(cases)("each phase of %s changes the weights of its side and no bit of the others", async (name) => {
    const { fixture, program, weights, feeds } = load(name);
    const { header } = fixture;
    const step = stepOf(program, header, adamw(header));
    const session = await executor.open(step.slots, startingState(step.slots, weights));
    const given = { ...feeds, lr: scalar(header.training.lr), step: scalar(1) };
    const sides = [under("gradients/", fixture.names), under("against/", fixture.names)];
    const expected = step.phases.length === 1 ? [[...new Set(sides.flat())]] : sides;
    for (const [i, { graph }] of step.phases.entries()) {
      const before = await session.read();
      await (await session.load(graph))(feedsFor(graph, given));
      const after = await session.read();
      const changed = Object.keys(before).filter((slot) => !sameBits(before[slot], after[slot]));
      const trained = (expected[i] as readonly string[]).flatMap((path) =>
        // A weight, and with it both of its moments.
        step.slots.filter(({ name: slot, beside }) => slot === path || beside === path).map(({ name: slot }) => slot),
      );
      expect(changed.toSorted(), `phase ${i}`).toEqual(trained.toSorted());
    }
    await session.close();
  });
});

const bitsOf = (values: TypedArray | undefined): Buffer =>
  Buffer.from(values?.buffer ?? new ArrayBuffer(0), values?.byteOffset, values?.byteLength);

const sameBits = (a: TypedArray | undefined, b: TypedArray | undefined): boolean => bitsOf(a).equals(bitsOf(b));

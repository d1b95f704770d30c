/**
 * Teachers: the target, the loss and every weight after several steps as PyTorch has them, in float64 and on executors; what a
 * teacher starts from; what a plan counts.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { namedParameters } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { plan } from "../../compiler/index.js";
import { evaluate, type Values } from "../../graph/index.js";
import { type Executor, openExecutor } from "../../runtime/index.js";
import { momentumInput } from "../../runtime/train/follow.js";
import { feedsFor } from "../../runtime/train/inputs.js";
import { startingState, trainingStep } from "../../runtime/train/step.js";
import { initialWeights, startingWeights, type WeightValues } from "../../runtime/train/weights.js";
import { bound } from "../support/data.js";
import { feedsIn, type RecordedBatch, recorded } from "../support/recorded.js";

interface Header extends RecordedBatch {
  readonly spec: string;
  readonly training: { readonly lr: number; readonly steps: number; readonly losses: readonly number[] };
}

/** A recorded student with its teacher, and the step that trains both. */
function load(name: string) {
  const { fixture, model, weights: start } = recorded<Header>(name);
  const { batch, training } = fixture.header;
  const program = programOf(assemble(model));
  const names = [...namedParameters(program.parameters)].map(([path]) => path);
  const step = trainingStep(program, {
    batch,
    clip: null,
    optimizer: bound("optimizer", "sgd", { lr: { value: training.lr, per: null }, momentum: 0 }),
  });
  const momentum = program.teacher?.momentum({ step: 0, totalSteps: 9, stepsPerEpoch: 3 }) as number;
  const fields = Object.keys(program.fields ?? {}).map((field) => [field, fixture.values(`fields/${field}`)] as const);
  const feeds: Values = {
    ...feedsIn(fixture),
    ...Object.fromEntries(fields),
    lr: Float32Array.of(training.lr),
    step: Float32Array.of(1),
    [momentumInput]: Float64Array.of(momentum),
  };
  return { fixture, model, start, program, names, step, momentum, feeds };
}

const data2vec = load("data2vec");
const { fixture, model, start, program, names, step, momentum, feeds } = data2vec;
const { tokens } = fixture.header;

const expectPyTorch = (
  losses: readonly number[],
  state: Values,
  tolerance: number,
  { fixture, names }: Pick<typeof data2vec, "fixture" | "names"> = data2vec,
): void => {
  const { training } = fixture.header;
  for (const [i, loss] of losses.entries())
    expect(Math.abs(loss - (training.losses[i] as number))).toBeLessThan(tolerance);
  expect(losses).toHaveLength(training.steps);
  for (const name of names) {
    const expected = fixture.values(`after/${name}`);
    const actual = state[name] as Float32Array;
    const most = Math.max(...Array.from(expected, (value, i) => Math.abs(value - (actual[i] as number))));
    expect(most, name).toBeLessThan(tolerance);
  }
};

test.each(["data2vec", "i-jepa"])("student and teacher of %s after several steps, in float64", (name) => {
  const own = name === "data2vec" ? data2vec : load(name);
  const { step, start, feeds } = own;
  const { training } = own.fixture.header;
  let state: Values = startingState(step.slots, start);
  const losses: number[] = [];
  for (let i = 0; i < training.steps; i++) {
    for (const { graph } of step.phases) {
      const held = Object.fromEntries([...graph.state.keys()].map((path) => [path, state[path] as Float32Array]));
      const { outputs, updates } = evaluate(graph, feedsFor(graph, feeds), held);
      state = { ...state, ...updates };
      if (outputs.loss) losses.push(outputs.loss[0] as number);
    }
  }
  expectPyTorch(losses, state, 1e-6, own);
});

describe.each(["wasm", "onnx"] as const)("on %s", (backend) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await openExecutor(backend);
  });
  afterAll(() => executor.close());

  test("student and teacher after several steps", async () => {
    const session = await executor.open(step.slots, startingState(step.slots, start));
    const runners = [];
    for (const { graph } of step.phases) runners.push(await session.load(graph));
    const losses: number[] = [];
    const narrow = { ...feeds, [momentumInput]: Float32Array.of(momentum) };
    for (let i = 0; i < fixture.header.training.steps; i++) {
      for (const [p, { graph }] of step.phases.entries()) {
        const outputs = await runners[p]?.(feedsFor(graph, narrow));
        if (outputs?.loss) losses.push(outputs.loss[0] as number);
      }
    }
    expectPyTorch(losses, await session.read(), 1e-4);
    await session.close();
  });
});

test("a teacher starts as its student, and is no weight that gradients train", () => {
  const weights: WeightValues = initialWeights(program.parameters, 5);
  const taught = names.filter((name) => name.startsWith("teacher."));
  expect(taught.length).toBeGreaterThan(10);
  for (const name of taught) expect(weights[name], name).toEqual(weights[name.slice("teacher.".length)]);
  const [train, follow] = step.phases;
  expect(train?.changes.some((name) => name.startsWith("teacher."))).toBe(false);
  expect(follow?.changes).toEqual(taught.filter((name) => name !== "teacher.pos_embed"));
});

test("a teacher starts as what its student is given, unless it is given something itself", async () => {
  const given = { "norm.bias": new Float32Array(16).fill(3), "norm.weight": new Float32Array(16).fill(2) };
  const own = { "teacher.norm.bias": new Float32Array(16).fill(4) };
  const weights = await startingWeights(program.parameters, 5, { ...given, ...own });
  expect(weights["teacher.norm.weight"]).toEqual(given["norm.weight"]);
  expect(weights).toMatchObject({ ...given, ...own });
});

test("a plan counts what the teacher copies apart from what is trained", () => {
  const { parameters, trainable, parts } = plan(model);
  const teacher = parts.find(({ name }) => name === "teacher")?.parameters as number;
  const decoder = parts.filter(({ name }) => ["mask_token", "decoder_pred"].includes(name));
  const student = parameters - teacher - decoder.reduce((sum, part) => sum + part.parameters, 0);
  expect(teacher).toBe(student);
  expect(trainable).toBe(parameters - teacher - (1 + tokens.total) * 16);
});

/**
 * Fine-tuning as PyTorch and timm do it (test/reference/fine-tuning.py): layer-wise rates, drop path, dropout, mixup and CutMix, a running
 * average. From the same weights, with the same draws, the losses of 20 steps and the weights after them agree on every executor that is here.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrayOf, type Mixing } from "../../blocks/index.js";
import { averageName } from "../../runtime/checkpoint/stored.js";
import { mixArrays, mixNumbers } from "../../runtime/data/mix.js";
import { type Executor, openExecutor } from "../../runtime/index.js";
import { feedsFor, scalar } from "../../runtime/train/inputs.js";
import { learningRate } from "../../runtime/train/pace.js";
import { startingState, trainingStep } from "../../runtime/train/step.js";
import { readFixture } from "../reference/fixture.js";
import { backendsHere } from "../support/backends.js";
import { bound, recipe } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { difference, under, weightsIn } from "../support/recorded.js";
import { referenceExecutor } from "../support/reference-executor.js";

interface Step {
  readonly lr: number;
  readonly samples: readonly number[];
  readonly share: number;
  readonly box: readonly [top: number, bottom: number, left: number, right: number] | null;
  readonly loss: number;
}

interface Header {
  readonly spec: string;
  readonly batch: number;
  readonly classes: number;
  readonly average: number;
  readonly optimizer: Readonly<Record<string, unknown>>;
  readonly schedule: { readonly peak: number; readonly min_lr: number; readonly warmup: number };
  readonly steps: readonly Step[];
}

const fixture = readFixture<Header>("fine-tuning");
const { spec, batch, classes, average, optimizer: values, schedule, steps } = fixture.header;
const program = programOfText(spec);
const { shape } = arrayOf(program);
const training = recipe([], {
  ...{ batch, average, steps: steps.length },
  optimizer: bound("optimizer", "adamw", { ...values, lr: { value: schedule.peak, per: null } }),
  schedule: bound("schedule", "cosine", {
    warmup: { amount: schedule.warmup, unit: "steps" },
    min_lr: schedule.min_lr,
  }),
});

const mixingOf = ({ share, box }: Step): Mixing => {
  if (box === null) return { share, box };
  const [top, bottom, left, right] = box;
  return { share, box: { top, left, height: bottom - top, width: right - left } };
};

/** What a step is fed: samples of the fixture, mixed as it says. */
function feedsAt(at: number) {
  const step = steps[at] as Step;
  const rows = (name: string, length: number): Float32Array => {
    const all = fixture.values(name);
    return Float32Array.from(step.samples.flatMap((i) => [...all.subarray(i * length, (i + 1) * length)]));
  };
  const image = rows(
    "image",
    shape.axes.reduce((product, { size }) => product * size, shape.channels),
  );
  const labels = Float32Array.from(rows("labels", 1)).reduce(
    (all, label, i) => {
      all[i * classes + label] = 1;
      return all;
    },
    new Float32Array(batch * classes),
  );
  mixArrays(image, shape, mixingOf(step));
  mixNumbers(labels, classes, step.share);
  const drops = fixture.values("drops");
  const length = drops.length / steps.length;
  const lr = learningRate(training, at, { stepsPerEpoch: 1, totalSteps: steps.length });
  expect(Math.abs(lr - step.lr)).toBeLessThan(1e-12);
  return { image, labels, drops: drops.slice(at * length, (at + 1) * length), lr: scalar(lr), step: scalar(at + 1) };
}

/**
 * Without the biases of keys: softmax takes the same from all scores of a query, so that their gradients are nothing but rounding, which
 * Adam makes as long as any other step.
 */
function judged(name: string, numbers: ArrayLike<number> | undefined): readonly number[] {
  const all = Array.from(numbers ?? []);
  if (!name.endsWith("attn.qkv.bias")) return all;
  const third = all.length / 3;
  return [...all.slice(0, third), ...all.slice(2 * third)];
}

describe.each(["reference", ...backendsHere] as const)("on %s", (backend) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = backend === "reference" ? referenceExecutor : await openExecutor(backend);
  });
  afterAll(() => executor.close());

  it("20 steps have PyTorch's losses, weights and running averages", async () => {
    const { phases, slots } = trainingStep(program, training);
    const session = await executor.open(slots, startingState(slots, weightsIn(fixture)));
    const loaded = [];
    for (const { graph } of phases) loaded.push({ graph, run: await session.load(graph) });
    const losses: number[] = [];
    for (const at of steps.keys()) {
      for (const { graph, run } of loaded) {
        const { loss } = await run(feedsFor(graph, feedsAt(at)));
        if (loss) losses.push(loss[0] as number);
      }
    }
    const tolerance = backend === "reference" ? 1e-6 : 1e-4;
    for (const [i, { loss }] of steps.entries())
      expect(Math.abs((losses[i] as number) / loss - 1)).toBeLessThan(tolerance);
    const names = under("weights/", fixture.names);
    const state = await session.read([...names, ...names.map(averageName)]);
    for (const name of names) {
      for (const [own, recorded] of [
        [name, `after/${name}`],
        [averageName(name), `average/${name}`],
      ] as const) {
        const wanted = judged(name, fixture.values(recorded));
        expect(difference(judged(name, state[own]), wanted), own).toBeLessThan(1e-4);
      }
    }
    await session.close();
  });
});

/** Training from end to end on a hand-written program: it learns, and a run that was cut anywhere goes on as if it had not been. */

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { imageOf, type Sample } from "../../blocks/index.js";
import { newestCheckpoint, readCheckpoint } from "../../runtime/checkpoint/checkpoint.js";
import { batchOrder, repeated } from "../../runtime/data/order.js";
import {
  type Executor,
  openExecutor,
  RunError,
  type Session,
  type TrainEvent,
  type Training,
  train,
} from "../../runtime/index.js";
import type { TrainOptions } from "../../runtime/train/contract.js";
import { bound, indexOf, inMemory, recipe, stripes } from "../support/data.js";
import { differing } from "../support/runs.js";
import { tinyProgram } from "../support/tiny-program.js";

const program = tinyProgram();
const data = inMemory(stripes(27));
let executor: Executor;
let parent: string;
let directory: string;
let events: TrainEvent[];

beforeAll(async () => {
  executor = await openExecutor("wasm");
  parent = await mkdtemp(join(tmpdir(), "maelang-train-"));
});
afterAll(async () => {
  await executor.close();
  await rm(parent, { recursive: true });
});
beforeEach(async () => {
  directory = join(await mkdtemp(join(parent, "run-")), "deep");
  events = [];
});

const run = (training: Training, changes: Partial<TrainOptions> = {}, trained = program) =>
  train(trained, training, {
    directory,
    root: ".",
    executor,
    resume: false,
    spec: "model Tiny {}",
    workers: 0,
    checkpointEvery: { steps: 3 },
    signal: new AbortController().signal,
    report: (event) => events.push(event),
    ...changes,
  });

const failure = async (promise: Promise<unknown>): Promise<RunError> => {
  const error = await promise.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RunError);
  return error as RunError;
};

const losses = () => events.flatMap((event) => (event.kind === "step" ? [event.loss] : []));
const logLines = async () =>
  (await readFile(join(directory, "log.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("a run", () => {
  it("learns, and tells how it goes", async () => {
    const result = await run(recipe(data, { steps: 60, clip: 1 }));
    expect(result).toMatchObject({ step: 60, interrupted: false });
    expect(losses()).toHaveLength(60);
    expect(
      losses()
        .slice(-5)
        .every((loss) => loss < 0.5 * (losses()[0] as number)),
    ).toBe(true);
    expect(events[0]).toMatchObject({ kind: "start", totalSteps: 60, stepsPerEpoch: 3, samples: 27, parameters: 436 });
    expect(events.at(-1)).toMatchObject({ kind: "end", step: 60, interrupted: false });
    const [first, ...rest] = await logLines();
    expect(first).toMatchObject({ kind: "run", program: "Tiny", seed: 3, backend: "wasm", samples: 27 });
    const steps = rest.filter(({ kind }) => kind === "step");
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(steps[4]).toMatchObject({ epoch: 1, loss: losses()[4], terms: { mse: losses()[4] } });
    expect(steps[0].lr).toBe(0);
    expect(steps[0].gradient_norm).toBeGreaterThan(0);
  });

  it("takes each sample as often as the recipe says, each time with what is drawn for it anew", async () => {
    await run(recipe(data, { epochs: 1, steps: null, batch: 9, repeat: 2 }));
    expect(events[0]).toMatchObject({ kind: "start", totalSteps: 6, stepsPerEpoch: 6, samples: 27 });
    const index = repeated(indexOf([1, 2, 3].map((label) => ({ ...(stripes(1)[0] as Sample), label }))), 2);
    const order = batchOrder(index.length, 6, 3)(0).samples;
    expect(new Set(order).size).toBe(6);
    expect([...order].map((i) => index.sample(i).label).sort()).toEqual([1, 1, 2, 2, 3, 3]);
    const refused = await failure(run(recipe(data, { batch: 60, repeat: 2 }), { directory: join(directory, "more") }));
    expect(refused.message).toMatch(/27 samples, which an epoch has 2 times, .* Write `batch 54` or less/);
  });

  it("keeps the newest two checkpoints, with all that a continuation needs", async () => {
    await run(recipe(data, { epochs: 3, steps: null }));
    const names = (await readdir(directory)).filter((name) => name.endsWith("safetensors")).sort();
    expect(names).toEqual(["checkpoint-6.safetensors", "checkpoint-9.safetensors"]);
    const checkpoint = await newestCheckpoint(directory);
    expect(checkpoint).toMatchObject({ program: "Tiny", step: 9, seed: 3, spec: "model Tiny {}" });
    expect(checkpoint.cursor).toEqual({ epoch: 3, batch: 0, samples: 27, batchSize: 8 });
    const weights = [
      "embed.weight",
      "embed.bias",
      "positions",
      "blocks.0.scale",
      "blocks.0.shift",
      "head.weight",
      "head.bias",
    ];
    const trained = weights.filter((name) => name !== "positions");
    const moments = ["m", "v"].flatMap((state) => trained.map((name) => `optimizer.${state}.${name}`));
    expect(Object.keys(checkpoint.state).sort()).toEqual([...weights, ...moments].sort());
    expect(checkpoint.shapes.positions).toEqual([1, 16, 16]);
  });

  it("is saved as often as it is told, by steps, epochs or seconds", async () => {
    for (const [every, steps] of [
      [{ seconds: 0 }, [0, 1, 2, 3, 4]],
      [{ seconds: 3600 }, [0, 4]],
      [{ epochs: 1 }, [0, 3, 4]],
      [{ steps: 2, epochs: 1 }, [0, 2, 3, 4]],
    ] as const) {
      directory = join(parent, `saved-${JSON.stringify(every)}`);
      events = [];
      await run(recipe(data, { steps: 4 }), { checkpointEvery: every });
      expect(events.flatMap((event) => (event.kind === "checkpoint" ? [event.step] : []))).toEqual(steps);
    }
  });

  it("is not started over another", async () => {
    await run(recipe(data, { steps: 1 }));
    expect((await failure(run(recipe(data)))).code).toBe("run/run-exists");
  });

  it("is refused in a number format that the executor has not", async () => {
    const error = await failure(run(recipe(data, { precision: "bfloat16" })));
    expect(error).toMatchObject({ code: "run/precision", help: expect.stringContaining("--backend xla") });
  });

  it("needs as many samples as a batch has", async () => {
    const error = await failure(run(recipe(data, { batch: 28 })));
    expect(error).toMatchObject({ code: "run/too-few-samples", help: expect.stringContaining("`batch 27`") });
  });
});

describe("a continued run", () => {
  it("equals one that was never interrupted, bit for bit", async () => {
    const training = recipe(data, { augment: [bound("augment", "horizontal_flip")], clip: 0.5 });
    const whole = await run(training);
    const expected = await readCheckpoint(whole.checkpoint);
    const expectedLosses = losses();
    for (const stop of [0, 1, 4]) {
      directory = join(parent, `stopped-${stop}`);
      events = [];
      const abort = new AbortController();
      if (stop === 0) abort.abort();
      const first = await run(training, {
        signal: abort.signal,
        report: (event) => {
          events.push(event);
          if (event.kind === "step" && event.step === stop) abort.abort();
        },
      });
      expect(first).toMatchObject({ step: stop, interrupted: true });
      const second = await run(training, { resume: true });
      const found = await readCheckpoint(second.checkpoint);
      expect(differing(found.state, expected.state)).toEqual([]);
      expect(losses()).toEqual(expectedLosses);
      const logged = (await logLines()).filter(({ kind }) => kind === "step");
      expect(logged.map(({ loss }) => loss)).toEqual(expectedLosses);
    }
  });

  it("drops log lines that its checkpoint does not know", async () => {
    await run(recipe(data, { steps: 3 }));
    const path = join(directory, "log.jsonl");
    const text = await readFile(path, "utf8");
    await writeFile(path, `${text}{"kind":"step","step":4,"loss":1}\n{"kind":"step","st`);
    await run(recipe(data, { steps: 5 }), { resume: true });
    const lines = await logLines();
    expect(lines.filter(({ kind }) => kind === "step").map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(lines.filter(({ kind }) => kind === "resume")).toHaveLength(1);
  });

  it("with nothing left to do changes nothing", async () => {
    const first = await run(recipe(data, { steps: 4 }));
    const second = await run(recipe(data, { steps: 4 }), { resume: true });
    expect(second).toEqual({ step: 4, loss: null, interrupted: false, checkpoint: first.checkpoint });
  });

  it("tells data of the same size but other content or labels", async () => {
    await run(recipe(data, { steps: 1 }));
    const [first, ...rest] = stripes(27) as [ReturnType<typeof stripes>[number], ...ReturnType<typeof stripes>];
    const dark = { ...first, pixels: new Uint8Array(64) };
    for (const [sample, words] of [
      [{ ...first, label: 2 }, "samples have other labels"],
      [dark, "samples have other contents under the same names"],
    ] as const) {
      const other = inMemory([sample as typeof first, ...rest]);
      const error = await failure(run(recipe(other, { steps: 2 }), { resume: true }));
      expect(error).toMatchObject({ code: "run/resume-mismatch", why: words });
    }
    expect(await run(recipe(inMemory(stripes(27)), { steps: 2 }), { resume: true })).toMatchObject({ step: 2 });
  });

  it("needs a checkpoint, the same data and the same model", async () => {
    expect((await failure(run(recipe(data), { resume: true }))).code).toBe("run/checkpoint-missing");
    await run(recipe(data, { steps: 1 }));
    const changes: [Training, RegExp][] = [
      [recipe(inMemory(stripes(26))), /27 samples and now there are 26/],
      [recipe(data, { batch: 9 }), /8 samples a batch and now there are 9/],
      [recipe(data, { seed: 4 }), /3 as seed and now there are 4/],
    ];
    for (const [training, words] of changes) {
      const error = await failure(run(training, { resume: true }));
      expect(error.code).toBe("run/resume-mismatch");
      expect(error.why).toMatch(words);
    }
    const other = await failure(run(recipe(data), { resume: true }, tinyProgram({ width: 12 })));
    expect(other.code).toBe("run/checkpoint-mismatch");
    expect(other.why).toMatch(/of another shape: embed.weight is \[16, 4\] there and \[12, 4\] here/);
    const sgd = bound("optimizer", "sgd", { lr: { value: 0.01, per: null } });
    const moments = await failure(run(recipe(data, { optimizer: sgd }), { resume: true }));
    expect(moments.why).toMatch(/unexpected: optimizer\./);
  });
});

describe("a loss that is not finite", () => {
  const wild = (changes: Partial<Training> = {}) =>
    recipe(data, {
      optimizer: bound("optimizer", "sgd", { lr: { value: 1e18, per: null } }),
      schedule: bound("schedule", "constant", { warmup: { amount: 5, unit: "steps" } }),
      ...changes,
    });

  it("stops the run, names the first bad tensor and leaves the last checkpoint", async () => {
    const lineOf = (weight: string) => (weight.startsWith("head") ? "tiny.mae:9" : "tiny.mae:5");
    const error = await failure(run(wild(), { checkpointEvery: { steps: 1 }, lineOf }));
    expect(error.code).toBe("run/loss-not-finite");
    expect(error.what).toMatch(/^The loss at step \d+ is (NaN|Infinity|-Infinity)$/);
    expect(error.why).toMatch(
      /^first bad tensor: \w+(\(.*\))? (in .* )?\[.*\]: [\d,]+ of [\d,]+ values are not finite; what it reads goes up to [\d.e+]+; its part of the model is tiny\.mae:\d+$/,
    );
    expect(error.help).toMatch(
      /Lower the learning rate \(.* at this step\), write `clip 1` .* in a new run\. .*checkpoint-\d+/,
    );
    const checkpoint = await newestCheckpoint(directory);
    for (const values of Object.values(checkpoint.state)) expect(values.every(Number.isFinite)).toBe(true);
    expect((await logLines()).at(-1)).toMatchObject({ kind: "failure", code: "run/loss-not-finite" });
    expect(checkpoint.step).toBe(losses().length);
  });

  it("is found by repeating the steps since the last checkpoint", async () => {
    const error = await failure(run(wild(), { checkpointEvery: {} }));
    expect(error.why).toMatch(/^first bad tensor: /);
    expect(error.help).toMatch(/in a new run\. .*checkpoint-0\.safetensors\. .* kept in .*trouble-\d+\.json/);
    const step = losses().length;
    const kept = JSON.parse(await readFile(join(directory, `trouble-${step + 1}.json`), "utf8"));
    const { samples } = batchOrder(27, 8, 3)(step);
    expect(kept).toMatchObject({ step: step + 1, seed: 3, first_bad: { kind: "computed" } });
    expect(kept.samples.map(({ index }: { index: number }) => index)).toEqual([...samples]);
    const before = await readCheckpoint(join(directory, kept.weights));
    expect(before.step).toBe(step);
    expect(Object.values(before.state).every((values) => values.every(Number.isFinite))).toBe(true);
    expect(events.some((event) => event.kind === "note" && /repeating [1-9]\d* steps/.test(event.text))).toBe(true);
    const slow = recipe(data, { optimizer: bound("optimizer", "sgd", { lr: { value: 0.1, per: null } }) });
    expect((await run(slow, { resume: true })).step).toBe(8);
  });

  it("that comes from the data names the feed", async () => {
    const pixels = Float32Array.from({ length: 64 }, (_, i) => (i === 5 ? NaN : 0.5));
    const bad = { kind: "pixels", pixels, shape: imageOf(program), label: null } as const;
    const error = await failure(run(recipe(inMemory([bad]), { batch: 1 })));
    expect(error.why).toBe("first bad tensor: image: 1 of 64 values are not finite of sample 0");
    expect(error.help).toMatch(/^Look at the data: sample 0\./);
  });

  /** One of the stripes is broken, so that one step of each epoch is, unless it is among those that fill no batch. */
  const holed = inMemory(
    stripes(27).map((sample, i) =>
      i === 11 && sample.kind === "pixels"
        ? { ...sample, pixels: Float32Array.from(sample.pixels).fill(NaN, 3, 5) }
        : sample,
    ),
  );
  const brokenSteps = (steps: number) =>
    Array.from({ length: steps }, (_, i) => i + 1).filter((step) =>
      batchOrder(27, 8, 3)(step - 1).samples.includes(11),
    );

  it("is left out where the recipe rolls back: the same run, whenever it is saved and wherever it goes on", async () => {
    const training = recipe(holed, { steps: 10, onNan: "rollback", schedule: bound("schedule", "constant") });
    await run(training, { checkpointEvery: {} });
    const rolled = (await logLines()).filter(({ kind }) => kind === "rollback");
    expect(rolled.map(({ step }) => step)).toEqual(brokenSteps(10));
    expect(brokenSteps(10).length).toBeGreaterThan(1);
    expect(rolled[0].text).toMatch(
      /^step \d+ is left out: The loss at step \d+ is NaN: first bad tensor: image: 2 of 512 values are not finite of sample 11$/,
    );
    const whole = await newestCheckpoint(directory);
    directory = join(await mkdtemp(join(parent, "run-")), "often");
    await run({ ...training, steps: 5 }, { checkpointEvery: { steps: 1 } });
    await run(training, { checkpointEvery: { steps: 2 }, resume: true });
    const often = await newestCheckpoint(directory);
    expect(often.step).toBe(10);
    expect(differing(often.state, whole.state)).toEqual([]);
    const told = (await logLines()).flatMap(({ kind, step }) => (kind === "step" ? [step] : []));
    expect(told).toEqual(Array.from({ length: 10 }, (_, i) => i + 1).filter((step) => !brokenSteps(10).includes(step)));
  });

  it("ends a run that rolls back when too many steps break", async () => {
    const error = await failure(run(wild({ steps: 40, onNan: "rollback" }), { checkpointEvery: { steps: 1 } }));
    expect(error.why).toMatch(/^10 steps have been left out already; first bad tensor/);
    expect((await logLines()).filter(({ kind }) => kind === "rollback")).toHaveLength(10);
  });

  describe("because a gradient was not", () => {
    /** The root of nothing: its value is sound, its slope is not. */
    const steep = {
      ...program,
      loss(...given: Parameters<typeof program.loss>) {
        const [g, w] = given;
        const { total, terms } = program.loss(...given);
        const root = g.sum(g.sqrt(g.mul(w.head.bias, 0)));
        return { total: g.add(total, g.mul(root, 0)), terms };
      },
    };

    it.each([
      ["a step later, by its loss", {}, {}, "run/loss-not-finite", "The loss at step 2 is NaN", " at step 1"],
      [
        "at once, by its norm",
        { gradientNorm: true },
        {},
        "run/gradient-not-finite",
        "The norm of the gradients at step 1 is NaN",
        "",
      ],
      [
        "at once, by the weights",
        {},
        { debugNan: true },
        "run/weights-not-finite",
        "The weights after step 1 are not finite",
        "",
      ],
    ])("is found %s", async (_, changes, options, code, what, when) => {
      const error = await failure(run(recipe(data, { ...changes }), { checkpointEvery: {}, ...options }, steep));
      expect(error).toMatchObject({ code, what });
      expect(error.why).toMatch(
        new RegExp(`^first bad tensor${when}: \\w+ in gradient.*: \\d+ of \\d+ values are not finite`),
      );
      expect(await readdir(directory)).toContain("trouble-1.json");
    });
  });

  it("can come too late: weights that are not finite are kept out of checkpoints", async () => {
    // The loss of a step is of the weights before it, so no loss sees those of the last.
    const endless = wild({ steps: 1, optimizer: bound("optimizer", "sgd", { lr: { value: 1e39, per: null } }) });
    const error = await failure(run({ ...endless, schedule: bound("schedule", "constant") }));
    expect(error.code).toBe("run/weights-not-finite");
    expect(error.why).toMatch(/values are not finite/);
    expect((await newestCheckpoint(directory)).step).toBe(0);
  });
});

describe("probes", () => {
  const evaluate: Training["evaluate"] = [
    { probe: bound("probe", "knn"), every: { amount: 1, unit: "epochs" } },
    { probe: bound("probe", "linear"), every: null },
  ];

  it("run when the recipe says and at the end, on the weights of that moment", async () => {
    const seen: Float32Array[] = [];
    await run(recipe(data, { steps: 7, evaluate }), {
      probe: async ({ weights, step }) => {
        seen.push(weights["head.bias"] as Float32Array);
        return { top1: step / 10 };
      },
    });
    const told = events.flatMap((event) =>
      event.kind === "probe" ? [[event.name, event.step, event.scores.top1]] : [],
    );
    expect(told).toEqual([
      ["knn", 3, 0.3],
      ["knn", 6, 0.6],
      ["knn", 7, 0.7],
      ["linear", 7, 0.7],
    ]);
    expect(seen[0]).not.toEqual(seen[1]);
    expect(seen[3]).toEqual((await newestCheckpoint(directory)).state["head.bias"]);
    expect((await logLines()).filter(({ kind }) => kind === "probe")).toHaveLength(4);
  });

  it("that were interrupted are run when the run goes on, and those that were not are left", async () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const probe = (isCut: boolean): NonNullable<TrainOptions["probe"]> => {
      return async ({ probe: { definition }, step }) => {
        seen.push(`${definition.name} ${step}`);
        if (isCut && seen.length === 4) abort.abort();
        return { top1: step };
      };
    };
    const training = recipe(data, { steps: 6, evaluate: [...evaluate, ...evaluate] });
    const first = await run(training, { probe: probe(true), signal: abort.signal });
    expect(first).toMatchObject({ step: 6, interrupted: true });
    expect(await run(training, { probe: probe(false), resume: true })).toMatchObject({ step: 6, interrupted: false });
    expect(seen).toEqual(["knn 3", "knn 3", "knn 6", "linear 6", "linear 6", "knn 6", "linear 6"]);
    const logged = (await logLines()).filter(({ kind }) => kind === "probe" || kind === "end");
    expect(logged.map(({ kind, step, name, interrupted }) => [kind, step, name ?? interrupted])).toEqual([
      ...[
        ["probe", 3, "knn"],
        ["probe", 3, "knn"],
        ["probe", 6, "knn"],
      ],
      ...[
        ["end", 6, true],
        ["probe", 6, "linear"],
        ["probe", 6, "knn"],
        ["probe", 6, "linear"],
        ["end", 6, false],
      ],
    ]);
  });

  it("that cannot be run are told and do not end the training", async () => {
    const result = await run(recipe(data, { steps: 3, evaluate }), {
      probe: async () => {
        throw new RunError("run/data", { what: "No labels", help: "Give some." });
      },
    });
    expect(result.step).toBe(3);
    expect(events.filter((event) => event.kind === "note" && event.text.includes("No labels"))).toHaveLength(2);
  });
});

describe("the executor", () => {
  it("holds no more tensors after many steps than after one", async () => {
    const counts: number[] = [];
    const watched: Executor = {
      ...executor,
      open: async (...open) => {
        const session = await executor.open(...open);
        const load: Session["load"] = async (graph) => {
          const runner = await session.load(graph);
          return async (feeds) => {
            const outputs = await runner(feeds);
            counts.push(session.memory().tensors);
            return outputs;
          };
        };
        return { ...session, load };
      },
    };
    await run(recipe(data, { steps: 6 }), { executor: watched });
    expect(counts).toHaveLength(6);
    expect(new Set(counts.slice(1)).size).toBe(1);
  });
});

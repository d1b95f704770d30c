/** `mae train`, `show` and `eval` on real pictures, with a model that is small enough for a test. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleForNode, removeBundle } from "../support/bundle.js";
import { folder, interrupted, jsonLines, mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

const spec = `edition 2026\n\n${smallModel}\n${smallRecipe(16, 6)}`.replace(
  "  schedule  constant",
  "  schedule  constant\n  evaluate  ridge every 2 steps",
);

const env = { XDG_CACHE_HOME: folder() };
const flags = ["--backend", "wasm", "--workers", "0"];
let cwd = "";
let trained: Awaited<ReturnType<typeof mae>>;
const run = (args: readonly string[]) => mae(args, { cwd, env });
const stepsOf = (stdout: string) => jsonLines(stdout).filter(({ kind }) => kind === "step");

// Each command loads and compiles its model anew, so that all tests share one run, or change a copy of it.
beforeAll(async () => {
  cwd = await project({ "small.mae": spec });
  trained = await run(["train", "small.mae", ...flags, "--steps", "3", "--json"]);
});

/** A copy of the run to spoil. */
const copy = (name: string): void => cpSync(join(cwd, "runs/small"), join(cwd, name), { recursive: true });

describe("a run", () => {
  it("tells its events as JSON lines on stdout and ends with a picture", () => {
    expect(trained.stderr).toContain("3 steps");
    expect(trained.code).toBe(0);
    const events = jsonLines(trained.stdout);
    expect(stepsOf(trained.stdout).map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(events.find((event) => event.kind === "start")).toMatchObject({ total_steps: 3 });
    expect(events.at(-1)).toMatchObject({ kind: "note", text: expect.stringContaining("reconstruction.png") });
  });

  it("judges its features where the recipe says so", () => {
    const probes = jsonLines(trained.stdout).filter((event) => event.kind === "probe");
    expect(probes.map(({ step }) => step)).toEqual([2, 3]);
    for (const { scores } of probes as { scores: Record<string, number> }[]) {
      expect(Object.keys(scores)).toContain("mean/top1");
      for (const score of Object.values(scores)) expect(score).toBeGreaterThan(0);
    }
  });

  it("leaves everything behind that is needed to look at it again", () => {
    const files = readdirSync(join(cwd, "runs/small"));
    const kept = ["checkpoint-3.safetensors", "log.jsonl", "program.ts", "reconstruction.png", "run.json"];
    expect(files).toEqual(expect.arrayContaining([...kept, "spec.mae"]));
    const facts = JSON.parse(readFileSync(join(cwd, "runs/small/run.json"), "utf8"));
    expect(facts).toMatchObject({ model: "Small", recipe: "Train", settings: { batch: 16, steps: 3, seed: 0 } });
    expect(facts.executor.backend).toBe("wasm");
  });

  it("lets plans say how long steps of its size take, and none a thousand times as large", async () => {
    const planned = async (...args: string[]) => JSON.parse((await run(["plan", ...args, "--json"])).stdout);
    const { flops, time } = await planned("small.mae");
    expect(time).toMatchObject({ flops_at_once: 16 * flops.training, device: expect.stringMatching(/^wasm, /) });
    expect(time.seconds_per_step).toBeCloseTo((16 * flops.training) / time.flops_per_second, 12);
    expect(time.seconds).toBeCloseTo(6 * time.seconds_per_step, 12);
    expect(
      (await planned("small.mae", "--batch", "20000", "--micro-batch", "20000", "--samples", "20000")).time,
    ).toBeNull();
  });

  it("keeps a spec that checks without any other file", async () => {
    expect((await run(["check", "runs/small/spec.mae"])).code).toBe(0);
    expect((await run(["fmt", "--check", "runs/small/spec.mae"])).code).toBe(0);
  });

  it("is not overwritten unasked", async () => {
    const { code, stderr } = await run(["train", "small.mae", ...flags]);
    expect(code).toBe(1);
    expect(stderr).toContain("runs/small already holds a run");
    expect(stderr).toContain("--resume");
    expect(existsSync(join(cwd, "runs/small/checkpoint-3.safetensors"))).toBe(true);
  });

  it("is shown, also when its folder has moved", async () => {
    renameSync(join(cwd, "runs/small"), join(cwd, "moved"));
    const { code, stdout, stderr } = await run([
      "show",
      "moved",
      "--count",
      "3",
      "--out",
      "p.png",
      "--backend",
      "wasm",
    ]);
    renameSync(join(cwd, "moved"), join(cwd, "runs/small"));
    expect({ code, stdout }).toEqual({ code: 0, stdout: "p.png\n" });
    expect(stderr).toContain("of 3 images");
    expect(readFileSync(join(cwd, "p.png")).subarray(1, 4).toString("latin1")).toBe("PNG");
  });

  it("is judged beside an untrained encoder and the pixels", async () => {
    const judging = (probes: string) => [
      "eval",
      "runs/small",
      "--with",
      probes,
      "--features",
      "mean",
      "--backend",
      "wasm",
    ];
    const { code, stdout } = await run([...judging("knn"), "--json"]);
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ format_version: "2.0", model: "Small", step: 3, classes: 3 });
    expect(result.rows.map((row: { source: string }) => row.source)).toEqual(["encoder", "untrained", "pixels"]);
    for (const row of result.rows) expect(Object.values(row.scores)[0]).toBeGreaterThan(0);
    const table = await run([...judging("knn,ridge"), "--no-baselines"]);
    expect(table.stdout).toMatch(/^ +knn +ridge\ntrained encoder, mean of patches +\d+\.\d\d % +\d+\.\d\d %$/m);
    expect(table.stdout).toMatch(/^auroc +ridge\ntrained encoder, mean of patches +\d+\.\d\d %$/m);
    expect(table.stdout).not.toContain("untrained");
  });

  it("a classifier is judged by every probe that its data allow, where none is named", async () => {
    const [before] = smallModel.split("  mask") as [string];
    const judged = "  head    classifier(classes: 3)\n  loss    cross_entropy\n}\n";
    const classifier = `${before}  encoder vit(depth: 1, width: 16, heads: 2)\n${judged}${smallRecipe(8, 2)}`;
    writeFileSync(join(cwd, "named.mae"), `edition 2026\n${classifier}`);
    expect((await run(["train", "named.mae", "--out", "runs/named", "--backend", "wasm"])).code).toBe(0);
    const { code, stdout } = await run(["eval", "runs/named", "--features", "mean", "--no-baselines", "--json"]);
    expect(code).toBe(0);
    const probes = new Set(JSON.parse(stdout).rows.map((row: { probe: string }) => row.probe));
    expect([...probes]).toEqual(expect.arrayContaining(["accuracy", "knn", "linear", "rank"]));
    expect(probes).not.toContain("regression");
  });

  it("an unknown probe is a usage error with a suggestion", async () => {
    const { code, stderr } = await run(["eval", "runs/small", "--with", "kn"]);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean "knn"?');
  });

  it("does not go on where the text has another rate, batch, seed or length", async () => {
    for (const [from, to] of [
      ["lr: 1e-3", "lr: 2e-3"],
      [/batch +16/, "batch 8"],
      [/steps +6/, "steps 7"],
      [/steps +6/, "steps 6\n  seed 1"],
    ] as const) {
      writeFileSync(join(cwd, "other.mae"), spec.replace(from, to));
      const { code, stderr } = await run(["train", "other.mae", ...flags, "--out", "runs/small", "--resume"]);
      expect({ to, code, stderr }).toEqual({ to, code: 1, stderr: expect.stringContaining("the spec has changed") });
      if (from === "lr: 1e-3") expect(stderr).toContain("0.002");
    }
  });
});

it("micro-batches of a size that does not divide the batch are a usage error, before anything is written", async () => {
  const { code, stderr } = await run(["train", "small.mae", ...flags, "--micro-batch", "5", "--out", "none"]);
  expect(code).toBe(2);
  expect(stderr).toContain("nearest sizes that divide it: 4 and 8");
  expect(existsSync(join(cwd, "none/run.json"))).toBe(false);
});

describe("Ctrl-C", () => {
  it("saves, says how to go on, and what goes on, also under another comment, ends where an uninterrupted run does", async () => {
    const train = ["train", "small.mae", "--out", "cut", ...flags, "--json"];
    const { code, stderr } = await interrupted([...train, "--steps", "3"], { cwd, env }, /"step":1,/);
    expect(stderr).toContain("Ctrl-C again stops at once");
    expect(stderr).toContain("go on with: mae train small.mae Train --resume");
    expect(code).toBe(130);
    writeFileSync(join(cwd, "small.mae"), spec.replace("model Small", "/// In other words.\nmodel Small"));
    const resumed = await run([...train, "--resume"]);
    writeFileSync(join(cwd, "small.mae"), spec);
    expect(resumed.code).toBe(0);
    const [steps, whole] = [resumed, trained].map(({ stdout }) =>
      stepsOf(stdout).map(({ step, loss }) => [step, loss]),
    );
    // A step that has begun when Ctrl-C comes is finished first.
    expect(steps?.length).toBeGreaterThan(0);
    expect(steps).toEqual(whole?.slice(-(steps as readonly unknown[]).length));
  });

  describe("in one folder", () => {
    const train = ["train", "small.mae", ...flags, "--out", "early", "--json"];
    const micro = [
      "train",
      "small.mae",
      ...flags,
      "--out",
      "early",
      "--micro-batch",
      "4",
      "--recompute",
      "--steps",
      "1",
    ];

    it("while a run starts ends it, and leaves nothing that stands in the way of the next one", async () => {
      const { code, stderr } = await interrupted(train, { cwd, env }, /"kind":"start"/);
      expect(stderr).toContain("stopping: no step has been trained, so there is nothing to save");
      expect(code).toBe(130);
      expect(readdirSync(join(cwd, "early"))).toEqual([]);
    });

    it("or a lost terminal in the first step leaves a checkpoint, and no obstacle to beginning anew", async () => {
      const { code, stderr } = await interrupted(train, { cwd, env }, /"kind":"checkpoint","step":0/, "SIGHUP");
      expect(stderr).toContain("stopped after step 0; everything is saved");
      expect(code).toBe(130);
      const first = await run(micro);
      expect(first.code).toBe(0);
      expect(first.stderr).toContain("a batch of 16 is computed as 4 micro-batches of 4");
      const facts = JSON.parse(readFileSync(join(cwd, "early/run.json"), "utf8"));
      expect(facts.computing).toEqual({ micro_batch: 4, recompute: true });
    });

    it("while a run is taken up again leaves it as it was, and the run goes on in the same micro-batches", async () => {
      const all = () => readdirSync(join(cwd, "early")).map((name) => [name, readFileSync(join(cwd, "early", name))]);
      const before = all();
      const longer = [...train, "--resume", "--steps", "2"];
      const { code, stderr } = await interrupted(longer, { cwd, env }, /micro-batches/);
      expect(stderr).toContain("stopping: the run stays as it was");
      expect(code).toBe(130);
      expect(all()).toEqual(before);
      expect((await run(longer)).code).toBe(0);
      const log = jsonLines(readFileSync(join(cwd, "early/log.jsonl"), "utf8"));
      const began = log.filter(({ kind }) => kind === "run" || kind === "resume");
      expect(began.map(({ micro_batch, recompute }) => [micro_batch, recompute])).toEqual([
        [4, "layers"],
        [4, "layers"],
      ]);
      expect(log.filter(({ kind }) => kind === "step")).toHaveLength(2);
    });
  });

  it("does what it says when it comes twice: npm sends on what the terminal has sent, the next one ends at once", async () => {
    const script = await bundleForNode("support/interrupted-child.ts");
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "ignore"] });
    const [out, [, signal]] = await Promise.all([text(child.stdout), once(child, "exit")]);
    await removeBundle(script);
    expect(out).toBe("aborted\nstill here\nand here\n");
    expect(signal).toBe("SIGINT");
  });
});

describe("what can be wrong", () => {
  it("an unknown backend", async () => {
    const { code, stderr } = await run(["train", "small.mae", "--backend", "wasn", "--out", "none"]);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean "wasm"?');
  });

  it("a backend that is not here says why and what to do", async () => {
    const { code, stderr } = await run(["train", "small.mae", "--backend", "webgl", "--out", "none"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error\[run\/backend-missing\]/);
    expect(stderr).toContain("= help:");
    expect(existsSync(join(cwd, "none/run.json"))).toBe(false);
  });

  it("nothing to go on with", async () => {
    const { code, stderr } = await run(["train", "small.mae", ...flags, "--resume", "--out", "nowhere"]);
    expect(code).toBe(1);
    expect(stderr).toContain("there is no run in nowhere");
  });

  it("a batch that the data do not fill, in a plan and in the place of another run", async () => {
    const large = ["small.mae", "--batch", "1000"];
    copy("full");
    const planned = await run(["plan", ...large]);
    const replaced = await run(["train", ...large, ...flags, "--out", "full", "--force"]);
    for (const { code, stderr } of [planned, replaced]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/The data has \d+ samples, fewer than one batch of 1000/);
    }
    expect(existsSync(join(cwd, "full/checkpoint-3.safetensors"))).toBe(true);
  });

  it("a backend or data that is not there, before anything is deleted; the folder can be used again", async () => {
    copy("used");
    const again = ["--workers", "0", "--out", "used", "--force"];
    const unknown = await run(["train", "small.mae", ...again, "--backend", "wasn"]);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no backend "wasn"') });
    writeFileSync(join(cwd, "lost.mae"), spec.replace('folder("images"', 'folder("imagse"'));
    for (const out of [again, ["--workers", "0", "--out", "short"]]) {
      const lost = await run(["train", "lost.mae", ...out, "--backend", "wasm"]);
      expect(lost.code).toBe(1);
      expect(lost.stderr).toMatch(/^error\[run\/data\]: imagse does not exist/m);
      expect(lost.stderr).not.toMatch(/\n\s+at /);
    }
    expect(existsSync(join(cwd, "used/checkpoint-3.safetensors"))).toBe(true);
    expect((await run(["train", "small.mae", ...again, "--backend", "wasm", "--steps", "1"])).code).toBe(0);
    expect(existsSync(join(cwd, "used/checkpoint-3.safetensors"))).toBe(false);
  });

  it("nothing in a short try of a recipe with a long warm-up, and the try goes on as it was started", async () => {
    writeFileSync(join(cwd, "warm.mae"), spec.replace("schedule  constant", "schedule  cosine(warmup: 4 steps)"));
    // Into a folder where a training failed before.
    const short = await run(["train", "warm.mae", ...flags, "--out", "short", "--steps", "3"]);
    expect(short.code).toBe(0);
    expect(short.stderr).toContain("warmup of cosine: 4 steps become 2 steps, the same share of the shorter training");
    expect(readFileSync(join(cwd, "short/spec.mae"), "utf8")).toContain("warmup: 2 steps");
    expect((await run(["train", "warm.mae", ...flags, "--out", "short", "--resume", "--steps", "4"])).code).toBe(0);
  });

  it("a damaged checkpoint", async () => {
    copy("damaged");
    writeFileSync(join(cwd, "damaged/checkpoint-3.safetensors"), "not tensors");
    const { code, stderr } = await run(["show", "damaged", "--backend", "wasm"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error\[run\//);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("a folder that is a file", async () => {
    writeFileSync(join(cwd, "taken"), "");
    expect((await run(["train", "small.mae", ...flags, "--out", "taken"])).code).toBe(2);
  });

  // Root may write everything.
  it.skipIf(process.getuid?.() === 0)("a folder that may not be written", async () => {
    const locked = folder();
    chmodSync(locked, 0o555);
    const { code, stderr } = await run(["train", "small.mae", ...flags, "--out", join(locked, "r")]);
    chmodSync(locked, 0o755);
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be written");
  });
});

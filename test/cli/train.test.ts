/** `mae train`, `show` and `eval` on real pictures, with a model that is small enough for a test. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleForNode, removeBundle } from "../support/bundle.js";
import { folder, interrupted, jsonLines, mae } from "./mae.js";
import { project as projectOf, smallModel, smallRecipe } from "./small.js";

const spec = `edition 2026\n\n${smallModel}\n${smallRecipe(16, 6)}`;
const judged = spec.replace("  schedule  constant", "  schedule  constant\n  evaluate  ridge every 3 steps");

const env = { XDG_CACHE_HOME: folder() };
const flags = ["--backend", "wasm", "--workers", "0"];

const project = (): Promise<string> => projectOf({ "small.mae": spec });
const run = (args: readonly string[], cwd: string) => mae(args, { cwd, env });

it("judges its features where the recipe says so", { timeout: 240_000 }, async () => {
  const cwd = await project();
  writeFileSync(join(cwd, "judged.mae"), judged);
  const { code, stdout } = await run(["train", "judged.mae", ...flags, "--json"], cwd);
  expect(code).toBe(0);
  const probes = jsonLines(stdout).filter((event) => event.kind === "probe");
  expect(probes.map(({ step }) => step)).toEqual([3, 6]);
  for (const { scores } of probes as { scores: Record<string, number> }[]) {
    expect(Object.keys(scores)).toContain("mean/top1");
    for (const score of Object.values(scores)) expect(score).toBeGreaterThan(0);
  }
});

// Each command loads and compiles its model anew, which takes a busy machine its time.
describe("a run", { timeout: 240_000 }, () => {
  let cwd = "";
  let trained: Awaited<ReturnType<typeof mae>>;

  beforeAll(async () => {
    cwd = await project();
    trained = await run(["train", "small.mae", ...flags, "--json"], cwd);
  }, 240_000);

  it("tells its events as JSON lines on stdout and ends with a picture", () => {
    expect(trained.stderr).toContain("6 steps");
    expect(trained.code).toBe(0);
    const events = jsonLines(trained.stdout);
    expect(events.filter((event) => event.kind === "step").map((event) => event.step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(events.find((event) => event.kind === "start")).toMatchObject({ total_steps: 6 });
    expect(events.at(-1)).toMatchObject({ kind: "note", text: expect.stringContaining("reconstruction.png") });
  });

  it("leaves everything behind that is needed to look at it again", () => {
    const files = readdirSync(join(cwd, "runs/small"));
    const kept = ["checkpoint-6.safetensors", "log.jsonl", "program.ts", "reconstruction.png", "run.json"];
    expect(files).toEqual(expect.arrayContaining([...kept, "spec.mae"]));
    const facts = JSON.parse(readFileSync(join(cwd, "runs/small/run.json"), "utf8"));
    expect(facts).toMatchObject({ model: "Small", recipe: "Train", settings: { batch: 16, steps: 6, seed: 0 } });
    expect(facts.executor.backend).toBe("wasm");
  });

  it("lets plans say how long steps of its size take, and none a thousand times as large", async () => {
    const planned = async (...args: string[]) => JSON.parse((await run(["plan", ...args, "--json"], cwd)).stdout);
    const { flops, time } = await planned("small.mae");
    expect(time).toMatchObject({ flops_at_once: 16 * flops.training, device: expect.stringMatching(/^wasm, /) });
    expect(time.seconds_per_step).toBeCloseTo((16 * flops.training) / time.flops_per_second, 12);
    expect(time.seconds).toBeCloseTo(6 * time.seconds_per_step, 12);
    expect(
      (await planned("small.mae", "--batch", "20000", "--micro-batch", "20000", "--samples", "20000")).time,
    ).toBeNull();
  });

  it("keeps a spec that checks without any other file", async () => {
    expect((await run(["check", "--error-on-warnings", "runs/small/spec.mae"], cwd)).code).toBe(0);
    expect((await run(["fmt", "--check", "runs/small/spec.mae"], cwd)).code).toBe(0);
  });

  it("is not overwritten unasked", async () => {
    const { code, stderr } = await run(["train", "small.mae", ...flags], cwd);
    expect(code).toBe(1);
    expect(stderr).toContain("runs/small already holds a run");
    expect(stderr).toContain("--resume");
    expect(existsSync(join(cwd, "runs/small/checkpoint-6.safetensors"))).toBe(true);
  });

  it("is shown, also when its folder has moved", async () => {
    renameSync(join(cwd, "runs/small"), join(cwd, "moved"));
    const { code, stdout, stderr } = await run(
      ["show", "moved", "--count", "3", "--out", "p.png", "--backend", "wasm"],
      cwd,
    );
    renameSync(join(cwd, "moved"), join(cwd, "runs/small"));
    expect({ code, stdout }).toEqual({ code: 0, stdout: "p.png\n" });
    expect(stderr).toContain("of 3 images");
    expect(readFileSync(join(cwd, "p.png")).subarray(1, 4).toString("latin1")).toBe("PNG");
  });

  it("is judged beside an untrained encoder and the pixels", async () => {
    const args = ["eval", "runs/small", "--with", "knn", "--features", "mean", "--backend", "wasm"];
    const { code, stdout } = await run([...args, "--json"], cwd);
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ format_version: "1.0", model: "Small", step: 6, classes: 3 });
    expect(result.rows.map((row: { source: string }) => row.source)).toEqual(["encoder", "untrained", "pixels"]);
    for (const row of result.rows) expect(Object.values(row.scores)[0]).toBeGreaterThan(0);
    const table = await run([...args, "--no-baselines"], cwd);
    expect(table.stdout).toMatch(/trained encoder, mean of patches +\d+\.\d\d %/);
    expect(table.stdout).not.toContain("untrained");
  });

  it("an unknown probe is a usage error with a suggestion", async () => {
    const { code, stderr } = await run(["eval", "runs/small", "--with", "kn"], cwd);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean "knn"?');
  });

  it("goes on from its checkpoint, and refuses to under another spec", async () => {
    const longer = await run(["train", "small.mae", ...flags, "--resume", "--steps", "8", "--json"], cwd);
    expect(longer.code).toBe(0);
    expect(jsonLines(longer.stdout).flatMap((event) => (event.kind === "step" ? [event.step] : []))).toEqual([7, 8]);
    writeFileSync(join(cwd, "small.mae"), spec.replace("lr: 1e-3", "lr: 2e-3"));
    const other = await run(["train", "small.mae", ...flags, "--resume"], cwd);
    writeFileSync(join(cwd, "small.mae"), spec);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("the spec has changed");
    expect(other.stderr).toContain("0.002");
  });

  it("goes on under another comment, and refuses to where the text has another batch, seed or length", async () => {
    const resume = (text: string, ...more: string[]) => {
      writeFileSync(join(cwd, "small.mae"), text);
      return run(["train", "small.mae", ...flags, "--resume", ...more], cwd);
    };
    const comment = await resume(spec.replace("model Small", "/// In other words.\nmodel Small"), "--steps", "9");
    expect(comment.code).toBe(0);
    for (const [from, to] of [
      [/batch +16/, "batch 8"],
      [/steps +6/, "steps 7"],
      [/steps +6/, "steps 6\n  seed 1"],
    ] as const) {
      const { code, stderr } = await resume(spec.replace(from, to));
      expect({ to, code, stderr }).toEqual({ to, code: 1, stderr: expect.stringContaining("the spec has changed") });
    }
    writeFileSync(join(cwd, "small.mae"), spec);
  });
});

describe("a batch in micro-batches", { timeout: 240_000 }, () => {
  it("is told, kept with the run, and computed alike when the run goes on", async () => {
    const cwd = await project();
    const first = await run(["train", "small.mae", ...flags, "--micro-batch", "4", "--recompute"], cwd);
    expect(first.code).toBe(0);
    expect(first.stderr).toContain("a batch of 16 is computed as 4 micro-batches of 4");
    const facts = JSON.parse(readFileSync(join(cwd, "runs/small/run.json"), "utf8"));
    expect(facts.computing).toEqual({ micro_batch: 4, recompute: true });
    expect((await run(["train", "small.mae", ...flags, "--resume", "--steps", "8"], cwd)).code).toBe(0);
    const log = jsonLines(readFileSync(join(cwd, "runs/small/log.jsonl"), "utf8"));
    const began = log.filter(({ kind }) => kind === "run" || kind === "resume");
    expect(began.map(({ micro_batch, recompute }) => [micro_batch, recompute])).toEqual([
      [4, "layers"],
      [4, "layers"],
    ]);
    expect(log.filter(({ kind }) => kind === "step")).toHaveLength(8);
  });

  it("of a size that does not divide it is a usage error, before anything is written", async () => {
    const cwd = await project();
    const { code, stderr } = await run(["train", "small.mae", ...flags, "--micro-batch", "5"], cwd);
    expect(code).toBe(2);
    expect(stderr).toContain("nearest sizes that divide it: 4 and 8");
    expect(existsSync(join(cwd, "runs/small/run.json"))).toBe(false);
  });
});

describe("Ctrl-C", { timeout: 240_000 }, () => {
  it("saves, says how to go on, and what goes on ends where an uninterrupted run does", async () => {
    const cwd = await project();
    const train = ["train", "small.mae", ...flags, "--steps", "12", "--json"];
    const { code, stderr } = await interrupted(train, { cwd, env }, /"step":3,/);
    expect(stderr).toContain("Ctrl-C again stops at once");
    expect(stderr).toContain("go on with: mae train small.mae Train --resume");
    expect(code).toBe(130);
    const resumed = await run(["train", "small.mae", "Train", ...flags, "--resume", "--json"], cwd);
    const whole = await run([...train, "--out", "whole"], cwd);
    const lossOf = (text: string) =>
      jsonLines(text)
        .filter((event) => event.kind === "step")
        .at(-1)?.loss;
    expect(resumed.code).toBe(0);
    expect(lossOf(resumed.stdout)).toBe(lossOf(whole.stdout));
  });

  it("while a run starts ends it, and leaves nothing that stands in the way of the next one", async () => {
    const cwd = await project();
    const train = ["train", "small.mae", ...flags, "--steps", "1", "--json"];
    const { code, stderr } = await interrupted(train, { cwd, env }, /"kind":"start"/);
    expect(stderr).toContain("stopping: no step has been trained, so there is nothing to save");
    expect(code).toBe(130);
    expect(readdirSync(join(cwd, "runs/small"))).toEqual([]);
    expect((await run(train, cwd)).code).toBe(0);
  });

  it("while a run is taken up again leaves it as it was", async () => {
    const cwd = await project();
    const train = ["train", "small.mae", ...flags, "--micro-batch", "4", "--json"];
    expect((await run([...train, "--steps", "2"], cwd)).code).toBe(0);
    const all = () =>
      readdirSync(join(cwd, "runs/small")).map((name) => [name, readFileSync(join(cwd, "runs/small", name))]);
    const before = all();
    const longer = [...train, "--resume", "--steps", "4"];
    const { code, stderr } = await interrupted(longer, { cwd, env }, /micro-batches/);
    expect(stderr).toContain("stopping: the run stays as it was");
    expect(code).toBe(130);
    expect(all()).toEqual(before);
    expect((await run(longer, cwd)).code).toBe(0);
  });

  it("or a lost terminal in the first step leaves a checkpoint, and no obstacle to beginning anew", async () => {
    const cwd = await project();
    const train = ["train", "small.mae", ...flags, "--steps", "1", "--json"];
    const { code, stderr } = await interrupted(train, { cwd, env }, /"kind":"checkpoint","step":0/, "SIGHUP");
    expect(stderr).toContain("stopped after step 0; everything is saved");
    expect(code).toBe(130);
    expect((await run(train, cwd)).code).toBe(0);
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

describe("what can be wrong", { timeout: 240_000 }, () => {
  let cwd = "";
  beforeAll(async () => {
    cwd = await project();
  });

  it("an unknown backend", async () => {
    const { code, stderr } = await run(["train", "small.mae", "--backend", "wasn"], cwd);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean "wasm"?');
  });

  it("a backend that is not here says why and what to do", async () => {
    const { code, stderr } = await run(["train", "small.mae", "--backend", "webgl"], cwd);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error\[run\/backend-missing\]/);
    expect(stderr).toContain("= help:");
    expect(existsSync(join(cwd, "runs/small/run.json"))).toBe(false);
  });

  it("nothing to go on with", async () => {
    const { code, stderr } = await run(["train", "small.mae", ...flags, "--resume", "--out", "nowhere"], cwd);
    expect(code).toBe(1);
    expect(stderr).toContain("there is no run in nowhere");
  });

  it("data that is not there; the folder can be used again", async () => {
    writeFileSync(join(cwd, "lost.mae"), spec.replace('folder("images"', 'folder("imagse"'));
    const first = await run(["train", "lost.mae", ...flags, "--out", "r"], cwd);
    expect(first.code).toBe(1);
    expect(first.stderr).toMatch(/^error\[run\/data\]: imagse does not exist/m);
    expect(first.stderr).not.toMatch(/\n\s+at /);
    expect((await run(["train", "small.mae", ...flags, "--out", "r", "--steps", "1"], cwd)).code).toBe(0);
  });

  it("nothing in a short try of a recipe with a long warm-up, and the try goes on as it was started", async () => {
    writeFileSync(join(cwd, "warm.mae"), spec.replace("schedule  constant", "schedule  cosine(warmup: 4 steps)"));
    const short = await run(["train", "warm.mae", ...flags, "--out", "w", "--steps", "3"], cwd);
    expect(short.code).toBe(0);
    expect(short.stderr).toContain("warmup of cosine: 4 steps become 2 steps, the same share of the shorter training");
    expect(readFileSync(join(cwd, "w/spec.mae"), "utf8")).toContain("warmup: 2 steps");
    expect((await run(["train", "warm.mae", ...flags, "--out", "w", "--resume", "--steps", "4"], cwd)).code).toBe(0);
  });

  it("a batch that the data do not fill, in a plan and in the place of another run", async () => {
    const large = ["small.mae", "--batch", "1000"];
    const planned = await run(["plan", ...large], cwd);
    expect((await run(["train", "small.mae", ...flags, "--out", "b", "--steps", "1"], cwd)).code).toBe(0);
    const trained = await run(["train", ...large, ...flags, "--out", "b", "--force"], cwd);
    for (const { code, stderr } of [planned, trained]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/The data has \d+ samples, fewer than one batch of 1000/);
    }
    expect(existsSync(join(cwd, "b/checkpoint-1.safetensors"))).toBe(true);
  });

  it("a backend or data that is not there, before anything is deleted", async () => {
    expect((await run(["train", "small.mae", ...flags, "--out", "k"], cwd)).code).toBe(0);
    const again = ["train", "small.mae", "--workers", "0", "--out", "k", "--force"];
    const unknown = await run([...again, "--backend", "wasn"], cwd);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no backend "wasn"') });
    renameSync(join(cwd, "images"), join(cwd, "away"));
    const lost = await run([...again, "--backend", "wasm"], cwd);
    renameSync(join(cwd, "away"), join(cwd, "images"));
    expect(lost).toMatchObject({ code: 1, stderr: expect.stringContaining("images does not exist") });
    expect(existsSync(join(cwd, "k/checkpoint-6.safetensors"))).toBe(true);
    expect((await run([...again, "--backend", "wasm", "--steps", "1"], cwd)).code).toBe(0);
    expect(existsSync(join(cwd, "k/checkpoint-6.safetensors"))).toBe(false);
  });

  it("a damaged checkpoint", async () => {
    await run(["train", "small.mae", ...flags, "--out", "d", "--steps", "1"], cwd);
    writeFileSync(join(cwd, "d/checkpoint-1.safetensors"), "not tensors");
    const { code, stderr } = await run(["show", "d", "--backend", "wasm"], cwd);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error\[run\//);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("a folder that is a file", async () => {
    writeFileSync(join(cwd, "taken"), "");
    expect((await run(["train", "small.mae", ...flags, "--out", "taken"], cwd)).code).toBe(2);
  });

  // Root may write everything.
  it.skipIf(process.getuid?.() === 0)("a folder that may not be written", async () => {
    const locked = folder();
    chmodSync(locked, 0o555);
    const { code, stderr } = await run(["train", "small.mae", ...flags, "--out", join(locked, "r")], cwd);
    chmodSync(locked, 0o755);
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be written");
  });
});

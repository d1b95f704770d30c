/** `plan`, `render`, `build`, `init`, `explain` and `doctor` through the command. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { folder, mae, misspelt, type Result, sound } from "./mae.js";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

const recipe = (name: string, model: string) => `
recipe ${name} for ${model} {
  data      folder("images")
  batch     64
  epochs    10
  optimizer adamw(lr: 1.5e-4 per 256)
  schedule  cosine(warmup: 1 epochs)
}
`;

const two = `${sound}\nmodel Deeper extends Tiny {\n  set encoder.depth: 4\n}\n`;

const base = join(examples, "mae-base.mae");
const ofImageNet = ["plan", base, "--samples", "1281167", "--json"];
let published: Result;
beforeAll(async () => {
  published = await mae([...ofImageNet, "--memory", "8GiB"]);
});

describe("plan", () => {
  it("knows the published model to the parameter, as JSON", () => {
    const { code, stdout, stderr } = published;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const plan = JSON.parse(stdout);
    expect(plan).toMatchObject({
      model: "MaeBase",
      parameters: 111_907_840,
      tokens: { total: 196, visible: 49 },
      learning_rate: { arithmetic: "1.5e-4 x 4096 / 256 = 2.4e-3" },
      steps: { per_epoch: 312, total: 499_200 },
      memory: { batch: 4096 },
    });
    expect(plan.flops.training / 1e9).toBeCloseTo(58.46, 0);
    expect(plan.memory.total).toBeGreaterThan(plan.memory.weights);
  });

  it("says the same to a person, and takes another batch", async () => {
    const cwd = folder({ "a.mae": sound + recipe("Train", "Tiny") });
    const { code, stdout } = await mae(["plan", "a.mae", "--batch", "512"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/tokens +16: 4 visible, 12 hidden/);
    expect(stdout).toContain("1.5e-4 x 512 / 256 = 3e-4");
    expect(stdout).toContain("for steps of 512");
    expect(stdout).toContain("--samples");
    expect(stdout).not.toContain("micro-batches");
  });
});

describe("plan and the memory of a machine", () => {
  it("cuts the batch so that a step fits, into larger parts where layers are computed again", async () => {
    const planned = async (...flags: string[]) => JSON.parse((await mae([...ofImageNet, ...flags])).stdout).memory;
    const kept = JSON.parse(published.stdout).memory;
    expect(kept).toMatchObject({ batch: 4096, recompute: "nothing" });
    expect(kept.total).toBeLessThan(0.7 * 8 * 2 ** 30);
    expect(4096 % kept.micro_batch).toBe(0);
    expect(kept.sums).toBeGreaterThan(4 * 111_000_000);
    const twice = await planned("--micro-batch", String(2 * kept.micro_batch));
    expect(twice.total).toBeGreaterThan(0.7 * 8 * 2 ** 30);
    const again = await planned("--memory", "8GiB", "--recompute");
    expect(again.recompute).toBe("layers");
    expect(again.micro_batch).toBeGreaterThan(kept.micro_batch);
    expect(await planned("--memory", "4TiB")).toMatchObject({ micro_batch: 4096, sums: 0 });
  });

  it("plans for devices of some memory, of which each computes its share", async () => {
    const flags = ["--devices", "4", "--shard-state", "--memory", "4GiB", "--json"];
    const { devices } = JSON.parse((await mae(["plan", join(examples, "u-mae.mae"), ...flags])).stdout);
    expect(devices.total).toBeLessThan(4 * 2 ** 30);
    expect(devices).toMatchObject({ count: 4, shard_state: true, bound: "memory", samples: devices.micro_batch / 4 });
  });

  it("says so to a person, and which losses then see less", async () => {
    const { stdout } = await mae(["plan", join(examples, "u-mae.mae"), "--memory", "8GiB"]);
    expect(stdout).toMatch(/a batch of 1,024 is computed as \d+ micro-batches of \d+, so that a step fits into memory/);
    expect(stdout).toContain("uniformity compares samples: here those of a micro-batch");
  });

  it("refuses sizes that do not divide the batch, and memory without a unit", async () => {
    const cwd = folder({ "a.mae": sound + recipe("Train", "Tiny") });
    const odd = await mae(["plan", "a.mae", "--micro-batch", "10"], { cwd });
    expect(odd.code).toBe(2);
    expect(odd.stderr).toContain("nearest sizes that divide it: 8 and 16");
    expect(await mae(["plan", "a.mae", "--memory", "16"], { cwd })).toMatchObject({ code: 2 });
  });
});

describe("plan --graph", () => {
  const cwd = folder({ "a.mae": sound + recipe("Train", "Tiny") });

  it("lists what passes make of each phase of a step", async () => {
    const { code, stdout } = await mae(["plan", "a.mae", "Train", "--graph", "--micro-batch", "16", "--recompute"], {
      cwd,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^phase sum\n {2}traced +\d+ nodes: .*forward.*gradients.*computed again.*sums\n/);
    expect(stdout).toMatch(/\nphase update\n.* optimizer\n/);
    expect(stdout).toMatch(/ {2}dead-code +[\d,]+ -> [\d,]+\n/);
    expect(stdout).toMatch(/ {2}memory +[\d.]+ MiB at its fullest: \w+/);
  });

  it("prints the graph after a pass, as text and in a document", async () => {
    const args = ["plan", "a.mae", "Tiny", "--graph", "simplified"];
    const { stdout } = await mae(args, { cwd });
    expect(stdout).toMatch(/^\/\/ phase train, simplified\n%0 = state /);
    expect(stdout).toMatch(/ = adamw .* # update\/mask_token\n/);
    const [phase] = JSON.parse((await mae([...args, "--json"], { cwd })).stdout).phases;
    expect(phase).toMatchObject({ phase: "train", after: "simplified" });
    expect(stdout).toContain(phase.graph);
    const traced = (await mae(["plan", "a.mae", "Tiny", "--graph", "traced"], { cwd })).stdout;
    expect(traced.split("\n").length).toBeGreaterThan(stdout.split("\n").length);
  });

  it("shows the loss alone where no recipe is, and the nearest name of a pass", async () => {
    const alone = folder({ "b.mae": sound });
    expect((await mae(["plan", "b.mae", "--graph"], { cwd: alone })).stdout).toMatch(
      /^phase loss\n {2}traced .*forward\n/,
    );
    const { code, stderr } = await mae(["plan", "b.mae", "--graph", "ded-code"], { cwd: alone });
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean "dead-code"?');
  });
});

describe("which model", () => {
  const cwd = folder({ "two.mae": two, "bad.mae": misspelt, "none.mae": "edition 2026\n" });

  it("asks where there are several, and names them", async () => {
    const { code, stderr } = await mae(["plan", "two.mae"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("name one: Tiny, Deeper");
  });

  it("takes the one that is named", async () => {
    expect(JSON.parse((await mae(["plan", "two.mae", "Deeper", "--json"], { cwd })).stdout).model).toBe("Deeper");
  });

  it("suggests a name that is close", async () => {
    const { code, stderr } = await mae(["plan", "two.mae", "Depeer"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean "Deeper"?');
  });

  it("goes no further with a file that has errors", async () => {
    const { code, stdout, stderr } = await mae(["plan", "bad.mae", "--json"], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("error[check/unknown-block]");
    expect(stderr).toContain("bad.mae has 1 error");
  });

  it("says so where there is no model or no file", async () => {
    expect(await mae(["plan", "none.mae"], { cwd })).toMatchObject({ code: 1, stdout: "" });
    expect((await mae(["plan", "missing.mae"], { cwd })).code).toBe(2);
    expect((await mae(["train", "two.mae"], { cwd })).stderr).toContain("no recipe");
  });
});

describe("render", () => {
  it("prints a spec of its own, which says the same and needs no other file", async () => {
    const cwd = folder({ "base.mae": sound });
    const importing = `edition 2026\n\nimport { Tiny } from "./base.mae"\n\nmodel B extends Tiny {\n  set mask.ratio: 50%\n}\n`;
    writeFileSync(join(cwd, "b.mae"), importing + recipe("Train", "B"));
    const { code, stdout } = await mae(["render", "b.mae"], { cwd });
    expect(code).toBe(0);
    expect(stdout).not.toContain("import");
    expect(stdout).toContain("random(ratio: 50%, share: sample)");
    const alone = folder({ "c.mae": stdout });
    expect(await mae(["check"], { cwd: alone })).toMatchObject({ code: 0 });
    expect((await mae(["render", "c.mae"], { cwd: alone })).stdout).toBe(stdout);
  });

  it("says where values come from", async () => {
    const cwd = folder({ "two.mae": two });
    const { stdout } = await mae(["render", "two.mae", "Deeper", "--origin"], { cwd });
    expect(stdout).toMatch(/depth: 4,? +\/\/ two\.mae:15 set/);
    expect(stdout).toMatch(/\/\/ two\.mae:8 default/);
  });
});

describe("build", () => {
  it("writes one module a model, and knows when they are out of date", async () => {
    const cwd = folder({ "two.mae": two });
    const built = await mae(["build", "two.mae", "--out", "models"], { cwd });
    expect(built).toMatchObject({ code: 0, stdout: "models/tiny.ts\nmodels/deeper.ts\n" });
    expect(readFileSync(join(cwd, "models/tiny.ts"), "utf8")).toContain('from "maelang/blocks"');
    expect(await mae(["build", "two.mae", "--out", "models", "--check"], { cwd })).toMatchObject({
      code: 0,
      stdout: "",
    });
    writeFileSync(join(cwd, "two.mae"), two.replace("depth: 4", "depth: 3"));
    const stale = await mae(["build", "two.mae", "--out", "models", "--check"], { cwd });
    expect(stale).toMatchObject({ code: 1, stdout: "models/deeper.ts\n" });
    expect(readFileSync(join(cwd, "models/deeper.ts"), "utf8")).toContain("repeat(4");
  });
});

describe("init", () => {
  it("writes a project that is sound, formatted and planned, and overwrites nothing", async () => {
    const cwd = folder();
    const { code, stdout, stderr } = await mae(["init", "first"], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain("mae train model.mae");
    const project = join(cwd, "first");
    expect(existsSync(join(project, "images/disk/00.png"))).toBe(true);
    expect((await mae(["check", "--error-on-warnings"], { cwd: project })).code).toBe(0);
    expect((await mae(["fmt", "--check"], { cwd: project })).code).toBe(0);
    expect((await mae(["plan", "model.mae"], { cwd: project })).code).toBe(0);
    const manifest = readFileSync(join(project, "package.json"), "utf8");
    const { maelang } = JSON.parse(manifest).devDependencies;
    expect(existsSync(join(project, maelang.replace("file:", ""), "dist/cli.js"))).toBe(true);
    writeFileSync(join(project, "model.mae"), "mine");
    const again = await mae(["init", "first"], { cwd });
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("--force");
    expect(readFileSync(join(project, "model.mae"), "utf8")).toBe("mine");
    writeFileSync(join(project, "package.json"), manifest.replace('"private"', '"name": "mine", "private"'));
    const forced = await mae(["init", "first", "--force", "--ci", "github"], { cwd });
    expect([forced.code, forced.stderr]).toEqual([0, expect.stringContaining("which CI does not have")]);
    expect(readFileSync(join(project, "model.mae"), "utf8")).toContain("model Shapes");
    expect(readFileSync(join(project, "package.json"), "utf8")).toContain('"mine"');
    expect(existsSync(join(project, ".github/workflows/specs.yml"))).toBe(true);
  });

  it("does not take a file for a folder", async () => {
    const cwd = folder({ first: "" });
    expect((await mae(["init", "first"], { cwd })).code).toBe(2);
  });
});

describe("explain", () => {
  it("prints the page of a finding and of a block", async () => {
    expect((await mae(["explain", "file/not-utf8"])).stdout).toMatch(/^file\/not-utf8\n/);
    const page = (await mae(["explain", "mask/random"])).stdout;
    expect(page).toMatch(/^mask\/random\n/);
    expect((await mae(["explain", "random"])).stdout).toBe(page);
    expect((await mae(["explain", "vit"])).stderr).toContain('"decoder/vit" or "encoder/vit"');
  });

  it("lists every code with what it means", async () => {
    const { stdout } = await mae(["explain"]);
    expect(stdout).toMatch(/^file\/too-large +The file is larger/m);
    expect(stdout).toMatch(/^check\/unknown-block +\S/m);
    expect(stdout).toMatch(/^run\/loss-not-finite +The loss became/m);
  });

  it("answers a finding of a block with the block's page", async () => {
    expect((await mae(["explain", "decoder/vit/heads-divide-width"])).stdout).toContain("vit");
  });

  it("names the nearest code", async () => {
    const { code, stderr } = await mae(["explain", "check/unknwon-block"]);
    expect(code).toBe(2);
    expect(stderr).toContain("check/unknown-block");
  });
});

describe("doctor", () => {
  it("finds a backend on any machine and says why others are not here", async () => {
    const { code, stdout } = await mae(["doctor", "--json"]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ format_version: "1.0", ok: true, node: process.versions.node });
    const backends = report.executors as { backend: string; present: boolean; why?: string; remedy?: string }[];
    expect(backends.map((one) => one.backend)).toEqual(expect.arrayContaining(["cpu", "wasm"]));
    for (const one of backends) if (!one.present) expect(one.why && one.remedy).toBeTruthy();
    expect(report.decoder).toEqual({ name: "sharp", present: true, version: expect.stringMatching(/^\d+\./) });
  });

  it("says it to a person", async () => {
    const { stdout } = await mae(["doctor"]);
    expect(stdout).toMatch(/✓ \w+ +cpu/);
    expect(stdout).toMatch(/✓ image files +sharp \d/);
    expect(stdout).toContain("--backend auto takes");
  });
});

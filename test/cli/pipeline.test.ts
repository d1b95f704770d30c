/** Pipelines through the command: planned, rendered, trained stage by stage, interrupted, resumed, reported. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readTensorFile } from "../../runtime/index.js";
import { folder, interrupted, jsonLines, mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

const spec = `edition 2026

${smallModel.replace("  mask ", "  positions learned\n  mask ")}
/// The same encoder on more patches, behind another decoder.
model Larger extends Small {
  set     input.size: 24x24
  replace mask spiral(ratio: 50%)
  set     decoder.width: 8
}

${smallRecipe(16, 2)}
recipe Continue extends Train for Larger {
  replace augment resize(size: 24x24)
}

/// Small pictures, then larger ones.
pipeline Growing {
  stage first  = Train of Small
  stage second = Continue of Larger from first.encoder fresh decoder
  stage third  = Continue of Larger from second
  evaluate third: ridge
}
`;

const env = { XDG_CACHE_HOME: folder() };
const flags = ["--backend", "wasm", "--workers", "0", "--json"];

const run = (args: readonly string[], cwd: string) => mae(args, { cwd, env });
const json = (cwd: string, path: string) => JSON.parse(readFileSync(join(cwd, path), "utf8"));
const weights = async (cwd: string, path: string) => (await readTensorFile(join(cwd, path))).tensors;

// Each stage loads and compiles its model anew, which takes a busy machine its time.
describe("a pipeline", () => {
  let cwd = "";
  let trained: Awaited<ReturnType<typeof mae>>;
  beforeAll(async () => {
    cwd = await project({ "stages.mae": spec });
    trained = await run(["train", "stages.mae", "Growing", ...flags], cwd);
  });

  it("is planned with what each weight starts with", async () => {
    const { code, stdout } = await run(["plan", "stages.mae", "Growing"], cwd);
    expect(code).toBe(0);
    expect(stdout).toContain("Growing: 3 stages");
    expect(stdout).toContain("starts from first.encoder\n");
    expect(stdout).toContain("resized   pos_embed [1, 37, 16] from [1, 17, 16], 4x4 to 6x6 places, bicubic");
    expect(stdout).toMatch(/new {7}decoder: 20 weights, [\d,]+ numbers/);
    expect(stdout).toMatch(/dropped {3}first\.decoder: 20 weights/);
  });

  it("is planned as JSON", async () => {
    const { stdout } = await run(["plan", "stages.mae", "Growing", "--json"], cwd);
    const { stages, ...head } = JSON.parse(stdout);
    expect(head).toEqual({ format_version: "1.0", pipeline: "Growing" });
    expect(stages[1]).toMatchObject({
      stage: "second",
      from: ["first.encoder"],
      fresh: ["decoder"],
      plan: { model: "Larger", recipe: "Continue", steps: { total: 2 } },
    });
    expect(stages[1].weights.find((one: { name: string }) => one.name === "pos_embed")).toEqual({
      status: "resized",
      parts: ["encoder", "positions"],
      name: "pos_embed",
      shape: [1, 37, 16],
      from: { stage: "first", name: "pos_embed", shape: [1, 17, 16] },
    });
    expect(stages[2].evaluate).toEqual(["ridge"]);
  });

  it("is rendered into a text that stands for the same pipeline", async () => {
    const { code, stdout } = await run(["render", "stages.mae", "Growing"], cwd);
    expect(code).toBe(0);
    writeFileSync(join(cwd, "flat.mae"), stdout);
    expect(await run(["check", "flat.mae"], cwd)).toMatchObject({ code: 0 });
    expect(await run(["render", "flat.mae", "Growing"], cwd)).toMatchObject({ stdout });
    const plan = (file: string) => run(["plan", file, "Growing", "--json"], cwd);
    expect((await plan("flat.mae")).stdout).toBe((await plan("stages.mae")).stdout);
  });

  it("trains its stages in turn and tells which events are whose", () => {
    expect(trained.code).toBe(0);
    const events = jsonLines(trained.stdout);
    const stages = events.filter(({ kind }) => kind === "stage").map(({ stage }) => stage);
    expect(stages).toEqual(["first", "second", "third"]);
    expect(events.filter(({ kind }) => kind === "step")).toHaveLength(6);
  });

  it("starts a stage with what the one before it learned", async () => {
    const [first, second] = await Promise.all(
      ["first/checkpoint-2", "second/checkpoint-0"].map((name) => weights(cwd, `runs/Growing/${name}.safetensors`)),
    );
    const names = [...(second?.keys() ?? [])].filter((name) => /^(blocks|norm|patch_embed|cls_token)/.test(name));
    expect(names.length).toBe(17);
    for (const name of names) expect(second?.get(name)?.values, name).toEqual(first?.get(name)?.values);
    const [small, large] = [first, second].map((all) => all?.get("pos_embed")?.values);
    // The class token keeps its place; the grid has grown.
    expect(large?.slice(0, 16)).toEqual(small?.slice(0, 16));
    expect([small?.length, large?.length]).toEqual([17 * 16, 37 * 16]);
    expect(second?.get("decoder_embed.weight")?.shape).toEqual([8, 16]);
  });

  it("leaves a report of its stages", () => {
    const { pipeline, stages } = json(cwd, "runs/Growing/report.json");
    expect(pipeline).toBe("Growing");
    expect(stages.map((stage: { steps: number }) => stage.steps)).toEqual([2, 2, 2]);
    expect(stages[1]).toMatchObject({
      from: ["first.encoder"],
      weights: { kept: 17, resized: 1, new: 20, dropped: 20 },
      scores: {},
    });
    expect(stages[2].scores["ridge mean/top1"]).toBeGreaterThan(0);
    expect(stages[2].loss).toBeLessThan(stages[1].loss);
  });

  it("keeps where each run comes from, and refuses to go on when that has changed", async () => {
    const facts = json(cwd, "runs/Growing/second/run.json");
    expect(facts.from).toEqual([{ stage: "first", started: expect.any(String), step: 2 }]);
    expect(await run(["train", "stages.mae", "Growing", ...flags], cwd)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("already holds a run"),
    });
    const again = await run(["train", "stages.mae", "Growing", ...flags, "--resume"], cwd);
    expect(again.code).toBe(0);
    expect(again.stderr.match(/finished before/g)).toHaveLength(3);
    const other = await run(["train", "stages.mae", "Growing", ...flags, "--resume", "--steps", "6"], cwd);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("runs/Growing/first was trained with steps 2, and now it is steps 6");
    const path = join(cwd, "runs/Growing/first/run.json");
    const before = readFileSync(path, "utf8");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(before), started: "2020-01-01T00:00:00.000Z" }));
    const { code, stderr } = await run(["train", "stages.mae", "Growing", ...flags, "--resume"], cwd);
    writeFileSync(path, before);
    expect(code).toBe(1);
    expect(stderr).toContain("runs/Growing/second was started from another run of the stage first");
  });

  it("is not replaced where a stage could not begin with these options", async () => {
    const again = ["train", "stages.mae", "Growing", ...flags, "--force"];
    expect(await run([...again, "--micro-batch", "5"], cwd)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("nearest sizes that divide it: 4 and 8"),
    });
    expect(await run([...again, "--backend", "wasn"], cwd)).toMatchObject({ code: 2 });
    expect(existsSync(join(cwd, "runs/Growing/first/checkpoint-2.safetensors"))).toBe(true);
  });

  it("is no model and no recipe", async () => {
    const { code, stderr } = await run(["build", "stages.mae", "Growing"], cwd);
    expect(code).toBe(2);
    expect(stderr).toContain("Growing is a pipeline of 3 stages");
  });

  it("goes on in the stage where it was interrupted, and ends bit for bit where it would have ended", async () => {
    const train = ["train", "stages.mae", "Growing", ...flags, "--out", "cut"];
    const { code, stderr } = await interrupted(train, { cwd, env }, /"stage":"second".*"step":1,/s);
    expect(code).toBe(130);
    expect(stderr).toContain("go on with: mae train stages.mae Growing --resume --out cut --backend wasm\n");
    expect(existsSync(join(cwd, "cut/third/run.json"))).toBe(false);
    const resumed = await run([...train, "--resume"], cwd);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr.match(/finished before/g)).toHaveLength(1);
    for (const stage of ["first", "second", "third"]) {
      const [a, b] = ["runs/Growing", "cut"].map((out) =>
        readFileSync(join(cwd, out, stage, "checkpoint-2.safetensors")),
      );
      expect(b?.equals(a as Buffer), stage).toBe(true);
    }
  });

  it("can be started from elsewhere: a recipe and a stage take weights of a run and of a file", async () => {
    const starting = (name: string, from: string, fresh = "  fresh     decoder\n") =>
      smallRecipe(16, 2).replace(
        "recipe Train for Small {",
        `recipe ${name} for Small {\n  from      ${from}\n${fresh}`,
      );
    const file = "runs/Growing/first/checkpoint-2.safetensors";
    const other = `pipeline Other {\n  stage only = Train of Small from "${file}".encoder fresh decoder\n}\n`;
    const text = [spec, starting("OfRun", '"runs/Growing/first".encoder'), other].join("\n");
    writeFileSync(join(cwd, "other.mae"), text);
    const planned = JSON.parse((await run(["plan", "other.mae", "OfRun", "--json"], cwd)).stdout);
    expect(planned.from).toEqual(['"runs/Growing/first".encoder']);
    expect(planned.weights[0]).toMatchObject({ status: "kept", from: { stage: '"runs/Growing/first"' } });

    const train = ["train", "other.mae", "OfRun", ...flags, "--out", "of-run"];
    expect((await run(train, cwd)).code).toBe(0);
    expect((await run(["train", "other.mae", "Other", ...flags], cwd)).code).toBe(0);
    const source = await weights(cwd, file);
    for (const start of ["of-run", "runs/Other/only"]) {
      const begun = await weights(cwd, `${start}/checkpoint-0.safetensors`);
      const isTaken = (name: string) => !/^(decoder|mask_token|optimizer)/.test(name);
      const taken = [...begun].filter(([name]) => isTaken(name));
      expect(taken.length).toBeGreaterThan(10);
      for (const [name, { values }] of taken) expect(values, name).toEqual(source.get(name)?.values);
      expect(begun.get("mask_token")?.values).not.toEqual(source.get("mask_token")?.values);
      const [kept] = json(cwd, `${start}/run.json`).files;
      const bytes = readFileSync(join(cwd, file));
      expect(kept).toMatchObject({ weights: file, sha256: createHash("sha256").update(bytes).digest("hex") });
    }

    writeFileSync(join(cwd, "other.mae"), text.replaceAll('runs/Growing/first"', 'runs/nowhere"'));
    const gone = await run(["train", "other.mae", "OfRun", ...flags, "--out", "never"], cwd);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(/there is no file and no run runs\/nowhere here[\s\S]*other\.mae:\d+:13/);
    expect(existsSync(join(cwd, "never"))).toBe(false);
    writeFileSync(join(cwd, "other.mae"), [spec, starting("OfRun", '"runs/Growing/first".encoder', "")].join("\n"));
    const unsaid = await run(["check", "other.mae", "--json"], cwd);
    const errors = JSON.parse(unsaid.stdout).diagnostics.filter(
      ({ severity }: { severity: string }) => severity === "error",
    );
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      code: "check/starts-from-scratch",
      message: "`decoder` of `Small` would start from scratch",
    });
    expect((await run(["check", "other.mae", "--fix"], cwd)).code).toBe(0);
    expect(readFileSync(join(cwd, "other.mae"), "utf8")).toMatch(/first".encoder\n {2}fresh decoder\n/);
  });
});

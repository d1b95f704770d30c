/** Families through the command: listed, planned, rendered, built, trained, compared; and models compared by `mae diff`. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { typeErrors } from "../support/emitted.js";
import { folder, interrupted, jsonLines, mae, sound } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

const dist = join(import.meta.dirname, "../../dist");

const study = `${sound}
variants Study of Tiny {
  let r = 50% | 75%
  mask          = random(ratio: r) | spiral(ratio: r) | block(ratio: r) | hilbert(ratio: r)
  decoder.depth = 1 | 2 | 3
}
`;

describe("a family of 24", () => {
  const cwd = folder({ "study.mae": study, "package.json": '{ "type": "module" }' });

  it("is listed", async () => {
    const { code, stdout, stderr } = await mae(["variants", "study.mae"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Study of Tiny: 24 members");
    expect(stdout).toMatch(
      /Study\.mask-spiral\.r-75\.decoder-depth-2 .* 4\/16 .*MFLOP {2}mask spiral\(ratio: 75%\), decoder\.depth 2/,
    );
  });

  it("is listed as JSON", async () => {
    const { stdout } = await mae(["variants", "study.mae", "Study", "--json"], { cwd });
    const [family] = JSON.parse(stdout).families;
    expect(family).toMatchObject({ name: "Study", base: "Tiny", skipped: 0 });
    expect(family.members).toHaveLength(24);
    expect(family.members[0]).toMatchObject({
      name: "Study.mask-random.r-50.decoder-depth-1",
      model: "Study_mask_random_r_50_decoder_depth_1",
      tokens: { total: 16, visible: 8 },
      differences: [
        { path: "mask", value: "random(ratio: 50%)" },
        { path: "decoder.depth", value: "1" },
      ],
    });
  });

  it("has members that are planned and rendered like models", async () => {
    const name = "Study.mask-spiral.r-75.decoder-depth-2";
    const plan = await mae(["plan", "study.mae", name, "--json"], { cwd });
    expect(JSON.parse(plan.stdout)).toMatchObject({ tokens: { visible: 4 }, recipe: null });
    const { stdout } = await mae(["render", "study.mae", name], { cwd });
    writeFileSync(join(cwd, "one.mae"), stdout);
    expect(await mae(["check", "one.mae"], { cwd })).toMatchObject({ code: 0 });
    expect(await mae(["diff", `study.mae:${name}`, "one.mae"], { cwd })).toMatchObject({
      stdout: expect.stringContaining("the same model"),
    });
  });

  it("is built into modules that type-check, here with fewer members", async () => {
    const few = study.replace(/ \| block.*/, "").replace(/ {2}decoder\.depth = .*\n/, "");
    writeFileSync(join(cwd, "few.mae"), few);
    const { code, stdout } = await mae(["build", "few.mae", "Study"], { cwd });
    const paths = stdout.trimEnd().split("\n");
    expect({ code, paths }).toEqual({
      code: 0,
      paths: ["random.r-50", "random.r-75", "spiral.r-50", "spiral.r-75"].map((name) => `build/study/mask-${name}.ts`),
    });
    const built = paths.map((path) => join(cwd, path));
    expect(await typeErrors(built, { paths: { "maelang/*": [join(dist, "types/*/index.d.ts")] } })).toEqual(new Map());
    const one = ["build", "few.mae", "Study.mask-spiral.r-75", "--check"];
    expect(await mae(one, { cwd })).toMatchObject({ code: 0, stdout: "" });
  });

  it("has names that a slip comes near to", async () => {
    const slip = await mae(["plan", "study.mae", "Study.mask-spiral.r-75.decoder-depth-4"], { cwd });
    expect(slip.code).toBe(2);
    expect(slip.stderr).toContain('did you mean "Study.mask-spiral.r-75.decoder-depth-');
    expect((await mae(["plan", "study.mae", "Study"], { cwd })).stderr).toContain("is a family of 24 members");
    expect((await mae(["variants", "study.mae", "Stdy"], { cwd })).stderr).toContain('did you mean "Study"');
  });
});

describe("diff", () => {
  const children = `${sound}
model Deeper extends Tiny {
  set encoder.depth: 3
}

model Masked extends Tiny {
  replace mask spiral(ratio: 50%)
}
`;
  const cwd = folder({ "a.mae": children });

  it("says whether a checkpoint loads, for people and by its exit code", async () => {
    const deeper = await mae(["diff", "a.mae:Tiny", "a.mae:Deeper", "--exit-code"], { cwd });
    expect(deeper.code).toBe(1);
    expect(deeper.stdout).toContain("~ encoder.depth: 2 -> 3");
    expect(deeper.stdout).toMatch(/no longer loads[\s\S]*new +blocks\.\*\./);
    expect((await mae(["diff", "a.mae:Tiny", "a.mae:Deeper"], { cwd })).code).toBe(0);
    const masked = await mae(["diff", "a.mae:Tiny", "a.mae:Masked", "--exit-code", "--json"], { cwd });
    expect(masked.code).toBe(0);
    expect(JSON.parse(masked.stdout)).toMatchObject({ format_version: "1.0", loads: true, same_network: true });
  });

  it("of what is not there is a usage error", async () => {
    expect((await mae(["diff", "a.mae:Tiny", "b.mae"], { cwd })).code).toBe(2);
    expect((await mae(["diff", "a.mae:Tiny", "a.mae:Nobody"], { cwd })).code).toBe(2);
    expect((await mae(["diff", "a.mae:Tiny", "x.safetensors"], { cwd })).code).toBe(2);
    expect((await mae(["diff", "C:/x.mae", "a.mae:Tiny"], { cwd })).stderr).toContain("C:/x.mae does not exist");
    mkdirSync(join(cwd, "runs/Study/one"), { recursive: true });
    const empty = await mae(["diff", "runs/Study", "a.mae:Tiny"], { cwd });
    expect(empty.code).toBe(2);
    expect(empty.stderr).toContain("runs/Study holds no run");
    writeFileSync(join(cwd, "runs/Study/one/run.json"), "{}");
    const above = await mae(["diff", "runs/Study", "a.mae:Tiny"], { cwd });
    expect(above.stderr).toContain("runs/Study holds 1 run and is none itself");
  });
});

// Each command loads and compiles its models anew, so that all tests but one share one family.
describe("training", () => {
  const specOf = (steps: number): string => `edition 2026

${smallModel}
variants Study of Small {
  mask = random(ratio: 75%) | spiral(ratio: 75%)
}

${smallRecipe(8, steps)}`;
  const spec = specOf(3);
  const env = { XDG_CACHE_HOME: folder() };
  const train = (cwd: string, variant: string, ...more: string[]) =>
    mae(["train", "small.mae", "--variant", variant, "--backend", "cpu", "--workers", "0", ...more], { cwd, env });
  let cwd = "";
  beforeAll(async () => {
    cwd = await project({ "small.mae": spec });
  });

  it("of one member leaves the others for later", async () => {
    const { code, stderr } = await train(cwd, "Study.mask-spiral");
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("1 member of Study left to train") });
    expect(readdirSync(join(cwd, "runs/Study"))).toEqual(["mask-spiral"]);
  });

  it("is interrupted by Ctrl-C as a whole, even in a member's last step", async () => {
    const args = [
      "train",
      "small.mae",
      "--variant",
      "all",
      "--steps",
      "3",
      "--backend",
      "cpu",
      "--workers",
      "0",
      "--json",
    ];
    const { code, stdout, stderr } = await interrupted(args, { cwd, env }, /"step":3,/);
    expect(code).toBe(130);
    expect(stderr).toContain("go on with: mae train small.mae Train --variant all --backend cpu --steps 3\n");
    const members = jsonLines(stdout).filter(({ kind }) => kind === "member");
    expect(members.map(({ member }) => member)).toEqual(["Study.mask-random"]);
    expect(existsSync(join(cwd, "runs/Study/report.json"))).toBe(false);
  });

  it("of all goes on where it stopped, and ends with a report", async () => {
    const { code, stdout, stderr } = await train(cwd, "all");
    expect(code).toBe(0);
    expect(stderr).toContain("finished before, in runs/Study/mask-spiral");
    expect(stdout).toBe("runs/Study/report.json\nruns/Study/report.html\n");
    const report = JSON.parse(readFileSync(join(cwd, "runs/Study/report.json"), "utf8"));
    expect(report.members.map(({ name, steps }: { name: string; steps: number }) => [name, steps])).toEqual([
      ["Study.mask-random", 3],
      ["Study.mask-spiral", 3],
    ]);
    for (const { loss, parameters } of report.members) expect(loss > 0 && parameters > 0).toBe(true);
    const html = readFileSync(join(cwd, "runs/Study/report.html"), "utf8");
    expect(html.match(/<rect /g)).toHaveLength(4);
    expect(html).toMatch(/<code>mask\s+spiral/);
    expect(html).toContain("data:image/png;base64,");
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    const log = readFileSync(join(cwd, "runs/Study/mask-random/log.jsonl"), "utf8");
    expect(log).toContain('"kind":"resume"');
    expect(log.match(/"kind":"step"/g)).toHaveLength(3);
    expect(existsSync(join(cwd, "runs/Study/mask-random/reconstruction.png"))).toBe(true);
  });

  it("does not take a run of an earlier text for a member", async () => {
    writeFileSync(join(cwd, "small.mae"), spec.replace("spiral(ratio: 75%)", "spiral(ratio: 75%, keep: center)"));
    const { code, stderr } = await train(cwd, "all");
    writeFileSync(join(cwd, "small.mae"), spec);
    expect(code).toBe(1);
    expect(stderr).toContain("the spec has changed");
  });

  it("does not go on with other settings, of the text or of the command line", async () => {
    const seed = await train(cwd, "all", "--seed", "5");
    expect(seed.code).toBe(1);
    expect(seed.stderr).toContain("runs/Study/mask-random was trained with seed 0, and now it is seed 5");
    expect(seed.stderr).toContain("go on without --seed");
    const fewer = await train(cwd, "Study.mask-spiral", "--steps", "2");
    expect(fewer.stderr).toContain("was trained with steps 3, and now it is steps 2");
    const both = await train(cwd, "all", "--force", "--resume");
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("choose one") });
    writeFileSync(join(cwd, "small.mae"), specOf(5));
    const { code, stderr } = await train(cwd, "all");
    writeFileSync(join(cwd, "small.mae"), spec);
    expect(code).toBe(1);
    expect(stderr).toMatch(/The run has "steps +3" where the spec now says "steps +5"/);
  });

  it("leaves checkpoints that `diff` compares with specs", async () => {
    const same = await mae(["diff", "runs/Study/mask-spiral", "small.mae:Small", "--exit-code"], { cwd });
    expect(same.code).toBe(0);
    expect(same.stdout).toContain("~ mask: spiral(");
    const checkpoint = "runs/Study/mask-spiral/checkpoint-3.safetensors";
    writeFileSync(
      join(cwd, "wide.mae"),
      spec.replace("width: 16, heads: 2)\n  decoder", "width: 32, heads: 2)\n  decoder"),
    );
    const wide = await mae(["diff", checkpoint, "wide.mae:Small", "--exit-code"], { cwd });
    expect(wide.code).toBe(1);
    expect(wide.stdout).toContain("reshaped");
  });

  it("of a member that fails goes on with the others, and the report says so", async () => {
    const broken = await project({ "small.mae": spec.replace(/mask = .*/, "loss.weight = 1e38 | 1") });
    const { code, stdout, stderr } = await train(broken, "all", "--json");
    expect(code).toBe(1);
    expect(stderr).toContain("1 member failed: Study.loss-weight-1e38");
    const events = jsonLines(stdout);
    expect(events.filter(({ kind }) => kind === "member" || kind === "failure")).toEqual([
      { kind: "member", member: "Study.loss-weight-1e38", run: "runs/Study/loss-weight-1e38" },
      { kind: "failure", text: expect.stringContaining("not finite") },
      { kind: "member", member: "Study.loss-weight-1", run: "runs/Study/loss-weight-1" },
    ]);
    const report = JSON.parse(readFileSync(join(broken, "runs/Study/report.json"), "utf8"));
    expect(report.members).toMatchObject([
      { batch: 8, seed: 0, loss: null, failure: expect.stringContaining("not finite") },
      { steps: 3, loss: expect.any(Number), failure: null },
    ]);
    const again = await train(broken, "all");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("failed before, in runs/Study/loss-weight-1e38");
  });

  it("with several seeds trains each model with each, and reports over them", async () => {
    const seeds = spec.replace(/mask = .*/, "decoder.depth = 1 | 2\n  seed = 3 | 4");
    const seeded = await project({ "small.mae": seeds.replace("steps     3", "steps     1") });
    const refused = await train(seeded, "all", "--seed", "5");
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("Study says which seeds") });
    expect((await train(seeded, "Study.decoder-depth-2.seed-4")).code).toBe(0);
    const { code, stderr } = await train(seeded, "all");
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("No probe judged the members") });
    const { members, seeds: found } = JSON.parse(readFileSync(join(seeded, "runs/Study/report.json"), "utf8"));
    expect(members.map(({ name, seed }: { name: string; seed: number }) => [name, seed])).toEqual([
      ["Study.decoder-depth-1.seed-3", 3],
      ["Study.decoder-depth-1.seed-4", 4],
      ["Study.decoder-depth-2.seed-3", 3],
      ["Study.decoder-depth-2.seed-4", 4],
    ]);
    const [first] = found.groups;
    expect(first).toMatchObject({ name: "decoder-depth-1", seeds: [3, 4], scores: { loss: { seeds: 2 } } });
    expect(first.scores.loss.mean).toBeCloseTo((members[0].loss + members[1].loss) / 2, 12);
    expect(members[0].loss).not.toBe(members[1].loss);
    const spec4 = readFileSync(join(seeded, "runs/Study/decoder-depth-1.seed-4/spec.mae"), "utf8");
    expect(spec4).toMatch(/seed +4/);
  });

  it("by a recipe for another model is refused", async () => {
    const other = `${spec}\nmodel Other extends Small {\n  set mask.ratio: 50%\n}\n\nvariants Else of Other {\n  encoder.depth = 1 | 2\n}\n`;
    writeFileSync(join(cwd, "other.mae"), other);
    const args = ["train", "other.mae", "--variant", "Else", "--backend", "cpu"];
    const { code, stderr } = await mae(args, { cwd, env });
    expect(code).toBe(1);
    expect(stderr).toContain("the recipe trains Small, and Else is a family of Other");
  });
});

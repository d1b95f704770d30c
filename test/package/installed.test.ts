/**
 * The package as its users have it: packed, installed by npm into an empty folder, and used from there. onnxruntime-node is
 * linked from the clone, where npm installed it the same way, since copying its 290 MB proves nothing more.
 */

import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { beforeAll, describe, expect, it } from "vitest";
import { openPage } from "../browser/open-page.js";
import { findChromium } from "../browser/software-device.js";
import { folder, jsonLines, mae, misspelt } from "../cli/mae.js";
import { smallModel, smallRecipe } from "../cli/small.js";
import { type Job, runWorkflow } from "../support/github-runner.js";

declare global {
  // Of `cases/page.ts`, which is compiled where the package is installed.
  var mistakes: (spec: string) => readonly string[];
  var features: (backend: string) => Promise<readonly number[]>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const home = folder();
const packages = join(home, "node_modules");
const installed = { cwd: home, command: join(packages, "maelang/dist/cli.js"), env: { XDG_CACHE_HOME: folder() } };
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What stands in the place of a package while `use` runs. */
async function inPlaceOf<T>(name: string, main: string, use: () => Promise<T>): Promise<T> {
  const [real, aside] = [join(packages, name), join(packages, `.${name}`)];
  renameSync(real, aside);
  mkdirSync(real);
  writeFileSync(join(real, "index.js"), main);
  const result = await use();
  renameSync(real, join(packages, `.${name}-instead`));
  renameSync(aside, real);
  return result;
}

const train = (...more: readonly string[]) => mae(["train", "small.mae", "--json", ...more], installed);

const page = readFileSync(join(root, "docs/ci.md"), "utf8");
const workflow = ".github/workflows/specs.yml";
/** What a first project was checked to be by its own workflow. */
let checked: Job;

/** The project as `docs/ci.md` makes one, with what the tests need beside it once its workflow has run. */
beforeAll(async () => {
  mkdirSync(join(home, "vendor"));
  const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", join(home, "vendor")], {
    cwd: root,
    shell: process.platform === "win32",
  });
  const [, commands = ""] = /```sh\n(npm install [\s\S]*?)```/.exec(page) ?? [];
  const quickly = { npm_config_prefer_offline: "true", npm_config_audit: "false", npm_config_fund: "false" };
  const installing = await run("bash", ["-ec", commands], { cwd: home, env: { ...process.env, ...quickly } });
  expect(packed.stderr + installing.stderr).not.toContain("npm warn");
  // Installing the same again proves nothing that looking whether the lock fits does not.
  const more = (line: string) => (line.startsWith("npm ci") ? { ...quickly, npm_config_dry_run: "true" } : {});
  checked = runWorkflow(join(home, workflow), { workspace: home, more });
  writeFileSync(join(home, "package.json"), '{ "type": "module" }\n');
  cpSync(join(root, "test/package/cases"), home, { recursive: true });
  writeFileSync(join(home, "small.mae"), `edition 2026\n\n${smallModel}\n${smallRecipe(16, 2)}`);
});

it("is installed, checked and locked in CI as the page says", () => {
  expect(checked).toMatchObject({ code: 0, log: expect.stringContaining("0 findings written to mae.sarif") });
  expect(page).toContain(`\`\`\`yaml\n${readFileSync(join(home, workflow), "utf8")}\`\`\``);
  const lock = JSON.parse(readFileSync(join(home, "package-lock.json"), "utf8"));
  const { resolved } = lock.packages["node_modules/maelang"];
  expect(resolved).toMatch(/^file:vendor\/maelang-[\d.]+\.tgz$/);
  expect(existsSync(join(packages, "maelang/action.yml"))).toBe(true);
});

it("brings few packages and no engine that most never use", () => {
  const names = readdirSync(packages).filter((name) => !name.startsWith("."));
  const decoders = ["@wasm-audio-decoders/flac", "mpg123-decoder"];
  expect(Object.keys(manifest.dependencies).sort()).toEqual([...decoders, "prettier", "sharp", "ts-morph"]);
  for (const name of ["@napi-rs", "@tensorflow", "onnxruntime-node", "webgpu", "typescript"])
    expect(names).not.toContain(name);
});

it("has what its front page links to", () => {
  const front = readFileSync(join(packages, "maelang/README.md"), "utf8");
  const linked = [...front.matchAll(/\]\((?!https:)([^)#]+)/g)].map(([, path = ""]) => path);
  expect(linked.length).toBeGreaterThan(10);
  expect(linked.filter((path) => !existsSync(join(packages, "maelang", path)))).toEqual([]);
});

it("trains on wasm, and says once what would be faster and how to get it", async () => {
  const { code, stdout } = await train("--out", "runs/wasm");
  expect(code).toBe(0);
  const [chosen, offer] = jsonLines(stdout).map(({ text }) => String(text));
  expect(chosen).toMatch(/^backend wasm, because no GPU was found/);
  expect(offer).toContain("the faster onnx is not here: the optional package onnxruntime-node is not installed");
  expect(offer).toContain("npm install --ignore-scripts onnxruntime-node@1");
});

describe("with onnxruntime", () => {
  beforeAll(() =>
    symlinkSync(join(root, "node_modules/onnxruntime-node"), join(packages, "onnxruntime-node"), "junction"),
  );

  it("trains on the fast engine", async () => {
    const { code, stdout } = await train("--out", "runs/onnx");
    expect(code).toBe(0);
    expect(jsonLines(stdout)[0]?.text).toMatch(/^backend onnx, /);
  });

  it("refuses an older one than it names as its peer", async () => {
    const old = 'exports.env = { versions: { node: "1.29.0" } };';
    const { stdout } = await inPlaceOf("onnxruntime-node", old, () => mae(["doctor", "--json"], installed));
    const found = JSON.parse(stdout).executors.find(({ backend }: { backend: string }) => backend === "onnx");
    expect(manifest.peerDependencies["onnxruntime-node"]).toBe("^1.30.0");
    expect(found).toMatchObject({
      present: false,
      why: "onnxruntime-node 1.29.0 is installed, and 1.30 or newer is needed",
    });
  });
});

it("says that images cannot be read where their library does not load", async () => {
  const broken = 'throw new Error("no library for this platform\\nPossible solutions:");';
  await inPlaceOf("sharp", broken, async () => {
    const { stdout } = await mae(["doctor", "--json"], installed);
    const { decoder } = JSON.parse(stdout);
    expect(decoder).toMatchObject({ present: false, why: expect.stringContaining("no library for this platform") });
    const { code, stderr } = await mae(["train", "small.mae", "--backend", "cpu", "--out", "runs/none"], installed);
    expect(code).toBe(1);
    expect(stderr).toContain("error[run/decoder-missing]");
    expect(stderr).toContain("why: no library for this platform\n");
    expect(stderr).toContain("npm install --include=optional sharp");
  });
});

it("type-checks in a plain strict project, with an emitted model and blocks of its own", async () => {
  await mae(["build", "small.mae"], installed);
  cpSync(join(packages, "maelang/examples/own-block/blocks"), join(home, "blocks"), { recursive: true });
  // The program on the page on programs, and the little of Node that it calls: the package's types need none of Node's.
  const program = Array.from(
    readFileSync(join(root, "docs/api.md"), "utf8").matchAll(/```js\n([\s\S]*?)```/g),
    ([, code]) => code,
  );
  writeFileSync(join(home, "api.ts"), program.join("\n"));
  const options = { strict: true, skipLibCheck: false, noEmit: true, target: "es2022", module: "nodenext", types: [] };
  const project = { compilerOptions: options, include: ["*.ts", "build", "blocks"] };
  writeFileSync(join(home, "tsconfig.json"), JSON.stringify(project));
  const { stdout } = await run(process.execPath, [
    join(root, "node_modules/typescript-native/bin/tsc"),
    "-p",
    home,
  ]).catch((error: { stdout: string }) => error);
  expect(stdout).toBe("");
});

describe("in a browser", () => {
  const browser = findChromium();
  if ("missing" in browser) {
    it.skip(`no browser: ${browser.missing}`, () => {});
    return;
  }
  const checkpoint = join(home, "runs/wasm/checkpoint-2.safetensors");

  it("checks a spec and computes what plain JavaScript computes in Node", async () => {
    const bundle = await build({ entryPoints: [join(home, "page.ts")], bundle: true, format: "esm", write: false });
    expect(bundle.warnings).toEqual([]);
    const wasm = "tfjs-backend-wasm-simd.wasm";
    const { page, close } = await openPage(browser.found, {
      "page.js": bundle.outputFiles[0]?.text ?? "",
      "checkpoint.safetensors": readFileSync(checkpoint),
      [wasm]: readFileSync(fileURLToPath(import.meta.resolve(`maelang/wasm/${wasm}`))),
    });
    try {
      const inNode = await run(process.execPath, ["check.mjs", checkpoint, misspelt], { cwd: home });
      const expected = JSON.parse(inNode.stdout);
      expect(expected.mistakes).toEqual(["check/unknown-block"]);
      expect(await page.evaluate((spec) => globalThis.mistakes(spec), misspelt)).toEqual(expected.mistakes);
      for (const backend of ["wasm", "webgl"] as const) {
        const features = await page.evaluate((name) => globalThis.features(name), backend);
        expect(features).toHaveLength(16);
        for (const [i, value] of features.entries()) expect(value).toBeCloseTo(expected.features[i], 4);
      }
    } finally {
      await close();
    }
  });
});

it("is what publint and arethetypeswrong take for a sound package of ES modules", async () => {
  const bytes = new Uint8Array(readFileSync(join(home, "vendor", readdirSync(join(home, "vendor"))[0] as string)));
  const { messages } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  expect(messages).toEqual([]);
  // Between them these doors reach every declaration.
  const checked = await checkPackage(createPackageFromTarballData(bytes), {
    entrypoints: [".", "./emit", "./runtime"],
  });
  const problems = checked.types ? checked.problems : [{ kind: "there are no types" }];
  // What cannot be otherwise without CommonJS: the resolution of Node 10, and `require` of old Nodes.
  const expected = ["NoResolution node10", "CJSResolvesToESM node16-cjs"];
  const told = problems.map((one) => ("resolutionKind" in one ? `${one.kind} ${one.resolutionKind}` : one.kind));
  expect([...new Set(told)].sort()).toEqual([...expected].sort());
});

it("is locked whole, without an address and without a script that reaches for more than npm", () => {
  const { packages: locked } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const entries = Object.entries<Record<string, unknown>>(locked);
  const names = new Set(
    entries.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)),
  );
  const asked = entries.flatMap(([, { dependencies = {}, optionalDependencies = {} }]) =>
    Object.keys({ ...(dependencies as object), ...(optionalDependencies as object) }),
  );
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
  expect(entries.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  // npm runs no script that the lock does not tell of; that of onnxruntime-node fetches CUDA, or fails where it cannot.
  expect(entries.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([
    "node_modules/esbuild",
    "node_modules/webgpu",
  ]);
});

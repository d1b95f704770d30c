/** The folder of a run where something is wrong with it: another training at work there, a damaged file, or code of a stranger. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { ownVocabulary } from "../../cli/config/index.js";
import { openRun } from "../../cli/runs/open-run.js";
import { holdsRun, readRunFacts, readRunSpec } from "../../cli/runs/run-directory.js";
import { lockRun } from "../../cli/runs/run-lock.js";
import { readRunState } from "../../cli/runs/run-state.js";
import { bundleForNode, removeBundle } from "../support/bundle.js";
import { folder, mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

/** What `run.json` holds. */
const sound = {
  format_version: "1.0",
  maelang: "0.1.0",
  file: "small.mae",
  model: "Small",
  recipe: "Train",
  root: "/",
  settings: { batch: 16, epochs: null, steps: 2, seed: 0 },
  executor: { name: "tfjs", backend: "wasm", device: "" },
  started: "2026-01-01T00:00:00.000Z",
};

const env = { XDG_CACHE_HOME: folder() };
let cwd = "";
const train = (...args: readonly string[]) =>
  mae(["train", "small.mae", "--backend", "wasm", "--workers", "0", ...args], { cwd, env });

beforeAll(async () => {
  cwd = await project({ "small.mae": `edition 2026\n\n${smallModel}\n${smallRecipe(16, 2)}` });
  const { code, stderr } = await train("--checkpoint-every", "1");
  expect(code, stderr).toBe(0);
});

/** A copy of the run to spoil. */
function copy(name: string): string {
  cpSync(join(cwd, "runs/small"), join(cwd, name), { recursive: true });
  return join(cwd, name);
}

it("two trainings do not write into one folder", async () => {
  const leave = lockRun(copy("busy"));
  const resumed = await train("--out", "busy", "--resume", "--steps", "3");
  const replaced = await train("--out", "busy", "--force");
  for (const { code, stderr } of [resumed, replaced]) {
    expect(code).toBe(1);
    expect(stderr).toContain(`process ${process.pid} is training in busy`);
    expect(stderr).toContain("delete busy/training.lock");
  }
  expect(existsSync(join(cwd, "busy/checkpoint-2.safetensors"))).toBe(true);
  leave();
});

it.each([
  ["a process that has ended, with a number that another has now", { host: hostname(), pid: process.ppid, born: "0" }],
  ["a container that is gone", { host: `not-${hostname()}`, pid: process.pid, born: null }],
])("a lock is no obstacle when it is left by %s", (_, holder) => {
  const directory = folder({ "training.lock": JSON.stringify(holder) });
  lockRun(directory)();
  expect(readdirSync(directory)).toEqual([]);
});

it("is not finished when it was killed between its last step and its picture", () => {
  const killed = JSON.stringify({ host: hostname(), pid: process.ppid, born: "0" });
  const directory = folder({
    "log.jsonl": '{"kind":"step","step":2,"loss":1}\n{"kind":"end","step":2,"interrupted":false}\n',
  });
  expect(readRunState(directory)).toMatchObject({ step: 2, finished: true });
  writeFileSync(join(directory, "training.lock"), killed);
  expect(readRunState(directory)).toMatchObject({ step: 2, finished: false });
});

it("a lock is no obstacle when it is half written", () => {
  const directory = folder({ "training.lock": '{"pid":' });
  lockRun(directory)();
  expect(readdirSync(directory)).toEqual([]);
});

it("of several processes that come at once one has the lock at a time, also over one that was left", async () => {
  const [rounds, apart] = [80, 8];
  const left = JSON.stringify({ host: hostname(), pid: process.ppid, born: "0" });
  // In every other folder there is none.
  const root = folder(
    Object.fromEntries(
      Array.from({ length: rounds }, (_, i) => (i % 2 === 0 ? [`${i}/training.lock`, left] : [`${i}/other`, ""])),
    ),
  );
  const script = await bundleForNode("support/lock-child.ts");
  const args = [script, root, rounds, Date.now() + 500, apart].map(String);
  const children = [0, 1, 2, 3].map(() => spawn(process.execPath, args, { stdio: "inherit" }));
  const codes = (await Promise.all(children.map((child) => once(child, "exit")))).map(([code]) => code);
  await removeBundle(script);
  expect(codes).toEqual([0, 0, 0, 0]);
  for (let i = 0; i < rounds; i++) {
    const held = readFileSync(join(root, `${i}/held`), "utf8")
      .trimEnd()
      .split("\n");
    for (let k = 0; k < held.length; k += 2) expect(held[k + 1]).toBe(held[k]?.replace("in", "out"));
    expect(readdirSync(join(root, String(i))).filter((name) => name.startsWith("training"))).toEqual([]);
  }
});

it("a lock that is a folder is told in words", () => {
  const directory = folder({ "training.lock/file": "" });
  expect(() => lockRun(directory)).toThrow("training.lock is not a file");
});

it("says what to do where the newest checkpoint is damaged", async () => {
  const directory = copy("cut");
  const newest = join(directory, "checkpoint-2.safetensors");
  truncateSync(newest, 500);
  const { code, stderr } = await train("--out", "cut", "--resume", "--steps", "3");
  expect(code).toBe(1);
  expect(stderr).toContain("error[run/safetensors]");
  expect(stderr).toContain("Delete it to use the one before, cut/checkpoint-1.safetensors");
  rmSync(newest);
  expect((await train("--out", "cut", "--resume", "--steps", "2")).code).toBe(0);
  expect(readdirSync(directory)).not.toContain("training.lock");
});

it.each([
  ["run.json", "it is not JSON", "{"],
  ["run.json", "it is not an object", "[1]"],
  ["run.json", "it is not an object", `${"[".repeat(1e6)}${"]".repeat(1e6)}`],
  ["run.json", "its `format_version` is not what a run has there", "{}"],
  ["run.json", "its `root` is not", { root: "\0" }],
  ["run.json", "its `settings.batch` is not", { settings: { batch: "16" } }],
  ["run.json", "its `computing.micro_batch` is not", { computing: { micro_batch: 0, recompute: false } }],
  ["run.json", "`project.files[0].name`", { project: { config: "", files: [{ name: "a\n::error::b", sha256: "" }] } }],
  ["run.json", "it is larger than 4 MiB", " ".repeat(5 * 2 ** 20)],
  ["spec.mae", "it is not there", null],
] as const)("says that %s is damaged: %s", (name, why, content) => {
  const directory = folder({ "spec.mae": "", "run.json": JSON.stringify(sound) });
  const path = join(directory, name);
  if (content === null) rmSync(path);
  else writeFileSync(path, typeof content === "string" ? content : JSON.stringify({ ...sound, ...content }));
  const read = () => (name === "run.json" ? readRunFacts(directory) : readRunSpec(directory));
  expect(read).toThrow(`${name} is damaged: `);
  expect(read).toThrow(why);
});

it("says so in every command that takes a run", async () => {
  const directory = copy("damaged");
  writeFileSync(join(directory, "run.json"), '{"settings":7}');
  const commands = [["show"], ["eval"], ["diagnose"], ["export"], ["train", "small.mae", "--resume", "--out"]];
  const ran = await Promise.all(commands.map((args) => mae([...args, directory], { cwd, env })));
  for (const { code, stderr } of ran) {
    expect(stderr).toMatch(/^error: .*run\.json is damaged: its `format_version` .*\n.*help: restore it/);
    expect(code).toBe(1);
  }
});

it("says that a log is damaged, and that a folder has the name of a file of a run", () => {
  for (const line of ["null", "7", "{"]) {
    const directory = folder({ "log.jsonl": `${line}\n{"kind":"step","step":"2"}\n` });
    expect(() => readRunState(directory)).toThrow("log.jsonl is damaged");
  }
  expect(() => holdsRun(folder({ "run.json/file": "" }))).toThrow("run.json is not a file");
});

/** A block file that leaves a trace in the folder from which it is run. */
const telling = (name: string): string =>
  `import { writeFileSync } from "node:fs";\nwriteFileSync("ran-${name}", "");\n`;

it("runs nothing that lies in the folder of a run", async () => {
  const directory = copy("stranger");
  const inRun = (name: string): string => join(directory, name);
  for (const name of ["program.ts", "program.mjs", "evil.ts"]) writeFileSync(inRun(name), telling(name));
  writeFileSync(inRun("mae.config.json"), '{ "blocks": ["./evil.ts"] }');
  const facts = JSON.parse(readFileSync(inRun("run.json"), "utf8"));
  const project = { config: "stranger/mae.config.json", files: [{ name: "evil.ts", import: "./evil.ts", sha256: "" }] };
  writeFileSync(inRun("run.json"), JSON.stringify({ ...facts, root: cwd, project }));
  const few = ["--samples", "9", "--with", "knn", "--no-baselines", "--backend", "wasm"];
  const resume = ["--resume", "--steps", "3", "--backend", "wasm", "--workers", "0"];
  const ran = await Promise.all([
    mae(["show", directory, "--count", "1", "--backend", "wasm"], { cwd, env }),
    mae(["eval", directory, ...few], { cwd, env }),
    mae(["export", "."], { cwd: directory, env }),
    mae(["export", inRun("checkpoint-2.safetensors"), "--out", "a.onnx"], { cwd, env }),
    mae(["diff", directory, "spec.mae"], { cwd: directory, env }),
    mae(["features", directory, "--samples", "9", "--backend", "wasm"], { cwd, env }),
    mae(["check", inRun("spec.mae")], { cwd, env }),
  ]);
  // It says that it stood on a file that is none of the project's, and so cannot go on.
  const resumed = ["train", inRun("spec.mae"), "--out", directory, ...resume];
  expect((await mae(resumed, { cwd, env })).stderr).toContain("evil.ts is not as it was when the run was started");
  writeFileSync(inRun("run.json"), JSON.stringify(facts));
  for (const { code, stderr } of [...ran, await mae(resumed, { cwd, env })]) expect(code, stderr).toBe(0);
  const everywhere = [...readdirSync(cwd), ...readdirSync(directory)];
  expect(everywhere.filter((name) => name.startsWith("ran-"))).toEqual([]);
  expect(readFileSync(inRun("program.ts"), "utf8")).not.toContain("ran-");
});

it.each([
  ["another width", (spec: string) => spec.replace("width: 16", "width: 32")],
  ["other heads, which no weight shows", (spec: string) => spec.replace("heads: 2", "heads: 4")],
  ["other pictures", (spec: string) => spec.replace("holdout: 20%", "holdout: 50%")],
])("refuses a spec that was changed after training: %s", async (_, change) => {
  const directory = copy("changed");
  const path = join(directory, "spec.mae");
  writeFileSync(path, change(readFileSync(path, "utf8")));
  const opened = openRun(directory, {}, async () => ownVocabulary);
  await expect(opened).rejects.toThrow(/spec\.mae is not the spec that .*checkpoint-2\.safetensors was trained with/);
});

it("is diagnosed: as a page, a picture and numbers, and another one is only replaced where that is said", async () => {
  const directory = copy("diagnosed");
  const few = ["diagnose", directory, "--split", "train", "--samples", "9", "--backend", "wasm"];
  const { code, stdout, stderr } = await mae([...few, "--against", directory, "--json"], { cwd, env });
  expect(code, stderr).toBe(0);
  const { files, samples, attention, tokens, features, decoder, likeness } = JSON.parse(stdout);
  expect([samples, attention.length, tokens.length, decoder.length]).toEqual([9, 1, 1, 1]);
  for (const { distance, entropy, mutual_information } of attention) {
    expect([distance.length, entropy.length, mutual_information.length]).toEqual([2, 2, 2]);
  }
  for (const { spectrum, alignment } of features) expect([spectrum.length, alignment > 0]).toEqual([9, true]);
  expect(likeness[0][0]).toBeCloseTo(1, 6);
  const [page, picture] = files.map((name: string) => readFileSync(join(cwd, name)));
  expect(page.toString()).not.toMatch(/(?:src|href)="(?!data:)|NaN/);
  expect([...picture.subarray(1, 4)]).toEqual([...Buffer.from("PNG")]);
  const taken = await mae([...few, "--out", join(directory, "spec.mae")], { cwd, env });
  expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining("spec.mae is already there")]);
});

it("does not write through a link that a run holds", async () => {
  const directory = copy("linked");
  const target = join(folder({ precious: "mine" }), "precious");
  rmSync(join(directory, "log.jsonl"));
  symlinkSync(target, join(directory, "log.jsonl"));
  const { code, stderr } = await train("--out", directory, "--resume", "--steps", "3");
  expect(stderr).toContain("log.jsonl is a link");
  expect(code).toBe(1);
  expect(readFileSync(target, "utf8")).toBe("mine");
});

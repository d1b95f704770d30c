/** The folder of a run where something is wrong with it: another training at work there, or a damaged file. */

import { cpSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { lockRun } from "../../cli/run-lock.js";
import { readRunState } from "../../cli/run-state.js";
import { folder, mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

const env = { XDG_CACHE_HOME: folder() };
let cwd = "";
const train = (...args: readonly string[]) =>
  mae(["train", "small.mae", "--backend", "wasm", "--workers", "0", ...args], { cwd, env });

beforeAll(async () => {
  cwd = await project({ "small.mae": `edition 2026\n\n${smallModel}\n${smallRecipe(16, 2)}` });
  const { code, stderr } = await train("--checkpoint-every", "1");
  expect(code, stderr).toBe(0);
}, 240_000);

/** A copy of the run to spoil. */
function copy(name: string): string {
  cpSync(join(cwd, "runs/small"), join(cwd, name), { recursive: true });
  return join(cwd, name);
}

it("two trainings do not write into one folder", { timeout: 240_000 }, async () => {
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
  expect((await train("--out", "busy", "--resume", "--steps", "3")).code).toBe(0);
  expect(readdirSync(join(cwd, "busy"))).not.toContain("training.lock");
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

it("says what to do where the newest checkpoint is damaged", { timeout: 240_000 }, async () => {
  const directory = copy("cut");
  const newest = join(directory, "checkpoint-2.safetensors");
  truncateSync(newest, 500);
  const { code, stderr } = await train("--out", "cut", "--resume", "--steps", "3");
  expect(code).toBe(1);
  expect(stderr).toContain("error[run/safetensors]");
  expect(stderr).toContain("Delete it to use the one before, cut/checkpoint-1.safetensors");
  rmSync(newest);
  expect((await train("--out", "cut", "--resume", "--steps", "3")).code).toBe(0);
});

it.each([
  ["run.json", "{}"],
  ["run.json", "{"],
  ["spec.mae", null],
])("says that %s is damaged", { timeout: 240_000 }, async (name, text) => {
  const directory = copy(`damaged-${name}-${text?.length}`);
  if (text === null) rmSync(join(directory, name));
  else writeFileSync(join(directory, name), text);
  const { code, stderr } = await train("--out", directory, "--resume");
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^error: .*${name} is damaged\n.*help: restore it`, "m"));
});

/** Runs that are killed without warning: whatever the moment, the next start goes on from a whole checkpoint and ends at the same weights. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listExecutors, newestCheckpoint } from "../../runtime/index.js";
import { bundleForNode, removeBundle } from "../support/bundle.js";
import { differing } from "../support/runs.js";

const steps = 30;
let script: string;
let parent: string;

beforeAll(async () => {
  script = await bundleForNode("support/train-child.ts");
  parent = await mkdtemp(join(tmpdir(), "maelang-killed-"));
});
afterAll(async () => {
  await removeBundle(script);
  await rm(parent, { recursive: true });
});

/** A backend, the samples that it computes at once, of batches of 8, and the devices that hold the state. */
interface Way {
  readonly backend: string;
  readonly microBatch: number;
  readonly devices: number;
}

const start = (directory: string, { backend, microBatch, devices }: Way, env = process.env): ChildProcess => {
  const args = [script, directory, ...[steps, backend, microBatch, devices].map(String)];
  return spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "inherit"] });
};

/**
 * Kills the run `delay` ms after it was let go on from `after` steps of its own: it waits after each step until it is let, so that on
 * no machine it is further than in the next. Gives its last line, or null when it was killed.
 */
async function runAndKill(directory: string, way: Way, after: number, delay: number): Promise<string | null> {
  const child = start(directory, way);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  // It may end before it reads what it is told.
  child.stdin?.on("error", () => {});
  let lines = 0;
  let last = "";
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    last = line;
    lines += 1;
    if (lines <= after) child.stdin?.write("\n");
    if (lines === after) setTimeout(() => child.kill("SIGKILL"), delay);
  }
  await ended;
  return child.signalCode === null ? last : null;
}

const present = (await listExecutors()).filter((one) => one.present).map(({ backend }) => backend);
const ways = [
  { backend: "onnx", microBatch: 8, devices: 1 },
  { backend: "onnx", microBatch: 4, devices: 1 },
  { backend: "cpu", microBatch: 4, devices: 1 },
  { backend: "xla", microBatch: 8, devices: 1 },
  { backend: "xla", microBatch: 4, devices: 2 },
].filter(({ backend }) => present.includes(backend));

it.each(ways)(
  "a run killed at any moment ends where an undisturbed one does, bit for bit: $backend, micro-batches of $microBatch, devices: $devices",
  async (way) => {
    const folder = join(parent, Object.values(way).join("-"));
    const whole = join(folder, "whole");
    expect(await runAndKill(whole, way, Infinity, 0)).toBe(`end ${steps}`);
    const killed = join(folder, "killed");
    let kills = 0;
    for (const [after, delay] of [
      [3, 7],
      [6, 1],
    ] as const) {
      if ((await runAndKill(killed, way, after, delay)) === null) kills += 1;
    }
    expect(kills).toBe(2);
    expect(await runAndKill(killed, way, Infinity, 0)).toBe(`end ${steps}`);
    const [expected, found] = [await newestCheckpoint(whole), await newestCheckpoint(killed)];
    expect(found.step).toBe(steps);
    expect(differing(found.state, expected.state)).toEqual([]);
  },
);

it.runIf(present.includes("onnx"))("onnxruntime keeps no record of a run outside of its folder", async () => {
  const home = join(parent, "home");
  await mkdir(home);
  const { ORT_DISABLE_TELEMETRY: _set, ...rest } = process.env;
  const env = { ...rest, HOME: home, XDG_CACHE_HOME: home, TMPDIR: home };
  const child = start(join(parent, "quiet"), { backend: "onnx", microBatch: 8, devices: 1 }, env);
  child.stdin?.end("\n".repeat(steps));
  child.stdout?.resume();
  await new Promise((resolve) => child.once("exit", resolve));
  expect(child.exitCode).toBe(0);
  expect(await readdir(home)).toEqual([]);
});

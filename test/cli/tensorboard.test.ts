/** Event files of a run, byte by byte as TensorBoard's own writer makes them (`test/reference/event-files.py`, which also reads them). */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventRecord, tensorboardLog } from "../../cli/runs/tensorboard.js";
import { folder, mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

const expected = JSON.parse(readFileSync("test/reference/event-files.json", "utf8")) as Readonly<
  Record<string, string>
>;
const time = 1764336000.25;
const hex = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString("hex");

it("scalars and pictures are TensorBoard's own records", () => {
  const probe = { kind: "probe", step: 70_000, name: "knn", scores: { top1: 0.1, größe: -3e-9 } } as const;
  expect(hex(eventRecord(probe, time))).toBe(expected.scalars);
  const path = join(folder({}), "reconstruction-70000.png");
  writeFileSync(path, Buffer.from(expected.png ?? "", "hex"));
  expect(hex(eventRecord({ kind: "picture", step: 70_000, path }, time))).toBe(expected.picture);
  expect(eventRecord({ kind: "note", text: "x" }, time)).toBeNull();
});

it("a file begins with its version, and one of a run that goes on with where it does", () => {
  for (const goesOn of [false, true]) {
    const directory = folder({});
    const log = tensorboardLog(directory, goesOn);
    log({ kind: "start", step: 5, totalSteps: 9, stepsPerEpoch: 3, samples: 24, parameters: 1, notes: [] });
    log({ kind: "probe", step: 6, name: "knn", scores: { top1: 0.5 } });
    const [name = ""] = readdirSync(directory);
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\.mae$/);
    const file = readFileSync(join(directory, name));
    const records: Buffer[] = [];
    for (let at = 0; at < file.length; ) {
      const length = Number(file.readBigUInt64LE(at));
      records.push(file.subarray(at + 12, at + 12 + length));
      at += length + 16;
    }
    // The last fields: `file_version`, `session_log` with START at step 6, and the summary.
    expect(records.map((one) => one.subarray(9).toString("latin1"))).toEqual([
      "\x1a\x0dbrain.Event:2",
      ...(goesOn ? ["\x10\x06\x3a\x02\x08\x01"] : []),
      expect.stringContaining("knn/top1"),
    ]);
  }
});

it("a run leaves pictures and event files as it was told, goes on with both, and replaces them", async () => {
  const cwd = await project({ "small.mae": `edition 2026\n\n${smallModel}\n${smallRecipe(16, 4)}` });
  const train = (...more: readonly string[]) =>
    mae(["train", "small.mae", "--backend", "wasm", "--workers", "0", "--json", "--out", "run", ...more], {
      cwd,
      env: { XDG_CACHE_HOME: cwd, MAE_PYTHON: join(cwd, "no-python") },
    });
  const without = await train("--log", "mlflow");
  expect([without.code, without.stderr]).toEqual([
    1,
    expect.stringContaining("the Python client of mlflow is not here"),
  ]);
  expect(existsSync(join(cwd, "run"))).toBe(false);
  const options = ["--pictures-every", "2 steps", "--log", "tensorboard", "--gradient-norm"];
  const files = (pattern: RegExp) => readdirSync(join(cwd, "run")).filter((name) => pattern.test(name));
  const first = await train(...options);
  expect(first.code, first.stderr).toBe(0);
  const events = first.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.filter(({ kind }) => kind === "picture").map(({ step }) => step)).toEqual([2]);
  expect(events.filter(({ kind }) => kind === "step").every(({ gradient_norm }) => gradient_norm > 0)).toBe(true);
  expect(files(/\.png$/)).toEqual(["reconstruction-2.png", "reconstruction.png"]);
  const [log = ""] = files(/tfevents/);
  const text = readFileSync(join(cwd, "run", log)).toString("latin1");
  for (const tag of ["loss", "learning_rate", "gradient_norm", "reconstruction"]) expect(text).toContain(tag);
  expect(text.split("PNG\r\n").length).toBe(3);
  const on = await train(...options, "--resume", "--steps", "7");
  expect(on.code, on.stderr).toBe(0);
  expect(files(/tfevents/)).toHaveLength(2);
  expect(files(/\.png$/)).toEqual(["reconstruction-2.png", "reconstruction-6.png", "reconstruction.png"]);
  const anew = await train("--force");
  expect(anew.code, anew.stderr).toBe(0);
  expect([...files(/tfevents/), ...files(/\.png$/)]).toEqual(["reconstruction.png"]);
});

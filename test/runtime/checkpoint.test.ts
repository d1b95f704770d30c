/** Checkpoints that cannot be written or do not fit: what was there before stays, and the words say what to do. */

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parameter } from "../../blocks/index.js";
import { saveCheckpoint } from "../../runtime/checkpoint/checkpoint.js";
import type { CheckpointFacts } from "../../runtime/checkpoint/stored.js";
import {
  listCheckpoints,
  loadWeights,
  newestCheckpoint,
  RunError,
  readCheckpoint,
  writeTensorFile,
} from "../../runtime/index.js";
import { onFullDisk } from "../support/full-disk.js";

let parent: string;
let directory: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "maelang-checkpoint-"));
});
afterAll(() => rm(parent, { recursive: true }));
beforeEach(async () => {
  directory = await mkdtemp(join(parent, "run-"));
});

const facts = (step: number): CheckpointFacts => ({
  program: "Tiny",
  step,
  seed: 1,
  spec: "model Tiny {}",
  cursor: { epoch: 0, batch: step, samples: 10, batchSize: 2 },
});
const tensors = [{ name: "weight", shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }];
const save = (step: number, folder = directory) => saveCheckpoint(folder, facts(step), tensors);

const failure = async (promise: Promise<unknown>): Promise<RunError> => {
  const error = await promise.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RunError);
  return error as RunError;
};

describe("saving", () => {
  it("keeps the newest two by number, and clears what a killed run left", async () => {
    await writeFile(join(directory, "checkpoint-2.safetensors.partial"), "half");
    for (const step of [8, 9, 10, 100]) await save(step);
    expect((await readdir(directory)).sort()).toEqual(["checkpoint-10.safetensors", "checkpoint-100.safetensors"]);
    expect((await listCheckpoints(directory)).map(({ step }) => step)).toEqual([10, 100]);
    expect(await newestCheckpoint(directory)).toMatchObject({ ...facts(100), state: { weight: tensors[0]?.values } });
  });

  it("gives back its weights alone where the rest is not asked for", async () => {
    const moment = { name: "optimizer.m.weight", shape: [2, 2], values: Float32Array.of(5, 6, 7, 8) };
    const path = await saveCheckpoint(directory, facts(1), [...tensors, moment]);
    const all = await readCheckpoint(path);
    expect(Object.keys(all.state).sort()).toEqual([moment.name, "weight"]);
    const { weight } = all.state;
    expect(await newestCheckpoint(directory, "weights")).toEqual({
      ...all,
      state: { weight },
      shapes: { weight: [2, 2] },
    });
    await expect(loadWeights(path, { weight: parameter([2, 2], { kind: "zeros" }) })).resolves.toEqual({ weight });
  });

  // Linux has a device that is always full.
  it.runIf(process.platform === "linux")("on a full disk keeps the earlier ones", async () => {
    await save(1);
    const error = await failure(onFullDisk(() => save(2)));
    expect(error).toMatchObject({ code: "run/disk-full", help: expect.stringContaining("resume") });
    expect(await newestCheckpoint(directory)).toMatchObject({ step: 1 });
    expect(await readdir(directory)).toEqual(["checkpoint-1.safetensors"]);
  });

  it.runIf(process.platform !== "win32")("writes over no file that a link of a stranger leads to", async () => {
    const other = join(parent, "other");
    await writeFile(other, "mine");
    await symlink(other, join(directory, "checkpoint-2.safetensors.partial"));
    await save(2);
    expect(await readFile(other, "utf8")).toBe("mine");
  });

  it.runIf(process.platform !== "win32")("into a folder that is read-only says so", async () => {
    await save(1);
    await chmod(directory, 0o555);
    await chmod(parent, 0o755);
    // The superuser may write anywhere, so somebody else tries.
    const user = process.geteuid?.() as number;
    if (user === 0) process.seteuid?.(65_534);
    try {
      expect(await failure(save(2))).toMatchObject({ code: "run/unwritable", why: expect.stringContaining("EACCES") });
    } finally {
      process.seteuid?.(user);
      await chmod(directory, 0o755);
    }
    expect(await newestCheckpoint(directory)).toMatchObject({ step: 1 });
  });

  it("into what is no folder says so", async () => {
    await writeFile(join(directory, "file"), "");
    expect((await failure(save(1, join(directory, "file")))).code).toBe("run/unwritable");
    expect((await failure(listCheckpoints(join(directory, "file")))).code).toBe("run/unreadable");
  });
});

describe("loading", () => {
  const matrix = (rows: number, columns: number) => parameter([rows, columns], { kind: "zeros" });

  it("refuses weights that are no numbers, whoever asks for them", async () => {
    const broken = tensors.map(({ values, ...tensor }) => ({
      ...tensor,
      values: values.map((v, i) => (i === 1 ? Number.NaN : v)),
    }));
    const path = await saveCheckpoint(directory, facts(1), broken);
    const error = await failure(loadWeights(path, { weight: matrix(2, 2) }));
    expect(error).toMatchObject({
      code: "run/weights-not-finite",
      why: expect.stringContaining("weight: 1 of 4 values are not finite"),
    });
  });

  it("names what is missing, unexpected and of another shape", async () => {
    const path = await save(1);
    expect(await loadWeights(path, { weight: matrix(2, 2) })).toEqual({ weight: tensors[0]?.values });
    const many = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, matrix(1, 1)]));
    const error = await failure(loadWeights(path, { weight: matrix(2, 3), more: many }));
    expect(error.code).toBe("run/checkpoint-mismatch");
    expect(error.what).toMatch(/another model \(Tiny\)/);
    expect(error.why).toBe(
      "5 missing: more.a, more.b, more.c, more.d, and 1 more; 1 of another shape: weight is [2, 2] there and [2, 3] here",
    );
    expect((await failure(loadWeights(path, {}))).why).toBe("1 unexpected: weight");
  });

  it("leaves the optimizer's moments out of the weights", async () => {
    const moments = [...tensors, { ...tensors[0], name: "optimizer.m.weight" } as (typeof tensors)[number]];
    const path = await saveCheckpoint(directory, facts(1), moments);
    expect(Object.keys(await loadWeights(path, { weight: matrix(2, 2) }))).toEqual(["weight"]);
  });

  const metadata = {
    format: "maelang-checkpoint",
    format_version: "1",
    maelang: "9.9.9",
    program: "P",
    step: "1",
    seed: "0",
    spec: "",
    cursor: '{"epoch":0,"batch":1,"samples":2,"batchSize":1}',
  };
  it.each<[string, Record<string, string>, RegExp]>([
    ["of somebody else", {}, /not written by maelang/],
    ["of a newer format", { ...metadata, format_version: "2" }, /"9\.9\.9", which is newer/],
    ["without a step", { ...metadata, step: "-1" }, /"step" is not a whole number/],
    ["with a broken cursor", { ...metadata, cursor: "{" }, /cursor has no "epoch"/],
    ["with half a cursor", { ...metadata, cursor: '{"epoch":0}' }, /cursor has no "batch"/],
    ["with a null cursor", { ...metadata, cursor: "null" }, /cursor has no "epoch"/],
  ])("refuses a file %s", async (_, changed, words) => {
    const path = join(directory, "checkpoint-1.safetensors");
    await writeTensorFile(path, tensors, changed);
    const error = await failure(readCheckpoint(path));
    expect(error.code).toBe("run/checkpoint-unreadable");
    expect(error.why).toMatch(words);
  });

  it("refuses weights that are no floats, and is not fooled by names", async () => {
    const path = join(directory, "checkpoint-1.safetensors");
    await writeTensorFile(path, [{ name: "weight", shape: [1], values: Int32Array.of(1) }], metadata);
    expect((await failure(readCheckpoint(path))).why).toMatch(/"weight" has the type I32/);
    await writeTensorFile(path, [{ name: "__proto__", shape: [1], values: Float32Array.of(1) }], metadata);
    expect((await failure(loadWeights(path, { weight: matrix(1, 1) }))).why).toBe(
      "1 missing: weight; 1 unexpected: __proto__",
    );
  });

  it("of nothing says what to do", async () => {
    await mkdir(join(directory, "checkpoint-1.safetensors"));
    expect((await failure(readCheckpoint(join(directory, "checkpoint-1.safetensors")))).code).toBe("run/unreadable");
    expect((await failure(newestCheckpoint(join(directory, "absent")))).code).toBe("run/checkpoint-missing");
  });
});

/** `mae export` and `mae features` of a run that was really trained, and of checkpoints; what they say where they cannot. */

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, expect, it } from "vitest";
import { npyHeader } from "../../runtime/export/npz.js";
import { readCheckpoint, readTensorFile, writeTensorFile } from "../../runtime/index.js";
import { folder, mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

const normalize = "normalize(mean: (0.5, 0.4, 0.3), std: (0.2, 0.2, 0.25))";
const recipe = smallRecipe(16, 3).replace("resize(size: 16x16)", `resize(size: 16x16), ${normalize}`);

const env = { XDG_CACHE_HOME: folder() };
let cwd = "";
const run = (...args: string[]) => mae(args, { cwd, env });

beforeAll(async () => {
  cwd = await project({ "small.mae": `edition 2026\n\n${smallModel}\n${recipe}` });
  const { code, stderr } = await run("train", "small.mae", "--backend", "wasm", "--workers", "0");
  expect(code, stderr).toBe(0);
});

const blank = new Tensor("float32", new Float32Array(2 * 16 * 16 * 3), [2, 16, 16, 3]);

it("writes a file beside the run's checkpoint and says how it is used", async () => {
  const { code, stdout, stderr } = await run("export", "runs/small");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("Small after step 3, encode");
  expect(stdout).toContain("float32 [batch, 16, 16, 3]");
  expect(stdout).toContain("minus mean [0.5, 0.4, 0.3] and divided by [0.2, 0.2, 0.25]");
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("runs/small/encode.onnx");
  const session = await InferenceSession.create(join(cwd, "runs/small/encode.onnx"));
  const { tokens, cls, mean } = await session.run({ image: blank });
  expect([tokens?.dims, cls?.dims, mean?.dims]).toEqual([
    [2, 17, 16],
    [2, 16],
    [2, 16],
  ]);
  await session.release();
});

it("tells scripts what it wrote", async () => {
  const { code, stdout } = await run("export", "runs/small", "--what", "reconstruct", "-o", "r.onnx", "--json");
  expect(code).toBe(0);
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({
    format_version: "1.0",
    file: "r.onnx",
    data_file: null,
    bytes: readFileSync(join(cwd, "r.onnx")).length,
    model: "Small",
    step: 3,
    function: "reconstruct",
  });
  expect(document.inputs).toMatchObject([
    { name: "image", dtype: "float32", shape: ["batch", 16, 16, 3] },
    { name: "visible", dtype: "int32", shape: ["batch", 4] },
    { name: "restore", dtype: "int32", shape: ["batch", 16] },
  ]);
  expect(document.outputs.map(({ name }: { name: string }) => name)).toEqual(["prediction", "pixels"]);
});

it("takes a checkpoint of a run, and one that is alone", async () => {
  const checkpoint = "runs/small/checkpoint-3.safetensors";
  copyFileSync(join(cwd, checkpoint), join(cwd, "alone.safetensors"));
  const files = ["of-run.onnx", "of-checkpoint.onnx", "of-alone.onnx"];
  const sources = ["runs/small", checkpoint, "alone.safetensors"];
  for (const [i, source] of sources.entries()) {
    const { code, stderr } = await run("export", source, "--out", files[i] as string, "--batch", "2");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  }
  const [first, ...others] = files.map((file) => readFileSync(join(cwd, file)));
  for (const other of others) expect(other.equals(first as Buffer)).toBe(true);
});

it("overwrites nothing unasked", async () => {
  writeFileSync(join(cwd, "there.onnx"), "mine");
  const { code, stderr } = await run("export", "runs/small", "-o", "there.onnx");
  expect(code).toBe(1);
  expect(stderr).toContain("there.onnx is already there");
  expect(stderr).toContain("--force");
  expect(readFileSync(join(cwd, "there.onnx"), "utf8")).toBe("mine");
  expect((await run("export", "runs/small", "-o", "there.onnx", "--force")).code).toBe(0);
  expect(readFileSync(join(cwd, "there.onnx")).length).toBeGreaterThan(10_000);
});

it.each([
  ["a source that is not there", ["nowhere"], 2, "nowhere does not exist"],
  ["a folder without a run", ["images"], 2, "images holds no run"],
  ["a file that is no checkpoint", ["small.mae"], 1, "run/safetensors"],
  ["a function that is not there", ["runs/small", "--what", "decode"], 2, "encode, reconstruct, features, prediction"],
  ["a batch of nothing", ["runs/small", "--batch", "0"], 2, "at least 1"],
  ["a folder that is not there", ["runs/small", "-o", "no/where.onnx"], 1, "its folder does not exist"],
  ["classes of a model without a head", ["runs/small", "--what", "classify", "-o", "c.onnx"], 1, "has no head"],
])("says what is wrong with %s", async (_, args, expected, words) => {
  const { code, stdout, stderr } = await run("export", ...args);
  expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
  expect(stderr).toContain(words);
  expect(existsSync(join(cwd, "c.onnx"))).toBe(false);
});

it("refuses a checkpoint of a later version", async () => {
  const { state, shapes, spec: kept } = await readCheckpoint(join(cwd, "runs/small/checkpoint-3.safetensors"));
  const tensors = Object.entries(state).map(([name, values]) => ({ name, values, shape: shapes[name] ?? [] }));
  const metadata = { format: "maelang-checkpoint", format_version: "2", maelang: "9.0.0", spec: kept };
  await writeTensorFile(join(cwd, "later.safetensors"), tensors, metadata);
  const { code, stderr } = await run("export", "later.safetensors");
  expect(code).toBe(1);
  expect(stderr).toContain('maelang "9.0.0", which is newer');
});

/** The arrays of an archive, by name: what stands in the header, and the bytes of the numbers. */
function unzipped(bytes: Buffer): Record<string, { readonly header: string; readonly data: Buffer }> {
  const arrays: Record<string, { readonly header: string; readonly data: Buffer }> = {};
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50; ) {
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    const name = bytes.toString("latin1", at + 30, at + 30 + bytes.readUInt16LE(at + 26));
    const content = bytes.subarray(start, start + Number(bytes.readBigUInt64LE(start - 16)));
    expect(crc32(content)).toBe(bytes.readUInt32LE(at + 14));
    const numbers = 10 + content.readUInt16LE(8);
    arrays[name] = { header: content.toString("latin1", 10, numbers).trim(), data: content.subarray(numbers) };
    at = start + content.length;
  }
  return arrays;
}

/** Copied, since a view needs its numbers at a multiple of their size. */
const floats = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

it("writes features of arrays that are those of the exported encoder, in three formats", async () => {
  const pixels = Uint8Array.from({ length: 3 * 16 * 16 * 3 }, (_, i) => (i * 37) % 256);
  writeFileSync(join(cwd, "pixels.npy"), Buffer.concat([npyHeader("|u1", [3, 16, 16, 3]), pixels]));
  writeFileSync(join(cwd, "labels.npy"), Buffer.concat([npyHeader("|u1", [3]), Uint8Array.of(1, 0, 2)]));
  const data = ["--data", "pixels.npy", "--labels", "labels.npy", "--backend", "wasm", "--out"];
  const written = await Promise.all([
    run("features", "runs/small", ...data, "f.npz", "--json"),
    run("features", "runs/small", ...data, "f.csv"),
    run("features", "alone.safetensors", ...data, "f.safetensors"),
    run("export", "runs/small", "--pixels", "-o", "pixels.onnx"),
  ]);
  for (const { code, stderr } of written) expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(written[0]?.stdout ?? "")).toMatchObject({ file: "f.npz", images: 3, width: 16, select: "cls" });
  const session = await InferenceSession.create(join(cwd, "pixels.onnx"));
  const image = new Tensor("float32", Float32Array.from(pixels), [3, 16, 16, 3]);
  const wanted = (await session.run({ image })).cls?.data as Float32Array;
  await session.release();
  const npz = unzipped(readFileSync(join(cwd, "f.npz")));
  expect(Object.entries(npz).map(([name, { header }]) => [name, header])).toEqual([
    ["features.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 16), }"],
    ["labels.npy", "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"],
    ["classes.npy", "{'descr': '<U1', 'fortran_order': False, 'shape': (3,), }"],
  ]);
  const features = floats(npz["features.npy"]?.data as Buffer);
  for (const [i, value] of wanted.entries()) expect(features[i]).toBeCloseTo(value, 4);
  expect(npz["labels.npy"]?.data.filter((_, i) => i % 8 === 0)).toEqual(Buffer.of(1, 0, 2));
  const { tensors } = await readTensorFile(join(cwd, "f.safetensors"));
  expect(tensors.get("features")).toMatchObject({ shape: [3, 16], values: features });
  expect(tensors.get("labels")?.values).toEqual(BigInt64Array.of(1n, 0n, 2n));
  const [head, ...rows] = readFileSync(join(cwd, "f.csv"), "utf8").trimEnd().split("\n");
  expect(head).toMatch(/^sample,path,label,class,f0,.*,f15$/);
  expect(rows[0]).toMatch(/^0,,1,1,/);
  expect(Float32Array.from(rows.flatMap((row) => row.split(",").slice(4).map(Number)))).toEqual(features);
});

it("writes features of the test images with their paths, and no row for a file that is broken", async () => {
  const images = join(cwd, "some");
  mkdirSync(images);
  const [first, second] = readdirSync(join(cwd, "images/disk"));
  for (const name of [first, second] as string[]) copyFileSync(join(cwd, "images/disk", name), join(images, name));
  writeFileSync(join(images, "broken.png"), "no picture");
  const named = ["--data", "image=some"];
  const { code, stderr } = await run("features", "runs/small", ...named, "--backend", "wasm", "-o", "some.csv");
  expect(code, stderr).toBe(0);
  expect(stderr).toContain("broken.png cannot be decoded");
  const paths = readFileSync(join(cwd, "some.csv"), "utf8")
    .trimEnd()
    .split("\n")
    .map((row) => row.split(",")[1]);
  expect(paths).toEqual(["path", `some/${first}`, `some/${second}`]);
  expect(readdirSync(cwd).filter((name) => name.endsWith(".partial"))).toEqual([]);
  const twice = await run("features", "runs/small", ...named, ...named, "-o", "twice.csv");
  expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining("--data names image twice") });
  const device = await run("features", "runs/small", "-o", "images", "--force");
  expect(device).toMatchObject({ code: 2, stderr: expect.stringContaining("does not say which kind of file") });
});

it("takes weights of others as a checkpoint, and says what would start from scratch", async () => {
  const weights = join(import.meta.dirname, "../reference/foreign/vitmae.safetensors");
  const model = smallModel.replace("depth: 1, width: 16", "depth: 2, width: 16");
  writeFileSync(join(cwd, "taken.mae"), `edition 2026\n\n${model}\n${recipe}`);
  const refused = await run("import", weights, "taken.mae", "--fresh", "encoder");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("vitmae.safetensors has no weights for decoder of Small");
  expect(refused.stdout).toMatch(/kept +encoder: 30 weights/);
  const args = ["import", weights, "taken.mae", "--fresh", "decoder", "--json", "-o", "taken.safetensors"];
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ naming: "Hugging Face", model: "Small", checkpoint: "taken.safetensors" });
  const { state, step } = await readCheckpoint(join(cwd, "taken.safetensors"));
  const { tensors } = await readTensorFile(weights);
  expect(step).toBe(0);
  expect(state["norm.weight"]).toEqual(tensors.get("vit.layernorm.weight")?.values);
  expect((await run("export", "taken.safetensors", "-o", "taken.onnx")).code).toBe(0);
});

/** The safetensors format: what the reference implementation wrote, what we write, and what strangers might send. */

import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeSafetensors, type TensorToStore } from "../../runtime/checkpoint/safetensors.js";
import { readTensorFile, writeTensorFile } from "../../runtime/checkpoint/tensor-file.js";
import { RunError } from "../../runtime/run-error.js";
import { runs } from "../support/fuzz.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "maelang-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What reading these bytes says; every failure must be a `run/safetensors`. */
async function complaint(bytes: Uint8Array): Promise<string> {
  const path = join(folder, "hostile.safetensors");
  await writeFile(path, bytes);
  const error = await readTensorFile(path).then(
    () => null,
    (e: unknown) => e,
  );
  if (error === null) return "";
  if (!(error instanceof RunError) || error.code !== "run/safetensors") throw error;
  return error.why as string;
}

/** A file with this header text and `data` bytes after it. */
function withHeader(header: string, data = 0, length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + data);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const entry = (dtype: string, shape: unknown, offsets: unknown): string =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

describe("a file of the reference implementation", () => {
  it("is read in every type", async () => {
    const { tensors, metadata } = await readTensorFile("test/reference/every-type.safetensors");
    const values = [0, -0, 1, -2.5, 65504, 2 ** -14];
    for (const name of ["float64", "float32", "float16"]) {
      expect([...(tensors.get(name)?.values ?? [])]).toEqual(values);
      expect(tensors.get(name)?.shape).toEqual([2, 3]);
    }
    expect(tensors.get("bfloat16")?.values).toEqual(new Float32Array([1, -3.140625, 2 ** 100]));
    expect(tensors.get("half.special")?.values).toEqual(new Float32Array([Infinity, -Infinity, NaN, 2 ** -24]));
    expect(tensors.get("int64")?.values).toEqual(new BigInt64Array([2n ** 62n, -1n]));
    expect(tensors.get("int32")?.values).toEqual(new Int32Array([2 ** 31 - 1, -(2 ** 31)]));
    expect(tensors.get("uint8")?.values).toEqual(new Uint8Array([0, 255]));
    expect(tensors.get("bool")).toEqual({ dtype: "BOOL", shape: [3], values: new Uint8Array([1, 0, 1]) });
    expect(tensors.get("scalar")).toEqual({ dtype: "F32", shape: [], values: new Float32Array([7]) });
    expect(tensors.get("empty")).toEqual({ dtype: "F32", shape: [0, 3], values: new Float32Array() });
    expect(Object.fromEntries(metadata)).toEqual({ format: "pt", words: 'ünïcode "quoted"' });
  });
});

const values = fc.oneof(
  fc.float32Array({ maxLength: 40 }),
  fc.float64Array({ maxLength: 40 }),
  fc.int32Array({ maxLength: 40 }),
  fc.bigInt64Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }),
);
const names = fc
  .oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("__proto__", "constructor", "0", 'a"b\\'))
  .filter((name) => name !== "__metadata__");
const tensorsToStore = fc
  .uniqueArray(fc.tuple(names, values), { selector: ([name]) => name, maxLength: 8 })
  .map((list): TensorToStore[] => list.map(([name, values]) => ({ name, shape: [values.length], values })));

describe("writing", () => {
  it("gives back what was written, bit for bit", async () => {
    const path = join(folder, "round.safetensors");
    await fc.assert(
      fc.asyncProperty(tensorsToStore, fc.dictionary(fc.string(), fc.string()), async (tensors, metadata) => {
        await writeTensorFile(path, tensors, metadata);
        const back = await readTensorFile(path);
        expect(Object.fromEntries(back.metadata)).toEqual({ ...metadata });
        expect([...back.tensors.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort());
        for (const { name, values } of tensors) {
          const read = back.tensors.get(name)?.values;
          expect(read?.constructor).toBe(values.constructor);
          expect(Buffer.from(read?.buffer as ArrayBuffer)).toEqual(
            Buffer.from(values.buffer, values.byteOffset, values.byteLength),
          );
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it("aligns the data to 8 bytes and each tensor to its element", () => {
    const [header] = encodeSafetensors(
      [
        { name: "bytes", shape: [3], values: new Uint8Array(3) },
        { name: "floats", shape: [1], values: new Float32Array(1) },
        { name: "doubles", shape: [1], values: new Float64Array(1) },
      ],
      {},
    );
    expect((header as Uint8Array).length % 8).toBe(0);
    const fields = JSON.parse(new TextDecoder().decode((header as Uint8Array).subarray(8)));
    expect(fields.doubles.data_offsets).toEqual([0, 8]);
    expect(fields.floats.data_offsets).toEqual([8, 12]);
    expect(fields.bytes.data_offsets).toEqual([12, 15]);
  });
});

describe("a hostile file", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(), /only 0 bytes/],
    ["cut in its length", new Uint8Array(7), /only 7 bytes/],
    ["with a header longer than itself", withHeader("{}", 0, 3n), /claims 3 bytes and 2 follow/],
    ["with an absurd header length", withHeader("{}", 0, 2n ** 64n - 1n), /claims 18446744073709551615 bytes/],
    ["that is not JSON", withHeader("{a: 1}"), /not JSON/],
    ["that is not UTF-8", withHeader('{"x":1}').with(10, 0xff), /not JSON/],
    ["whose header is a list", withHeader("[]"), /not a JSON object/],
    ["whose header nests deeply", withHeader(`{"a":${"[".repeat(8_000_000)}`), /nests deeper than 3 levels/],
    ["with brackets in names alone", withHeader('{"[[[\\"[[[":[]}'), /not described by an object/],
    ["whose header is longer than that of any model", withHeader(" ".repeat(2 ** 24 + 1)), /at most 16777216 are read/],
    [
      "with a name twice",
      withHeader(`{"a":${entry("U8", [1], [0, 1])},"\\u0061":${entry("U8", [1], [0, 1])}}`, 1),
      /"a" occurs twice/,
    ],
    ["with an unknown type", withHeader(`{"a":${entry("F8_E5M2", [1], [0, 1])}}`, 1), /F8_E5M2/],
    ["with an inherited type", withHeader(`{"a":${entry("constructor", [1], [0, 1])}}`, 1), /constructor/],
    ["with a negative size", withHeader(`{"a":${entry("U8", [-1], [0, 1])}}`, 1), /no valid shape/],
    ["with a fractional size", withHeader(`{"a":${entry("U8", [0.5, 2], [0, 1])}}`, 1), /no valid shape/],
    ["with too many axes", withHeader(`{"a":${entry("U8", Array(65).fill(1), [0, 1])}}`, 1), /no valid shape/],
    ["with an absurd shape", withHeader(`{"a":${entry("F32", [2 ** 52, 2 ** 52], [0, 4])}}`, 4), /needs .* bytes/],
    [
      "with an endless shape",
      withHeader(`{"a":${entry("F32", [...Array(30).fill(2 ** 52), 0], [0, 0])}}`),
      /needs NaN bytes/,
    ],
    [
      "with offsets of a wrong size",
      withHeader(`{"a":${entry("F32", [2], [0, 4])}}`, 4),
      /needs 8 bytes by its shape and has 4/,
    ],
    ["with offsets backwards", withHeader(`{"a":${entry("U8", [1], [1, 0])}}`, 1), /needs 1 bytes/],
    ["with three offsets", withHeader(`{"a":${entry("U8", [1], [0, 1, 2])}}`, 1), /no valid offsets/],
    ["with a tensor beyond its end", withHeader(`{"a":${entry("U8", [9], [0, 9])}}`, 8), /ends 1 bytes after/],
    [
      "with overlapping tensors",
      withHeader(`{"a":${entry("U8", [2], [0, 2])},"b":${entry("U8", [2], [1, 3])}}`, 3),
      /"b" overlaps/,
    ],
    ["with a hole", withHeader(`{"a":${entry("U8", [1], [1, 2])}}`, 2), /1 bytes before "a"/],
    ["with bytes at its end", withHeader(`{"a":${entry("U8", [1], [0, 1])}}`, 2), /1 bytes at its end/],
    ["with numbers as metadata", withHeader('{"__metadata__":{"step":1}}'), /"step" is not text/],
    ["with a list as a tensor", withHeader('{"a":[]}'), /not described by an object/],
  ])("%s is refused in words", async (_, bytes, words) => {
    expect(await complaint(bytes)).toMatch(words);
  });

  it("of any bytes is read or refused, never more", async () => {
    const whole = await readFile("test/reference/every-type.safetensors");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(whole.length),
        async (changes, length) => {
          const bytes = Uint8Array.from(whole);
          for (const [at, value] of changes) bytes[at] = value;
          await complaint(bytes.subarray(0, length));
          await complaint(bytes);
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it("that claims more bytes than any memory is refused in words", async () => {
    const size = 2 ** 46;
    const path = join(folder, "sparse.safetensors");
    const bytes = withHeader(`{"a":${entry("U8", [size], [0, size])}}`);
    await writeFile(path, bytes);
    // A file system that cannot hold such a file cannot be attacked with one.
    const grown = await truncate(path, bytes.length + size).then(
      () => true,
      () => false,
    );
    const error = await readTensorFile(path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RunError);
    expect((error as RunError).code).toBe(grown ? "run/unreadable" : "run/safetensors");
  });

  it("that is not there is refused in words", async () => {
    const error = await readTensorFile(join(folder, "absent")).catch((e: unknown) => e);
    expect((error as RunError).code).toBe("run/unreadable");
  });
});

/** Weights of others: files of PyTorch read as data, the names of Hugging Face and timm, and what their models make of an image. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { arrayInputs, namedParameters, weightsOf } from "../../blocks/index.js";
import { assemble, foreignMap, programOf } from "../../compiler/index.js";
import { createBuilder, evaluate } from "../../graph/index.js";
import type { StoredTensor } from "../../runtime/checkpoint/safetensors.js";
import { withPyTorchFile } from "../../runtime/foreign/pytorch.js";
import { importedWeights, readForeignWeights } from "../../runtime/index.js";
import { modelOf } from "../support/model.js";

const folder = join(import.meta.dirname, "../reference/foreign");
const reference = JSON.parse(readFileSync(join(folder, "foreign.json"), "utf8"));
const scratch = mkdtempSync(join(tmpdir(), "maelang-foreign-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const spec = (encoder: string, positions = "sin_cos", side = 16): string => `edition 2026
model Tiny {
  input     image(size: ${side}x${side}, channels: 3)
  tokens    patch(size: 4x4)
  positions ${positions}
  mask      random(ratio: 75%)
  encoder   vit(${encoder})
  decoder   vit(depth: 1, width: 8, heads: 2)
  target    pixels
  loss      mse
}`;

/** All tensors of a file of PyTorch. */
const readPyTorchFile = (path: string): Promise<ReadonlyMap<string, StoredTensor>> =>
  withPyTorchFile(path, async (tensors) => {
    const read = new Map<string, StoredTensor>();
    for (const [name, tensor] of tensors) read.set(name, await tensor.read());
    return read;
  });

const mapped = async (file: string, text: string, fresh: readonly string[] = []) => {
  const model = modelOf(text);
  const { weights } = await readForeignWeights(join(folder, file));
  const map = foreignMap(model, file, new Map([...weights].map(([name, { shape }]) => [name, shape])), fresh);
  return { model, weights, map };
};

test("a ViTMAE of Hugging Face gives every weight, and the same features as there", async () => {
  const { model, weights, map } = await mapped("vitmae.safetensors", spec("depth: 2, width: 16, heads: 2"));
  expect(map.mappings.filter(({ status }) => status !== "kept")).toEqual([]);
  const { parameters } = assemble(model);
  const taken = [...namedParameters(parameters)].map(([name]) => ({ name, from: name, resize: null }));
  const values = await importedWeights(parameters, weights, taken, { file: "vitmae", seed: 0 });
  const program = programOf(assemble(model));
  const g = createBuilder({ batch: 2 });
  const output = program.features(g, weightsOf(g, parameters), arrayInputs(g, program));
  const image = Float64Array.from(reference.image);
  const state = Object.fromEntries(Object.entries(values).map(([name, numbers]) => [name, Float64Array.from(numbers)]));
  const features = [...(evaluate(g.finish({ outputs: { output } }), { image }, state).outputs.output ?? [])];
  expect(features.length).toBe(reference.vitmae.length);
  const worst = Math.max(...features.map((value, i) => Math.abs(value - reference.vitmae[i])));
  expect(worst).toBeLessThan(1e-5);
});

test("timm's table of learned positions is brought to another grid, and is no fixed one", async () => {
  const encoder = "depth: 1, width: 16, heads: 2";
  const { map } = await mapped("timm-old.pth", spec(encoder, "learned"), ["decoder"]);
  expect(map.mappings.find((mapping) => "name" in mapping && mapping.name === "pos_embed")).toMatchObject({
    status: "resized",
    table: { from: [6, 6], to: [4, 4], extra: 1 },
  });
  expect(map.unsaid).toEqual([]);
  const fixed = await mapped("timm-old.pth", spec(encoder), ["decoder"]);
  const { parameters } = assemble(fixed.model);
  const importing = importedWeights(parameters, fixed.weights, [], { file: "timm-old.pth", seed: 0 });
  await expect(importing).rejects.toThrow("pos_embed in timm-old.pth is another table than the fixed one");
});

describe("a file of torch.save", () => {
  test("gives views as they are, whatever they share, and widens 16-bit floats", async () => {
    const tensors = await readPyTorchFile(join(folder, "training.pth"));
    const plain = Array.from({ length: 24 }, (_, i) => i);
    const values = (name: string): readonly number[] => [...(tensors.get(`model.${name}`)?.values ?? [])].map(Number);
    expect(values("plain")).toEqual(plain);
    expect(values("turned")).toEqual(plain.map((_, i) => (i % 4) * 6 + Math.floor(i / 4)));
    expect(values("part")).toEqual([6, 8, 10, 12, 14, 16]);
    expect([values("half"), values("brain")]).toEqual([plain, plain]);
    expect([values("whole"), values("empty"), values("scalar")]).toEqual([[0, 1, 2], [], [5]]);
    expect(tensors.get("optimizer.state.0.exp_avg")?.shape).toEqual([4, 6]);
  });

  test("runs nothing that it names", async () => {
    const reading = readPyTorchFile(join(folder, "harmful.pth"));
    await expect(reading).rejects.toThrow('"__builtin__.getattr", which is no tensor and no plain container');
  });

  test.each(["training.pth", "timm-old.pth"])(
    "%s cut anywhere, or with any byte changed, ends in words",
    async (name) => {
      const whole = readFileSync(join(folder, name));
      const path = join(scratch, name);
      for (let i = 0; i < 150; i++) {
        const bytes = Uint8Array.from(i % 2 ? whole : whole.subarray(0, Math.floor((whole.length * i) / 150)));
        if (i % 2) bytes[Math.floor((bytes.length * i) / 150)] = (i * 37) % 256;
        writeFileSync(path, bytes);
        await readPyTorchFile(path).catch((error: Error) => expect(error).toMatchObject({ name: "RunError" }));
      }
    },
  );
});

test("a file that names one list a thousand million times is refused soon", async () => {
  const pickle = (...bytes: readonly number[]): readonly number[] => [0x80, 2, ...bytes, 0x2e];
  const magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  // A list is kept, dropped, and named ten times in the next.
  const tenTimes = [0x71, 0, 0x30, 0x28, ...Array(10).fill([0x68, 0]).flat(), 0x6c];
  const nested = pickle(0x5d, ...Array(9).fill(tenTimes).flat());
  const path = join(scratch, "nested.pth");
  writeFileSync(
    path,
    Uint8Array.from([pickle(0x8a, 10, ...magic), pickle(0x4b, 1), pickle(0x7d), nested, pickle(0x5d)].flat()),
  );
  await expect(readPyTorchFile(path)).rejects.toThrow("its pickle nests more than the weights of a model do");
});

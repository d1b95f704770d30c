/** Weights of others: files of PyTorch read as data, the names of Hugging Face and timm, and what their models make of an image. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { arrayInputs, maskedBatch, masksOf, namedParameters, predictOf, weightsOf } from "../../blocks/index.js";
import { changeOf } from "../../cli/runs/weights-from.js";
import { assemble, foreignMap, programOf } from "../../compiler/index.js";
import { createBuilder, evaluate } from "../../graph/index.js";
import type { StoredTensor } from "../../runtime/checkpoint/safetensors.js";
import { otherModel } from "../../runtime/foreign/names.js";
import { withPyTorchFile } from "../../runtime/foreign/pytorch.js";
import { foreignShapes } from "../../runtime/foreign/weights.js";
import { importedWeights, outlineOf, readForeignWeights } from "../../runtime/index.js";
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
  const map = foreignMap(model, file, outlineOf(weights), { fresh });
  return { model, weights, map };
};

test("a ViTMAE of Hugging Face gives every weight, and the same features as there", async () => {
  const { model, weights, map } = await mapped("vitmae.safetensors", spec("depth: 2, width: 16, heads: 2"));
  expect(map.mappings.filter(({ status }) => status !== "kept")).toEqual([]);
  const { parameters } = assemble(model);
  const taken = [...namedParameters(parameters)].map(([name]) => ({ name, from: name }));
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

interface Case {
  readonly file: string;
  readonly spec: string;
  readonly what: "features" | "predict" | "hidden";
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly order?: readonly number[];
  readonly fresh?: readonly string[];
  readonly adapt?: boolean;
}

/** Models of libraries, and of the official repositories. */
const matrix: Readonly<Record<string, Case>> = Object.assign(
  {},
  ...["weights-in", "weights-in-maps", "official", "official-maps"].map(
    (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")).cases,
  ),
);

/** What a model of a case makes of its input with the weights of its file. */
async function computed({ file, spec: text, what, input, order, fresh = [], adapt = false }: Case) {
  const model = modelOf(text);
  const { weights } = await readForeignWeights(join(folder, file));
  const outline = outlineOf(weights);
  const { mappings, unsaid, strange } = foreignMap(model, file, outline, { fresh, adapt });
  expect({ unsaid, strange }).toEqual({ unsaid: [], strange: [] });
  expect(mappings.filter(({ status }) => status === "dropped")).toEqual([]);
  const { parameters } = assemble(model);
  const taken = mappings.flatMap((mapping) =>
    "from" in mapping && mapping.status !== "dropped"
      ? [{ name: mapping.name, from: mapping.from.name, ...changeOf(mapping) }]
      : [],
  );
  const values = await importedWeights(parameters, weights, taken, { file, seed: 0 });
  const program = programOf(assemble(model));
  const g = createBuilder({ batch: 2 });
  const w = weightsOf(g, parameters);
  const [array = ""] = Object.keys(program.arrays);
  const tokens = (order?.length ?? 0) / 2;
  const rows = order ? [order.slice(0, tokens), order.slice(tokens)] : [];
  const seen = what === "features" ? 0 : (masksOf(program)[0]?.mask.visible ?? 0);
  const output =
    what === "features"
      ? program.features(g, w, arrayInputs(g, program))
      : predictOf(program)(g, w, order ? maskedBatch(g, program, w) : arrayInputs(g, program));
  const feeds = {
    [array]: Float64Array.from(input),
    ...(order
      ? {
          visible: Int32Array.from(rows.flatMap((row) => row.slice(0, seen))),
          hidden: Int32Array.from(rows.flatMap((row) => row.slice(seen))),
          restore: Int32Array.from(rows.flatMap((row) => row.map((_, i) => row.indexOf(i)))),
        }
      : {}),
  };
  const state = Object.fromEntries(Object.entries(values).map(([name, numbers]) => [name, Float64Array.from(numbers)]));
  const all = [...(evaluate(g.finish({ outputs: { output } }), feeds, state).outputs.output ?? [])].map(Number);
  if (what !== "hidden") return all;
  const width = all.length / rows.flat().length;
  return rows.flatMap((row, b) =>
    row.slice(seen).flatMap((place) => all.slice((b * tokens + place) * width, (b * tokens + place + 1) * width)),
  );
}

test.each(Object.entries(matrix))("%s computes what it computes where it comes from", async (_, one) => {
  const output = await computed(one);
  expect(output.length).toBe(one.output.length);
  const worst = Math.max(...output.map((value, i) => Math.abs(value - (one.output[i] as number))));
  expect(worst).toBeLessThan(1e-5);
});

test("weights that are not finite are told", async () => {
  const one = matrix["timm-mean"] as Case;
  await expect(computed({ ...one, file: "not-finite.safetensors" })).rejects.toThrow(
    /not finite: number 26 of blocks\.1\.attn\.proj\.weight is NaN/,
  );
});

test("other channels are an error where nothing says that they are adapted", async () => {
  const grey = matrix["timm-grey"] as Case;
  const { weights } = await readForeignWeights(join(folder, grey.file));
  const outline = outlineOf(weights);
  expect(foreignMap(modelOf(grey.spec), "grey", outline).unsaid).toEqual(["encoder"]);
});

describe("names of others", () => {
  /** The names of weights in a file, as ours. */
  const here = (...names: readonly string[]) => [
    ...foreignShapes(new Map(names.map((name) => [name, [4, 4]]))).weights.keys(),
  ];

  test.each([
    [
      "official VideoMAE",
      [
        "encoder.blocks.0.attn.q_bias",
        "encoder.norm.weight",
        "decoder.blocks.1.mlp.fc1.bias",
        "decoder.head.bias",
        "encoder_to_decoder.weight",
      ],
      [
        "blocks.0.attn.q_bias",
        "norm.weight",
        "decoder_blocks.1.mlp.fc1.bias",
        "decoder_pred.bias",
        "decoder_embed.weight",
      ],
    ],
    [
      "official MAE-ST",
      [
        "model_state.pos_embed_spatial",
        "model_state.decoder_pos_embed_class",
        "model_state.blocks.0.attn.q.weight",
        "model_state.blocks.0.attn.k.weight",
        "model_state.blocks.0.attn.v.weight",
      ],
      ["pos_embed.spatial", "decoder_pos_embed.class", "blocks.0.attn.qkv.weight"],
    ],
    [
      "version 4 of transformers",
      ["vit.embeddings.patch_embeddings.projection.bias", "vit.encoder.layer.1.attention.output.dense.bias"],
      ["patch_embed.proj.bias", "blocks.1.attn.proj.bias"],
    ],
  ])("%s", (_, theirs, ours) => {
    expect(here(...theirs)).toEqual(ours);
  });

  test.each([
    ["roberta.embeddings.word_embeddings.weight", "RoBERTa"],
    ["layers.0.blocks.0.attn.cpb_mlp.0.weight", "Swin V2"],
    ["layers_up.0.blocks.0.norm1.weight", "Swin MAE"],
    ["absolute_pos_embed", "Swin with absolute positions"],
    ["blocks.0.attn.relative_position_bias_table", "BEiT"],
  ])("%s is of a model that is not here", (name, model) => {
    expect(otherModel([name])?.model).toContain(model);
  });

  test.each([
    ["timm-mean", "blocks.0.ls1.gamma"],
    ["timm-convnext", "stages.0.0.grn.gamma"],
    ["timm-swin", "layers.0.blocks.0.attn.q_norm.weight"],
    ["timm-resnet", "layer1.0.se.fc1.weight"],
  ])("a block of %s with more in it than here is no such block", (name, strange) => {
    const shapes = new Map([strange, strange.replace("0.", "7."), "head.weight"].map((one) => [one, [8]]));
    const { spec: text } = matrix[name] as Case;
    expect(foreignMap(modelOf(text), "other", { shapes, channels: new Map() }).strange).toEqual([strange]);
  });
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

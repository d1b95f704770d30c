/** Models written for other libraries: weights that came from them go back as they were, and what has no counterpart is told by its part. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { changeOf } from "../../../cli/runs/weights-from.js";
import { assemble, foreignMap, plainModel, programOf } from "../../../compiler/index.js";
import { withTensorFile } from "../../../runtime/checkpoint/tensor-file.js";
import { counterpart } from "../../../runtime/export/counterparts.js";
import type { Library } from "../../../runtime/export/layers-elsewhere.js";
import { withPyTorchFile } from "../../../runtime/foreign/pytorch.js";
import { importedWeights, outlineOf, readForeignWeights } from "../../../runtime/index.js";
import { modelOf } from "../../support/model.js";

const folder = join(import.meta.dirname, "../../reference/foreign");
const casesIn = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8")).cases;
const files = ["weights-in.json", "weights-in-maps.json", "official.json", "official-maps.json"];
const cases = Object.assign({}, ...files.map(casesIn));

/** The tensors of a file, by name. */
function tensorsOf(file: string) {
  const path = join(folder, file);
  const read = async (
    tensors: ReadonlyMap<string, { shape: readonly number[]; read: () => Promise<{ values: unknown }> }>,
  ) => {
    const found: Record<string, unknown> = {};
    for (const [name, tensor] of tensors) {
      // Version 5 of transformers writes another name for the decoder's blocks than the files of version 4 have; it reads both.
      const here = name
        .replace(/^model(_state)?\./, "")
        .replace("decoder.decoder_encoder.layer", "decoder.decoder_layers");
      // What follows from the sides of windows, scripts of Swin compute again.
      if (/\.(relative_position_index|attn_mask)$/.test(name)) continue;
      const { values } = await tensor.read();
      // How many batches a norm has seen is not kept here.
      found[here] = { shape: tensor.shape, values: name.endsWith("num_batches_tracked") ? [0] : values };
    }
    return found;
  };
  return file.endsWith(".pth") ? withPyTorchFile(path, read) : withTensorFile(path, read);
}

test.each([
  ["vitmae-small", "huggingface", "ViTMAEForPreTraining"],
  ["vit-classifier", "huggingface", "ViTForImageClassification"],
  ["videomae", "huggingface", "VideoMAEForPreTraining"],
  ["videomae-classifier", "huggingface", "VideoMAEForVideoClassification"],
  ["timm-token", "timm", "VisionTransformer"],
  ["timm-mean", "timm", "VisionTransformer"],
  ["timm-mean", "official", "MAE, fine-tuned"],
  ["official-mae", "official", "MAE"],
  ["official-video-mae", "official", "VideoMAE"],
  ["official-mae-st", "official", "MAE-ST"],
  ["convnextv2", "huggingface", "ConvNextV2ForImageClassification"],
  ["convnext", "huggingface", "ConvNextForImageClassification"],
  ["timm-convnextv2", "timm", "ConvNeXt"],
  ["official-convnextv2", "official", "ConvNeXt, dense"],
  ["official-fcmae", "official", "FCMAE"],
  ["swin", "huggingface", "SwinForImageClassification"],
  ["timm-swin", "timm", "SwinTransformer"],
  ["official-swin", "official", "SwinTransformer"],
  ["official-simmim", "official", "SimMIM"],
  ["resnet", "huggingface", "ResNetForImageClassification"],
] as const)("%s goes back to %s as it came", async (name, library, kind) => {
  const { file, spec } = cases[name];
  const model = modelOf(spec);
  const { weights } = await readForeignWeights(join(folder, file));
  const { mappings } = foreignMap(model, file, outlineOf(weights));
  const taken = mappings.flatMap((mapping) =>
    "from" in mapping && mapping.status !== "dropped"
      ? [{ name: mapping.name, from: mapping.from.name, ...changeOf(mapping) }]
      : [],
  );
  const program = programOf(assemble(model));
  const values = await importedWeights(program.parameters, weights, taken, { file, seed: 0 });
  const written = counterpart(library, plainModel(model) as never, program, values);
  expect(written.kind).toBe(kind);
  expect(written.left).toEqual([]);
  const there = Object.fromEntries(
    written.tensors.map(({ name: one, shape, values: own }) => [one, { shape, values: own }]),
  );
  const original = (await tensorsOf(file)) as typeof there;
  expect(Object.keys(there).sort()).toEqual(Object.keys(original).sort());
  for (const [one, tensor] of Object.entries(there)) {
    expect(tensor.shape, one).toEqual(original[one]?.shape);
    // A fixed table is ours: the same to single precision.
    const tolerance = /pos_embed|position_embeddings/.test(one) ? 1e-6 : 0;
    const worst = Math.max(
      ...[...tensor.values].map((value, i) => Math.abs(Number(value) - Number(original[one]?.values[i]))),
    );
    expect(worst, one).toBeLessThanOrEqual(tolerance);
  }
});

describe("a model that a library has not is refused by the part that it lacks", () => {
  const spec = (lines: Readonly<Record<string, string>>): string => {
    const all = {
      input: "image(size: 8x8, channels: 3)",
      tokens: "patch(size: 4x4)",
      positions: "sin_cos",
      mask: "random(ratio: 50%)",
      encoder: "vit(depth: 1, width: 8, heads: 2)",
      decoder: "vit(depth: 1, width: 8, heads: 2)",
      target: "pixels",
      loss: "mse",
      ...lines,
    };
    const body = Object.entries(all).map(([slot, block]) => (block === "" ? "" : `  ${slot} ${block}\n`));
    return `edition 2026\nmodel Case {\n${body.join("")}}`;
  };
  const head = { mask: "", decoder: "", target: "", loss: "cross_entropy" };
  const maps = { tokens: "", positions: "", decoder: "unet(width: 8)" };

  const written = (library: Library, lines: Readonly<Record<string, string>>) => {
    const model = modelOf(spec(lines));
    const facts = plainModel(model);
    if ("why" in facts) throw new Error(`${facts.part}: ${facts.why}`);
    const program = programOf(assemble(model));
    return counterpart(library, facts, program, {});
  };

  test.each<readonly [Library, Readonly<Record<string, string>>, string]>([
    ["huggingface", { input: "image(size: 8x12, channels: 3)" }, "input: its models read squares"],
    [
      "huggingface",
      { ...head, head: "classifier(classes: 3, pool: mean)" },
      "head: its classifier reads the class token",
    ],
    ["huggingface", { encoder: "vit(depth: 1, width: 8, heads: 2, class_token: false)" }, "encoder"],
    ["huggingface", { encoder: "vit(depth: 1, width: 8, heads: 2, norm: none)" }, "encoder: `vit` as it is written"],
    ["huggingface", { decoder: "linear" }, "decoder: `linear` is no plain transformer"],
    [
      "huggingface",
      { tokens: "patch(size: 4x4, norm: around)" },
      "its weights: ViTMAEForPreTraining has no place for patch_embed.patch_norm.weight",
    ],
    ["timm", { encoder: "vit(depth: 1, width: 8, heads: 2, norm_epsilon: 1e-12)" }, "encoder: its norms add 1e-6"],
    [
      "timm",
      { ...head, head: "segmentation(classes: 3)", loss: "place_cross_entropy" },
      "head: `segmentation` is no classifier",
    ],
    ["timm", { ...maps, encoder: "convnext(depths: (1), widths: (8))" }, "encoder: its models have four stages"],
    ["timm", { ...maps, encoder: "resnet(depths: (1), width: 8, stem: small)" }, "encoder: `resnet` as it is written"],
    [
      "huggingface",
      { ...maps, encoder: "convnext(depths: (1), widths: (8), norm: true)" },
      "encoder: it norms the mean",
    ],
    [
      "huggingface",
      { ...maps, ...head, encoder: "swin(depths: (1), width: 8, heads: (2))", head: "classifier(classes: 3)" },
      "head: its classifier reads the mean of what is normed",
    ],
    [
      "timm",
      { input: "video(frames: 4, size: 8x8, channels: 3)", tokens: "patch(size: 2x4x4)", positions: "learned" },
      "input",
    ],
    [
      "official",
      { input: "video(frames: 4, size: 8x8, channels: 3)", tokens: "patch(size: 2x4x4)", positions: "learned" },
      "positions: those of MAE-ST",
    ],
  ])("%s: %o", (library, lines, part) => {
    const [place = "", why = ""] = part.split(": ");
    expect(() => written(library, lines)).toThrow(new RegExp(`${place}: .*${why.replaceAll("`", ".")}`));
  });
});

/** What the weights of a model start with that goes on from others: by their part and place, whatever they are called. */

import { describe, expect, test } from "vitest";
import { namedParameters } from "../../blocks/index.js";
import { assemble } from "../../compiler/assemble/assemble.js";
import { type OwnedWeight, ownedWeights } from "../../compiler/assemble/owners.js";
import { foreignMap } from "../../compiler/foreign.js";
import { keyMap } from "../../compiler/key-map.js";
import type { Mapping } from "../../compiler/mapping.js";
import type { Model } from "../../compiler/model.js";
import { modelOf } from "../support/model.js";

interface Lines {
  readonly input?: string;
  readonly patch?: string;
  readonly encoder?: string;
  readonly rest?: string;
}

const vit = "vit(depth: 2, width: 16, heads: 2)";
const rest = `mask random(ratio: 75%)
  decoder vit(depth: 1, width: 8, heads: 2)
  target  pixels(normalize: none)
  loss    mse`;

const model = (lines: Lines = {}) =>
  modelOf(`
edition 2026
model UnderTest {
  input   image(size: ${lines.input ?? "16x16"}, channels: 1)
  tokens  patch(size: ${lines.patch ?? "4x4"})
  encoder ${lines.encoder ?? vit}
  ${lines.rest ?? rest}
}`);

interface OwnedModel {
  readonly model: Model;
  readonly weights: readonly OwnedWeight[];
}

const ownedModel = (lines: string): OwnedModel => {
  const model = modelOf(`edition 2026\nmodel UnderTest {\n  ${lines}\n}`);
  return { model, weights: ownedWeights(model) };
};

const weights = (lines: Lines = {}): readonly OwnedWeight[] => ownedWeights(model(lines));

/** The mapping of a model that takes parts of another. */
const mapped = (to: Lines, from: Lines, ...parts: readonly (string | null)[]) =>
  keyMap(
    weights(to),
    parts.map((part) => ({ stage: "a", part, weights: weights(from) })),
  );

const named = (mappings: readonly Mapping[], name: string): Mapping | undefined =>
  mappings.find((mapping) => mapping.status !== "dropped" && mapping.name === name);

const statuses = (mappings: readonly Mapping[]): readonly string[] => [
  ...new Set(mappings.map(({ status }) => status)),
];

describe("the owners of weights", () => {
  test("every weight belongs to a part", () => {
    const learned = `positions learned\n  ${rest}\n  loss pooled: uniformity(on: patches)`;
    const names = [...namedParameters(assemble(model({ rest: learned })).parameters)].map(([name]) => name);
    const owned = weights({ rest: learned });
    expect(owned.map(({ name }) => name)).toEqual(names);
    const partsOf = (name: string) => owned.find((weight) => weight.name === name)?.parts;
    expect(partsOf("pos_embed")).toEqual(["encoder", "positions"]);
    expect(partsOf("patch_embed.proj.weight")).toEqual(["encoder", "tokens"]);
    expect(partsOf("blocks.1.mlp.fc2.bias")).toEqual(["encoder"]);
    expect(partsOf("decoder_pos_embed")).toEqual(["decoder", "positions"]);
    expect(partsOf("mask_token")).toEqual(["decoder"]);
    expect(partsOf("pooled.fc_norm.weight")).toEqual(["loss", "loss.pooled"]);
  });

  test("a head, an adversary and a teacher own theirs", () => {
    const head = weights({ rest: "head classifier(classes: 3)\n  loss cross_entropy" });
    expect(head.filter(({ parts }) => parts.includes("head")).map(({ name }) => name)).toEqual([
      "head.weight",
      "head.bias",
    ]);
    const judged = weights({ rest: `${rest}\n  adversary patch_discriminator(backbone: separate)` });
    const own = judged.filter(({ name }) => name.startsWith("adversary."));
    expect(own.length).toBeGreaterThan(10);
    expect(own.every(({ parts }) => parts[0] === "adversary")).toBe(true);
  });
});

describe("a key map", () => {
  test("keeps everything of the same model", () => {
    const { mappings, given, doubled } = mapped({}, {}, null);
    expect(statuses(mappings)).toEqual(["kept"]);
    expect([given, doubled]).toEqual([[mappings.length], []]);
  });

  test("takes the part that is named, with its tokens and positions, and drops the rest", () => {
    const { mappings } = mapped({}, {}, "encoder");
    expect(named(mappings, "patch_embed.proj.weight")?.status).toBe("kept");
    expect(named(mappings, "decoder_pred.weight")).toMatchObject({ status: "new", instead: null });
    expect(mappings.filter(({ status }) => status === "dropped").map(({ parts }) => parts[0])).toEqual(
      mappings.flatMap((mapping) => (mapping.status === "dropped" ? ["decoder"] : [])),
    );
  });

  test("leaves deeper layers to start, and drops those that are too many", () => {
    const deep = { encoder: "vit(depth: 3, width: 16, heads: 2)" };
    expect(named(mapped(deep, {}, null).mappings, "blocks.2.norm1.weight")).toMatchObject({ status: "new" });
    const dropped = mapped({}, deep, null).mappings.filter(({ status }) => status === "dropped");
    expect(dropped).toHaveLength(12);
  });

  test("takes a layer as a whole or not at all", () => {
    const { mappings } = mapped({ patch: "2x8" }, {}, null);
    // 16 pixels a patch as before: the same weights, on another grid.
    expect(named(mappings, "patch_embed.proj.weight")?.status).toBe("kept");
    const other = mapped({ patch: "8x8" }, {}, null).mappings;
    expect(named(other, "patch_embed.proj.bias")).toMatchObject({
      status: "new",
      instead: { stage: "a", name: "patch_embed.proj.bias" },
    });
  });

  test("resizes learned tables and computes fixed ones", () => {
    const larger = { input: "24x24" };
    expect(named(mapped(larger, {}, null).mappings, "pos_embed")).toMatchObject({ status: "computed" });
    const learned = { rest: `positions learned\n  ${rest}` };
    const resized = {
      status: "resized",
      table: { from: [4, 4], to: [6, 6], extra: 1 },
    };
    expect(named(mapped({ ...larger, ...learned }, learned, null).mappings, "pos_embed")).toMatchObject(resized);
    // Trained on from what was fixed.
    expect(named(mapped({ ...larger, ...learned }, {}, null).mappings, "pos_embed")).toMatchObject(resized);
    expect(named(mapped(learned, {}, null).mappings, "pos_embed")).toMatchObject({ status: "kept" });
    // What is fixed is never what was learned.
    expect(named(mapped({}, learned, null).mappings, "pos_embed")).toMatchObject({ status: "computed" });
  });

  test("resizes tables of any number of axes, those of files too", () => {
    const media = (input: string, patch: string): OwnedModel =>
      ownedModel(`input ${input}\n  tokens patch(size: ${patch})\n  positions learned\n  encoder ${vit}\n  ${rest}`);
    const clip = (frames: number, side: number) =>
      media(`video(frames: ${frames}, size: ${side}x${side}, channels: 1)`, "2x4x4");
    const signal = (samples: number) => media(`signal(leads: 2, samples: ${samples})`, "1x4");
    const sound = (frames: number) => media(`spectrogram(frames: ${frames}, mels: 8)`, "4x4");
    const found = (to: OwnedModel, from: OwnedModel): readonly (Mapping | undefined)[] => {
      const table = (mappings: readonly Mapping[]) => named(mappings, "pos_embed");
      const shapes = new Map(from.weights.map(({ name, shape }) => [name, shape]));
      const stage = { stage: "a", part: null, weights: from.weights };
      return [
        table(keyMap(to.weights, [stage]).mappings),
        table(foreignMap(to.model, "a.pth", { shapes, channels: new Map() }).mappings),
      ];
    };
    const resized = (from: readonly number[], to: readonly number[]) =>
      expect.objectContaining({ status: "resized", table: { from, to, extra: 1 } });
    for (const [to, from, before, after] of [
      [clip(4, 24), clip(4, 16), [2, 4, 4], [2, 6, 6]],
      [clip(8, 16), clip(6, 16), [3, 4, 4], [4, 4, 4]],
      [signal(12), signal(8), [2, 2], [2, 3]],
      [sound(16), sound(8), [2, 2], [4, 2]],
    ] as const) {
      expect(found(to, from)).toEqual([resized(before, after), resized(before, after)]);
    }
    const apart = (frames: number, side: number) =>
      ownedModel(`input video(frames: ${frames}, size: ${side}x${side}, channels: 1)
        tokens patch(size: 2x4x4)\n  positions separable\n  encoder ${vit}\n  ${rest}`).weights;
    const tables = keyMap(apart(8, 16), [{ stage: "a", part: null, weights: apart(4, 24) }]).mappings.filter(
      ({ status }) => status === "resized",
    );
    expect(tables.map((mapping) => "table" in mapping && [mapping.name, mapping.table.from, mapping.table.to])).toEqual(
      ["pos_embed", "decoder_pos_embed"].flatMap((name) => [
        [`${name}.temporal`, [2], [4]],
        [`${name}.spatial`, [6, 6], [4, 4]],
      ]),
    );
    // A file does not say which axes its table has, so that not all of them can be other ones.
    expect(found(clip(4, 16), clip(6, 24))).toEqual([
      resized([3, 6, 6], [2, 4, 4]),
      expect.objectContaining({ status: "new" }),
    ]);
  });

  test("does not take a table without the class token's row for one that has it", () => {
    const bare = { encoder: "vit(depth: 2, width: 16, heads: 2, class_token: false)" };
    const learned = { rest: `positions learned\n  ${rest}` };
    const { mappings } = mapped(learned, { ...bare, ...learned }, "encoder");
    expect(named(mappings, "pos_embed")).toMatchObject({ status: "new", instead: { shape: [1, 16, 16] } });
    expect(named(mappings, "cls_token")).toMatchObject({ status: "new", instead: null });
  });

  test("finds a part under another label", () => {
    const labelled = {
      rest: `${rest}
  target coarse: low_pass(radius: 3) {
    decoder vit(depth: 1, width: 8, heads: 2)
    loss    mse
  }`,
    };
    const own = mapped({}, labelled, "target.coarse").mappings;
    expect(named(own, "decoder_embed.weight")).toMatchObject({
      status: "renamed",
      from: { name: "coarse.decoder_embed.weight" },
    });
    const both = mapped(labelled, labelled, null).mappings;
    expect(statuses(both)).toEqual(["kept"]);
    expect(named(mapped(labelled, {}, "decoder").mappings, "coarse.decoder_embed.weight")).toMatchObject({
      status: "new",
    });
  });

  test("a weight that follows another begins as that one", () => {
    const taught = {
      rest: `mask random(ratio: 75%)
  decoder vit(depth: 1, width: 8, heads: 2)
  teacher ema
  target  features(layers: 2)
  loss    mse`,
    };
    const { mappings } = mapped(taught, {}, "encoder");
    expect(named(mappings, "teacher.blocks.1.norm1.weight")).toMatchObject({
      status: "renamed",
      from: { name: "blocks.1.norm1.weight" },
    });
    expect(statuses(mapped(taught, taught, null).mappings)).toEqual(["kept"]);
  });

  test("says which weights two sources would give", () => {
    const { doubled } = mapped({}, {}, "encoder", "tokens");
    expect(doubled.map(({ name }) => name)).toEqual(["patch_embed.proj.weight", "patch_embed.proj.bias"]);
    expect(doubled[0]?.sources).toEqual([0, 1]);
  });
});

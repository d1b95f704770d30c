/** Fine-tuning as published: which weights are trained, with which learning rate, and what is kept of them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { batchInputs, layerScales, predictOf, type Training } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { printGraph, randomStream } from "../../graph/index.js";
import { frozenGraph } from "../../runtime/evaluate/frozen.js";
import { loadWeights, readCheckpoint, weightsFrom } from "../../runtime/index.js";
import { sampleDrops } from "../../runtime/train/inputs.js";
import { trainingStep } from "../../runtime/train/step.js";
import { bound, inMemory, recipe, stripes } from "../support/data.js";
import { analyzed, modelOf, programOfText } from "../support/model.js";
import { differing, surroundings, trained } from "../support/runs.js";

const named = (depth: number) => `
edition 2026
model Named {
  input     image(size: 16x16, channels: 3)
  tokens    patch(size: 8x8)
  positions learned
  encoder   vit(depth: ${depth}, width: 24, heads: 3)
  head      classifier(classes: 5, pool: class_token)
  loss      cross_entropy
}`;
const program = programOfText(named(3));
const data = inMemory(stripes(24, 16, 3), ["a", "b", "c", "d", "e"]);
const here = surroundings("wasm");
const constant = bound("schedule", "constant");

const run = (name: string, changes: Partial<Training>, more: { cut?: number; resume?: boolean } = {}) =>
  trained(program, recipe(data, { steps: 2, schedule: constant, ...changes }), {
    ...{ directory: join(here.folder, name), root: here.folder, executor: here.executor, ...more },
  });

const startOf = (name: string): Promise<Record<string, Float32Array>> =>
  loadWeights(join(here.folder, name, "checkpoint-0.safetensors"), program.parameters);

interface Groups {
  readonly decay: number;
  readonly weight_decay: number;
  readonly groups: Readonly<Record<string, { readonly scale: number; readonly weight_decay: number }>>;
}

describe("the learning rate of a layer", () => {
  it("is that of the groups of official MAE, for every weight, and so is its decay", async () => {
    const path = new URL("../reference/layer-decay.json", import.meta.url);
    const { groups, decay, weight_decay } = JSON.parse(readFileSync(path, "utf8")) as Groups;
    const four = programOfText(named(4));
    // Lion moves every weight by the rate itself, and by its share of the weight.
    const optimizer = bound("optimizer", "lion", {
      ...{ lr: { value: 0.01, per: null }, betas: [0, 0], weight_decay, decay_tokens: false, layer_decay: decay },
    });
    const directory = join(here.folder, "groups");
    const training = recipe(data, { steps: 1, schedule: constant, optimizer });
    const { state } = await trained(four, training, { directory, executor: here.executor });
    const start = await loadWeights(join(directory, "checkpoint-0.safetensors"), four.parameters);
    expect(Object.keys(start).sort()).toEqual(Object.keys(groups).sort());
    for (const [name, { scale, weight_decay: own }] of Object.entries(groups)) {
      for (const [i, before] of (start[name] as Float32Array).entries()) {
        const moved = before - (state[name]?.[i] as number);
        const sign = Math.sign(state[`optimizer.m.${name}`]?.[i] as number);
        expect(Math.abs(moved - 0.01 * scale * (sign + own * before)), name).toBeLessThan(2e-7);
      }
    }
  });

  // Of one layer a block: `get_num_layer_for_convnext_single` of ConvNeXt V2, `get_swin_layer` of SimMIM.
  it.each<readonly [encoder: string, layers: Readonly<Record<string, number>>]>([
    [
      "convnext(depths: (1, 2), widths: (8, 8), stem: 2, norm: true)",
      {
        "downsample_layers.0.1.bias": 1,
        "stages.0.0.grn.gamma": 1,
        "downsample_layers.1.1.weight": 2,
        "stages.1.0.dwconv.weight": 2,
        "stages.1.1.norm.weight": 3,
        "norm.weight": 4,
        "head.weight": 4,
      },
    ],
    [
      "swin(depths: (2, 1), width: 8, heads: (2, 2), window: 2, stem: 2)",
      {
        "patch_embed.norm.bias": 0,
        "layers.0.blocks.1.norm1.weight": 2,
        "layers.1.downsample.reduction.weight": 2,
        "layers.1.blocks.0.attn.relative_position_bias_table": 3,
        "norm.weight": 4,
        "head.bias": 4,
      },
    ],
    [
      "resnet(depths: (1, 2), width: 4, stem: small)",
      {
        "bn1.weight": 0,
        "layer1.0.downsample.1.bias": 1,
        "layer2.0.conv3.weight": 2,
        "layer2.1.bn1.bias": 3,
        "head.bias": 4,
      },
    ],
  ])("counts the blocks of %s through its stages", (encoder, layers) => {
    const lines = `input image(size: 8x8, channels: 1)\nencoder ${encoder}\nhead classifier(classes: 3)\nloss cross_entropy`;
    const scales = layerScales(programOfText(`edition 2026\nmodel M {\n${lines}\n}`), 0.5);
    expect(
      Object.fromEntries(Object.keys(layers).map((name) => [name, 4 + Math.log2(scales.get(name) as number)])),
    ).toEqual(layers);
  });

  it("needs a head to be counted from", () => {
    const mae =
      "input image(size: 8x8, channels: 1)\ntokens patch(size: 4x4)\nmask random(ratio: 50%)\nencoder vit(depth: 1, width: 8, heads: 1)\ndecoder linear\ntarget pixels\nloss mse(on: hidden)";
    const text = `edition 2026\nmodel M {\n${mae}\n}\nrecipe R for M {\ndata folder("a")\naugment resize\nepochs 1\noptimizer adamw(lr: 1e-3, layer_decay: 0.75)\nschedule constant\n}`;
    expect(analyzed(text).diagnostics.map(({ code }) => code)).toEqual(["optimizer/adamw/layer-decay-needs-head"]);
  });
});

describe("weights that are frozen", () => {
  it.each([
    ["embedding", { freeze: "embedding" }, /^(blocks|norm|head)\./],
    ["two blocks", { freezeBlocks: 2 }, /^(blocks\.2|norm|head)\./],
    ["the encoder", { freeze: "encoder" }, /^head\./],
  ] as const)("%s", async (name, freezing, moving) => {
    const { state } = await run(name, freezing);
    const start = await startOf(name);
    const weights = Object.keys(start);
    expect(
      differing(start, Object.fromEntries(weights.map((weight) => [weight, state[weight] as Float32Array]))),
    ).toEqual(weights.filter((weight) => moving.test(weight)));
    const kept = Object.keys(state).filter((key) => key.startsWith("optimizer.m."));
    expect(kept).toEqual(weights.filter((weight) => moving.test(weight)).map((weight) => `optimizer.m.${weight}`));
  });

  it("have no gradients", () => {
    const size = (freezing: Partial<Training>): number =>
      trainingStep(program, recipe(data, freezing)).phases[0]?.graph.nodes.length ?? 0;
    expect(size({ freeze: "encoder" })).toBeLessThan(size({}) / 2);
  });

  it("are those of every encoder of several, each with its own blocks", () => {
    const several = programOf(
      assemble(modelOf(readFileSync("examples/digits-cav-mae.mae", "utf8").split("recipe")[0] as string)),
    );
    const slots = trainingStep(several, recipe(data, { freeze: "encoder" })).slots.map(({ name }) => name);
    const moments = slots.filter((name) => name.startsWith("optimizer.m."));
    expect(moments.length).toBeGreaterThan(0);
    expect(moments.filter((name) => !/decoder|predict|mask_token/.test(name))).toEqual([]);
  });
});

describe("what is left out at random", () => {
  const dropping = named(3)
    .replace("heads: 3)", "heads: 3, drop_path: 60%)")
    .replace("class_token)", "class_token, dropout: 50%)");
  const dropped = programOfText(dropping);

  it("grows from block to block, keeps its mean, and is drawn for a sample in an epoch", () => {
    const samples = Int32Array.from({ length: 4000 }, (_, i) => i);
    const { drops } = sampleDrops(dropped, 1, 2, samples) as { readonly drops: Float32Array };
    const numbers = 6 + 24;
    for (const [k, rate] of [0, 0, 0.3, 0.3, 0.6, 0.6, 0.5].entries()) {
      const all = Array.from(samples, (i) => drops[i * numbers + k] as number);
      expect([...new Set(all)].every((value) => value === 0 || value === Math.fround(1 / (1 - rate)))).toBe(true);
      expect(Math.abs(all.filter((value) => value === 0).length / all.length - rate)).toBeLessThan(0.03);
    }
    const later = sampleDrops(dropped, 1, 2, samples.subarray(10, 12)).drops;
    expect(later).toEqual(drops.subarray(10 * numbers, 12 * numbers));
    expect(sampleDrops(dropped, 1, 3, samples).drops).not.toEqual(drops);
  });

  it("is nothing where the model is judged", () => {
    const judging = (of: typeof program) =>
      printGraph(frozenGraph(of, 2, (g, w) => ({ logits: predictOf(of)(g, w, batchInputs(g, of)) }))).replace(
        /\S*#\S*/g,
        "",
      );
    expect(judging(dropped).split("\n").length).toBe(judging(program).split("\n").length);
    expect(judging(dropped)).not.toContain("drops");
  });

  it("is the same when a run goes on, by micro-batches or not", async () => {
    const go = (name: string, changes: Partial<Training>, more: { cut?: number; resume?: boolean } = {}) =>
      trained(dropped, recipe(data, { steps: 4, schedule: constant, ...changes }), {
        ...{ directory: join(here.folder, name), root: here.folder, executor: here.executor, ...more },
      });
    const whole = await go("dropping", {});
    await go("dropping-cut", {}, { cut: 2 });
    const resumed = await go("dropping-cut", {}, { resume: true });
    expect(differing(whole.state, resumed.state)).toEqual([]);
    const parts = await go("dropping-parts", { microBatch: 2 });
    for (const [i, loss] of whole.losses.entries()) expect(parts.losses[i]).toBeCloseTo(loss, 5);
  });

  it("is refused in the braces of a target", () => {
    const text = readFileSync("examples/digits-r-mae.mae", "utf8");
    const [before, after] = text.split("target region") as [string, string];
    const changed = `${before}target region${after.replace(/vit\(/, "vit(drop_path: 10%, ")}`;
    expect(analyzed(changed.split("recipe")[0] as string).diagnostics.map(({ code }) => code)).toContain(
      "encoder/vit/drop-path-of-the-model",
    );
  });
});

describe("samples that are mixed in pairs", () => {
  const mixing = (values: Readonly<Record<string, unknown>>) => [bound("augment", "mixup", values)];

  it("are drawn by timm's rules", () => {
    const { values, definition } = bound("augment", "mixup", { probability: 0.8, switch: 0.25 });
    const picture = { height: 16, width: 12 };
    const all = Array.from(
      { length: 4000 },
      (_, i) => definition.mix?.(values, picture, randomStream(1, "pairs", i)) ?? null,
    );
    const share = (is: (one: (typeof all)[number]) => boolean): number => all.filter(is).length / all.length;
    expect(Math.abs(share((one) => one === null) - 0.2)).toBeLessThan(0.03);
    expect(Math.abs(share((one) => one?.box != null) - 0.2)).toBeLessThan(0.03);
    // Beta(0.8, 0.8) has its mean in the middle and the variance 1 / (4 (2 alpha + 1)).
    const shares = all.flatMap((one) => (one && one.box === null ? [one.share] : []));
    const variance = shares.reduce((sum, s) => sum + (s - 0.5) ** 2, 0) / shares.length;
    expect(Math.abs(variance - 1 / (4 * 2.6))).toBeLessThan(0.01);
    for (const one of all) {
      if (!one?.box) continue;
      const { top, left, height, width } = one.box;
      expect([top >= 0, left >= 0, top + height <= 16, left + width <= 12]).not.toContain(false);
      expect(one.share).toBeCloseTo(1 - (height * width) / (16 * 12), 12);
    }
  });

  it("are the same when a run goes on, by micro-batches or not", async () => {
    const augment = mixing({});
    const whole = await run("mixed", { steps: 4, augment });
    await run("mixed-cut", { steps: 4, augment }, { cut: 2 });
    const resumed = await run("mixed-cut", { steps: 4, augment }, { resume: true });
    expect(differing(whole.state, resumed.state)).toEqual([]);
    const parts = await run("mixed-parts", { steps: 4, augment, microBatch: 2 });
    for (const [i, loss] of whole.losses.entries()) expect(parts.losses[i]).toBeCloseTo(loss, 5);
    expect((await run("unmixed", { steps: 4 })).losses).not.toEqual(whole.losses);
  });

  it("need a head, a pair and something to draw", async () => {
    await expect(run("odd", { augment: mixing({}), batch: 9, microBatch: 3 })).rejects.toThrow(
      /3 samples, and the recipe mixes/,
    );
    const codes = (model: string, line: string) =>
      analyzed(
        `${model}\nrecipe R for Named {\ndata folder("a")\naugment ${line}\nepochs 1\noptimizer sgd(lr: 1)\nschedule constant\n}`,
      ).diagnostics.map(({ code }) => code);
    const mae = named(1).replace(
      / {2}head.*\n.*cross_entropy/,
      "  mask random(ratio: 50%)\n  decoder linear\n  target pixels\n  loss mse",
    );
    expect(codes(mae, "mixup")).toEqual(["augment/mixup/labels"]);
    expect(codes(named(1), "mixup(alpha: 0, cutmix: 0)")).toEqual(["augment/mixup/some-mixing"]);
    expect(codes(named(1), "resize, mixup")).toEqual([]);
    const finds = named(1)
      .replace(/head .*/, "head detector(classes: 2)")
      .replace(/loss.*/, "loss detection");
    expect(codes(finds, "resize, mixup")).toContain("augment/mixup/labels");
  });
});

describe("the running average", () => {
  const average = 0.5;
  const evaluate = [{ probe: bound("probe", "accuracy"), every: { amount: 1, unit: "steps" as const } }];

  /** Four steps, with the weights that are judged after each. */
  const judged = async (name: string, changes: Partial<Training>) => {
    const seen: Readonly<Record<string, Float32Array>>[] = [];
    const result = await trained(program, recipe(data, { steps: 4, schedule: constant, evaluate, ...changes }), {
      ...{ directory: join(here.folder, name), root: here.folder, executor: here.executor },
      probe: async ({ weights }) => {
        seen.push(weights);
        return { top1: 0 };
      },
    });
    return { ...result, seen };
  };

  it("is what its formula says, is judged, and goes on bit for bit", async () => {
    const [plain, whole] = [await judged("plain", {}), await judged("average", { average })];
    // Training itself does not know of it.
    expect(whole.losses).toEqual(plain.losses);
    const wanted = await startOf("average");
    for (const [step, weights] of plain.seen.entries()) {
      for (const [name, values] of Object.entries(wanted)) {
        for (const [i, value] of values.entries()) {
          values[i] = average * value + (1 - average) * (weights[name]?.[i] as number);
          expect(whole.seen[step]?.[name]?.[i]).toBeCloseTo(values[i], 6);
        }
      }
    }
    const loaded = await loadWeights(whole.checkpoint, program.parameters);
    expect(differing(loaded, whole.seen.at(-1) as typeof loaded)).toEqual([]);
    // The weights of the last step are still there for whoever asks for them.
    const last = weightsFrom(await readCheckpoint(whole.checkpoint, "last"), program.parameters);
    expect(differing(last, plain.seen.at(-1) as typeof last)).toEqual([]);
    await run("cut", { steps: 4, average }, { cut: 2 });
    const resumed = await run("cut", { steps: 4, average }, { resume: true });
    expect(differing(resumed.state, whole.state)).toEqual([]);
  });
});

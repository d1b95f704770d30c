/**
 * The examples of the methods: those of published size check, plan and emit; those of toy size learn real digits and
 * made signals and sounds, and a run goes on bit for bit from a checkpoint in its middle, on the compiled executor; and one of each kind of
 * what a checkpoint holds, for fewer steps, on one of TensorFlow.js, of which the test of agreement shows that it computes the same.
 */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { emitModule } from "../../compiler/emit/index.js";
import { type Model, plan, trainingOf } from "../../compiler/index.js";
import { vocabularyOf } from "../../runtime/index.js";
import { folder } from "../cli/mae.js";
import { bound } from "../support/data.js";
import { exampleOf } from "../support/model.js";
import { type Circumstances, differing, mean, surroundings, trained } from "../support/runs.js";

const root = join(import.meta.dirname, "../..");

/** Of a file, or of one of its models: `maetok.MaeTokBase`. */
function modelAndRecipe(name: string) {
  const [file, wanted] = name.split(".");
  const { models, recipes } = exampleOf(`${file}.mae`);
  // What the file declares last extends all that it imports.
  const ancestors = ({ model }: { readonly model: string }): number => models.get(model)?.ancestry.length ?? 0;
  const beside = new Set([...recipes.values()].flatMap((one) => (one.beside ?? []).map(({ recipe }) => recipe.name)));
  const recipe = [...recipes.values()]
    .filter(({ name: own, model }) => (wanted ? model === wanted : !beside.has(own)))
    .reduce((last, one) => (ancestors(one) >= ancestors(last) ? one : last));
  const model = recipe && models.get(recipe.model);
  if (!recipe || !model) throw new Error(`${name} holds no model with a recipe`);
  return { model, recipe };
}

/**
 * MAETok that draws pixels alone: ViT-B over 256 places without a class token, the token of hidden patches, 128 latents; a decoder like it, to 768
 * numbers.
 */
const maeTok =
  12 * 7_087_872 +
  1536 +
  590_592 +
  257 * 768 +
  2 * 128 * 768 +
  769 * 32 +
  (12 * 7_087_872 + 1536 + 33 * 768 + (256 + 1 + 128) * 768 + 769 * 768);

/** ViT-S/16 without a head, and what brings its features to so many prototypes. */
const vitSmall = 21_665_664;
const prototypes = (out: number): number => 385 * 2048 + 2049 * 2048 + 2049 * 256 + 257 * out;

/** Weights of a block of ConvNeXt V2, and of what stands between two stages. */
const convBlock = (width: number): number => 8 * width ** 2 + 65 * width;
const convDown = (from: number, to: number): number => 2 * from + 4 * from * to + to;

describe.each([
  // MaeBase has 111,907,840 weights.
  ["u-mae", 111_907_840],
  ["low-pass", 111_907_840],
  ["sma", 111_907_840],
  ["sg-mae", 111_907_840],
  ["semmae", 111_907_840],
  ["attmask", 111_907_840],
  ["semantic-mae", 111_907_840],
  // ViT-B/16 without a head, the token of hidden patches, one layer to 108 values.
  ["maskfeat", 85_798_656 + 768 + 768 * 108 + 108],
  // ViT-B/16 and its slow copy, the token of hidden patches, one layer to 768 features.
  ["data2vec", 2 * 85_798_656 + 768 + 768 * 768 + 768],
  // ViT-H/14 or ViT-B/16 without a class token and its slow copy, and a narrow predictor of 12 or 6 blocks.
  ["i-jepa.IJepaHuge", 2 * 630_762_240 + 22_377_728],
  ["i-jepa.IJepaBase", 2 * 85_797_120 + 11_314_176],
  // ViT-S/16 and its slow copy, each with a head, and the centre of all prototypes.
  ["dino", 2 * (vitSmall + prototypes(65_536)) + 65_536],
  // timm's ResNet-50 without its classifier, and running means; two matrices, batch norms with running statistics, the last without a shift.
  ["simclr", 23_508_032 + 53_120 + 2048 ** 2 + 4 * 2048 + 2048 * 128 + 3 * 128],
  // The same ResNet-50 and its slow copy, each with two layers with biases, and the queue.
  ["moco-v2", 2 * (23_508_032 + 53_120 + 2049 * 2048 + 2049 * 128) + 65_536 * 128],
  // The token of hidden patches, and two centres.
  ["ibot", 2 * (vitSmall + prototypes(8192)) + 384 + 2 * 8192],
  // Two projectors and a predictor, of matrices and batch norms with running statistics.
  [
    "moco-v3",
    2 * (vitSmall + 384 * 4096 + 4096 ** 2 + 4096 * 256 + 8 * 4096 + 2 * 256) + 2 * 256 * 4096 + 4 * 4096 + 2 * 256,
  ],
  // MaeBase, a slow copy of ViT-B, a decoder of features, perceptrons of projectors with batch norms.
  [
    "cmae",
    111_907_840 +
      85_798_656 +
      (769 * 512 + 512 + 197 * 512 + 2 * 3_152_384 + 1024 + 513 * 768) +
      2 * (768 * 1536 + 4 * 1536 + 1536 * 256) +
      (256 * 1536 + 4 * 1536 + 1536 * 256),
  ],
  ["mae-contrast", 111_907_840 + 768 * 4096 + 4 * 4096 + 4096 * 128 + 2 * 128],
  // ViT-S/16, four blocks of a decoder that asks too, and two tables of positions.
  ["siam-mae", vitSmall + (385 * 256 + 256 + 197 * 256 + 4 * (16 * 256 ** 2 + 21 * 256) + 512 + 257 * 768)],
  // ConvNeXt V2 of depths 3, 3, 27 and 3 with the decoder of FCMAE, and a slow copy of both.
  [
    "video-mac",
    2 *
      (3 * convBlock(96) +
        3 * convBlock(192) +
        27 * convBlock(384) +
        3 * convBlock(768) +
        (48 * 96 + 3 * 96 + convDown(96, 192) + convDown(192, 384) + convDown(384, 768)) +
        (768 * 512 + 2 * 512 + convBlock(512) + 513 * 3072)),
  ],
  // And the discriminator's layer to one logit.
  ["gan-mae", 111_907_840 + 768 + 1],
  // The weights of Hugging Face's VideoMAEForPreTraining, and the two tables of positions.
  ["video-mae", 94_210_944 + 1568 * (768 + 384)],
  // The same with a bias of the keys, in 12 and 4 blocks, and of the layer into the decoder.
  ["omni-mae", 94_210_944 + 12 * 768 + 4 * 384 + 384 + 1568 * (768 + 384)],
  // ViT-L and a decoder of width 512 and depth 4: tubelets of 1536 numbers, 768 of them predicted, 8 times, 196 places, two class tokens.
  [
    "mae-st",
    24 * (12 * 1024 ** 2 + 13 * 1024) +
      1537 * 1024 +
      (205 + 1 + 2) * 1024 +
      (1025 * 512 + 4 * (12 * 512 ** 2 + 13 * 512)) +
      (205 + 2 + 2) * 512 +
      513 * 768,
  ],
  // ViT-B of boxes of 4096 voxels, a decoder of width 384 and depth 8, and tables of 216 places and a class token.
  [
    "selfmed-mae",
    85_054_464 + 3_146_496 + 768 + 1536 + 295_296 + 384 + 14_195_712 + 768 + 1_576_960 + 217 * (768 + 384),
  ],
  // The weights of transformers' ASTModel but its second token and its positions; two tables; the decoder; one layer to 256 values.
  // 16 blocks of Swin V2: a plain one, what each of 16 heads divides by, and a network from two numbers by way of 384.
  [
    "audio-mae",
    ...[
      85_254_144 +
        513 * (768 + 512) +
        768 * 512 +
        512 +
        512 +
        16 * (3_152_384 + 16 + 7_312) +
        2 * 512 +
        512 * 256 +
        256,
    ],
  ],
  // The published fine-tuned model, and the fixed table.
  ["audio-mae-finetune", 85_659_407 + 513 * 768],
  // Of 152 patches of 16x16 instead of 512, in two tables.
  ["machine-sounds", 85_254_144 + 153 * (768 + 512) + 768 * 512 + 512 + 512 + 25_219_072 + 2 * 512 + 512 * 256 + 256],
  // The cubes: five frames of 4x4 patches of 192 numbers, learned positions, no class token.
  [
    "uvad",
    6 * (12 * 192 ** 2 + 13 * 192) +
      2 * (12 * 96 ** 2 + 13 * 96) +
      80 * (192 + 96) +
      193 * 192 +
      2 * 192 +
      193 * 96 +
      96 +
      2 * 96 +
      97 * 192,
  ],
  // Tokens of 2304 numbers, three blocks of width 256 and three of 128, each with a perceptron of twice the width; then the student's block and layer.
  [
    "aed-mae",
    3 * (8 * 256 ** 2 + 11 * 256) +
      (3 + 1) * (8 * 128 ** 2 + 11 * 128) +
      801 * (256 + 128) +
      2305 * 256 +
      3 * 256 +
      257 * 128 +
      128 +
      2 * (2 * 128 + 129 * 768),
  ],
  // 163,821,312 weights of encoders and 26,140,672 of the decoder, as the paper's 164 and 26 million, and four tables of positions.
  ["cav-mae", 163_821_312 + 26_140_672 + (512 + 196) * (768 + 512)],
  // ViT-B without its last norm, the global token, three first layers, three decoders with their last layers, and tables of positions.
  [
    "multi-mae",
    12 * 7_087_872 +
      768 +
      (590_592 + 197_376 + 1_635_072) +
      3 * 2_567_680 +
      (197_376 + 65_792 + 546_896) +
      588 * (768 + 3 * 256),
  ],
  // ViT-B without its patches, the decoder without its last layer, two vectors of each input, tables, first and last layers.
  [
    "m3ae",
    12 * 7_087_872 +
      2 * 768 +
      768 +
      (768 * 512 + 512 + 512 + 8 * 3_152_384 + 1024) +
      2 * (768 + 512) +
      (256 + 64) * (768 + 512) +
      (769 * 768 + 513 * 768) +
      (30_522 * 768 + 513 * 30_522),
  ],
  // ViT-B over three views, a decoder for them, a block that asks and four more for boxes of 512 voxels, of width 384, and tables of 196 and 64 places.
  [
    "3d-mtr",
    12 * 7_087_872 +
      1536 +
      768 +
      3 * (590_592 + 196 * 768) +
      (295_296 + 384 + 4 * 1_774_464 + 768) +
      3 * (385 * 768 + 196 * 384) +
      (295_296 + 5 * 384 + (3 * 196 + 64) * 384) +
      (12 * 384 ** 2 + 15 * 384 + 4 * 1_774_464 + 385 * 512),
  ],
  // The weights of transformers' BertForMaskedLM.
  ["bert", 109_514_298],
  // Those of RobertaForMaskedLM but two rows of positions that it never uses.
  ["roberta", 124_697_433 - 2 * 768],
  // A decoder of depth 3 to edges, which the second stage does not draw.
  ["maetok.MaeTokBase", maeTok + (3 * 7_087_872 + 1536 + 33 * 768 + (256 + 1 + 128) * 768 + 769 * 108)],
  ["maetok", maeTok],
  // Counted in PyTorch by test/reference/point-mae.py.
  ["point-mae", 29_007_712],
  // By test/reference/parts.py.
  ["point-mae-parts", 27_071_794],
  // And by test/reference/mesh-mae.py.
  ["mesh-mae", 105_425_159],
  // RAE: the encoder, and what completes regions: as released, without the unused position of a class token.
  ["r-mae", 85_798_656 + 2_132_480 - 128],
  // timm's ConvNeXt-S without its classifier and the norm before it; norms, vectors, projections, blocks, and three colours.
  ["spark", 50_223_688 - 770_536 + 2_880 + 1_440 + 1_742_496 + 23_187_504 + 75],
  // timm's ResNet-50 without its classifier, and running means; batch norms of the maps with theirs, vectors, projections, blocks, three colours.
  ["spark-resnet", 23_508_032 + 53_120 + 15_360 + 3_840 + 6_219_168 + 23_187_504 + 75],
  // timm's Swin-B without its classifier, of windows of 6, and its Swin of depths 2; then the token and the decoder.
  ["simmim", 86_725_176 + 128 + 1_025 * 3_072],
  ["swin-mae", 20_413_386 - 1_536 + 96 + 1_180_416 + 5_038_650 + 192 + 97 * 48],
  // timm's ConvNeXt V2 Base without its classifier and the norm before it; to 512 features, the token, a block, to 3072 numbers.
  ["fcmae", 88_717_800 - 1_027_048 + 524_800 + 512 + 2_130_432 + 1_575_936],
  // As many as the official code has.
  ["convmae", 115_041_408],
])("%s, as published", (name, parameters) => {
  test("checks, plans and emits", async () => {
    const { model, recipe } = modelAndRecipe(name);
    const planned = plan(model, { recipe, samples: 1_281_167 });
    expect(planned.parameters).toBe(parameters);
    expect(planned.steps?.total).toBeGreaterThan(0);
    expect(await emitModule(model, "0.0.0-test")).toContain(`export const ${model.name} =`);
  });
});

test.each([
  // Two LayerNorms around a layer of 900 values, ViT-B, a decoder of 256/4/4 to 900 values, and two tables of 31 places.
  ["maefe.Mtae", 89_371_788],
  ["maefe.Mlae", 90_739_806],
  ["maefe.Mltae", 89_371_788 + 90_739_806],
  ["st-mem.StMem", 88_895_201],
  // Counted in transformers by test/reference/audio-mae.py.
  ["ast.Ast", 86_594_063],
  // Twelve blocks of width 252 and a norm, two layers of patches and tables of 256 places; convolutions, scSE and the last layer.
  ["mae-transrnet.MaeTransRNet", 9_183_888 + 504 + 2 * (1_032_444 + 64_512) + 2_116_404],
])("%s, whose published recipe is not known, checks, plans and emits", async (name, parameters) => {
  const [file = "", wanted = ""] = name.split(".");
  const model = exampleOf(`${file}.mae`).models.get(wanted) as Model;
  expect(plan(model).parameters).toBe(parameters);
  expect(await emitModule(model, "0.0.0-test")).toContain(`export const ${wanted} =`);
});

test("each model is a text of at most 25 lines, without comments and empty ones", () => {
  const texts = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".mae"))
    .map((file) => readFileSync(join(root, "examples", file), "utf8"));
  const models = texts.flatMap((text) => text.match(/^model [\s\S]*?^\}/gm) ?? []);
  expect(models.length).toBeGreaterThan(texts.length / 2);
  const long = models.filter((model) => model.split("\n").filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length > 25);
  expect(long).toEqual([]);
});

const plainToys = [
  "digits-u-mae",
  "digits-maskfeat",
  "digits-low-pass",
  "digits-data2vec",
  "digits-i-jepa",
  "digits-sma",
  "digits-gan-mae",
  "digits-r-mae",
  "digits-video-mae",
  "digits-mae-st",
  "heartbeats-mtae",
  "heartbeats-mlae",
  "heartbeats-mltae",
  "heartbeats-st-mem",
  "sounds-audio-mae",
  "digits-uvad",
  "digits-aed-mae",
  "machines-audio-mae",
  "scans-selfmed-mae",
  "shapes-mesh-mae",
  "shapes-point-mae",
  "digits-cav-mae",
  "digits-multi-mae",
  "views-3d-mtr",
  "digits-maetok",
  "digits-sg-mae",
  "digits-mae-contrast",
  "digits-cmae",
  "digits-omni-mae",
];

/** Data that an example's script makes, by the beginning of the example's name; all other data comes with packages. */
const made: Readonly<Record<string, string>> = {
  collisions: "collisions",
  molecules: "molecules",
  proteins: "proteins",
  "shapes-mesh-mae": "meshes",
  "digits-video-mae": "moving-digits",
  "digits-m3ae": "captioned-digits",
  "digits-cav-mae": "spoken-digits",
  "digits-multi-mae": "digit-scenes",
  "digits-mae-st": "moving-digits",
  "brain-waves": "brain-waves",
  "digits-omni-mae": "moving-digits",
  "digits-uvad": "odd-digits",
  "digits-aed-mae": "odd-digits",
  machines: "machines",
  heartbeats: "heartbeats",
  scans: "scans",
  sentences: "sentences",
  shapes: "shapes",
  sounds: "sounds",
  views: "views",
};

/** Toy examples, and the share of the first errors below which the last ones are. */
const toys: readonly (readonly [name: string, share: number])[] = [
  ...plainToys.map((name) => [name, 0.9] as const),
  // A cross-entropy that begins at log 2 and has no image's contrast to take in at once.
  ["digits-rae", 0.95],
  // One that begins at log 3, of a head that begins near zero.
  ["brain-waves-mv-sstma", 0.992],
  // The same of classes each by itself.
  ["sounds-tags", 0.99],
  // It begins at the logarithm of the vocabulary.
  ["sentences-bert", 0.97],
  // Convolutions take longer to find what is the same everywhere.
  ["digits-fcmae", 0.97],
  ["digits-convmae", 0.97],
  ["digits-spark", 0.97],
  // Numbers and categories that nothing else tells keep their errors.
  ["collisions-mae", 0.97],
  ["digits-spark-resnet", 0.97],
  ["collisions-sma", 0.99],
  ["sentences-sma", 0.97],
  ["molecules-sma", 0.97],
  ["proteins-sma", 0.99],
  ["digits-simmim", 0.97],
  ["digits-swin-mae", 0.97],
  ["digits-m3ae", 0.9],
  // Steps of texts alone among those of pairs.
  ["digits-m3ae-texts", 0.95],
];

/** Those whose checkpoints hold more than weights and their moments: a judge, a teacher, statistics of batches, draws of corruption, a second recipe. */
const ofEachKind = [
  "digits-gan-mae",
  "digits-cmae",
  "digits-spark-resnet",
  "digits-r-mae",
  "sentences-bert",
  "digits-m3ae-texts",
];

const dataFolder = folder();
beforeAll(async () => {
  for (const data of new Set(Object.values(made))) {
    execFileSync(process.execPath, [join(root, `examples/data/${data}.mjs`), join(dataFolder, "data", data)]);
  }
  // As the examples have `mae tokenizer` make them.
  for (const [data, size] of [
    ["sentences", 256],
    ["captioned-digits", 64],
  ] as const) {
    const options = { kind: "wordpiece", size, cased: false } as const;
    const { json } = await vocabularyOf([`data/${data}/train.txt`], dataFolder, options);
    writeFileSync(join(dataFolder, `data/${data}/vocabulary.json`), json);
  }
  const smiles = { kind: "smiles", size: 64, cased: false } as const;
  const molecules = await vocabularyOf(["data/molecules/train.txt"], dataFolder, smiles);
  writeFileSync(join(dataFolder, "data/molecules/smiles.json"), molecules.json);
  const letters = { kind: "letters", size: 64, cased: false } as const;
  for (const [data, texts] of [
    ["sentences", "train.txt"],
    ["proteins", "train.fasta"],
  ] as const) {
    const { json } = await vocabularyOf([`data/${data}/${texts}`], dataFolder, letters);
    writeFileSync(join(dataFolder, `data/${data}/letters.json`), json);
  }
});

/** `middle`: the step after which a run is kept, to be gone on with. */
describe.each([
  { backend: "onnx", batch: 16, length: 12, middle: 7 },
  { backend: "wasm", batch: 4, length: 4, middle: 2 },
] as const)("on $backend", ({ backend, batch, length, middle }) => {
  const here = surroundings(backend);

  async function run(name: string, directory: string, o: Pick<Circumstances, "resume"> = {}) {
    const { model, recipe } = modelAndRecipe(name);
    const training = {
      ...trainingOf(recipe),
      ...{ batch, epochs: null, steps: length },
      // The warm-up of the recipe is longer than that.
      schedule: bound("schedule", "constant"),
    };
    const beside = (recipe.beside ?? []).map(({ recipe: other, model: its, weights }) => ({
      ...{ name: other.name, weights, program: programOf(assemble(its)) },
      training: { ...trainingOf(other), batch },
    }));
    const { steps, state } = await trained(programOf(assemble(model)), training, {
      directory,
      beside,
      root: Object.keys(made).some((beginning) => name.startsWith(beginning)) ? dataFolder : root,
      executor: here.executor,
      checkpointEvery: { steps: middle },
      ...o,
    });
    return { steps: steps.map(({ loss, terms }) => ({ loss, ...terms })), state };
  }

  test.each(toys.filter(([name]) => backend === "onnx" || ofEachKind.includes(name)))(
    backend === "onnx"
      ? "%s learns, and goes on bit for bit from its middle"
      : "%s goes on bit for bit from its middle",
    async (name, share) => {
      const whole = await run(name, join(here.folder, `${name}-whole`));
      if (backend === "onnx") {
        // Both sides of an adversary move the sum, so there the error of prediction tells.
        const steps: readonly Readonly<Record<string, number>>[] = whole.steps;
        const errors = steps.map(({ loss, adversary, mse }) => (adversary === undefined ? loss : mse) as number);
        expect(mean(errors.slice(-3))).toBeLessThan(share * mean(errors.slice(0, 3)));
      }
      const cut = join(here.folder, `${name}-cut`);
      mkdirSync(cut);
      const half = `checkpoint-${middle}.safetensors`;
      copyFileSync(join(here.folder, `${name}-whole`, half), join(cut, half));
      const rest = await run(name, cut, { resume: true });
      expect(rest.steps).toEqual(whole.steps.slice(middle));
      expect(differing(rest.state, whole.state)).toEqual([]);
      // Those of an adversary take several passes a step; a busy machine takes its time.
    },
    180_000,
  );
});

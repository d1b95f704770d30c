/** Folders that other libraries load: a model's weights under their names, and the configurations that they read beside them. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ModelProgram, PlainModel, StagedModel } from "../../blocks/index.js";
import { encodeSafetensors } from "../checkpoint/safetensors.js";
import { unwritable, writeWhole } from "../checkpoint/whole-file.js";
import type { ColourScale } from "../evaluate/colours.js";
import type { Trained } from "../evaluate/frozen.js";
import { type Counterpart, counterpart, timmPools } from "./counterparts.js";
import type { Library } from "./layers-elsewhere.js";
import { stagedConfig, stagedTimm, type TimmFacts } from "./staged-config.js";

export interface FolderOptions {
  readonly library: Library;
  readonly facts: PlainModel | StagedModel;
  /** The recipe's normalisation; null: the model sees values in [0, 1]. */
  readonly scale: ColourScale | null;
  /** What people read about the model. */
  readonly card: (counterpart: Pick<Counterpart, "kind" | "left">) => string;
}

export interface FolderFacts extends Pick<Counterpart, "kind" | "left"> {
  readonly files: readonly string[];
  readonly weights: number;
  readonly bytes: number;
}

/** The files of a folder for a library. */
export const folderFiles: Readonly<Record<Library, readonly string[]>> = {
  huggingface: ["config.json", "preprocessor_config.json", "model.safetensors", "README.md"],
  timm: ["config.json", "model.safetensors", "README.md"],
  official: ["model.safetensors", "README.md"],
};

/**
 * Writes a model as a folder of a library. Files that are there are replaced when all are written.
 * @throws RunError `run/no-counterpart`, `run/disk-full` or `run/unwritable`
 */
export async function exportFolder(
  { program, weights }: Trained,
  folder: string,
  { library, facts, scale, card }: FolderOptions,
): Promise<FolderFacts> {
  const { kind, tensors, left } = counterpart(library, facts, program, weights);
  const texts: Readonly<Record<string, string | null>> = {
    "config.json": library === "official" ? null : json(configOf(library, facts, program, kind, scale)),
    "preprocessor_config.json": library === "huggingface" ? json(preprocessorOf(facts, scale)) : null,
    "README.md": card({ kind, left }),
  };
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw unwritable(folder, error);
  });
  const bytes = new TextEncoder();
  const files = folderFiles[library].map((name) => ({
    path: join(folder, name),
    parts:
      name === "model.safetensors" ? encodeSafetensors(tensors, { format: "pt" }) : [bytes.encode(texts[name] ?? "")],
  }));
  await writeWhole(files, "Free some space and export again; what was there before is intact.");
  return {
    kind,
    left,
    files: files.map(({ path }) => path),
    weights: tensors.length,
    bytes: tensors.reduce((sum, { values }) => sum + values.byteLength, 0),
  };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const configOf = (
  library: Library,
  facts: PlainModel | StagedModel,
  program: ModelProgram,
  kind: string,
  scale: ColourScale | null,
): unknown => {
  if (library === "timm") return "stages" in facts ? stagedTimmConfig(facts, scale) : timmConfig(facts, scale);
  const own = "stages" in facts ? stagedConfig(facts) : transformerConfig(facts, program);
  return { architectures: [kind], model_type: modelType(kind), ...own, ...labelsOf(facts), torch_dtype: "float32" };
};

/** Classes are called by their numbers. */
function labelsOf({ head }: PlainModel | StagedModel) {
  if (!head) return {};
  const labels = Array.from({ length: head.classes }, (_, i) => String(i));
  return {
    id2label: Object.fromEntries(labels.map((label) => [label, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
}

/** What transformers calls the kind of model of a class: its first word in small letters, of one with a line in between. */
function modelType(kind: string): string {
  const word = (kind.split(/For|Model$/)[0] as string).toLowerCase();
  return word === "vitmae" ? "vit_mae" : word;
}

function transformerConfig({ encoder, decoder, head, array, grid, normalize }: PlainModel, program: ModelProgram) {
  const video = array.axes.length === 3;
  const [mask] = Object.values(program.masks);
  const tokens = grid.reduce((product, { count }) => product * count, 1);
  return {
    hidden_size: encoder.width,
    num_hidden_layers: encoder.depth,
    num_attention_heads: encoder.heads,
    intermediate_size: encoder.hidden,
    hidden_act: "gelu",
    layer_norm_eps: encoder.epsilon,
    image_size: array.axes.at(-1)?.size,
    patch_size: grid.at(-1)?.size,
    num_channels: array.channels,
    qkv_bias: true,
    ...(video ? { num_frames: array.axes[0]?.size, tubelet_size: grid[0]?.size, use_mean_pooling: head !== null } : {}),
    ...(decoder
      ? {
          decoder_hidden_size: decoder.width,
          decoder_num_hidden_layers: decoder.depth,
          decoder_num_attention_heads: decoder.heads,
          decoder_intermediate_size: decoder.hidden,
          ...(mask ? { mask_ratio: 1 - mask.visible / tokens } : {}),
          norm_pix_loss: normalize !== null && normalize !== "none",
        }
      : {}),
  };
}

function preprocessorOf({ array }: PlainModel | StagedModel, scale: ColourScale | null) {
  const [height, width] = array.axes.slice(-2).map(({ size }) => size);
  const video = array.axes.length === 3;
  return {
    image_processor_type: video ? "VideoMAEImageProcessor" : "ViTImageProcessor",
    do_resize: true,
    size: video ? { shortest_edge: height } : { height, width },
    ...(video ? { do_center_crop: true, crop_size: { height, width } } : {}),
    resample: 3,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: scale !== null,
    ...(scale ? { image_mean: scale.mean, image_std: scale.std } : {}),
  };
}

/** Of the format that `timm.create_model("local-dir:...")` reads: sizes differ from those of the architecture by arguments. */
function timmConfig({ encoder, head, array, grid }: PlainModel, scale: ColourScale | null) {
  const size = array.axes.map((axis) => axis.size);
  const pool = timmPools.get(head?.pool ?? (encoder.classToken === "none" ? "" : "class_token")) ?? "";
  const args = {
    global_pool: pool,
    // Where the mean is taken of what is normed, no norm follows it.
    ...(head?.pool === "mean_after_norm" ? { fc_norm: false } : {}),
    img_size: size,
    patch_size: grid.map((axis) => axis.size),
    in_chans: array.channels,
    embed_dim: encoder.width,
    depth: encoder.depth,
    num_heads: encoder.heads,
    mlp_ratio: encoder.hidden / encoder.width,
    class_token: encoder.classToken !== "none",
  };
  const own = { architecture: "vit_base_patch16_224", features: encoder.width, args };
  const first = { firstConv: "patch_embed.proj", classifier: "head" };
  return { ...timmFormat({ array, head }, { ...own, ...first }, scale), global_pool: pool };
}

const stagedTimmConfig = (facts: StagedModel, scale: ColourScale | null) => timmFormat(facts, stagedTimm(facts), scale);

function timmFormat(
  { array, head }: Pick<StagedModel, "array" | "head">,
  { architecture, features, args, firstConv, classifier }: TimmFacts,
  scale: ColourScale | null,
) {
  const channels = Array.from({ length: array.channels }, () => 0);
  return {
    architecture,
    num_classes: head?.classes ?? 0,
    num_features: features,
    model_args: args,
    pretrained_cfg: {
      input_size: [array.channels, ...array.axes.map((axis) => axis.size)],
      // What is told so is made for this size alone.
      ...("img_size" in args ? { fixed_input_size: true } : {}),
      interpolation: "bicubic",
      crop_pct: 1,
      mean: scale?.mean ?? channels,
      std: scale?.std ?? channels.map(() => 1),
      num_classes: head?.classes ?? 0,
      first_conv: firstConv,
      classifier,
    },
  };
}

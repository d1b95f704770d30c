/**
 * The names that others have for the weights of our models, as rows of tables: official repositories, timm, and Hugging Face.
 * What they are brought to are the names of our checkpoints, most of which are official ones and timm's.
 */

/** A piece of a name, and what stands for it here; `[0]` numbers matrices that are joined into one, in their order. */
type Row = readonly [piece: RegExp, here: string | ((whole: string, ...groups: string[]) => string)];

/** How some call the weights of a kind of model. */
export interface Naming {
  /** What it is told as. */
  readonly name: string;
  /** What some name in a file is like that has these names. */
  readonly mark: RegExp;
  /** Applied in this order. */
  readonly rows: readonly Row[];
  /** Whether the model may stand in a branch, beside an optimizer's. */
  readonly branched: boolean;
  /** Whether kernels stay as they are; else those there are lie over patches, and are matrices here. */
  readonly kernels: boolean;
}

/** The number behind: `layers.0` -> `layers.1`. */
const next =
  (name: string, behind = ".") =>
  (_: string, number: string): string =>
    `${name}${Number(number) + 1}${behind}`;

const queriesKeysValues = (piece: string): readonly Row[] =>
  ["(query|q_proj)", "(key|k_proj)", "(value|v_proj)"].map(
    (name, i): Row => [new RegExp(`${piece}\\.${name}\\.`), `.attn.qkv[${i}].`],
  );

/** Of the blocks of ViT and Swin. */
const blocksOfTransformers: readonly Row[] = [
  ...queriesKeysValues("\\.attention(\\.attention|\\.self)?"),
  [/\.attention\.(output\.dense|o_proj)\./, ".attn.proj."],
  [/\.intermediate\.dense\./, ".mlp.fc1."],
  [/\.output\.dense\./, ".mlp.fc2."],
  [/\.layernorm_before\./, ".norm1."],
  [/\.layernorm_after\./, ".norm2."],
  [/^layernorm\./, "norm."],
  // AST
  [/^classifier\.layernorm\./, "head_norm."],
  [/^classifier\.(dense\.)?/, "head."],
];

/** Official Swin merges places behind a stage, timm before the next. */
const mergedBefore: Row = [/(?<=^layers\.)(\d+)\.(?=downsample\.)/, next("")];

const patchesOfSwin: Row = [/^embeddings\.patch_embeddings\.projection\./, "patch_embed.proj."];

/** In this order: the first whose mark is in a file. */
const namings: readonly Naming[] = [
  {
    name: "Hugging Face, text",
    mark: /(^|\.)embeddings\.word_embeddings\./,
    branched: false,
    kernels: false,
    rows: [
      [/^bert\./, ""],
      [/^embeddings\.word_embeddings\./, "word_embed."],
      [/^embeddings\.position_embeddings\.weight$/, "pos_embed"],
      [/^embeddings\.token_type_embeddings\./, "segment_embed."],
      [/^embeddings\.LayerNorm\./, "embed_norm."],
      [/^encoder\.layer\./, "blocks."],
      ...queriesKeysValues("\\.attention\\.self"),
      [/\.attention\.output\.dense\./, ".attn.proj."],
      [/\.attention\.output\.LayerNorm\./, ".norm1."],
      [/\.intermediate\.dense\./, ".mlp.fc1."],
      [/\.output\.dense\./, ".mlp.fc2."],
      [/\.output\.LayerNorm\./, ".norm2."],
      [/^cls\.predictions\.transform\.dense\./, "decoder_transform."],
      [/^cls\.predictions\.transform\.LayerNorm\./, "decoder_norm."],
      [/^cls\.predictions\.bias$/, "decoder_bias"],
    ],
  },
  {
    name: "Hugging Face, ConvNeXt",
    mark: /(^|\.)encoder\.stages\.\d+\.layers\.\d+\.dwconv\./,
    branched: false,
    kernels: true,
    rows: [
      [/^convnext(v2)?\./, ""],
      [/^embeddings\.patch_embeddings\./, "downsample_layers.0.0."],
      [/^embeddings\.layernorm\./, "downsample_layers.0.1."],
      [/^encoder\.stages\.(\d+)\.downsampling_layer\./, "downsample_layers.$1."],
      [/^encoder\.stages\.(\d+)\.layers\./, "stages.$1."],
      [/(?<=\d\.)layernorm\./, "norm."],
      [/\.grn\.weight$/, ".grn.gamma"],
      [/\.grn\.bias$/, ".grn.beta"],
      [/\.layer_scale_parameter$/, ".gamma"],
      [/^layernorm\./, "norm."],
      [/^classifier\./, "head."],
    ],
  },
  {
    name: "Hugging Face, ResNet",
    mark: /(^|\.)embedder\.embedder\.convolution\./,
    branched: false,
    kernels: true,
    rows: [
      [/^resnet\./, ""],
      [/^embedder\.embedder\.convolution\./, "conv1."],
      [/^embedder\.embedder\.normalization\./, "bn1."],
      [/^encoder\.stages\.(\d+)\.layers\./, next("layer")],
      [/\.shortcut\.convolution\./, ".downsample.0."],
      [/\.shortcut\.normalization\./, ".downsample.1."],
      [/\.layer\.(\d+)\.convolution\./, next(".conv")],
      [/\.layer\.(\d+)\.normalization\./, next(".bn")],
      [/^classifier\.1\./, "head."],
    ],
  },
  {
    name: "Hugging Face, Swin",
    mark: /(^|\.)encoder\.layers\.\d+\.blocks\.\d+\.layernorm_before\./,
    branched: false,
    kernels: true,
    rows: [
      [/^swin\./, ""],
      patchesOfSwin,
      [/^embeddings\.norm\./, "patch_embed.norm."],
      [/^embeddings\.mask_token$/, "hidden_token"],
      [/^encoder\.layers\./, "layers."],
      mergedBefore,
      [
        /\.attention\.(self|relative_position_bias)\.relative_position_bias_table$/,
        ".attn.relative_position_bias_table",
      ],
      ...blocksOfTransformers,
      [/^decoder\.0\./, "decoder_pred."],
    ],
  },
  // Of version 4 and of version 5.
  {
    name: "Hugging Face",
    mark: /(^|\.)embeddings\.patch_embeddings\./,
    branched: false,
    kernels: false,
    rows: [
      [/^(vit|videomae|deit|audio_spectrogram_transformer)\./, ""],
      [/^embeddings\.cls_token$/, "cls_token"],
      [/^embeddings\.distillation_token$/, "dist_token"],
      [/^embeddings\.position_embeddings$/, "pos_embed"],
      patchesOfSwin,
      [/^(encoder\.layer|layers)\./, "blocks."],
      [/^decoder\.(decoder_layers|decoder_encoder\.layer)\./, "decoder_blocks."],
      [/^encoder_to_decoder\./, "decoder_embed."],
      [/^decoder\.norm\./, "decoder_norm."],
      [/^decoder\.head\./, "decoder_pred."],
      [/^decoder\./, ""],
      [/\.attention\.(attention\.)?q_bias$/, ".attn.q_bias"],
      [/\.attention\.(attention\.)?v_bias$/, ".attn.v_bias"],
      ...blocksOfTransformers,
    ],
  },
  {
    name: "official ConvNeXt",
    mark: /(^|\.)downsample_layers\.0\.0\./,
    branched: true,
    kernels: true,
    rows: [
      // FCMAE and SparK keep the encoder in a branch, and FCMAE's sparse layers have plain ones in them.
      [/^(encoder|sparse_encoder\.sp_cnn)\./, ""],
      [/\.(ln|linear)\.(?=(weight|bias)$)/, "."],
      [/\.kernel$/, ".weight"],
    ],
  },
  {
    name: "timm, ConvNeXt",
    mark: /(^|\.)stages\.\d+\.blocks\.\d+\.conv_dw\./,
    branched: true,
    kernels: true,
    rows: [
      [/^stem\./, "downsample_layers.0."],
      [/^stages\.(\d+)\.downsample\./, "downsample_layers.$1."],
      [/^stages\.(\d+)\.blocks\./, "stages.$1."],
      [/\.conv_dw\./, ".dwconv."],
      [/\.mlp\.grn\.weight$/, ".grn.gamma"],
      [/\.mlp\.grn\.bias$/, ".grn.beta"],
      [/\.mlp\.fc(?=[12]\.)/, ".pwconv"],
      [/^head\.norm\./, "norm."],
      [/^head\.fc\./, "head."],
    ],
  },
  {
    name: "official Swin",
    mark: /(^|\.)layers\.0\.downsample\./,
    branched: true,
    kernels: true,
    rows: [
      // SimMIM keeps the encoder in a branch.
      [/^encoder\./, ""],
      [/^mask_token$/, "hidden_token"],
      mergedBefore,
      [/^decoder\.0\./, "decoder_pred."],
    ],
  },
  {
    name: "timm, Swin",
    mark: /(^|\.)layers\.\d+\.blocks\.\d+\.attn\.relative_position_bias_table$/,
    branched: true,
    kernels: true,
    rows: [[/^head\.fc\./, "head."]],
  },
  {
    name: "timm or torchvision, ResNet",
    mark: /(^|\.)layer1\.0\.conv1\.weight$/,
    branched: true,
    kernels: true,
    rows: [
      [/^sparse_encoder\.sp_cnn\./, ""],
      [/^fc\./, "head."],
    ],
  },
];

const official: Naming = {
  name: "official or timm",
  mark: /^/,
  branched: true,
  kernels: false,
  rows: [
    // VideoMAE keeps the encoder in a branch.
    [/^encoder\.(?=(patch_embed|blocks|norm|cls_token|pos_embed)\b)/, ""],
    [/^encoder_to_decoder\./, "decoder_embed."],
    [/^decoder\.blocks\./, "decoder_blocks."],
    [/^decoder\.(norm)\./, "decoder_$1."],
    [/^decoder\.head\./, "decoder_pred."],
    // MAE-ST
    [/^(decoder_)?pos_embed_(class|temporal|spatial)$/, "$1pos_embed.$2"],
    [/\.attn\.q\./, ".attn.qkv[0]."],
    [/\.attn\.k\./, ".attn.qkv[1]."],
    [/\.attn\.v\./, ".attn.qkv[2]."],
  ],
};

/** Whose names some are. */
export const namingOf = (names: readonly string[]): Naming =>
  namings.find(({ mark }) => names.some((name) => mark.test(name))) ?? official;

/**
 * What is in a file beside weights: numbers of places, what follows from a window, how many batches a norm has seen, and a table that is another
 * one again.
 */
const besideWeights =
  /(^|\.)(embeddings\.position_ids|relative_position_index|attn_mask|num_batches_tracked)$|^cls\.predictions\.decoder\./;

export const isWeightElsewhere = (name: string): boolean => !besideWeights.test(name);

/**
 * Whether a file is of an AST of Hugging Face, whose spectrograms have frequencies along the first axis and times along the second. Where nothing
 * stands in front of its names, a single channel tells it from a DeiT.
 */
export function isTurned(shapes: ReadonlyMap<string, readonly number[]>): boolean {
  if ([...shapes.keys()].some((name) => name.startsWith("audio_spectrogram_transformer."))) return true;
  const channels = shapes.get("embeddings.patch_embeddings.projection.weight")?.[1];
  return channels === 1 && shapes.has("embeddings.distillation_token");
}

/** Our name, with a number where several matrices are one here. */
export const nameHere = (name: string, { rows }: Naming): string =>
  rows.reduce((text, [piece, here]) => text.replace(piece, here as string), name);

/** Models that are told by a name in them and that nothing here computes. */
const others: readonly (readonly [piece: RegExp, model: string, lack: string])[] = [
  [/^roberta\./, "a RoBERTa", "its positions are counted from 2 and are not read yet"],
  [
    /\.attn\.logit_scale$|\.cpb_mlp\.|\.continuous_position_bias_mlp\./,
    "a Swin V2",
    "its attention compares directions, and its blocks are normed behind",
  ],
  [
    /(^|\.)layers_up\.\d+\./,
    "an official Swin MAE",
    "its windows are moved on maps of one window too, which those here are not",
  ],
  [/(^|\.)absolute_pos_embed$/, "a Swin with absolute positions", "an encoder of windows here has relative ones alone"],
  [
    /^(?!.*(^|\.)layers\.\d+\.blocks\.).*relative_position_bias_table$/,
    "a model of tokens with relative positions, such as BEiT",
    "an encoder of tokens here adds positions to them",
  ],
];

/** What a file holds that no model here computes: what that is, and what is not there; null: nothing of the kind. */
export function otherModel(names: Iterable<string>): { readonly model: string; readonly lack: string } | null {
  for (const name of names) {
    const found = others.find(([piece]) => piece.test(name));
    if (found) return { model: found[1], lack: found[2] };
  }
  return null;
}

/**
 * The names that others have for the weights of our models, as rows of a table: official MAE, VideoMAE and MAE-ST, timm, and Hugging Face.
 * What they are brought to are the names of our checkpoints, most of which are those of official MAE and timm.
 */

/** Whose names a file has. */
export type Naming = "official or timm" | "Hugging Face" | "Hugging Face, text";

/** A piece of a name, and what stands for it here; `[0]` numbers matrices that are joined into one, in their order. */
type Row = readonly [piece: RegExp, here: string];

/** Applied in this order. */
const tables: Readonly<Record<Naming, readonly Row[]>> = {
  "official or timm": [
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
  // Of version 4 and of version 5.
  "Hugging Face": [
    [/^(vit|videomae|deit|audio_spectrogram_transformer)\./, ""],
    [/^embeddings\.cls_token$/, "cls_token"],
    [/^embeddings\.distillation_token$/, "dist_token"],
    [/^embeddings\.position_embeddings$/, "pos_embed"],
    [/^embeddings\.patch_embeddings\.projection\./, "patch_embed.proj."],
    [/^(encoder\.layer|layers)\./, "blocks."],
    [/^decoder\.(decoder_layers|decoder_encoder\.layer)\./, "decoder_blocks."],
    [/^encoder_to_decoder\./, "decoder_embed."],
    [/^decoder\.norm\./, "decoder_norm."],
    [/^decoder\.head\./, "decoder_pred."],
    [/^decoder\./, ""],
    [/\.attention(\.attention)?\.(query|q_proj)\./, ".attn.qkv[0]."],
    [/\.attention(\.attention)?\.(key|k_proj)\./, ".attn.qkv[1]."],
    [/\.attention(\.attention)?\.(value|v_proj)\./, ".attn.qkv[2]."],
    [/\.attention\.(attention\.)?q_bias$/, ".attn.q_bias"],
    [/\.attention\.(attention\.)?v_bias$/, ".attn.v_bias"],
    [/\.attention\.(output\.dense|o_proj)\./, ".attn.proj."],
    [/\.intermediate\.dense\./, ".mlp.fc1."],
    [/\.output\.dense\./, ".mlp.fc2."],
    [/\.layernorm_before\./, ".norm1."],
    [/\.layernorm_after\./, ".norm2."],
    [/^layernorm\./, "norm."],
    // AST
    [/^classifier\.layernorm\./, "head_norm."],
    [/^classifier\.(dense\.)?/, "head."],
  ],
  "Hugging Face, text": [
    [/^bert\./, ""],
    [/^embeddings\.word_embeddings\./, "word_embed."],
    [/^embeddings\.position_embeddings\.weight$/, "pos_embed"],
    [/^embeddings\.token_type_embeddings\./, "segment_embed."],
    [/^embeddings\.LayerNorm\./, "embed_norm."],
    [/^encoder\.layer\./, "blocks."],
    [/\.attention\.self\.query\./, ".attn.qkv[0]."],
    [/\.attention\.self\.key\./, ".attn.qkv[1]."],
    [/\.attention\.self\.value\./, ".attn.qkv[2]."],
    [/\.attention\.output\.dense\./, ".attn.proj."],
    [/\.attention\.output\.LayerNorm\./, ".norm1."],
    [/\.intermediate\.dense\./, ".mlp.fc1."],
    [/\.output\.dense\./, ".mlp.fc2."],
    [/\.output\.LayerNorm\./, ".norm2."],
    [/^cls\.predictions\.transform\.dense\./, "decoder_transform."],
    [/^cls\.predictions\.transform\.LayerNorm\./, "decoder_norm."],
    [/^cls\.predictions\.bias$/, "decoder_bias"],
  ],
};

/** What is in a file beside weights: numbers of places, and a table that is another one again. */
const besideWeights = /(^|\.)embeddings\.position_ids$|^cls\.predictions\.decoder\./;

export const isWeightElsewhere = (name: string): boolean => !besideWeights.test(name);

/** Whose names some are. */
export function namingOf(names: readonly string[]): Naming {
  if (names.some((name) => /(^|\.)embeddings\.word_embeddings\./.test(name))) return "Hugging Face, text";
  const isTheirs = names.some((name) => /(^|\.)embeddings\.patch_embeddings\./.test(name));
  return isTheirs ? "Hugging Face" : "official or timm";
}

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
export const nameHere = (name: string, naming: Naming): string =>
  tables[naming].reduce((text, [piece, here]) => text.replace(piece, here), name);

/** Models that are told by a name in them and that nothing here computes. */
const others: readonly (readonly [piece: RegExp, model: string, lack: string])[] = [
  [/^roberta\./, "a RoBERTa", "its positions are counted from 2 and are not read yet"],
  [/(^|\.)convnextv?2?\.|\.grn\./, "a ConvNeXt", "its names and kernels are not read yet"],
  [
    /relative_position_bias_table$/,
    "a model with relative positions, such as Swin or BEiT",
    "its names and kernels are not read yet",
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

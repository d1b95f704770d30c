/**
 * The names that others have for the weights of our models, as rows of a table: official MAE, VideoMAE and MAE-ST, timm, and Hugging Face.
 * What they are brought to are the names of our checkpoints, most of which are those of official MAE and timm.
 */

/** Whose names a file has. */
export type Naming = "official or timm" | "Hugging Face";

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
    [/^(vit|videomae)\./, ""],
    [/^embeddings\.cls_token$/, "cls_token"],
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
    [/^classifier\./, "head."],
  ],
};

/** Whose names some are. */
export const namingOf = (names: readonly string[]): Naming =>
  names.some((name) => /(^|\.)embeddings\.patch_embeddings\./.test(name)) ? "Hugging Face" : "official or timm";

/** Our name, with a number where several matrices are one here. */
export const nameHere = (name: string, naming: Naming): string =>
  tables[naming].reduce((text, [piece, here]) => text.replace(piece, here), name);

/** Models that are told by a name in them and that nothing here computes. */
const others: readonly (readonly [piece: RegExp, model: string, lack: string])[] = [
  [/embeddings\.word_embeddings\./, "a model of text, such as BERT", "there is no input of text"],
  [/(^|\.)convnextv?2?\.|\.grn\./, "a ConvNeXt", "there is no encoder of convolutions with its blocks"],
  [
    /relative_position_bias_table$/,
    "a model with relative positions, such as Swin or BEiT",
    "there are no relative positions",
  ],
  [
    /(^|\.)(distillation_token|dist_token)$/,
    "a model with a token of distillation, such as AST or DeiT",
    "an encoder has one token in front",
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

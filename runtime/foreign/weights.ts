/**
 * Weights that others trained, under the names that official MAE checkpoints have and ours do: timm's are the same, those of Hugging Face
 * are rows of a table. Query, key and value become one matrix, and patch convolutions matrices over patch vectors.
 */

import { sizeOf } from "../../graph/index.js";
import type { StoredTensor } from "../checkpoint/safetensors.js";

/** Whose names a file has. */
export type Naming = "official or timm" | "Hugging Face";

export interface ForeignWeight {
  /** Names in the file, those that were joined in their order. */
  readonly from: readonly string[];
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface ForeignWeights {
  readonly naming: Naming;
  /** By the names that our models use. */
  readonly weights: ReadonlyMap<string, ForeignWeight>;
  /** Tensors that are no weights of the model: of an optimizer, say. */
  readonly aside: readonly string[];
}

/** Branches in which training scripts keep the weights of a model, the likeliest first. */
const branches = ["model", "state_dict", "model_state_dict", "net", "module"];

/** Pieces of names at Hugging Face, of version 4 and of version 5, and what stands for them here; applied in this order. */
const pieces: readonly (readonly [RegExp, string])[] = [
  [/^(vit|videomae)\./, ""],
  [/^embeddings\.cls_token$/, "cls_token"],
  [/^embeddings\.position_embeddings$/, "pos_embed"],
  [/^embeddings\.patch_embeddings\.projection\./, "patch_embed.proj."],
  [/^(encoder\.layer|layers)\./, "blocks."],
  [/^decoder\.(decoder_layers|decoder_encoder\.layer)\./, "decoder_blocks."],
  [/^decoder\./, ""],
  [/\.attention(\.attention)?\.(query|q_proj)\./, ".attn.qkv[0]."],
  [/\.attention(\.attention)?\.(key|k_proj)\./, ".attn.qkv[1]."],
  [/\.attention(\.attention)?\.(value|v_proj)\./, ".attn.qkv[2]."],
  [/\.attention\.(output\.dense|o_proj)\./, ".attn.proj."],
  [/\.intermediate\.dense\./, ".mlp.fc1."],
  [/\.output\.dense\./, ".mlp.fc2."],
  [/\.layernorm_before\./, ".norm1."],
  [/\.layernorm_after\./, ".norm2."],
  [/^layernorm\./, "norm."],
  [/^classifier\./, "head."],
];

const isHuggingFace = (names: readonly string[]): boolean =>
  names.some((name) => /(^|\.)embeddings\.patch_embeddings\./.test(name));

/** The weights of a model among the tensors of a file. */
export function foreignWeights(tensors: ReadonlyMap<string, StoredTensor>): ForeignWeights {
  const names = [...tensors.keys()];
  const branch = branches.find((name) => names.some((other) => other.startsWith(`${name}.`)));
  const prefix = branch === undefined || isHuggingFace(names) ? "" : `${branch}.`;
  const own = names.filter((name) => name.startsWith(prefix));
  const naming = isHuggingFace(own) ? "Hugging Face" : "official or timm";
  const parts = new Map<string, { readonly index: number; readonly name: string }[]>();
  for (const name of own) {
    const bare = name.slice(prefix.length).replace(/^module\./, "");
    const named =
      naming === "official or timm" ? bare : pieces.reduce((text, [from, to]) => text.replace(from, to), bare);
    const [, before = named, index = "0", after = ""] = /^(.*)\[(\d)\](.*)$/.exec(named) ?? [];
    const joined = parts.get(before + after) ?? [];
    parts.set(before + after, joined);
    joined.push({ index: Number(index), name });
  }
  const weights = new Map(
    [...parts].map(([name, joined]) => {
      const from = joined.sort((a, b) => a.index - b.index).map((part) => part.name);
      return [name, weightOf(from, tensors)];
    }),
  );
  return { naming, weights, aside: names.filter((name) => !name.startsWith(prefix)) };
}

/** Tensors one under the other; a convolution over patches as a matrix. */
function weightOf(from: readonly string[], tensors: ReadonlyMap<string, StoredTensor>): ForeignWeight {
  const all = from.map((name) => tensors.get(name) as StoredTensor);
  const [{ shape: first }] = all as [StoredTensor];
  const values = new Float32Array(all.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let at = 0;
  for (const tensor of all) {
    values.set(asFloats(tensor), at);
    at += sizeOf(tensor.shape);
  }
  const rows = all.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0);
  const shape = all.length === 1 ? first : [rows, ...first.slice(1)];
  return shape.length < 4 ? { from, shape, values } : { from, ...patchMatrix(shape, values) };
}

const asFloats = ({ values }: StoredTensor): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values as Iterable<number | bigint>, Number);

/** [D, C, ...patch] -> [D, patch * C], the channel fastest. */
function patchMatrix(shape: readonly number[], values: Float32Array): Pick<ForeignWeight, "shape" | "values"> {
  const [width = 0, channels = 0, ...patch] = shape;
  const places = sizeOf(patch);
  const result = new Float32Array(values.length);
  for (let d = 0; d < width; d++) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < places; p++) {
        result[(d * places + p) * channels + c] = values[(d * channels + c) * places + p] as number;
      }
    }
  }
  return { shape: [width, places * channels], values: result };
}

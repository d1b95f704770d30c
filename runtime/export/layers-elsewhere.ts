/** How weights become those of other libraries, and those of transformer blocks under their names and in their shapes. */

import type { TensorToStore } from "../checkpoint/safetensors.js";
import type { RunError } from "../run-error.js";

interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A weight of another library, and how it is made of ours. */
export interface Wanted {
  readonly name: string;
  /** Names of ours. */
  readonly from: readonly string[];
  readonly make: (own: readonly Weight[]) => Pick<TensorToStore, "shape" | "values">;
}

/** Whose names and shapes. */
export const libraries = ["huggingface", "timm", "official"] as const;
export type Library = (typeof libraries)[number];

/** What is thrown where a part of a spec keeps a model from being one of theirs. */
export type Refuse = (part: string, why: string) => RunError;

/** A model of theirs: its class, and its weights. */
export interface Wants {
  readonly kind: string;
  readonly wanted: readonly Wanted[];
}

/** How blocks are written: as Hugging Face does; as timm does, whose keys always have a bias; as official MAE does; with three matrices apart. */
export type Layer = "huggingface" | "timm" | "official" | "apart";

export interface LayersElsewhere {
  readonly depth: number;
  /** Whether our keys have a bias. */
  readonly keyBias: boolean;
  /** The branch of the blocks here, and there. */
  readonly from: string;
  readonly to: string;
}

/** A weight that is the same there. */
export const same = (name: string, from: string): Wanted => ({ name, from: [from], make: ([one]) => one as Weight });

export const both = (name: string, from: string): readonly Wanted[] =>
  ["weight", "bias"].map((end) => same(`${name}.${end}`, `${from}.${end}`));

/** What transformers calls the layer of a head. */
export const classifier = [same("classifier.weight", "head.weight"), same("classifier.bias", "head.bias")];

/** Names behind the branch of a block, but those of queries, keys and values. */
const names: Readonly<Record<"huggingface" | "others", readonly (readonly [there: string, here: string])[]>> = {
  huggingface: [
    ["layernorm_before", "norm1"],
    ["attention.output.dense", "attn.proj"],
    ["layernorm_after", "norm2"],
    ["intermediate.dense", "mlp.fc1"],
    ["output.dense", "mlp.fc2"],
  ],
  others: ["norm1", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"].map((name) => [name, name] as const),
};

/** The blocks of a transformer. */
export const layersOf = (layer: Layer, { depth, keyBias, from, to }: LayersElsewhere): readonly Wanted[] =>
  Array.from({ length: depth }, (_, i) => [`${from}.${i}`, `${to}.${i}`] as const).flatMap(([here, there]) => [
    ...names[layer === "huggingface" ? "huggingface" : "others"].flatMap(([theirs, ours]) =>
      both(`${there}.${theirs}`, `${here}.${ours}`),
    ),
    ...attention(layer, keyBias, `${here}.attn`, there),
  ]);

function attention(layer: Layer, keyBias: boolean, here: string, there: string): readonly Wanted[] {
  switch (layer) {
    case "huggingface": {
      const branch = `${there}.attention.attention`;
      const thirds = ["query", "key", "value"].map((name, i) =>
        third(`${branch}.${name}.weight`, `${here}.qkv.weight`, i),
      );
      if (keyBias) {
        return [
          ...thirds,
          ...["query", "key", "value"].map((name, i) => third(`${branch}.${name}.bias`, `${here}.qkv.bias`, i)),
        ];
      }
      return [...thirds, ...twoBiases(branch, here)];
    }
    case "apart":
      return ["weight", "bias"].flatMap((end) =>
        ["q", "k", "v"].map((name, i) => third(`${there}.attn.${name}.${end}`, `${here}.qkv.${end}`, i)),
      );
    case "official":
    case "timm": {
      const weight = same(`${there}.attn.qkv.weight`, `${here}.qkv.weight`);
      if (keyBias) return [weight, same(`${there}.attn.qkv.bias`, `${here}.qkv.bias`)];
      return layer === "timm"
        ? [weight, filledBias(`${there}.attn.qkv.bias`, here)]
        : [weight, ...twoBiases(`${there}.attn`, here)];
    }
  }
}

const twoBiases = (there: string, here: string): readonly Wanted[] =>
  ["q_bias", "v_bias"].map((name) => same(`${there}.${name}`, `${here}.${name}`));

/** Queries, keys and values stand below each other in one matrix. */
export const third = (name: string, from: string, i: number): Wanted => ({
  name,
  from: [from],
  make([one]) {
    const { shape, values } = one as Weight;
    const [rows = 0, ...rest] = shape;
    const size = values.length / 3;
    return { shape: [rows / 3, ...rest], values: values.slice(i * size, (i + 1) * size) };
  },
});

/** A bias of keys that is zero. */
const filledBias = (name: string, here: string): Wanted => ({
  name,
  from: [`${here}.q_bias`, `${here}.v_bias`],
  make([q, v]) {
    const [query, value] = [(q as Weight).values, (v as Weight).values];
    const values = new Float32Array(3 * query.length);
    values.set(query);
    values.set(value, 2 * query.length);
    return { shape: [values.length], values };
  },
});

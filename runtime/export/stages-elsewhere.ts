/** ConvNeXt, Swin and ResNet under the names of other libraries: which of our weights each of theirs is, and what keeps a model from being theirs. */

import type { ConvNextFacts, ResNetFacts, StagedModel, SwinFacts } from "../../blocks/index.js";
import { shuffledRows, sparseKernel } from "../foreign/kernels.js";
import {
  both,
  classifier,
  type Library,
  type Refuse,
  same,
  third,
  type Wanted,
  type Wants,
} from "./layers-elsewhere.js";

export function wantedByStages(library: Library, model: StagedModel, refuse: Refuse): Wants {
  const { stages, array } = model;
  if (array.axes.length !== 2) throw refuse("input", "it has encoders of images alone");
  switch (stages.family) {
    case "ConvNeXt":
      return convNext(library, model, stages, refuse);
    case "Swin":
      return swin(library, model, stages, refuse);
    case "ResNet":
      return resNet(library, model, stages, refuse);
  }
}

const fourStages = (library: Library, { depths }: { readonly depths: readonly number[] }, refuse: Refuse): void => {
  if (library !== "huggingface" && depths.length !== 4) throw refuse("encoder", "its models have four stages");
};

/** For each block of each stage, both counted from 0. */
const ofBlocks = (
  depths: readonly number[],
  block: (stage: number, i: number) => readonly Wanted[],
): readonly Wanted[] =>
  depths.flatMap((depth, stage) => Array.from({ length: depth }, (_, i) => block(stage, i)).flat());

/** The same numbers in another shape, made of ours. */
const shaped = (name: string, from: string, shape: (own: readonly number[]) => readonly number[]): Wanted => ({
  name,
  from: [from],
  make: ([one]) => ({ shape: shape(one?.shape ?? []), values: one?.values ?? new Float32Array() }),
});

/** The last layer of ConvNeXt and Swin. */
const classifierOf = (library: Library): readonly Wanted[] =>
  library === "huggingface" ? classifier : both(library === "timm" ? "head.fc" : "head", "head");

/** With axes of one in front or behind. */
const wide = (name: string, from: string, axes: number): Wanted =>
  shaped(name, from, (own) => [...Array<number>(axes).fill(1), ...own]);
const ofOnePlace = (name: string, from: string): Wanted => shaped(name, from, (own) => [...own, 1, 1]);

/** A norm that has learned nothing yet. */
const freshNorm = (name: string, width: number): readonly Wanted[] =>
  [1, 0].map((value, i) => ({
    name: `${name}.${["weight", "bias"][i]}`,
    from: [],
    make: () => ({ shape: [width], values: new Float32Array(width).fill(value) }),
  }));

function convNext(library: Library, { decoder, head }: StagedModel, facts: ConvNextFacts, refuse: Refuse): Wants {
  const { depths, widths, version, norm, epsilon, stem } = facts;
  fourStages(library, facts, refuse);
  if (library === "official" && stem !== 4) throw refuse("encoder", "its stems are of 4 a side");
  if (library !== "huggingface" && norm && epsilon !== 1e-6)
    throw refuse("encoder", "its norms add 1e-6: leave `norm_epsilon` out");
  if (head && head.pool !== "mean") throw refuse("head", "its classifier norms the mean: write `pool: mean`");
  if (head && !norm) throw refuse("encoder", "a norm stands before its classifier: write `norm: true`");
  if (!head && norm) throw refuse("encoder", "it norms the mean of a map, and no map: leave `norm` out");
  const isFcmae = library === "official" && decoder?.method === "FCMAE" && version === 2;
  if (isFcmae) return { kind: "FCMAE", wanted: fcmae(facts, decoder) };
  const isTheirs = library === "huggingface";
  const root = isTheirs && head ? (version === 2 ? "convnextv2." : "convnext.") : "";
  const named = convNextNames[library];
  const trunk = [
    ...widths.flatMap((_, stage) =>
      [0, 1].flatMap((i) => both(root + named.down(stage, i), `downsample_layers.${stage}.${i}`)),
    ),
    ...ofBlocks(depths, (stage, i) => {
      const [there, here] = [`${root}${named.block(stage, i)}`, `stages.${stage}.${i}`];
      const layers = named.layers.flatMap(([theirs, ours]) => both(`${there}.${theirs}`, `${here}.${ours}`));
      if (version === 1) return [...layers, same(`${there}.${named.scale}`, `${here}.gamma`)];
      const axes = library === "timm" ? 0 : 3;
      return [
        ...layers,
        ...named.grn.map((end, k) => wide(`${there}.${end}`, `${here}.grn.${["gamma", "beta"][k]}`, axes)),
      ];
    }),
    ...(norm ? both(root + named.norm, "norm") : freshNorm(root + named.norm, widths.at(-1) ?? 0)),
  ];
  const name = version === 2 ? "ConvNextV2" : "ConvNext";
  const classes = head ? classifierOf(library) : [];
  const kinds = {
    huggingface: `${name}${head ? "ForImageClassification" : "Model"}`,
    timm: "ConvNeXt",
    official: "ConvNeXt, dense",
  };
  return { kind: kinds[library], wanted: [...trunk, ...classes] };
}

interface ConvNextNames {
  readonly down: (stage: number, i: number) => string;
  readonly block: (stage: number, i: number) => string;
  readonly layers: readonly (readonly [there: string, here: string])[];
  /** Of version 1, and of version 2 the two of its response. */
  readonly scale: string;
  readonly grn: readonly [string, string];
  readonly norm: string;
}

const asHere = ["dwconv", "norm", "pwconv1", "pwconv2"].map((name) => [name, name] as const);

const convNextNames: Readonly<Record<Library, ConvNextNames>> = {
  huggingface: {
    down: (stage, i) =>
      stage === 0
        ? `embeddings.${i === 0 ? "patch_embeddings" : "layernorm"}`
        : `encoder.stages.${stage}.downsampling_layer.${i}`,
    block: (stage, i) => `encoder.stages.${stage}.layers.${i}`,
    layers: [...asHere.filter(([name]) => name !== "norm"), ["layernorm", "norm"]],
    scale: "layer_scale_parameter",
    grn: ["grn.weight", "grn.bias"],
    norm: "layernorm",
  },
  timm: {
    down: (stage, i) => (stage === 0 ? `stem.${i}` : `stages.${stage}.downsample.${i}`),
    block: (stage, i) => `stages.${stage}.blocks.${i}`,
    layers: [
      ["conv_dw", "dwconv"],
      ["norm", "norm"],
      ["mlp.fc1", "pwconv1"],
      ["mlp.fc2", "pwconv2"],
    ],
    scale: "gamma",
    grn: ["mlp.grn.weight", "mlp.grn.bias"],
    norm: "head.norm",
  },
  official: {
    down: (stage, i) => `downsample_layers.${stage}.${i}`,
    block: (stage, i) => `stages.${stage}.${i}`,
    layers: asHere,
    scale: "gamma",
    grn: ["grn.gamma", "grn.beta"],
    norm: "norm",
  },
};

/** Of a model whose encoder computes with sparse convolutions behind its stem. */
function fcmae({ depths }: ConvNextFacts, { depth }: { readonly depth: number }): readonly Wanted[] {
  const ends = ["weight", "bias"];
  const within = (layer: string, from: string, kind: string): readonly Wanted[] =>
    both(`encoder.${layer}.${kind}`, from);
  const sparse = (from: string): readonly Wanted[] => [
    { name: `encoder.${from}.kernel`, from: [`${from}.weight`], make: ([one]) => sparseKernel(one as never) },
    wide(`encoder.${from}.bias`, `${from}.bias`, 1),
  ];
  const dense = (name: string): readonly Wanted[] => [
    ofOnePlace(`${name}.weight`, `${name}.weight`),
    same(`${name}.bias`, `${name}.bias`),
  ];
  return [
    ...[0, 1].flatMap((i) => both(`encoder.downsample_layers.0.${i}`, `downsample_layers.0.${i}`)),
    ...depths.slice(1).flatMap((_, i) => {
      const name = `downsample_layers.${i + 1}`;
      return [...within(`${name}.0`, `${name}.0`, "ln"), ...sparse(`${name}.1`)];
    }),
    ...ofBlocks(depths, (stage, i) => {
      const name = `stages.${stage}.${i}`;
      return [
        ...sparse(`${name}.dwconv`),
        ...within(`${name}.norm`, `${name}.norm`, "ln"),
        ...["pwconv1", "pwconv2"].flatMap((layer) => within(`${name}.${layer}`, `${name}.${layer}`, "linear")),
        ...["gamma", "beta"].map((end) => wide(`encoder.${name}.grn.${end}`, `${name}.grn.${end}`, 1)),
      ];
    }),
    ...dense("proj"),
    shaped("mask_token", "mask_token", ([, , width = 0]) => [1, width, 1, 1]),
    ...Array.from({ length: depth }, (_, i) => `decoder.${i}`).flatMap((name) => [
      ...asHere.flatMap(([layer]) => ends.map((end) => same(`${name}.${layer}.${end}`, `${name}.${layer}.${end}`))),
      ...["gamma", "beta"].map((end) => wide(`${name}.grn.${end}`, `${name}.grn.${end}`, 3)),
    ]),
    ...dense("pred"),
  ];
}

function swin(library: Library, { array, decoder, head }: StagedModel, facts: SwinFacts, refuse: Refuse): Wants {
  const { depths, stem, window, norm, epsilon } = facts;
  const [rows = 0, columns = 0] = array.axes.map(({ size }) => size);
  if (rows !== columns) throw refuse("input", "its models of windows read squares");
  if (!norm) throw refuse("encoder", "a norm ends it: write `norm: true`");
  if (epsilon !== 1e-5) throw refuse("encoder", "its norms add 1e-5: leave `norm_epsilon` out");
  if (head && head.pool !== "mean_after_norm")
    throw refuse("head", "its classifier reads the mean of what is normed: write `pool: mean_after_norm`");
  const least = rows / (stem * 2 ** (depths.length - 1));
  if (library === "huggingface" && least < window)
    throw refuse("encoder", `its windows have one side in all stages, and the last map has ${least} places a side`);
  const isSimmim = decoder?.method === "SimMIM" && library !== "timm";
  const root =
    isSimmim && library === "official" ? "encoder." : library === "huggingface" && (isSimmim || head) ? "swin." : "";
  const isTheirs = library === "huggingface";
  const layers = `${root}${isTheirs ? "encoder." : ""}layers`;
  const trunk = [
    ...both(`${root}${isTheirs ? "embeddings.patch_embeddings.projection" : "patch_embed.proj"}`, "patch_embed.proj"),
    ...both(`${root}${isTheirs ? "embeddings.norm" : "patch_embed.norm"}`, "patch_embed.norm"),
    ...depths.slice(1).flatMap((_, i) => {
      const there = `${layers}.${library === "timm" ? i + 1 : i}.downsample`;
      const here = `layers.${i + 1}.downsample`;
      return [...both(`${there}.norm`, `${here}.norm`), same(`${there}.reduction.weight`, `${here}.reduction.weight`)];
    }),
    ...ofBlocks(depths, (stage, i) =>
      windowBlock(isTheirs, `${layers}.${stage}.blocks.${i}`, `layers.${stage}.blocks.${i}`),
    ),
    ...both(`${root}${isTheirs ? "layernorm" : "norm"}`, "norm"),
  ];
  if (isSimmim) {
    const shuffle = { channels: array.channels, stride: stem * 2 ** (depths.length - 1), cell: stem };
    const drawn = (name: string): Wanted => ({
      name: `decoder.0.${name}`,
      from: [`decoder_pred.${name}`],
      make: ([one]) => {
        const { shape, values } = one as NonNullable<typeof one>;
        return {
          shape: [...shape, ...(shape.length > 1 ? [1, 1] : [])],
          values: rowsPut(values, shuffledRows(shuffle)),
        };
      },
    });
    const hidden = same(`${root}${isTheirs ? "embeddings." : ""}mask_token`, "hidden_token");
    const kind = isTheirs ? "SwinForMaskedImageModeling" : "SimMIM";
    return { kind, wanted: [...trunk, hidden, drawn("weight"), drawn("bias")] };
  }
  const kinds = {
    huggingface: head ? "SwinForImageClassification" : "SwinModel",
    timm: "SwinTransformer",
    official: "SwinTransformer",
  };
  return { kind: kinds[library], wanted: [...trunk, ...(head ? classifierOf(library) : [])] };
}

/** Rows of a matrix, each put where PyTorch's shuffle of pixels looks for it. */
function rowsPut(values: Float32Array, rows: Int32Array): Float32Array {
  const width = values.length / rows.length;
  const result = new Float32Array(values.length);
  for (const [from, to] of rows.entries()) result.set(values.subarray(from * width, (from + 1) * width), to * width);
  return result;
}

function windowBlock(isTheirs: boolean, there: string, here: string): readonly Wanted[] {
  const attn = `${here}.attn`;
  const table = "relative_position_bias_table";
  if (!isTheirs) {
    return [
      ...["norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"].flatMap((name) =>
        both(`${there}.${name}`, `${here}.${name}`),
      ),
      same(`${there}.attn.${table}`, `${attn}.${table}`),
    ];
  }
  const layers = [
    ["layernorm_before", "norm1"],
    ["attention.output.dense", "attn.proj"],
    ["layernorm_after", "norm2"],
    ["intermediate.dense", "mlp.fc1"],
    ["output.dense", "mlp.fc2"],
  ];
  return [
    ...layers.flatMap(([theirs, ours]) => both(`${there}.${theirs}`, `${here}.${ours}`)),
    ...["query", "key", "value"].flatMap((name, i) =>
      ["weight", "bias"].map((end) => third(`${there}.attention.self.${name}.${end}`, `${attn}.qkv.${end}`, i)),
    ),
    same(`${there}.attention.self.${table}`, `${attn}.${table}`),
  ];
}

function resNet(library: Library, { head }: StagedModel, facts: ResNetFacts, refuse: Refuse): Wants {
  fourStages(library, facts, refuse);
  const isTheirs = library === "huggingface";
  if (!isTheirs && facts.width !== 64) throw refuse("encoder", "its stem has 64 features: write `width: 64`");
  if (head && head.pool !== "mean") throw refuse("head", "its classifier reads the mean: write `pool: mean`");
  const root = isTheirs && head ? "resnet." : "";
  const stem = `${root}embedder.embedder`;
  const layer = (there: readonly [string, string], conv: string, norm: string): readonly Wanted[] => [
    same(`${there[0]}.weight`, `${conv}.weight`),
    ...["weight", "bias", "running_mean", "running_var"].map((end) => same(`${there[1]}.${end}`, `${norm}.${end}`)),
    // How many batches the norm has seen, which only a norm without a share of its own asks for.
    { name: `${there[1]}.num_batches_tracked`, from: [], make: () => ({ shape: [], values: new BigInt64Array(1) }) },
  ];
  const pair = (there: string, conv: string, norm: string): readonly [string, string] =>
    isTheirs ? [`${there}.convolution`, `${there}.normalization`] : [conv, norm];
  const trunk = [
    ...layer(pair(stem, "conv1", "bn1"), "conv1", "bn1"),
    ...ofBlocks(facts.depths, (stage, i) => {
      const [there, here] = [`${root}encoder.stages.${stage}.layers.${i}`, `layer${stage + 1}.${i}`];
      const down = [`${here}.downsample.0`, `${here}.downsample.1`] as const;
      return [
        ...[1, 2, 3].flatMap((k) => {
          const own = [`${here}.conv${k}`, `${here}.bn${k}`] as const;
          return layer(pair(`${there}.layer.${k - 1}`, ...own), ...own);
        }),
        ...(i === 0 ? layer(pair(`${there}.shortcut`, ...down), ...down) : []),
      ];
    }),
  ];
  const kind = isTheirs ? (head ? "ResNetForImageClassification" : "ResNetModel") : "ResNet";
  return { kind, wanted: [...trunk, ...(head ? both(isTheirs ? "classifier.1" : "fc", "head") : [])] };
}

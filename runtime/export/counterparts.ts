/**
 * A trained model as one that other libraries have: its weights under their names and in their shapes, and what they have to know beside
 * them. Which files these become is said in `folders.ts`.
 */

import type { ModelProgram, Parameter, PlainModel, StagedModel } from "../../blocks/index.js";
import { namedParameters } from "../../blocks/index.js";
import { sizeOf } from "../../graph/index.js";
import type { TensorToStore } from "../checkpoint/safetensors.js";
import { RunError } from "../run-error.js";
import {
  both,
  classifier,
  type Layer,
  type Library,
  layersOf,
  type Refuse,
  same,
  type Wanted,
  type Wants,
} from "./layers-elsewhere.js";
import { wantedByStages } from "./stages-elsewhere.js";

export interface Counterpart {
  /** The class or function that the library has for it. */
  readonly kind: string;
  readonly tensors: readonly TensorToStore[];
  /** Our weights that have no place there. */
  readonly left: readonly string[];
}

const refusal = ({ name }: PlainModel | StagedModel, library: Library, part: string, why: string): RunError =>
  new RunError("run/no-counterpart", {
    what: `${name} has no counterpart in ${library}: ${part}`,
    why,
    help: "Export it as ONNX (--to onnx), which holds any model, or change that part of the spec and train again.",
  });

/** What a model is in a library. Throws `run/no-counterpart` with the part of the spec that prevents it. */
export function counterpart(
  library: Library,
  facts: PlainModel | StagedModel,
  { parameters }: Pick<ModelProgram, "parameters">,
  weights: Readonly<Record<string, Float32Array>>,
): Counterpart {
  const declared = new Map(namedParameters(parameters));
  const refuse = (part: string, why: string): RunError => refusal(facts, library, part, why);
  const { kind, wanted } =
    "stages" in facts ? wantedByStages(library, facts, refuse) : wantedBy(library, facts, declared, refuse);
  const used = new Set(wanted.flatMap(({ from }) => from));
  const missing = wanted.flatMap(({ from }) => from.filter((name) => !declared.has(name)));
  if (missing[0] !== undefined) throw refuse("its weights", `there is no ${missing[0]}, which ${kind} needs`);
  // A fixed table follows from the model: who does not store it computes it.
  const left = [...declared].flatMap(([name, { trainable }]) => (used.has(name) || !trainable ? [] : [name]));
  const kept = [
    /^(patch_embed|blocks|norm|cls_token|head|downsample_layers|stages|layers|conv1|bn1|layer\d+)\b/,
    ...("grid" in facts && facts.decoder && library !== "timm" ? [/^decoder_/] : []),
  ];
  const strange = left.find((name) => kept.some((piece) => piece.test(name)));
  if (strange) throw refuse("its weights", `${kind} has no place for ${strange}`);
  const tensors = wanted.map(({ name, make, from }): TensorToStore => {
    const own = from.map((one) => ({
      shape: (declared.get(one) as Parameter).shape.map(Number),
      values: weights[one] as Float32Array,
    }));
    return { name, ...make(own) };
  });
  return { kind, tensors, left };
}

function wantedBy(
  library: Library,
  facts: PlainModel,
  declared: ReadonlyMap<string, Parameter>,
  refuse: Refuse,
): Wants {
  if (library === "huggingface") return wantedByTransformers(facts, declared, refuse);
  return library === "timm" ? wantedByTimm(facts, refuse) : wantedByOfficial(facts, declared, refuse);
}

const hasTime = ({ array }: PlainModel): boolean => array.axes[0]?.name === "time" && array.axes.length === 3;

/** Whether the tokens lie in a plane: an image, or a spectrogram of times and bands. */
const isPlane = ({ array }: PlainModel): boolean => array.axes.length === 2;

/** A table at the root, learned or fixed; other positions are several tables. */
const oneTable = (declared: ReadonlyMap<string, Parameter>): Parameter | undefined => declared.get("pos_embed");

const isFlat = (table: Parameter | undefined): boolean =>
  table !== undefined && !table.trainable && "order" in table.init && table.init.order === "flat";

function wantedByTransformers(facts: PlainModel, declared: ReadonlyMap<string, Parameter>, refuse: Refuse): Wants {
  const { encoder, decoder, head, array, grid } = facts;
  const sides = new Set(array.axes.slice(-2).map(({ size }) => size));
  const patch = new Set(grid.slice(-2).map(({ size }) => size));
  if (sides.size > 1 || patch.size > 1) throw refuse("input", "its models read squares, cut into square patches");
  if (decoder && decoder.epsilon !== encoder.epsilon)
    throw refuse("decoder", "its norms have another epsilon than the encoder's");
  const conv = { axes: grid.map(({ size }) => size), channels: array.channels };
  if (hasTime(facts)) return wantedByVideoMae(facts, conv, isFlat(oneTable(declared)), refuse);
  if (!isPlane(facts)) throw refuse("input", "it has models of images and of videos");
  if (encoder.classToken === "none")
    throw refuse("encoder", "its models of images have a class token: write `class_token: true`");
  if (!encoder.keyBias || decoder?.keyBias === false)
    throw refuse("encoder", "keys of its models of images have a bias: leave `key_bias` out");
  const trunk: readonly Wanted[] = [
    same("vit.embeddings.cls_token", "cls_token"),
    same("vit.embeddings.position_embeddings", "pos_embed"),
    ...convolution("vit.embeddings.patch_embeddings.projection", conv),
    ...layersOf("huggingface", {
      depth: encoder.depth,
      keyBias: encoder.keyBias,
      from: "blocks",
      to: "vit.encoder.layer",
    }),
    ...both("vit.layernorm", "norm"),
  ];
  if (head) {
    if (head.pool !== "class_token")
      throw refuse("head", "its classifier reads the class token: write `pool: class_token`, or export to timm");
    return { kind: "ViTForImageClassification", wanted: [...trunk, ...classifier] };
  }
  if (decoder?.classToken === "own") throw refuse("decoder", "its decoder has no class token of its own");
  const layer = { depth: decoder?.depth ?? 0, keyBias: true, from: "decoder_blocks", to: "decoder.decoder_layers" };
  return {
    kind: "ViTMAEForPreTraining",
    wanted: [
      ...trunk,
      ...both("decoder.decoder_embed", "decoder_embed"),
      same("decoder.mask_token", "mask_token"),
      same("decoder.decoder_pos_embed", "decoder_pos_embed"),
      ...layersOf("huggingface", layer),
      ...both("decoder.decoder_norm", "decoder_norm"),
      ...both("decoder.decoder_pred", "decoder_pred"),
    ],
  };
}

function wantedByVideoMae(
  { encoder, decoder, head }: PlainModel,
  conv: Convolution,
  isFlatTable: boolean,
  refuse: Refuse,
): Wants {
  if (encoder.classToken !== "none") throw refuse("encoder", "VideoMAE has no class token: write `class_token: false`");
  if (encoder.keyBias || decoder?.keyBias)
    throw refuse("encoder", "keys of VideoMAE have no bias: write `key_bias: false`");
  if (!isFlatTable) throw refuse("positions", "those of VideoMAE are fixed: write `positions sin_cos(order: flat)`");
  if (head && head.pool !== "mean")
    throw refuse("head", "the classifier of VideoMAE reads the mean: write `pool: mean`");
  const trunk = [
    ...convolution("videomae.embeddings.patch_embeddings.projection", conv),
    ...layersOf("huggingface", { depth: encoder.depth, keyBias: false, from: "blocks", to: "videomae.encoder.layer" }),
  ];
  if (head) {
    const kind = "VideoMAEForVideoClassification";
    return { kind, wanted: [...trunk, ...both("fc_norm", "norm"), ...classifier] };
  }
  return {
    kind: "VideoMAEForPreTraining",
    wanted: [
      ...trunk,
      ...both("videomae.layernorm", "norm"),
      same("encoder_to_decoder.weight", "decoder_embed.weight"),
      same("mask_token", "mask_token"),
      ...layersOf("huggingface", {
        depth: decoder?.depth ?? 0,
        keyBias: false,
        from: "decoder_blocks",
        to: "decoder.decoder_layers",
      }),
      ...both("decoder.norm", "decoder_norm"),
      ...both("decoder.head", "decoder_pred"),
    ],
  };
}

/** By what is pooled here, what is there. */
export const timmPools: ReadonlyMap<string, string> = new Map([
  ["class_token", "token"],
  ["mean", "avg"],
  ["mean_after_norm", "avg"],
]);

function wantedByTimm(facts: PlainModel, refuse: Refuse): Wants {
  const { encoder, head, array, grid } = facts;
  if (!isPlane(facts)) throw refuse("input", "its vision transformer reads images");
  if (encoder.epsilon !== 1e-6) throw refuse("encoder", "its norms add 1e-6: leave `norm_epsilon` out");
  const pool = head?.pool ?? "class_token";
  if (!timmPools.has(pool)) throw refuse("head", "its classifier reads the class token or a mean of the patches");
  return {
    kind: "VisionTransformer",
    wanted: [
      ...(encoder.classToken === "none" ? [] : [same("cls_token", "cls_token")]),
      same("pos_embed", "pos_embed"),
      ...convolution("patch_embed.proj", { axes: grid.map(({ size }) => size), channels: array.channels }),
      ...layersOf("timm", { depth: encoder.depth, keyBias: encoder.keyBias, from: "blocks", to: "blocks" }),
      ...both(head && pool === "mean" ? "fc_norm" : "norm", "norm"),
      ...(head ? both("head", "head") : []),
    ],
  };
}

/** Names of the repositories of MAE (of classifiers, those of its fine-tuning), VideoMAE and MAE-ST. */
function wantedByOfficial(facts: PlainModel, declared: ReadonlyMap<string, Parameter>, refuse: Refuse): Wants {
  const { encoder, decoder, head, array, grid } = facts;
  const conv = { axes: grid.map(({ size }) => size), channels: array.channels };
  const layer = (part: "" | "decoder_", layer: Layer, to = `${part}blocks`, transformer = encoder): readonly Wanted[] =>
    layersOf(layer, { depth: transformer.depth, keyBias: transformer.keyBias, from: `${part}blocks`, to });
  const isVideoMae = hasTime(facts) && encoder.classToken === "none";
  if (head && !["class_token", "mean"].includes(head.pool))
    throw refuse("head", "its classifier reads the class token, or the mean before the last norm");
  if (hasTime(facts) && head) throw refuse("head", "there is no repository whose classifier of videos is this one");
  if (isVideoMae) {
    if (!isFlat(oneTable(declared)))
      throw refuse("positions", "those of VideoMAE are fixed: write `positions sin_cos(order: flat)`");
    return {
      kind: "VideoMAE",
      wanted: [
        ...convolution("encoder.patch_embed.proj", conv),
        ...layer("", "official", "encoder.blocks"),
        ...both("encoder.norm", "norm"),
        same("encoder_to_decoder.weight", "decoder_embed.weight"),
        same("mask_token", "mask_token"),
        ...layer("decoder_", "official", "decoder.blocks", decoder ?? encoder),
        ...both("decoder.norm", "decoder_norm"),
        ...both("decoder.head", "decoder_pred"),
      ],
    };
  }
  const isSpaceTime = hasTime(facts);
  if (isSpaceTime && oneTable(declared))
    throw refuse("positions", "those of MAE-ST are separate: write `positions separable`");
  if (!isSpaceTime && !isPlane(facts))
    throw refuse("input", "there are repositories of images, spectrograms and videos");
  const positions = (name: string): readonly Wanted[] =>
    isSpaceTime
      ? ["class", "temporal", "spatial"].map((table) => same(`${name}_${table}`, `${name}.${table}`))
      : [same(name, name)];
  const kind = isSpaceTime ? "MAE-ST" : "MAE";
  const style = isSpaceTime ? "apart" : "official";
  const trunk = [
    ...(encoder.classToken === "none" ? [] : [same("cls_token", "cls_token")]),
    ...positions("pos_embed"),
    ...convolution("patch_embed.proj", conv),
    ...layer("", style),
    ...both(head?.pool === "mean" ? "fc_norm" : "norm", "norm"),
  ];
  if (head) return { kind: `${kind}, fine-tuned`, wanted: [...trunk, ...both("head", "head")] };
  return {
    kind,
    wanted: [
      ...trunk,
      ...both("decoder_embed", "decoder_embed"),
      same("mask_token", "mask_token"),
      ...positions("decoder_pos_embed"),
      ...(decoder?.classToken === "own" ? [same("decoder_cls_token", "decoder_cls_token")] : []),
      ...layer("decoder_", style, undefined, decoder ?? encoder),
      ...both("decoder_norm", "decoder_norm"),
      ...both("decoder_pred", "decoder_pred"),
    ],
  };
}

interface Convolution {
  /** Sides of a patch. */
  readonly axes: readonly number[];
  readonly channels: number;
}

/** The matrix over patches as a convolution: [D, patch * C] -> [D, C, ...patch]. */
const convolution = (name: string, { axes, channels }: Convolution): readonly Wanted[] => [
  {
    name: `${name}.weight`,
    from: ["patch_embed.proj.weight"],
    make([one]) {
      const { shape, values } = one as NonNullable<typeof one>;
      const [width = 0] = shape;
      const places = sizeOf(axes);
      const result = new Float32Array(values.length);
      for (let row = 0; row < width; row++) {
        for (let c = 0; c < channels; c++) {
          for (let p = 0; p < places; p++) {
            result[(row * channels + c) * places + p] = values[(row * places + p) * channels + c] as number;
          }
        }
      }
      return { shape: [width, channels, ...axes], values: result };
    },
  },
  same(`${name}.bias`, "patch_embed.proj.bias"),
];

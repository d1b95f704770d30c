/** The models that are measured: four sizes from a laptop's first try to ViT-B/16 and three encoders of maps, as specs, and what a step of each is fed. */

import { type ModelProgram, registry } from "../blocks/index.js";
import { analyze, assemble, type Model, plan, programOf } from "../compiler/index.js";
import { invariant, randomStream, type Values } from "../graph/index.js";
import { sampleMasks } from "../runtime/index.js";

export interface Network {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
}

/** A masked autoencoder of square RGB images, three quarters hidden. Also read by `pytorch.py`. */
export interface Size {
  readonly name: string;
  readonly batch: number;
  /** Sides of the image and of a patch, in pixels. */
  readonly image: number;
  readonly patch: number;
  readonly encoder: Network;
  readonly decoder: Network;
}

const small = { encoder: { depth: 12, width: 192, heads: 3 }, decoder: { depth: 4, width: 128, heads: 4 } };

export const sizes: readonly Size[] = [
  { name: "tiny", batch: 32, image: 32, patch: 4, ...small },
  { name: "tiny64", batch: 64, image: 64, patch: 8, ...small },
  {
    name: "small96",
    batch: 32,
    image: 96,
    patch: 8,
    encoder: { depth: 12, width: 384, heads: 6 },
    decoder: { depth: 4, width: 256, heads: 8 },
  },
  {
    name: "vit-b16",
    batch: 8,
    image: 224,
    patch: 16,
    encoder: { depth: 12, width: 768, heads: 12 },
    decoder: { depth: 8, width: 512, heads: 16 },
  },
];

/** Larger than what is trained here, for the time that compiling takes. */
export const larger: readonly Size[] = [
  {
    name: "vit-l16",
    batch: 8,
    image: 224,
    patch: 16,
    encoder: { depth: 24, width: 1024, heads: 16 },
    decoder: { depth: 8, width: 512, heads: 16 },
  },
  {
    name: "vit-h14",
    batch: 8,
    image: 224,
    patch: 14,
    encoder: { depth: 32, width: 1280, heads: 16 },
    decoder: { depth: 8, width: 512, heads: 16 },
  },
];

/** A classifier of square RGB images by an encoder of maps, beside the one that timm makes. Also read by `pytorch.py`. */
export interface Classifier {
  readonly name: string;
  readonly batch: number;
  /** Side of the image. */
  readonly image: number;
  /** Ours, as it is written. */
  readonly encoder: string;
  readonly timm: { readonly model: string; readonly options: Readonly<Record<string, unknown>> };
}

/** What is measured: a masked autoencoder or a classifier. */
export type Contested = Size | Classifier;

const classes = 1000;

export const classifiers: readonly Classifier[] = [
  {
    name: "convnext-v2-nano",
    ...{ batch: 16, image: 96 },
    encoder: "convnext(depths: (2, 2, 8, 2), widths: (80, 160, 320, 640), norm: true)",
    timm: { model: "convnextv2_nano", options: {} },
  },
  {
    name: "resnet-50",
    ...{ batch: 16, image: 96 },
    encoder: "resnet(depths: (3, 4, 6, 3))",
    timm: { model: "resnet50", options: {} },
  },
  {
    name: "swin-small",
    ...{ batch: 16, image: 96 },
    encoder: "swin(depths: (2, 2, 6), width: 96, heads: (3, 6, 12), window: 6)",
    timm: {
      model: "swin_tiny_patch4_window7_224",
      options: { img_size: 96, depths: [2, 2, 6], num_heads: [3, 6, 12], window_size: 6 },
    },
  },
];

const vit = ({ depth, width, heads }: Network): string => `vit(depth: ${depth}, width: ${width}, heads: ${heads})`;

const classifying = ({ image, encoder }: Classifier): string => `edition 2026
model Bench {
  input   image(size: ${image}x${image}, channels: 3)
  encoder ${encoder}
  head    classifier(classes: ${classes})
  loss    cross_entropy
}
`;

/** What is measured, as a spec. */
export const textOf = (one: Contested): string => ("timm" in one ? classifying(one) : completing(one));

const completing = ({ image, patch, encoder, decoder }: Size): string => `edition 2026
model Bench {
  input   image(size: ${image}x${image}, channels: 3)
  tokens  patch(size: ${patch}x${patch})
  mask    random(ratio: 75%)
  encoder ${vit(encoder)}
  decoder ${vit(decoder)}
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}
`;

export function modelOf(size: Contested): Model {
  const { models, diagnostics } = analyze(
    { path: "bench.mae", text: textOf(size) },
    { readText: () => null },
    registry,
  );
  const model = models.get("Bench");
  invariant(model !== undefined, diagnostics.map(({ message }) => message).join("; "));
  return model;
}

export const programFor = (size: Contested): ModelProgram => programOf(assemble(modelOf(size)));

/** Matrix products of one training step, a multiply-add counted as 2, before any simplification. */
export const flopsOf = (size: Contested): number => plan(modelOf(size)).flops.training * size.batch;

/** What step number `step`, from 1, is fed: normal numbers for pixels, fresh masks, or some class for each image. */
export function feedsOf(size: Contested, program: ModelProgram, step: number): Values {
  const random = randomStream(1, "shuffle");
  const pixels = size.batch * size.image * size.image * 3;
  const samples = Int32Array.from({ length: size.batch }, (_, i) => i);
  return {
    image: Float32Array.from({ length: pixels }, () => random.normal()),
    ...("timm" in size ? { labels: someClasses(size, step) } : sampleMasks(program, 1, step, samples)),
    lr: Float32Array.of(1e-4),
    step: Float32Array.of(step),
  };
}

/** One class for each image, as shares of all classes. */
function someClasses({ batch }: Classifier, step: number): Float32Array {
  const shares = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) shares[i * classes + ((37 * i + step) % classes)] = 1;
  return shares;
}

/** What `peak.ts` multiplies: matrices of `side` x `side`, so many in a row. */
export const peakProducts = { side: 1024, count: 8 };

/** Floating-point operations of one step of `peak.ts`. */
export const peakFlops = 2 * peakProducts.side ** 3 * peakProducts.count;

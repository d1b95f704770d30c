/** Heads of vectors: where views of a sample are compared. */

import {
  projector as projectorLayer,
  projectorParameters,
  prototypeParameters,
  prototypes as prototypesLayer,
} from "../nn/index.js";
import { choice, flag, int } from "../params.js";
import { vectorsFrom } from "../sources.js";
import { defineVectorHead, type Vectors } from "./contract.js";

const widest = 1_048_576;

const perceptron = (layers: number) => ({
  layers: int({
    min: 1,
    max: 16,
    default: layers,
    doc: "Linear layers; a batch norm, where there are `norms`, and a ReLU follow each but the last.",
  }),
  hidden: int({ min: 1, max: widest, default: 4096, doc: "Features between the layers." }),
  out: int({ min: 1, max: widest, default: 256, doc: "Numbers of a vector." }),
  bias: flag({ default: false, doc: "Whether the linear layers have biases." }),
  norms: flag({ default: true, doc: "Whether a batch norm follows each layer but the last, before its ReLU." }),
  end: choice({
    default: "plain",
    options: {
      none: "Nothing.",
      plain: "A batch norm without scale and shift.",
      unshifted: "A batch norm with a scale and no shift, as in the official code of SimCLR.",
      scaled: "A batch norm with scale and shift.",
    },
    doc: "What follows the last layer.",
  }),
  of: vectorsFrom,
});

type Perceptron = ReturnType<typeof perceptron>;

const throughLayers: Pick<Vectors<Perceptron>, "width" | "parameters" | "apply"> = {
  width: (p) => p.out,
  parameters: ({ layers, hidden, out, bias, norms, end }, { width }) => ({
    head: projectorParameters({ width, hidden, out, layers, bias, norms, end }),
  }),
  apply: (code, _, w, { x }) => code.let("projected", projectorLayer, x, (w as { readonly head: unknown }).head),
};

export const projector = defineVectorHead({
  name: "projector",
  summary: "A perceptron, with batch norms or without, behind which views are compared.",
  source: "Chen et al., SimCLR, ICML 2020; Chen, Xie and He, MoCo v3, ICCV 2021",
  since: "0.2",
  params: perceptron(3),
  vectors: throughLayers,
});

export const predictor = defineVectorHead({
  name: "predictor",
  summary: "A perceptron that predicts of one view what a teacher makes of another; the teacher has none.",
  source: "Grill et al., Bootstrap Your Own Latent (BYOL), NeurIPS 2020; Chen, Xie and He, MoCo v3, ICCV 2021",
  since: "0.2",
  params: perceptron(2),
  vectors: { ...throughLayers, studentOnly: true },
});

export const prototypes = defineVectorHead({
  name: "prototypes",
  summary: "A perceptron to a narrow vector of length 1, and how much that points along each of many prototypes.",
  source: "Caron et al., Emerging Properties in Self-Supervised Vision Transformers (DINO), ICCV 2021",
  since: "0.2",
  params: {
    layers: int({
      min: 1,
      max: 16,
      default: 3,
      doc: "Linear layers before the prototypes; a GELU follows each but the last.",
    }),
    hidden: int({ min: 1, max: widest, default: 2048, doc: "Features between the layers." }),
    bottleneck: int({
      min: 1,
      max: widest,
      default: 256,
      doc: "Numbers of the vector that is compared with prototypes.",
    }),
    out: int({ min: 2, max: widest, default: 65_536, doc: "Prototypes." }),
    unit: flag({ default: true, doc: "Whether all prototypes have the length 1; if not, their lengths are learned." }),
    of: vectorsFrom,
  },
  vectors: {
    width: (p) => p.out,
    parameters: ({ layers, hidden, bottleneck, out, unit }, { width }) => ({
      head: prototypeParameters({ width, hidden, bottleneck, out, layers, unit }),
    }),
    apply: (code, _, w, { x }) => code.let("logits", prototypesLayer, x, w.head),
  },
});

/** Teachers: a copy of the encoder, and of heads or decoders behind it, that follows the trained ones and gives targets. */

import { type Definition, type ModelContext, ofKind } from "../block.js";
import { choice, flag, labels, type Params, schedule, type ValuesOf } from "../params.js";
import { curveOptions, type Progress, valueAt } from "../progress.js";
import { followedFrom } from "../sources.js";
import { onViews } from "../view/index.js";

export interface Teacher<P extends Params = Params> extends Definition<P, ModelContext> {
  /** Share of its old value that each weight keeps at a step, in [0, 1]. */
  momentum(p: ValuesOf<P>, progress: Progress): number;
  /** Whether it moves before a step's losses are computed; if absent, after the step. */
  first?(p: ValuesOf<P>): boolean;
  /** The views that it sees, by the names of their streams; null, or if absent, all. */
  on?(p: ValuesOf<P>): readonly string[] | null;
  /** Whether what its encoder gives passes the normalisation that ends that; if absent, it does. */
  normed?(p: ValuesOf<P>): boolean;
  /** Present where it has a copy of the decoders too: of its views it sees what a mask shows, and it alone predicts the rest. */
  readonly predicts?: true;
}

export const defineTeacher = <const P extends Params>(teacher: Teacher<P>): Teacher<P> => ofKind("teacher", teacher);

const momentum = (value: number) =>
  schedule({
    of: "real",
    min: 0,
    max: 1,
    default: value,
    doc: "Share of its old value that each weight of the teacher keeps at a step; it may move during training.",
  });

const curve = choice({
  default: "linear",
  options: curveOptions,
  doc: "How a momentum that moves gets from one end to the other.",
});

/** A teacher that is the exponential moving average of the encoder. */
export const ema = defineTeacher({
  name: "ema",
  summary: "The moving average of the encoder's weights: after each step it keeps most of what it was.",
  source:
    "Tarvainen and Valpola, Mean teachers are better role models, NeurIPS 2017; Baevski et al., data2vec, ICML 2022",
  since: "0.1",
  params: {
    momentum: momentum(0.9998),
    curve,
    on: onViews("The views that it sees, such as `[global]`."),
    when: choice({
      default: "after",
      options: {
        after: "After the step: it then knows what was learned in it.",
        before: "Before what it gives is computed, towards the weights of the last step.",
      },
      doc: "When it moves.",
    }),
    final_norm: flag({
      default: true,
      doc: "Where views are compared, whether what its encoder gives passes the normalisation that ends that.",
    }),
    of: followedFrom,
  },
  momentum: (p, progress) => valueAt(p.momentum, p.curve, progress),
  first: (p) => p.when === "before",
  on: (p) => p.on,
  normed: (p) => p.final_norm,
});

/** A teacher that is the exponential moving average of encoder and decoders. */
export const emaAutoencoder = defineTeacher({
  name: "ema_autoencoder",
  summary:
    "The moving average of encoder and decoders: it sees views through the mask, and predicts what is hidden of them.",
  source: "Pei et al., VideoMAC: Video Masked Autoencoders Meet ConvNets, CVPR 2024, section 3",
  since: "0.2",
  params: {
    momentum: momentum(0.996),
    curve,
    on: labels({ views: true, doc: "The views that it sees, such as `[second]`; the student does not see them." }),
  },
  momentum: (p, progress) => valueAt(p.momentum, p.curve, progress),
  on: (p) => p.on,
  predicts: true,
});

export const teachers = [ema, emaAutoencoder] as const;

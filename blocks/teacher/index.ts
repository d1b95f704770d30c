/** Teachers: a copy of the encoder that follows the trained one and gives targets. */

import { type Definition, type ModelContext, ofKind } from "../block.js";
import { choice, type Params, schedule, type ValuesOf } from "../params.js";
import { curveOptions, type Progress, valueAt } from "../progress.js";
import { latentFrom } from "../sources.js";

export interface Teacher<P extends Params = Params> extends Definition<P, ModelContext> {
  /** Share of its old value that each weight keeps at a step, in [0, 1]. */
  momentum(p: ValuesOf<P>, progress: Progress): number;
}

export const defineTeacher = <const P extends Params>(teacher: Teacher<P>): Teacher<P> => ofKind("teacher", teacher);

/** A teacher that is the exponential moving average of the encoder. */
export const ema = defineTeacher({
  name: "ema",
  summary: "The moving average of the encoder's weights: after each step it keeps most of what it was.",
  source:
    "Tarvainen and Valpola, Mean teachers are better role models, NeurIPS 2017; Baevski et al., data2vec, ICML 2022",
  since: "0.1",
  params: {
    momentum: schedule({
      of: "real",
      min: 0,
      max: 1,
      default: 0.9998,
      doc: "Share of its old value that each weight of the teacher keeps at a step; it may move during training.",
    }),
    curve: choice({
      default: "linear",
      options: curveOptions,
      doc: "How a momentum that moves gets from one end to the other.",
    }),
    of: latentFrom,
  },
  momentum: (p, progress) => valueAt(p.momentum, p.curve, progress),
});

export const teachers = [ema] as const;

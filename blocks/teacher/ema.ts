/** A teacher that is the exponential moving average of the encoder. */

import { choice, schedule } from "../params.js";
import { curveOptions, valueAt } from "../progress.js";
import { defineTeacher } from "./contract.js";

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
  },
  momentum: (p, progress) => valueAt(p.momentum, p.curve, progress),
});

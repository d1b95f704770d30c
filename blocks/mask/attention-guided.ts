/** Masks that hide what the model itself attends to, the masks of SMA, for images. */

import { shuffled } from "../../graph/index.js";
import { attentionReceived, mostAttendedLast } from "../nn/index.js";
import { choice, duration, int, ratio, schedule, type ValuesOf } from "../params.js";
import { curveOptions, inSteps, type Progress, valueAt } from "../progress.js";
import { tokenCount } from "../sets.js";
import { latentFrom } from "../sources.js";
import { defineMask } from "./contract.js";
import { drawnOrder } from "./guides.js";
import { byRatio, hiding, someOfEach } from "./ratio.js";

const askedPatches = (p: { readonly queries: number }, count: number): number =>
  Math.max(1, Math.round(count * p.queries));

/** The parameters of masks that are guided by attention. */
export const guidedParams = {
  ...hiding,
  heads: choice({
    default: "random",
    options: {
      random: "Each of these patches is asked in one head, drawn for it.",
      mean: "The mean over all heads.",
    },
    doc: "Which heads of the layer are asked.",
  }),
  random: schedule({
    of: "ratio",
    default: 0,
    doc: "How much is left to chance: at 100% the mask is uniformly random, at 0% it is the attention's alone.",
  }),
  mix: choice({
    default: "pool",
    options: {
      pool: "The hidden patches are drawn from the most attended ones, more of them than are hidden.",
      share: "That share of the hidden patches is drawn from all others.",
    },
    doc: "What `random` means between its ends.",
  }),
  curve: choice({
    default: "cosine",
    options: curveOptions,
    doc: "How a `random` that moves gets from one end to the other.",
  }),
  warmup: duration({
    default: { amount: 0, unit: "epochs" },
    doc: "Time at the beginning in which masks are uniformly random; `random` moves from its end on.",
  }),
  of: latentFrom,
};

type Guided = ValuesOf<typeof guidedParams>;

/** How much is left to chance. */
export const chanceOf =
  (p: Guided) =>
  (progress: Progress): number => {
    const start = inSteps(p.warmup, progress);
    return progress.step < start ? 1 : valueAt(p.random, p.curve, progress, start);
  };

export const attentionGuided = defineMask({
  name: "attention_guided",
  summary: "Hides the patches that the encoder itself attends to most, asked anew at each step.",
  source:
    "Xie et al., Self-Guided Masked Autoencoders for Domain-Agnostic Self-Supervised Learning, ICLR 2024, section 3.2; on images: own definition",
  since: "0.1",
  params: {
    ...hiding,
    layer: int({ min: 1, default: 1, doc: "Layer of the encoder whose attention is read, counted from the first." }),
    queries: ratio({
      default: 0.25,
      doc: "Share of patches whose attention counts, drawn anew for each sample; at least one.",
    }),
    heads: guidedParams.heads,
    random: guidedParams.random,
    mix: guidedParams.mix,
    curve: guidedParams.curve,
    warmup: guidedParams.warmup,
    of: latentFrom,
  },
  requires: [
    someOfEach,
    {
      name: "has-the-layer",
      at: "layer",
      doc: "The encoder has the layer whose attention is read.",
      holds: (p, { layers }) => layers === null || p.layer <= layers,
      say: (p, { layers }) => `there is no layer ${p.layer} in an encoder that has ${layers}`,
      help: (_, { layers }) => `write a layer from 1 to ${layers}`,
    },
  ],
  ...byRatio,
  sample: (p, grid, stream) => drawnOrder(p, grid, stream),
  guide: {
    numbers: (_, grid) => tokenCount(grid),
    draw(p, grid, stream) {
      const count = tokenCount(grid);
      const queries = new Float32Array(count).fill(-1);
      for (const patch of shuffled(count, stream).subarray(0, askedPatches(p, count))) {
        queries[patch] = stream.uniform();
      }
      return queries;
    },
    moving: (p) => ({ chance: chanceOf(p) }),
    order(code, p, { attention, drawn, draws, moving, extra, hidden }) {
      const received = code.let("received", attentionReceived, attention(p.layer), draws, { extra, heads: p.heads });
      return code.let("order", mostAttendedLast, received, drawn, moving.chance, { hidden, mix: p.mix });
    },
  },
});

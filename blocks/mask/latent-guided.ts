/** The masks of SMA: what a few of the latents ask for most, in the one cross-attention in which they ask, is hidden from them. */

import { attentionOfLatents, mostAttendedLast } from "../nn/index.js";
import { int } from "../params.js";
import { chanceOf, guidedParams } from "./attention-guided.js";
import { defineMask } from "./contract.js";
import { drawnOrder, uniformNumbers } from "./guides.js";
import { byRatio, someOfEach } from "./ratio.js";

const { heads, random, mix, curve, warmup, ratio, round, of } = guidedParams;

export const latentGuided = defineMask({
  name: "latent_guided",
  summary:
    "Hides the tokens that some of the latents ask for most, drawn anew for each sample and asked anew at each step.",
  source:
    "Xie et al., Self-Guided Masked Autoencoders for Domain-Agnostic Self-Supervised Learning, ICLR 2024, section 3.2",
  since: "0.2",
  params: {
    ratio,
    round,
    queries: int({
      min: 1,
      max: 65_536,
      default: 4,
      doc: "Latents whose attention counts, drawn anew for each sample; the same may be drawn twice.",
    }),
    heads: { ...heads, doc: "Which heads of the cross-attention are asked." },
    random,
    mix,
    curve,
    warmup,
    of,
  },
  requires: [someOfEach],
  ...byRatio,
  sample: (p, grid, stream) => drawnOrder(p, grid, stream),
  guide: {
    asks: "latents",
    numbers: (p) => 2 * p.queries,
    draw: (p, _, stream) => uniformNumbers(2 * p.queries, stream),
    moving: (p) => ({ chance: chanceOf(p) }),
    order(code, p, { attention, drawn, draws, moving, hidden }) {
      const received = code.let("received", attentionOfLatents, attention(1), draws, { heads: p.heads });
      return code.let("order", mostAttendedLast, received, drawn, moving.chance, { hidden, mix: p.mix });
    },
  },
});

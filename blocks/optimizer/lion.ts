/** Steps of one size for every weight, by the sign of a momentum. */

import { rate, real, reals } from "../params.js";
import { decayOf, decaysTowardsInput, decayTokens, defineOptimizer, layerDecay } from "./contract.js";

export const lion = defineOptimizer({
  name: "lion",
  summary: "Moves each weight by the learning rate, in the direction of a momentum's sign.",
  source: "Chen et al., Symbolic Discovery of Optimization Algorithms, NeurIPS 2023, algorithm 2",
  since: "0.2",
  params: {
    lr: rate({
      doc: "Peak learning rate, absolute or per a number of samples of the batch; a third to a tenth of AdamW's.",
    }),
    betas: reals({
      length: 2,
      min: 0,
      max: 1,
      default: [0.9, 0.99],
      doc: "Share of the momentum in the direction of a step, and decay of the momentum.",
    }),
    weight_decay: real({
      min: 0,
      default: 0,
      doc: "Decay of matrices, three to ten times AdamW's; biases and norms have none.",
    }),
    decay_tokens: decayTokens,
    layer_decay: layerDecay,
  },
  requires: [
    {
      name: "betas-below-one",
      at: "betas",
      doc: "Both betas are below 1: with 1 no gradient is ever heeded.",
      holds: (p) => p.betas.every((beta) => beta < 1),
      say: (p) => `\`betas\` (${p.betas.join(", ")}) must be below 1`,
      help: () => "the usual ones are (0.9, 0.99)",
    },
    decaysTowardsInput,
  ],
  lr: (p) => p.lr,
  layerDecay: (p) => p.layer_decay,
  state: ["m"],
  update(g, p, { parameter, gradient, state, lr, ...kind }) {
    const [beta1, beta2] = p.betas as readonly [number, number];
    const [m] = state as readonly [typeof parameter];
    const between = (share: number) => g.add(g.mul(m, share), g.mul(gradient, 1 - share));
    const step = g.add(g.sign(between(beta1)), g.mul(parameter, decayOf(p, kind)));
    return { parameter: g.sub(parameter, g.mul(step, lr)), state: [between(beta2)] };
  },
});

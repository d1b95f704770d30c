/** Adam with decoupled weight decay. */

import { rate, real, reals } from "../params.js";
import { decayOf, decaysTowardsInput, decayTokens, defineOptimizer, layerDecay } from "./contract.js";

export const adamw = defineOptimizer({
  name: "adamw",
  summary: "Adam with decoupled weight decay.",
  source:
    "Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019; defaults: He et al., CVPR 2022, table 8",
  since: "0.1",
  params: {
    lr: rate({ doc: "Peak learning rate, absolute or per a number of samples of the batch." }),
    betas: reals({
      length: 2,
      min: 0,
      max: 1,
      default: [0.9, 0.95],
      doc: "Decay of the running means of the gradient and of its square; below 1.",
    }),
    weight_decay: real({ min: 0, default: 0.05, doc: "Decay of matrices; biases and norms have none." }),
    decay_tokens: decayTokens,
    layer_decay: layerDecay,
    epsilon: real({ min: 0, openMin: true, default: 1e-8, doc: "Added to the root of the mean square." }),
  },
  requires: [
    {
      name: "betas-below-one",
      at: "betas",
      doc: "Both betas are below 1: a running mean with decay 1 never moves.",
      holds: (p) => p.betas.every((beta) => beta < 1),
      say: (p) => `\`betas\` (${p.betas.join(", ")}) must be below 1`,
      help: () => "the usual ones are (0.9, 0.95) for pre-training and (0.9, 0.999) for fine-tuning",
    },
    decaysTowardsInput,
  ],
  lr: (p) => p.lr,
  layerDecay: (p) => p.layer_decay,
  state: ["m", "v"],
  update(g, p, { parameter, gradient, state, lr, step, ...kind }) {
    const [beta1, beta2] = p.betas as readonly [number, number];
    const [m, v] = state as readonly [typeof parameter, typeof parameter];
    const settings = { beta1, beta2, epsilon: p.epsilon, decay: decayOf(p, kind) };
    const [updated, ...moments] = g.adamw(parameter, gradient, m, v, lr, step, settings);
    return { parameter: updated, state: moments };
  },
});

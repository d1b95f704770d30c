/** Adam with decoupled weight decay. */

import { rate, real, reals, schedule } from "../params.js";
import { type Moving, valueAt } from "../progress.js";
import { decaysTowardsInput, decayTokens, defineOptimizer, isDecayed, layerDecay } from "./contract.js";

/** The scalar that a decay which moves is fed as. */
const movingDecay = "weight_decay";

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
    weight_decay: schedule({
      of: "real",
      min: 0,
      default: 0.05,
      doc: "Decay of matrices; biases and norms have none. It may move during training, along half a cosine.",
    }),
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
  moving({ weight_decay }): Readonly<Record<string, Moving>> {
    if (typeof weight_decay === "number") return {};
    return { [movingDecay]: (progress) => valueAt(weight_decay, "cosine", progress) };
  },
  state: ["m", "v"],
  update(g, p, { parameter, gradient, state, lr, step, moving = {}, ...kind }) {
    const [beta1, beta2] = p.betas as readonly [number, number];
    const [m, v] = state as readonly [typeof parameter, typeof parameter];
    const isMoved = isDecayed(p, kind) && typeof p.weight_decay !== "number";
    const decay = isDecayed(p, kind) && typeof p.weight_decay === "number" ? p.weight_decay : 0;
    const shrunk = isMoved
      ? g.mul(parameter, g.sub(g.constant(1), g.mul(lr, moving[movingDecay] as typeof lr)))
      : parameter;
    const settings = { beta1, beta2, epsilon: p.epsilon, decay };
    const [updated, ...moments] = g.adamw(shrunk, gradient, m, v, lr, step, settings);
    return { parameter: updated, state: moments };
  },
});

/** Momentum with a learning rate for each matrix, by the norms of its weights and of its gradient. */

import type { Builder, Tensor } from "../../graph/index.js";
import { choice, rate, real } from "../params.js";
import { decayOf, decaysTowardsInput, defineOptimizer, momentumBelowOne, momentumParams } from "./contract.js";

/** The gradient as long as `trust` times the weight; as it is where one of the two is zero. */
function adapted(g: Builder, parameter: Tensor, gradient: Tensor, trust: number): Tensor {
  const length = (x: Tensor): Tensor => g.sqrt(g.sum(g.mul(x, x)));
  const [of, by] = [length(parameter), length(gradient)];
  const nothing = g.equal(g.mul(of, by), 0);
  const factor = g.select(nothing, g.constant(1), g.div(g.mul(of, trust), g.select(nothing, g.constant(1), by)));
  return g.mul(gradient, factor);
}

export const lars = defineOptimizer({
  name: "lars",
  summary: "Momentum with a learning rate for each matrix, by the norms of its weights and of its gradient.",
  source:
    "You et al., Large Batch Training of Convolutional Networks, arXiv 1708.03888; in the forms of the official linear probe of MAE and of the official SimCLR",
  since: "0.2",
  params: {
    lr: rate({ doc: "Peak learning rate, absolute or per a number of samples of the batch." }),
    ...momentumParams,
    trust: real({
      min: 0,
      openMin: true,
      default: 0.001,
      doc: "Length of the step of a matrix, as a share of the length of its weights, at a learning rate of 1.",
    }),
    sum: choice({
      default: "gradients",
      options: {
        gradients:
          "Of gradients, all of which the rate of a step moves, as in PyTorch and the official linear probe of MAE.",
        steps: "Of gradients times the rate of their own step, as in the official code of SimCLR.",
      },
      doc: "What the running sum is of: a schedule makes the difference.",
    }),
  },
  requires: [momentumBelowOne, decaysTowardsInput],
  lr: (p) => p.lr,
  layerDecay: (p) => p.layer_decay,
  state: ["m"],
  update(g, p, { parameter, gradient, state, lr, ...kind }) {
    const [m] = state as readonly [typeof parameter];
    const decayed = g.add(gradient, g.mul(parameter, decayOf(p, kind)));
    // Vectors are moved as by plain momentum.
    const taken = kind.decay ? adapted(g, parameter, decayed, p.trust) : gradient;
    const [moved, by] = p.sum === "steps" ? [g.mul(taken, lr), g.constant(1)] : [taken, lr];
    const [updated, sum] = g.sgd(parameter, moved, m, by, { momentum: p.momentum, decay: 0, nesterov: false });
    return { parameter: updated, state: [sum] };
  },
});

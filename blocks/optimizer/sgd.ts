/** Stochastic gradient descent with momentum. */

import { flag, rate } from "../params.js";
import { decayOf, decaysTowardsInput, defineOptimizer, momentumBelowOne, momentumParams } from "./contract.js";

export const sgd = defineOptimizer({
  name: "sgd",
  summary: "Stochastic gradient descent with momentum.",
  source:
    "Sutskever et al., On the Importance of Initialization and Momentum in Deep Learning, ICML 2013, in the form of torch.optim.SGD",
  since: "0.1",
  params: {
    lr: rate({ doc: "Peak learning rate, absolute or per a number of samples of the batch." }),
    ...momentumParams,
    nesterov: flag({ default: false, doc: "Look ahead along the momentum." }),
  },
  requires: [
    momentumBelowOne,
    {
      name: "nesterov-needs-momentum",
      at: "nesterov",
      doc: "`nesterov` needs a momentum above 0.",
      holds: (p) => !p.nesterov || p.momentum > 0,
      say: () => "`nesterov` looks ahead along the momentum, which is 0",
      help: () => "write a `momentum`, 0.9 as a rule, or remove `nesterov`",
    },
    decaysTowardsInput,
  ],
  lr: (p) => p.lr,
  layerDecay: (p) => p.layer_decay,
  state: ["m"],
  update(g, p, { parameter, gradient, state, lr, ...kind }) {
    const [m] = state as readonly [typeof parameter];
    const settings = { momentum: p.momentum, decay: decayOf(p, kind), nesterov: p.nesterov };
    const [updated, sum] = g.sgd(parameter, gradient, m, lr, settings);
    return { parameter: updated, state: [sum] };
  },
});

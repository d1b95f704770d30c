/** One mask over the tokens of several inputs, of which it shows shares drawn from a Dirichlet distribution: the mask of MultiMAE. */

import type { Random } from "../../graph/index.js";
import { int, real } from "../params.js";
import { tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";

/** log of a number drawn from the gamma distribution of a shape and scale 1: Marsaglia and Tsang, 2000. Of small shapes the number itself would be 0. */
function logGamma(shape: number, random: Random): number {
  // In (0, 1]: its logarithm is finite.
  const uniform = (): number => 1 - random.uniform();
  if (shape < 1) return logGamma(shape + 1, random) + Math.log(uniform()) / shape;
  const d = shape - 1 / 3;
  for (;;) {
    const x = random.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(uniform()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}

/** Shares of 1, one for each of `count` parts, drawn from the symmetric Dirichlet distribution: the smaller `alpha`, the less even. */
export function dirichletShares(count: number, alpha: number, random: Random): Float64Array {
  const logs = Float64Array.from({ length: count }, () => logGamma(alpha, random));
  const largest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * One sample's order of the tokens of all inputs, counted through from the first input's first: `visible` ones first, the rest hidden. Of
 * each input the share of visible ones that it has drawn, rounded, are chosen at random, all where it has fewer; of what is then too much
 * some are left out at random, and what is missing is drawn from all others. `tokens`: how many each input has.
 */
export function dirichletOrder(
  tokens: readonly number[],
  { visible, alpha }: { readonly visible: number; readonly alpha: number },
  random: Random,
): Int32Array {
  const shares = dirichletShares(tokens.length, alpha, random);
  const keys = tokens.flatMap((count, i) => {
    const wanted = Math.round((shares[i] as number) * visible);
    const places = sortedBy(Float64Array.from({ length: count }, () => random.uniform()));
    const isChosen = new Uint8Array(count);
    for (const place of places.subarray(0, wanted)) isChosen[place] = 1;
    return Array.from(isChosen, (chosen) => (chosen === 1 ? 0 : 1) + random.uniform());
  });
  return sortedBy(Float64Array.from(keys));
}

export const dirichlet = defineMask({
  name: "dirichlet",
  summary:
    "A number of tokens of all inputs is visible; how they are shared among the inputs is drawn for each sample.",
  source: "Bachmann et al., MultiMAE: Multi-modal Multi-task Masked Autoencoders, ECCV 2022, section 3.2",
  since: "0.1",
  params: {
    visible: int({ min: 1, max: 1_000_000, doc: "Visible tokens of all inputs together." }),
    alpha: real({
      min: 0,
      openMin: true,
      max: 1e6,
      default: 1,
      doc: "How even the shares are: of 1 all are equally likely, of less one input has most, of more all have alike.",
    }),
  },
  requires: [
    {
      name: "some-hidden",
      at: "visible",
      doc: "Fewer tokens are visible than there are.",
      holds: (p, { tokens }) => p.visible < tokens,
      say: (p, { tokens }) => `${p.visible} tokens are visible, and all inputs together have ${tokens}`,
      help: (_, { tokens }) => `${Math.max(1, Math.floor(tokens / 6))} of ${tokens} are a sixth, as published`,
    },
  ],
  visible: (p) => p.visible,
  sample: (p, grid, random) => dirichletOrder([tokenCount(grid)], p, random),
  joint: {
    visible: (p) => p.visible,
    sample: (p, counts, random) => dirichletOrder(counts, p, random),
  },
});

/** Places in the order of their keys. */
const sortedBy = (keys: Float64Array): Int32Array =>
  Int32Array.from(keys.keys()).sort((a, b) => (keys[a] as number) - (keys[b] as number));

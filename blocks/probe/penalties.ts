/** The penalty of regressions in closed form: which are tried, on which samples the best is chosen, and what the list must be. */

import { shuffled } from "../../graph/index.js";
import type { Requirement } from "../block.js";
import { ratio, reals } from "../params.js";

export const penaltyParams = {
  l2: reals({
    min: 0,
    default: [0.01, 0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6],
    doc: "Penalties tried; the one that does best on the held-out samples is used.",
  }),
  held_out: ratio({
    min: 0,
    max: 0.9,
    open: true,
    default: 0.1,
    doc: "Part of the training samples, drawn at random, on which the penalty is chosen.",
  }),
};

export const somePenalties: Requirement<typeof penaltyParams, unknown> = {
  name: "penalties",
  at: "l2",
  doc: "There is at least one penalty, and none is zero.",
  holds: (p) => p.l2.length > 0 && p.l2.every((l2) => l2 > 0),
  say: (p) =>
    p.l2.length === 0 ? "no penalty is given" : "a penalty of 0 leaves features that are sums of others undecided",
  help: () => "leave `l2` out to try powers of ten from 0.01 to 1000000",
};

/** The rows of `count` in a random order, those held out apart: one at least, and never all. */
export function withHeldOut(
  count: number,
  share: number,
  random: Parameters<typeof shuffled>[1],
): { readonly order: Int32Array; readonly heldOut: Int32Array; readonly rest: Int32Array } {
  const held = Math.min(Math.max(1, Math.round(count * share)), count - 1);
  const order = shuffled(count, random);
  return { order, heldOut: order.subarray(0, held), rest: order.subarray(held) };
}

/** The mask of prediction: what comes first is given, and of all that comes later a share is hidden, in training drawn anew for each batch. */

import type { Random } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import {
  choice,
  type DrawnValue,
  int,
  optional,
  type Params,
  type ScheduleValue,
  type ValuesOf,
  varyingRatio,
} from "../params.js";
import { type Progress, valueAt } from "../progress.js";
import { type Lattice, tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { percent } from "./ratio.js";

const params = {
  given: int({
    min: 1,
    max: 65_536,
    default: 1,
    doc: "Places along the first axis, such as frames, of which nothing is hidden.",
  }),
  ratio: varyingRatio({ default: 0.75, doc: "Share that is hidden of all that comes later." }),
  curve: optional(
    choice({
      options: { cosine: "As cos(pi u / 2) of an even u, so that large shares are the more frequent." },
      doc: "How a share that is drawn lies between its ends; if absent, evenly.",
    }),
  ),
};

type Values = ValuesOf<typeof params>;

/** Shares that one that varies takes. */
const levels = 5;

/** Tokens that are given, and those that come later. */
const parts = ({ given }: Pick<Values, "given">, grid: Lattice): { readonly given: number; readonly later: number } => {
  const [{ count } = { count: 1 }] = grid;
  const each = tokenCount(grid) / count;
  return { given: Math.min(given, count) * each, later: Math.max(0, count - given) * each };
};

/** Those that there can be, ascending. */
function sharesOf({ ratio, curve }: Pick<Values, "ratio" | "curve">): readonly number[] {
  if (typeof ratio === "number") return [ratio];
  const ends = "low" in ratio ? [ratio.low, ratio.high] : [ratio.from, ratio.to];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return Array.from({ length: levels }, (_, i) => {
    if (curve === null) return low + ((high - low) * i) / (levels - 1);
    const drawn = Math.cos((Math.PI / 2) * (1 - (i + 0.5) / levels));
    return Math.min(high, Math.max(low, drawn));
  });
}

/** Visible tokens at a share: what is hidden is rounded to the nearest number, of which one at least is. */
function visibleAt(p: Values, grid: Lattice, share: number): number {
  const { given, later } = parts(p, grid);
  return given + later - Math.min(later, Math.max(1, Math.round(share * later)));
}

/** The share of a batch: one of the levels, or the level nearest to where a moving one stands. */
function shareNow({ ratio, curve }: Values, progress: Progress, random: Random): number {
  const all = sharesOf({ ratio, curve });
  if (typeof ratio === "number") return ratio;
  if ("low" in ratio) return all[random.integer(all.length)] as number;
  const exact = valueAt(ratio, "linear", progress);
  return all.reduce((best, level) => (Math.abs(level - exact) < Math.abs(best - exact) ? level : best));
}

const countsOf = (p: Values, grid: Lattice): readonly number[] =>
  [...new Set(sharesOf(p).map((share) => visibleAt(p, grid, share)))].sort((a, b) => a - b);

const isDrawn = (ratio: number | DrawnValue | ScheduleValue): boolean => typeof ratio === "object" && "low" in ratio;

const requires: readonly Requirement<typeof params & Params, ModelContext>[] = [
  {
    name: "some-later",
    at: "given",
    doc: "Something comes after what is given.",
    holds: (p, { grid }) => parts(p, grid).later > 0,
    say: (p, { grid }) =>
      `${p.given} places are given along the axis \`${grid[0]?.name}\`, which has ${grid[0]?.count}`,
    help: (_, { grid }) =>
      (grid[0]?.count ?? 1) > 1
        ? `write at most ${(grid[0]?.count ?? 2) - 1}`
        : "read an input with another axis before the others, such as a `video`",
  },
  {
    name: "some-hidden",
    at: "ratio",
    doc: "Some of what comes later is hidden.",
    holds: (p) => Math.min(...sharesOf(p)) > 0,
    say: (p) => `a share of ${percent(Math.min(...sharesOf(p)))} hides nothing`,
    help: () => "write a share above 0%, such as `50%..100%`",
  },
  {
    name: "curve-of-drawn",
    at: "curve",
    doc: "A share that is drawn has a curve.",
    holds: ({ curve, ratio }) => curve === null || isDrawn(ratio),
    say: () => "the share is not drawn between two ends",
    help: () => "write two ends, such as `ratio: 0%..100%`, or remove `curve`",
  },
];

export const future = defineMask({
  name: "future",
  summary: "Shows all tokens of the first frames, and hides a random share of those of the later ones, up to all.",
  source:
    "Gupta et al., MaskViT: Masked Visual Pre-Training for Video Prediction, ICLR 2023, section 3.2; Chang et al., MaskGIT, CVPR 2022",
  since: "0.2",
  params,
  requires,
  hiding: () => "token",
  given: (p, grid) => parts(p, grid).given,
  visible: (p, grid) => countsOf(p, grid).at(-1) as number,
  varies: {
    counts: countsOf,
    count: (p, grid, progress, random) => visibleAt(p, grid, shareNow(p, progress, random)),
  },
  sample(p, grid, random) {
    const { given, later } = parts(p, grid);
    const noise = Float64Array.from({ length: later }, () => random.uniform());
    const order = [...noise.keys()].sort((a, b) => (noise[a] as number) - (noise[b] as number));
    return Int32Array.from([
      ...Array.from({ length: given }, (_, token) => token),
      ...order.map((token) => given + token),
    ]);
  },
});

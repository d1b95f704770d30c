/** The share of hidden patches, as most masks declare it, and the condition that it hides some patches and shows some. */

import type { Random } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import { choice, type DrawnValue, optional, type Param, type ScheduleValue, varyingRatio } from "../params.js";
import { type Progress, valueAt } from "../progress.js";
import { type Lattice, tokenCount } from "../sets.js";
import { type Rounding, visibleTokens } from "./contract.js";

type Ratio = ScheduleValue | DrawnValue;

export type RatioParams = { readonly ratio: Param<Ratio>; readonly round: Param<Rounding | null> };

interface Hiding {
  readonly ratio: Ratio;
  readonly round?: Rounding | null;
}

/** The share, and how it becomes a number. */
export const hiding = {
  ratio: varyingRatio({ default: 0.75, open: true, doc: "Share of patches hidden." }),
  round: optional(
    choice({
      options: {
        visible_down: "The number of visible ones is rounded down, as MAE does.",
        hidden_down: "The number of hidden ones is rounded down, as VideoMAE does.",
        nearest: "The number of visible ones is rounded to the nearest, as SparK does.",
      },
      doc: "How the share becomes a number of patches. If absent, as `visible_down`.",
    }),
  ),
};

/** Ratios that one that varies takes: its ends, and others at equal distances between them. */
const levels = 5;

/** Ascending. */
function ratiosOf(ratio: Ratio): readonly number[] {
  if (typeof ratio === "number") return [ratio];
  const ends = "low" in ratio ? [ratio.low, ratio.high] : [ratio.from, ratio.to];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return Array.from({ length: levels }, (_, i) => low + ((high - low) * i) / (levels - 1));
}

const countsByRatio = (p: Hiding, grid: Lattice): readonly number[] => {
  const counts = ratiosOf(p.ratio).map((ratio) => visibleTokens(tokenCount(grid), ratio, p.round));
  return [...new Set(counts)].sort((a, b) => a - b);
};

/** The largest number of visible patches. */
export const visibleByRatio = (p: Hiding, grid: Lattice): number => countsByRatio(p, grid).at(-1) as number;

/** The smallest number of visible patches. */
export const fewestByRatio = (p: Hiding, grid: Lattice): number => countsByRatio(p, grid)[0] as number;

/** The ratio of a batch: drawn from the levels, or the level nearest to where a moving one stands. */
function ratioNow(ratio: Ratio, progress: Progress, random: Random): number {
  const all = ratiosOf(ratio);
  if (typeof ratio === "number") return ratio;
  if ("low" in ratio) return all[random.integer(all.length)] as number;
  const exact = valueAt(ratio, "linear", progress);
  return all.reduce((best, level) => (Math.abs(level - exact) < Math.abs(best - exact) ? level : best));
}

/** What a mask with a ratio says of its numbers of visible patches. */
export const byRatio = {
  visible: visibleByRatio,
  varies: {
    counts: countsByRatio,
    count: ({ ratio, round }: Hiding, grid: Lattice, progress: Progress, random: Random): number =>
      visibleTokens(tokenCount(grid), ratioNow(ratio, progress, random), round),
  },
};

/** `93.75%` */
export const percent = (share: number): string => `${Number((share * 100).toFixed(4))}%`;

/**
 * The ratio with the fewest digits that shows exactly `visible` of `tokens` patches, which is a share in
 * (1 - (visible + 1) / tokens, 1 - visible / tokens], or beside it where another number is rounded. At the ends rounding may show
 * one patch less or more, so the steps beside are tried as well.
 */
export function ratioShowing(tokens: number, visible: number, visibleAt: (ratio: number) => number): number {
  for (let scale = 100; ; scale *= 10) {
    const steps = Math.floor((1 - visible / tokens) * scale);
    const share = [steps, steps - 1, steps + 1]
      .map((step) => step / scale)
      .find((s) => s > 0 && s < 1 && visibleAt(s) === visible);
    if (share !== undefined) return share;
  }
}

/** There is something to encode and something to predict. */
export const someOfEach: Requirement<RatioParams, ModelContext> = {
  name: "some-of-each",
  at: "ratio",
  doc: "At least one patch is visible and at least one hidden.",
  holds: (p, { grid }) => fewestByRatio(p, grid) >= 1 && visibleByRatio(p, grid) < tokenCount(grid),
  say(p, { grid }) {
    const outcome = fewestByRatio(p, grid) === 0 ? "leaves no patch visible" : "hides no patch";
    const ratios = [...new Set(ratiosOf(p.ratio))];
    const written = [ratios[0], ratios.at(-1)].slice(0, ratios.length).map((ratio) => percent(ratio as number));
    return `a ratio of ${written.join("..")} on ${tokenCount(grid)} patches ${outcome}`;
  },
  help({ round }, { grid }) {
    const tokens = tokenCount(grid);
    if (tokens === 1) return onePatch;
    const visibleAt = (ratio: number): number => visibleTokens(tokens, ratio, round);
    const shares = [tokens - 1, 1].map((visible) => ratioShowing(tokens, visible, visibleAt));
    return `${shares.map(percent).join(" to ")} hide 1 to ${tokens - 1} of ${tokens} patches`;
  },
};

/** Help where the grid is a single patch. */
export const onePatch = "the input is a single patch, which cannot be both hidden and visible; use smaller patches";

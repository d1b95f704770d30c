/** The share of hidden patches, as most masks declare it, and the condition that it hides some patches and shows some. */

import type { Random } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import { type Grid, tokenCount } from "../geometry.js";
import { type DrawnValue, type Param, type ScheduleValue, varyingRatio } from "../params.js";
import { type Progress, valueAt } from "../progress.js";
import { visibleTokens } from "./contract.js";

type Ratio = ScheduleValue | DrawnValue;

export type RatioParams = { readonly ratio: Param<Ratio> };

interface Hiding {
  readonly ratio: Ratio;
}

export const hiddenRatio = varyingRatio({ default: 0.75, open: true, doc: "Share of patches hidden." });

/** Ratios that one that varies takes: its ends, and others at equal distances between them. */
const levels = 5;

/** Ascending. */
function ratiosOf(ratio: Ratio): readonly number[] {
  if (typeof ratio === "number") return [ratio];
  const ends = "low" in ratio ? [ratio.low, ratio.high] : [ratio.from, ratio.to];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return Array.from({ length: levels }, (_, i) => low + ((high - low) * i) / (levels - 1));
}

const countsByRatio = (p: Hiding, grid: Grid): readonly number[] => {
  const counts = ratiosOf(p.ratio).map((ratio) => visibleTokens(tokenCount(grid), ratio));
  return [...new Set(counts)].sort((a, b) => a - b);
};

/** The largest number of visible patches. */
export const visibleByRatio = (p: Hiding, grid: Grid): number => countsByRatio(p, grid).at(-1) as number;

/** The smallest number of visible patches. */
export const fewestByRatio = (p: Hiding, grid: Grid): number => countsByRatio(p, grid)[0] as number;

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
    count: ({ ratio }: Hiding, grid: Grid, progress: Progress, random: Random): number =>
      visibleTokens(tokenCount(grid), ratioNow(ratio, progress, random)),
  },
};

/** `93.75%` */
const percent = (share: number): string => `${Number((share * 100).toFixed(4))}%`;

/**
 * The ratio with the fewest digits that shows exactly `visible` of `tokens` patches, which is a share in
 * (1 - (visible + 1) / tokens, 1 - visible / tokens]. At the upper end rounding may show one patch less, so the step
 * below is tried as well.
 */
function ratioShowing(tokens: number, visible: number): number {
  for (let scale = 100; ; scale *= 10) {
    const steps = Math.floor((1 - visible / tokens) * scale);
    const share = [steps / scale, (steps - 1) / scale].find((s) => s > 0 && visibleTokens(tokens, s) === visible);
    if (share !== undefined) return share;
  }
}

/** There is something to encode and something to predict. Any ratio above 0 hides a patch, since the count is truncated. */
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
  help(_, { grid }) {
    const tokens = tokenCount(grid);
    if (tokens === 1) return onePatch;
    const shares = [ratioShowing(tokens, tokens - 1), ratioShowing(tokens, 1)];
    return `${shares.map(percent).join(" to ")} hide 1 to ${tokens - 1} of ${tokens} patches`;
  },
};

/** Help where the grid is a single patch. */
export const onePatch = "the image is a single patch, which cannot be both hidden and visible; use smaller patches";

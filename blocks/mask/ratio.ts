/** The share of hidden patches, as most masks declare it, and the condition that it hides some patches and shows some. */

import type { ModelContext, Requirement } from "../block.js";
import { type Grid, tokenCount } from "../geometry.js";
import { type Param, ratio } from "../params.js";
import { visibleTokens } from "./contract.js";

export type RatioParams = { readonly ratio: Param<number> };

export const hiddenRatio = ratio({ default: 0.75, open: true, doc: "Share of patches hidden." });

export const visibleByRatio = (p: { readonly ratio: number }, grid: Grid): number =>
  visibleTokens(tokenCount(grid), p.ratio);

/** `93.75%` */
export const percent = (share: number): string => `${Number((share * 100).toFixed(4))}%`;

/**
 * The ratio with the fewest digits that shows exactly `visible` of `tokens` patches, which is a share in
 * (1 - (visible + 1) / tokens, 1 - visible / tokens]. At the upper end rounding may show one patch less, so the step
 * below is tried as well.
 */
export function ratioShowing(tokens: number, visible: number): number {
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
  holds(p, { grid }) {
    const visible = visibleByRatio(p, grid);
    return visible >= 1 && visible < tokenCount(grid);
  },
  say(p, { grid }) {
    const outcome = visibleByRatio(p, grid) === 0 ? "leaves no patch visible" : "hides no patch";
    return `a ratio of ${percent(p.ratio)} on ${tokenCount(grid)} patches ${outcome}`;
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

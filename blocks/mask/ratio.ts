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

/** At least one patch is visible: there is something to encode. */
export const showsOne: Requirement<RatioParams, ModelContext> = {
  name: "shows-one",
  at: "ratio",
  doc: "At least one patch stays visible.",
  holds: (p, { grid }) => visibleByRatio(p, grid) >= 1,
  say: (p, { grid }) => `a ratio of ${percent(p.ratio)} of ${tokenCount(grid)} patches leaves no patch visible`,
  help: (_, { grid }) => {
    const tokens = tokenCount(grid);
    return tokens === 1 ? oneTokenHelp : `${percent(ratioShowing(tokens, 1))} shows 1 patch of ${tokens}`;
  },
};

/** At least one patch is hidden: there is something to predict. */
export const hidesOne: Requirement<RatioParams, ModelContext> = {
  name: "hides-one",
  at: "ratio",
  doc: "At least one patch is hidden.",
  holds: (p, { grid }) => visibleByRatio(p, grid) < tokenCount(grid),
  say: (p, { grid }) => `a ratio of ${percent(p.ratio)} of ${tokenCount(grid)} patches hides no patch`,
  help: (_, { grid }) => {
    const tokens = tokenCount(grid);
    return tokens === 1 ? oneTokenHelp : `${percent(ratioShowing(tokens, tokens - 1))} hides 1 patch of ${tokens}`;
  },
};

const oneTokenHelp = "the image is a single patch, so nothing can be both hidden and visible; use smaller patches";

/** Where the tokens of a sample are: what a mask makes of their order, as graphs are fed it. */

import type { Tensor } from "../graph/index.js";
import type { ModelProgram } from "./program.js";

export interface Places {
  /** int32 [B, V]: the visible tokens, in the order in which the encoder sees them. */
  readonly visible: Tensor;
  /** int32 [B, N - V]: the hidden tokens. */
  readonly hidden: Tensor;
  /** int32 [B, N]: where each token stands in [visible, hidden]; the inverse of the mask's order. */
  readonly restore: Tensor;
}

/** The names of the feeds of a mask. */
export type PlaceNames = { readonly [K in keyof Places]: string };

/** The names of what a guided mask is fed besides. `mask`: see `placeNames`. */
export const guideNames = (
  mask: string | null,
): { readonly draws: string; readonly moving: (scalar: string) => string } => {
  const named = (feed: string): string =>
    mask === null ? feed : `${mask}${feed.charAt(0).toUpperCase()}${feed.slice(1)}`;
  return { draws: named("draws"), moving: named };
};

/** `mask`: the name of a mask of several; null: the only one, whose feeds bear no name. */
export const placeNames = (mask: string | null): PlaceNames =>
  mask === null
    ? { visible: "visible", hidden: "hidden", restore: "restore" }
    : { visible: `${mask}Visible`, hidden: `${mask}Hidden`, restore: `${mask}Restore` };

/** The masks of a model with the names of their feeds. */
export function masksOf({ masks }: Pick<ModelProgram, "masks">): readonly {
  readonly name: string;
  readonly mask: ModelProgram["masks"][string];
  readonly feeds: PlaceNames;
  /** The name in its feeds; null: they bear none. */
  readonly label: string | null;
}[] {
  const all = Object.entries(masks);
  return all.map(([name, mask]) => {
    const label = all.length === 1 ? null : name;
    return { name, mask, label, feeds: placeNames(label) };
  });
}

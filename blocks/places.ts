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

/** `restore`, or with the name of what it is of in front, `firstRestore`; null: it is the only one. */
export const feedName = (of: string | null, feed: string): string =>
  of === null ? feed : `${of}${feed.charAt(0).toUpperCase()}${feed.slice(1)}`;

/** The names of what a guided mask is fed besides. `mask`: see `placeNames`. */
export const guideNames = (
  mask: string | null,
): { readonly draws: string; readonly moving: (scalar: string) => string } => ({
  draws: feedName(mask, "draws"),
  moving: (scalar) => feedName(mask, scalar),
});

/** `mask`: the name of a mask of several, or of the views that it lies over; null: the only one, whose feeds bear no name. */
export const placeNames = (mask: string | null): PlaceNames => ({
  visible: feedName(mask, "visible"),
  hidden: feedName(mask, "hidden"),
  restore: feedName(mask, "restore"),
});

/** A mask with the names of its feeds. */
export interface FedMask {
  readonly name: string;
  readonly mask: ModelProgram["masks"][string];
  readonly feeds: PlaceNames;
  /** The name in its feeds; null: they bear none. */
  readonly label: string | null;
  /** Views of a sample under it; of each it hides others. */
  readonly rows: number;
}

/** The masks of a model that is asked about whole samples. */
export function masksOf({ masks }: Pick<ModelProgram, "masks">): readonly FedMask[] {
  const all = Object.entries(masks);
  return all.map(([name, mask]) => {
    const label = all.length === 1 ? null : name;
    return { name, mask, label, feeds: placeNames(label), rows: 1 };
  });
}

/** Those of a model that is trained: over views, where it sees such. */
export const trainedMasksOf = ({ masks, views }: Pick<ModelProgram, "masks" | "views">): readonly FedMask[] =>
  views === undefined
    ? masksOf({ masks })
    : Object.entries(views).flatMap(([name, { mask, count }]): readonly FedMask[] =>
        mask ? [{ name, mask, label: name, feeds: placeNames(name), rows: count }] : [],
      );

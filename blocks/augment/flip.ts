/** Flips: left and right exchanged, or top and bottom. */

import { ratio } from "../params.js";
import { type Augment, defineAugment } from "./contract.js";

const params = { probability: ratio({ default: 0.5, doc: "Share of the samples that are mirrored." }) };

const defineFlip = (
  axis: "horizontal" | "vertical",
  words: { readonly name: string; readonly summary: string },
): Augment<typeof params> =>
  defineAugment({
    ...words,
    source: "own definition",
    since: "0.1",
    params,
    positional: "probability",
    random: true,
    plan: (p, _current, _context, random) => (random.uniform() < p.probability ? [{ kind: "flip", axis }] : []),
  });

export const horizontalFlip = defineFlip("horizontal", {
  name: "horizontal_flip",
  summary: "Mirrors a random share of the samples left to right.",
});

export const verticalFlip = defineFlip("vertical", {
  name: "vertical_flip",
  summary: "Mirrors a random share of the samples top to bottom.",
});

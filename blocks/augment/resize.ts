/** Resizing, to an exact size or by the shorter side. */

import { int, optional, size } from "../params.js";
import { defineAugment, type PixelSize } from "./contract.js";
import { filter } from "./filter.js";
import { withShorterSide } from "./place.js";

export const resize = defineAugment({
  name: "resize",
  summary: "Resizes every image, to an exact size or by its shorter side.",
  source: "own definition",
  since: "0.1",
  params: {
    size: optional(
      size({
        doc: "Exact height x width, whatever the image's proportions; the input's size if `shorter` is absent too.",
      }),
    ),
    shorter: optional(int({ min: 1, max: 65_536, doc: "Pixels of the shorter side; the proportions stay." })),
    filter,
  },
  positional: "size",
  requires: [
    {
      name: "size-or-shorter",
      at: "shorter",
      doc: "Only one of `size` and `shorter` is written.",
      holds: (p) => p.size === null || p.shorter === null,
      say: () => "`size` fixes both sides, so `shorter` has no effect",
      help: () => "remove one of the two",
    },
  ],
  random: false,
  plan(p, current, { image }) {
    const { height, width }: PixelSize =
      p.shorter !== null
        ? withShorterSide(current, p.shorter)
        : { height: p.size?.[0] ?? image.height, width: p.size?.[1] ?? image.width };
    return [{ kind: "resize", height, width, filter: p.filter }];
  },
});

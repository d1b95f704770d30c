/** The middle of an image. */

import { DataError } from "../dataset/index.js";
import { optional, size } from "../params.js";
import { defineAugment } from "./contract.js";
import { partOf, sizeText } from "./place.js";

export const centerCrop = defineAugment({
  name: "center_crop",
  summary: "Cuts out the middle of every image.",
  source: "own definition",
  since: "0.1",
  params: {
    size: optional(size({ doc: "Height x width of the part; the input's size if absent." })),
  },
  positional: "size",
  random: false,
  plan(p, current, { image, view }) {
    const wanted = { height: p.size?.[0] ?? image.height, width: p.size?.[1] ?? image.width };
    if (wanted.height > current.height || wanted.width > current.width) {
      throw new DataError(
        `An image of ${sizeText(current)} pixels is smaller than the centre crop of ${sizeText(wanted)}`,
        `Write resize(shorter: ${Math.max(wanted.height, wanted.width)}) before center_crop, or a smaller crop.`,
      );
    }
    return [partOf(current, wanted, view)];
  },
});

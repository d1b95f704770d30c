/** Pixels without their fine detail as target. */

import { type ArrayShape, pictured, sidesText } from "../arrays.js";
import { lowPassed, lowPass as lowPassLayer } from "../nn/index.js";
import { claim } from "../nn/layer.js";
import { real } from "../params.js";
import { madeOf } from "../sources.js";
import { defineTarget, ofRowsAndColumns } from "./contract.js";
import { moreThanOneValue, normalizeParam, patchLength, patchPicture, patchValues } from "./patches.js";

/** The highest frequency of an image, in cycles across it. */
const highest = ({ axes }: ArrayShape): number => Math.hypot(...axes.map(({ size }) => Math.floor(size / 2)));

export const lowPass = defineTarget({
  name: "low_pass",
  summary: "The pixels of each patch of the image without its high frequencies, raw or normalised patch by patch.",
  source: "Liu et al., PixMIM: Rethinking Pixel Reconstruction in Masked Image Modeling, arXiv 2303.02416, 2023",
  since: "0.1",
  params: {
    of: madeOf,
    radius: real({ min: 0, default: 40, doc: "Highest frequency that is kept, in cycles across the image." }),
    normalize: normalizeParam,
  },
  requires: [
    ofRowsAndColumns("the filter is one of rows and columns"),
    moreThanOneValue,
    {
      name: "something-removed",
      at: "radius",
      doc: "The image has frequencies above the radius.",
      holds: (p, { array }) => p.radius < highest(array),
      say: (p, { array }) => `a radius of ${p.radius} keeps all frequencies of ${sidesText(array)} pixels`,
      help: (_, { array }) => `use a radius below ${Math.floor(highest(array))}, or the target \`pixels\``,
    },
  ],
  outputs: patchLength,
  build: (code, p, { array }, { grid }) =>
    patchValues(code, p.normalize, code.let("smooth", lowPassLayer, array, { radius: p.radius }), grid),
  picture({ normalize, radius }, context) {
    const shape = pictured(context.array);
    return patchPicture(normalize, context, {
      of: (image) => lowPassed(image, shape, radius),
      inGraph: (g, image) => lowPassLayer(g, claim<["B", number, number, number]>(image), { radius }),
    });
  },
});

/** Pixels without their fine detail as target. */

import { lowPassed, lowPass as lowPassLayer } from "../nn/index.js";
import { claim } from "../nn/layer.js";
import { real } from "../params.js";
import { defineTarget } from "./contract.js";
import { moreThanOneValue, normalizeParam, patchLength, patchPicture, patchValues } from "./patches.js";

/** The highest frequency of an image, in cycles across it. */
const highest = ({ height, width }: { readonly height: number; readonly width: number }): number =>
  Math.hypot(Math.floor(height / 2), Math.floor(width / 2));

export const lowPass = defineTarget({
  name: "low_pass",
  summary: "The pixels of each patch of the image without its high frequencies, raw or normalised patch by patch.",
  source: "Liu et al., PixMIM: Rethinking Pixel Reconstruction in Masked Image Modeling, arXiv 2303.02416, 2023",
  since: "0.1",
  params: {
    radius: real({ min: 0, default: 40, doc: "Highest frequency that is kept, in cycles across the image." }),
    normalize: normalizeParam,
  },
  requires: [
    moreThanOneValue,
    {
      name: "something-removed",
      at: "radius",
      doc: "The image has frequencies above the radius.",
      holds: (p, { image }) => p.radius < highest(image),
      say: (p, { image }) => `a radius of ${p.radius} keeps all frequencies of ${image.height}x${image.width} pixels`,
      help: (_, { image }) => `use a radius below ${Math.floor(highest(image))}, or the target \`pixels\``,
    },
  ],
  outputs: patchLength,
  build: (code, p, { image }, { grid }) =>
    patchValues(code, p.normalize, code.let("smooth", lowPassLayer, image, { radius: p.radius }), grid),
  picture: ({ normalize, radius }, context) =>
    patchPicture(normalize, context, {
      of: (image) => lowPassed(image, context.image, radius),
      inGraph: (g, image) => lowPassLayer(g, claim<["B", number, number, number]>(image), { radius }),
    }),
});

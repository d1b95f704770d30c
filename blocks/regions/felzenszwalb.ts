/** Regions from the image alone: the segments of a graph of its pixels, at one or several scales. */

import { int, optional, real, reals } from "../params.js";
import { defineRegionSource } from "./contract.js";
import { superpixels } from "./superpixels.js";

export const felzenszwalb = defineRegionSource({
  name: "felzenszwalb",
  summary: "Segments of neighbouring pixels of similar colour, the same as those of scikit-image.",
  source:
    "Felzenszwalb and Huttenlocher, Efficient Graph-Based Image Segmentation, International Journal of Computer Vision, 2004",
  since: "0.1",
  params: {
    scale: reals({
      min: 0,
      doc: "Larger: fewer and larger segments. Each of several scales gives regions of its own.",
    }),
    sigma: real({
      min: 0,
      max: 100,
      default: 0.8,
      doc: "Deviation of the Gaussian that smooths the image first, in pixels; 0: none.",
    }),
    min_size: optional(
      int({ doc: "Pixels below which a segment is joined with a neighbour; if absent, as many as the scale." }),
    ),
  },
  positional: "scale",
  maps: (p, { image, shape }) => {
    const each = p.scale.map((scale) => ({ scale, minSize: p.min_size ?? scale }));
    return superpixels(image, shape, p.sigma, each);
  },
});

/** Regions of this project: the parts of an image that hang together, dark ones and bright ones. */

import { defineRegionSource, real } from "maelang/blocks";

const unseen = -1;

export const parts = defineRegionSource({
  name: "parts",
  summary: "Connected parts of the pixels below a brightness, and of the others.",
  source: "own definition",
  since: "1.0",
  params: {
    level: real({ min: 0, max: 1, default: 0.5, doc: "From this mean of its channels on, a pixel is bright." }),
  },
  positional: "level",
  maps(p, { image, shape: { height, width, channels } }) {
    const isBright = Array.from({ length: height * width }, (_, pixel) => {
      const values = image.subarray(pixel * channels, (pixel + 1) * channels);
      return values.reduce((sum, value) => sum + value, 0) / channels >= p.level;
    });
    const labels = new Int32Array(height * width).fill(unseen);
    let count = 0;
    for (let first = 0; first < labels.length; first++) {
      if (labels[first] !== unseen) continue;
      const open = [first];
      for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
        labels[pixel] = count;
        open.push(
          ...beside(pixel, width).filter((next) => labels[next] === unseen && isBright[next] === isBright[first]),
        );
      }
      count++;
    }
    return [labels];
  },
});

/** The pixels that share a side with one; above the first and below the last row there is none. */
const beside = (pixel: number, width: number): readonly number[] => [
  pixel - width,
  pixel + width,
  ...(pixel % width > 0 ? [pixel - 1] : []),
  ...(pixel % width < width - 1 ? [pixel + 1] : []),
];

/** From the labels of pixels to those of patches. */

import { type Grid, tokenCount } from "../geometry.js";
import type { LabelMap } from "./contract.js";

/** [H, W] -> for each patch the label that most of its pixels have, the lowest of several, [N]. */
export function patchLabels(labels: LabelMap, grid: Grid): Int32Array {
  const [height, width] = grid.patch;
  const across = grid.columns * width;
  return Int32Array.from({ length: tokenCount(grid) }, (_, token) => {
    const first = Math.floor(token / grid.columns) * height * across + (token % grid.columns) * width;
    const counts = new Map<number, number>();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const label = labels[first + y * across + x] as number;
        counts.set(label, (counts.get(label) ?? 0) + 1);
      }
    }
    return [...counts].reduce((best, one) => {
      const isMore = one[1] > best[1] || (one[1] === best[1] && one[0] < best[0]);
      return isMore ? one : best;
    })[0];
  });
}

/** From the labels of pixels to those of patches. */

import { type Lattice, patchPlaces, tokenCount } from "../sets.js";
import type { LabelMap } from "./contract.js";

/** [H, W] -> for each patch the label that most of its pixels have, the lowest of several, [N]. */
export const patchLabels = (labels: LabelMap, grid: Lattice): Int32Array =>
  Int32Array.from({ length: tokenCount(grid) }, (_, token) => {
    const counts = new Map<number, number>();
    for (const place of patchPlaces(grid, token)) {
      const label = labels[place] as number;
      counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    return [...counts].reduce((best, one) => {
      const isMore = one[1] > best[1] || (one[1] === best[1] && one[0] < best[0]);
      return isMore ? one : best;
    })[0];
  });

/** Masking region by region: what belongs together is hidden together. */

import { shuffled } from "../../graph/index.js";
import { pictured } from "../arrays.js";
import { boundSource, type LabelMap, ofPictures, patchLabels, sourceParam } from "../regions/index.js";
import { tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { visibleFirst } from "./order.js";
import { byRatio, hiding, someOfEach, visibleByRatio } from "./ratio.js";

export const regions = defineMask({
  name: "regions",
  summary:
    "Hides the regions of the image one after the other, in random order, until the number of hidden patches is reached.",
  source: "own definition",
  since: "0.1",
  params: {
    source: sourceParam,
    ...hiding,
  },
  requires: [ofPictures, someOfEach],
  ...byRatio,
  field(p, { array, grid }) {
    const source = boundSource(p.source);
    const shape = pictured(array);
    return {
      shape: [tokenCount(grid)],
      dtype: "int32",
      ...source.files,
      compute({ random, array: image, ...sample }) {
        const maps = source.maps({ shape, image, ...sample });
        return patchLabels(maps[random.integer(maps.length)] as LabelMap, grid);
      },
    };
  },
  sample(p, grid, random, field, visible = visibleByRatio(p, grid)) {
    const tokens = tokenCount(grid);
    // Without an image at hand every patch is a region.
    const labelOf = (token: number): number => field?.[token] ?? token;
    const labels = [...new Set(Array.from({ length: tokens }, (_, token) => labelOf(token)))].sort((a, b) => a - b);
    const turns = shuffled(labels.length, random);
    const turnOf = new Map(labels.map((label, i) => [label, turns[i] as number]));
    const turn = (token: number): number => turnOf.get(labelOf(token)) as number;
    // Sorting is stable: within a region the order stays random.
    const sequence = [...shuffled(tokens, random)].sort((a, b) => turn(a) - turn(b));
    const hidden = new Uint8Array(tokens);
    for (const token of sequence.slice(0, tokens - visible)) hidden[token] = 1;
    return visibleFirst(hidden);
  },
});

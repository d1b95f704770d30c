/** Part of a data set, where all of it would be too much. */

import type { SampleIndex } from "../../blocks/index.js";

/** At most so many samples, spread evenly over the index, so that sorted classes keep their shares. */
export function thinned(index: SampleIndex, most: number): SampleIndex {
  if (index.length <= most) return index;
  return { ...index, length: most, sample: (i) => index.sample(Math.floor((i * index.length) / most)) };
}

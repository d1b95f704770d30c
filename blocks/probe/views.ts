/** What probes do to training images in each pass, and how features that come some at a time become batches. */

import { horizontalFlip, randomResizedCrop } from "../augment/index.js";
import type { Bound } from "../block.js";
import { interval, ratio } from "../params.js";
import type { Features } from "./contract.js";
import { worthOf } from "./measures.js";

/** Parameters of every probe that sees images anew in each pass. */
export const viewParams = {
  crop: interval({
    of: "ratio",
    default: [0.08, 1],
    doc: "Area of the part that is cut out, as a share of the image.",
  }),
  flip: ratio({ default: 0.5, doc: "Share of the images that are mirrored left to right." }),
};

/** The views of official MAE's linear probe: a part of random area and proportions, cut to the image, and a flip. */
export const viewsOf = ({ crop, flip }: { readonly crop: readonly [number, number]; readonly flip: number }) =>
  [
    {
      definition: randomResizedCrop,
      values: { scale: crop, ratio: [0.75, 1.3333], overhang: "clip", filter: "bicubic" },
    },
    { definition: horizontalFlip, values: { probability: flip } },
  ] as unknown as readonly Bound<never>[];

/** `crops of 8 to 100 % of the area and flips of 50 %`. */
export const viewWords = ({
  crop,
  flip,
}: {
  readonly crop: readonly [number, number];
  readonly flip: number;
}): string => `crops of ${100 * crop[0]} to ${100 * crop[1]} % of the area and flips of ${100 * flip} %`;

/** The same samples, `size` at a time; what is left at the end is dropped. */
export async function* inBatches(chunks: AsyncIterable<Features>, size: number): AsyncGenerator<Features> {
  let batch: Features | null = null;
  let filled = 0;
  for await (const chunk of chunks) {
    const { width, tokens = 1 } = chunk;
    for (let from = 0; from < chunk.count; ) {
      batch ??= {
        ...chunk,
        count: size,
        values: new Float32Array(size * tokens * width),
        labels: new Int32Array(size),
        ...(chunk.several ? { several: new Uint8Array(size * chunk.classes) } : {}),
      };
      const taken = Math.min(size - filled, chunk.count - from);
      batch.values.set(
        chunk.values.subarray(from * tokens * width, (from + taken) * tokens * width),
        filled * tokens * width,
      );
      batch.labels.set(chunk.labels.subarray(from, from + taken), filled);
      batch.several?.set(flagsOf(chunk, from, from + taken), filled * chunk.classes);
      from += taken;
      filled += taken;
      if (filled < size) continue;
      yield batch;
      [batch, filled] = [null, 0];
    }
  }
}

/** What class scores of all samples are worth, which come some at a time, and how many there are. */
export async function judgedInTurn(
  chunks: AsyncIterable<Features>,
  classes: number,
  scoresOf: (features: Features) => Float64Array,
): Promise<{ readonly scores: Readonly<Record<string, number>>; readonly count: number }> {
  const parts: { readonly scores: Float64Array; readonly features: Features }[] = [];
  for await (const features of chunks) parts.push({ scores: scoresOf(features), features });
  const count = parts.reduce((sum, { features }) => sum + features.count, 0);
  const scores = new Float64Array(count * classes);
  const labels = new Int32Array(count);
  const several = parts.some(({ features }) => features.several) ? new Uint8Array(count * classes) : null;
  let at = 0;
  for (const { scores: own, features } of parts) {
    scores.set(own, at * classes);
    labels.set(features.labels, at);
    several?.set(flagsOf(features, 0, features.count), at * classes);
    at += features.count;
  }
  return { scores: worthOf(scores, { labels, classes, ...(several ? { several } : {}) }, "logits"), count };
}

/** The classes of some rows. */
const flagsOf = ({ several, classes }: Features, from: number, to: number): Uint8Array =>
  several?.subarray(from * classes, to * classes) ?? new Uint8Array(0);

/** All rows of features. */
export const everyRow = ({ count }: Pick<Features, "count">): Int32Array =>
  Int32Array.from({ length: count }, (_, row) => row);

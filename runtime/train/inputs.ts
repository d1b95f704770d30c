/** The arrays that a program is fed. */

import type { ImageShape, ModelProgram } from "../../blocks/index.js";
import { tokenCount } from "../../blocks/index.js";
import { randomStream, type TypedArray } from "../../graph/index.js";

export interface MaskFeeds {
  /** Tokens seen, in mask order. [B, V] */
  readonly visible: Int32Array;
  /** The others. [B, N - V] */
  readonly hidden: Int32Array;
  /** Place of each token in [visible, hidden]. [B, N] */
  readonly restore: Int32Array;
}

/** One mask for each sample; a sample has the same mask whenever it is seen in the same epoch. */
export function sampleMasks(
  program: Pick<ModelProgram, "grid" | "mask">,
  seed: number,
  epoch: number,
  samples: Int32Array,
): MaskFeeds {
  const tokens = tokenCount(program.grid);
  const seen = program.mask.visible;
  const visible = new Int32Array(samples.length * seen);
  const hidden = new Int32Array(samples.length * (tokens - seen));
  const restore = new Int32Array(samples.length * tokens);
  for (const [i, sample] of samples.entries()) {
    const order = program.mask.sample(randomStream(seed, "mask", epoch, sample));
    visible.set(order.subarray(0, seen), i * seen);
    hidden.set(order.subarray(seen), i * (tokens - seen));
    for (const [place, token] of order.entries()) restore[i * tokens + token] = place;
  }
  return { visible, hidden, restore };
}

/** Numbers of one image. */
export const imageLength = ({ height, width, channels }: ImageShape): number => height * width * channels;

/** A scalar feed. */
export const scalar = (value: number): TypedArray => Float32Array.of(value);

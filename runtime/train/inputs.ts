/** The arrays that a program is fed. */

import type { ImageShape, ModelProgram, Progress } from "../../blocks/index.js";
import { tokenCount } from "../../blocks/index.js";
import { randomStream, type TypedArray, type Values } from "../../graph/index.js";

export interface MaskFeeds {
  /** Tokens seen, in mask order. [B, V] */
  readonly visible: Int32Array;
  /** The others. [B, N - V] */
  readonly hidden: Int32Array;
  /** Place of each token in [visible, hidden]. [B, N] */
  readonly restore: Int32Array;
  /** What a guided mask is fed besides. [B, numbers] */
  readonly draws?: Float32Array;
}

/**
 * One mask for each sample; a sample has the same mask whenever it is seen in the same epoch.
 * @param fields of the batch, by name: one of them may be the mask's
 */
export function sampleMasks(
  program: Pick<ModelProgram, "grid" | "mask" | "fields">,
  seed: number,
  epoch: number,
  samples: Int32Array,
  fields: Readonly<Record<string, TypedArray>> = {},
): MaskFeeds {
  const tokens = tokenCount(program.grid);
  const seen = program.mask.visible;
  const visible = new Int32Array(samples.length * seen);
  const hidden = new Int32Array(samples.length * (tokens - seen));
  const restore = new Int32Array(samples.length * tokens);
  const { guide } = program.mask;
  const draws = new Float32Array(samples.length * (guide?.numbers ?? 0));
  const name = Object.entries(program.fields ?? {}).find(([, { kind }]) => kind === "mask")?.[0];
  const field = name === undefined ? undefined : fields[name];
  const length = (field?.length ?? 0) / samples.length;
  for (const [i, sample] of samples.entries()) {
    const own = field?.subarray(i * length, (i + 1) * length);
    const random = randomStream(seed, "mask", epoch, sample);
    const order = program.mask.sample(random, own);
    if (guide) draws.set(guide.draw(random), i * guide.numbers);
    visible.set(order.subarray(0, seen), i * seen);
    hidden.set(order.subarray(seen), i * (tokens - seen));
    for (const [place, token] of order.entries()) restore[i * tokens + token] = place;
  }
  return { visible, hidden, restore, ...(guide ? { draws } : {}) };
}

/** The scalars of a guided mask where training stands. */
export const movingFeeds = ({ mask }: Pick<ModelProgram, "mask">, progress: Progress): Values =>
  Object.fromEntries(Object.entries(mask.guide?.moving ?? {}).map(([name, at]) => [name, scalar(at(progress))]));

/** Numbers of one image. */
export const imageLength = ({ height, width, channels }: ImageShape): number => height * width * channels;

/** A scalar feed. */
export const scalar = (value: number): TypedArray => Float32Array.of(value);

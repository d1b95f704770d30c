/** A number for a name, to key its random stream by, and the streams of fields, which both training and pictures draw from. */

import { type Random, randomStream } from "../graph/index.js";

/** FNV-1a, 32 bits, of the UTF-16 code units. */
export function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return state;
}

/** The stream of a field of a sample in an epoch. */
export const fieldStream = (seed: number, name: string, epoch: number, sample: number): Random =>
  randomStream(seed, "field", epoch, sample, hash(name));

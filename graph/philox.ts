/**
 * Random numbers by counting: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3"
 * (SC 2011). A block of four words is a function of a counter and a key, so there is no state to save or to share.
 */

import { invariant } from "./invariant.js";
import type { Purpose, Random } from "./random.js";

type Words = readonly [number, number, number, number];

/** Upper 32 bits of a 64-bit product, from products of 16-bit halves. */
function high(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = a1 * b0 + ((a0 * b0) >>> 16); // < 2^32
  const lower = a0 * b1 + (middle & 0xffff); // < 2^32
  return (a1 * b1 + (middle >>> 16) + (lower >>> 16)) >>> 0;
}

/** The block of a counter under a key: four words of 32 bits. */
export function philox([x0, x1, x2, x3]: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = [x0, x1, x2, x3];
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const n0 = high(0xcd9e8d57, c2) ^ c1 ^ k0;
    const n2 = high(0xd2511f53, c0) ^ c3 ^ k1;
    c1 = Math.imul(0xcd9e8d57, c2);
    c3 = Math.imul(0xd2511f53, c0);
    c0 = n0;
    c2 = n2;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** Part of the key: a number here may never change, or runs would no longer repeat. */
const purposes: { readonly [P in Purpose]: number } = {
  init: 0,
  mask: 1,
  augment: 2,
  shuffle: 3,
  dropout: 4,
  probe: 5,
  field: 6,
  pairs: 7,
  generate: 8,
};

/**
 * The random numbers of one purpose at one place of a run. Different arguments never share a block: the seed's 53 bits,
 * the purpose and how many counters there are make the key; up to three counters and the place in the stream make Philox's counter.
 *
 * @param seed a whole number from 0 to 2^53 - 1.
 * @param counters up to three whole numbers below 2^32, such as epoch and sample.
 * @throws InvariantError where a seed or counter is out of range.
 */
export function randomStream(seed: number, purpose: Purpose, ...counters: readonly number[]): Random {
  invariant(Number.isSafeInteger(seed) && seed >= 0, `a seed is a whole number from 0 to 2^53 - 1, not ${seed}`);
  invariant(
    counters.length <= 3 && counters.every((counter) => Number.isInteger(counter) && counter >= 0 && counter < 2 ** 32),
    `up to three counters, whole numbers below 2^32, not ${counters.join(", ")}`,
  );
  const upper = Math.floor(seed / 2 ** 32); // 21 bits
  const key = [seed >>> 0, (upper | (purposes[purpose] << 21) | (counters.length << 29)) >>> 0] as const;
  const [a = 0, b = 0, c = 0] = counters;
  return fromBlocks((block) => philox([block, a, b, c], key));
}

/** Hands out the words of block 0, 1, 2 ... one by one, as numbers of each kind. */
function fromBlocks(blockAt: (block: number) => Words): Random {
  let words: Words = [0, 0, 0, 0];
  let used = 0;
  const word = (): number => {
    if (used % 4 === 0) words = blockAt(used / 4);
    return words[used++ % 4] as number;
  };
  let spare: number | undefined;
  return {
    uniform: () => (word() >>> 8) * 2 ** -24,
    integer: (below) => {
      invariant(Number.isInteger(below) && below > 0 && below <= 2 ** 32, `a bound from 1 to 2^32, not ${below}`);
      const fair = 2 ** 32 - (2 ** 32 % below); // words from here on would favour the small numbers
      let drawn = word();
      while (drawn >= fair) drawn = word();
      return drawn % below;
    },
    // Box and Muller: two independent normals from two uniforms; the logarithm's argument is in (0, 1].
    normal: () => {
      if (spare !== undefined) {
        const second = spare;
        spare = undefined;
        return second;
      }
      const radius = Math.sqrt(-2 * Math.log((word() + 1) * 2 ** -32));
      const angle = 2 * Math.PI * word() * 2 ** -32;
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
  };
}

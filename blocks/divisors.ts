/** Whole numbers that divide another: what a size may be, and which of them are offered for one that may not. */

/** In ascending order. */
export function divisors(n: number): readonly number[] {
  const small = Array.from({ length: Math.floor(Math.sqrt(n)) }, (_, i) => i + 1).filter((at) => n % at === 0);
  const large = small.map((at) => n / at).reverse();
  return [...small, ...(small.at(-1) === large[0] ? large.slice(1) : large)];
}

/** Those nearest to `wanted`, which is none: one on each side where there is one. */
export function divisorsBeside(n: number, wanted: number): readonly number[] {
  const all = divisors(n);
  return [all.findLast((d) => d < wanted), all.find((d) => d > wanted)].filter((d) => d !== undefined);
}

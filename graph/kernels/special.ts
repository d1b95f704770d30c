/** Functions of one number that JavaScript does not have, to float64 accuracy. */

/** 2 / sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!: no term cancels another. Abramowitz and Stegun 7.1.6. */
export function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x); // 1 - erf(6) = 2e-17
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Phi(x), the normal distribution function. */
const normal = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2;

export const gelu = (x: number): number => x * normal(x);

/** Phi(x) + x phi(x) */
export const geluSlope = (x: number): number => normal(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);

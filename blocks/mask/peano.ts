/** The Peano curve, sampled at the centres of the patches. */

import { type Curve, scanMask } from "./scan.js";

/** The smallest power of three that is at least `wanted`. */
const powerOfThree = (wanted: number): number => {
  let side = 1;
  while (side < wanted) side *= 3;
  return side;
};

const mirrorOdd = (digit: number, times: number): number => (times % 2 === 1 ? 2 - digit : digit);

/**
 * Place of the cell (x, y) along the curve through a square whose side is a power of three. Base-3 digits of the place
 * are, from the highest, those of x and y by turns; a digit of x is mirrored when the digits of y before it have an odd
 * sum, a digit of y when those of x up to it do.
 */
export function peanoPlace(x: number, y: number, side: number): number {
  let [place, sumX, sumY] = [0, 0, 0];
  for (let scale = side / 3; scale >= 1; scale /= 3) {
    const alongX = mirrorOdd(Math.floor(x / scale) % 3, sumY);
    sumX += alongX;
    const alongY = mirrorOdd(Math.floor(y / scale) % 3, sumX);
    sumY += alongY;
    place = (place * 3 + alongX) * 3 + alongY;
  }
  return place;
}

/**
 * The grid is laid over a square of at least three curve cells a patch, and the patches are visited in the order in
 * which the curve meets their centres. On a square grid whose side is a power of three that is the Peano curve itself.
 */
export const peanoCurve: Curve = (rows, columns) => {
  const side = powerOfThree(3 * Math.max(rows, columns));
  const places = Float64Array.from({ length: rows * columns }, (_, token) => {
    const row = Math.floor(token / columns);
    const column = token % columns;
    return peanoPlace(Math.floor(((column + 0.5) * side) / columns), Math.floor(((row + 0.5) * side) / rows), side);
  });
  return Int32Array.from(places.keys()).sort((a, b) => (places[a] as number) - (places[b] as number));
};

export const peano = scanMask(
  {
    name: "peano",
    summary: "Chooses the visible patches along a Peano curve, sampled at their centres.",
    source:
      "Peano, Sur une courbe, qui remplit toute une aire plane, 1890; any grid by sampling, and rules: own definition",
    since: "0.1",
  },
  peanoCurve,
  {},
);

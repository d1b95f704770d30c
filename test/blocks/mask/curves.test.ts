/** The curves of the scan masks: known orders, and the laws of their steps. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hilbertCurve } from "../../../blocks/mask/hilbert.js";
import { peanoCurve } from "../../../blocks/mask/peano.js";
import type { Curve } from "../../../blocks/mask/scan.js";
import { spiralCurve } from "../../../blocks/mask/spiral.js";
import { zigzagCurve } from "../../../blocks/mask/zigzag.js";

type Cell = readonly [row: number, column: number];

const cells = (curve: Curve, rows: number, columns: number): readonly Cell[] =>
  Array.from(curve(rows, columns), (token) => [Math.floor(token / columns), token % columns]);

/** Rows and columns moved by each step. */
const steps = (curve: Curve, rows: number, columns: number): readonly Cell[] => {
  const visited = cells(curve, rows, columns);
  return visited.slice(1).map(([row, column], i) => {
    const [fromRow, fromColumn] = visited[i] as Cell;
    return [Math.abs(row - fromRow), Math.abs(column - fromColumn)];
  });
};

const isOrthogonal = ([rows, columns]: Cell): boolean => rows + columns === 1;
const isNeighbour = ([rows, columns]: Cell): boolean => Math.max(rows, columns) === 1;

/** Place of each cell along the curve, as a picture: `0 1 / 3 2`. */
const picture = (curve: Curve, rows: number, columns: number): string => {
  const places = new Map([...curve(rows, columns)].map((token, place) => [token, place]));
  const line = (row: number) => Array.from({ length: columns }, (_, column) => places.get(row * columns + column));
  return Array.from({ length: rows }, (_, row) => line(row).join(" ")).join(" / ");
};

const sides = fc.integer({ min: 1, max: 24 });

test.each([
  { name: "zigzag", curve: zigzagCurve },
  { name: "spiral", curve: spiralCurve },
  { name: "hilbert", curve: hilbertCurve },
  { name: "peano", curve: peanoCurve },
])("$name visits every patch of any grid once", ({ curve }) => {
  fc.assert(
    fc.property(sides, sides, (rows, columns) => {
      const visited = [...curve(rows, columns)].sort((a, b) => a - b);
      expect(visited).toEqual(Array.from({ length: rows * columns }, (_, i) => i));
    }),
  );
});

describe("zigzag", () => {
  test("is the order of JPEG's coefficients", () => {
    expect(picture(zigzagCurve, 4, 4)).toBe("0 1 5 6 / 2 4 7 12 / 3 8 11 13 / 9 10 14 15");
    expect([...zigzagCurve(8, 8)].slice(0, 12)).toEqual([0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25]);
  });
  test("follows the diagonals of a rectangle", () => {
    expect(picture(zigzagCurve, 2, 4)).toBe("0 1 4 5 / 2 3 6 7");
  });
  test("steps to one of the eight neighbours", () => {
    fc.assert(
      fc.property(sides, sides, (rows, columns) => {
        expect(steps(zigzagCurve, rows, columns).every(isNeighbour)).toBe(true);
      }),
    );
  });
});

describe("spiral", () => {
  test("turns inwards, clockwise", () => {
    expect(picture(spiralCurve, 4, 3)).toBe("0 1 2 / 9 10 3 / 8 11 4 / 7 6 5");
    expect(picture(spiralCurve, 3, 3)).toBe("0 1 2 / 7 8 3 / 6 5 4");
  });
  test("goes straight where there is one row or column", () => {
    expect([...spiralCurve(1, 4)]).toEqual([0, 1, 2, 3]);
    expect([...spiralCurve(4, 1)]).toEqual([0, 1, 2, 3]);
  });
  test("steps up, down, left or right, and never back out to an outer ring", () => {
    fc.assert(
      fc.property(sides, sides, (r, c) => {
        expect(steps(spiralCurve, r, c).every(isOrthogonal)).toBe(true);
        const rings = cells(spiralCurve, r, c).map(([y, x]) => Math.min(y, x, r - 1 - y, c - 1 - x));
        expect(rings).toEqual([...rings].sort((a, b) => a - b));
      }),
    );
  });
});

/** The Hilbert curve on a square whose side is a power of two, from the bits of the place: column and row. */
function classicHilbert(side: number, place: number): readonly [x: number, y: number] {
  let [x, y, t] = [0, 0, place];
  for (let s = 1; s < side; s *= 2) {
    const right = (t >> 1) & 1;
    const down = (t ^ right) & 1;
    if (down === 0) {
      if (right === 1) [x, y] = [s - 1 - x, s - 1 - y];
      [x, y] = [y, x];
    }
    [x, y, t] = [x + s * right, y + s * down, t >> 2];
  }
  return [x, y];
}

describe("hilbert", () => {
  test("has the known small curves", () => {
    expect(picture(hilbertCurve, 2, 2)).toBe("0 3 / 1 2");
    expect(picture(hilbertCurve, 4, 4)).toBe("0 1 14 15 / 3 2 13 12 / 4 7 8 11 / 5 6 9 10");
  });
  test.each([2, 4, 8, 16, 32])("is the classic curve on a square of side %i", (side) => {
    const classic = Array.from({ length: side * side }, (_, place) => {
      const [x, y] = classicHilbert(side, place);
      return y * side + x;
    });
    expect([...hilbertCurve(side, side)]).toEqual(classic);
  });
  test("has one diagonal step at most, and none along an even longer side", () => {
    fc.assert(
      fc.property(sides, sides, (rows, columns) => {
        const all = steps(hilbertCurve, rows, columns);
        expect(all.every(isNeighbour)).toBe(true);
        const diagonal = all.filter((step) => !isOrthogonal(step)).length;
        expect(diagonal).toBeLessThanOrEqual(Math.max(rows, columns) % 2 === 0 ? 0 : 1);
      }),
    );
  });
  test("begins in the first corner and ends at the far end of the longer side", () => {
    fc.assert(
      fc.property(sides, sides, (rows, columns) => {
        fc.pre(Math.max(rows, columns) % 2 === 0 && Math.min(rows, columns) > 1);
        const visited = cells(hilbertCurve, rows, columns);
        expect(visited[0]).toEqual([0, 0]);
        expect(visited.at(-1)).toEqual(columns >= rows ? [0, columns - 1] : [rows - 1, 0]);
      }),
    );
  });
});

/**
 * Peano's own curve through a square whose side is a power of three, by its digits in base 3: from the highest, those of x and
 * y by turns; a digit of x is mirrored when the digits of y before it have an odd sum, one of y when those of x up to it do.
 */
function peanoPlace(x: number, y: number, side: number): number {
  const mirrored = (digit: number, times: number): number => (times % 2 === 1 ? 2 - digit : digit);
  let [place, sumX, sumY] = [0, 0, 0];
  for (let scale = side / 3; scale >= 1; scale /= 3) {
    const alongX = mirrored(Math.floor(x / scale) % 3, sumY);
    sumX += alongX;
    const alongY = mirrored(Math.floor(y / scale) % 3, sumX);
    sumY += alongY;
    place = (place * 3 + alongX) * 3 + alongY;
  }
  return place;
}

describe("peano", () => {
  test("runs through columns of three, to and fro", () => {
    expect(picture(peanoCurve, 3, 3)).toBe("0 5 6 / 1 4 7 / 2 3 8");
    expect(picture(peanoCurve, 4, 5)).toBe("0 13 14 15 16 / 1 12 9 8 17 / 2 11 10 7 18 / 3 4 5 6 19");
  });
  test.each([3, 9, 27])("is Peano's own curve on a square of side %i", (side) => {
    const places = cells(peanoCurve, side, side).map(([row, column]) => peanoPlace(column, row, side));
    expect(places).toEqual(Array.from({ length: side * side }, (_, place) => place));
  });
  test("steps to a neighbour on every grid, diagonally once where both sides are even, from corner to corner", () => {
    for (let rows = 1; rows <= 32; rows++) {
      for (let columns = 1; columns <= 32; columns++) {
        const all = steps(peanoCurve, rows, columns);
        const diagonal = all.filter((step) => !isOrthogonal(step));
        const isEven = rows % 2 === 0 && columns % 2 === 0;
        expect(diagonal, `${rows}x${columns}`).toEqual(isEven ? [[1, 1]] : []);
        expect(peanoCurve(rows, columns).at(-1)).toBe(rows * columns - 1);
      }
    }
  });
});

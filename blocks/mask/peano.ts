/** The Peano curve, generalised to any rectangle. */

import { type Curve, scanMask } from "./scan.js";

/** Cells from a corner on: `down` and `right` say in which direction they lie. */
interface Rectangle {
  readonly row: number;
  readonly column: number;
  readonly height: number;
  readonly width: number;
  readonly down: 1 | -1;
  readonly right: 1 | -1;
}

/**
 * A side in three parts, as nearly equal as an odd first and last one allow; whole where the other side is more than twice as
 * long, or where it is too short. So a side that is even keeps one even part.
 */
function partsOf(side: number, other: number): readonly number[] {
  if (side < 3 || 2 * side < other) return [side];
  const outer = 2 * Math.ceil(side / 6 - 1) + 1;
  return [outer, side - 2 * outer, outer];
}

const flipped = (direction: 1 | -1, isFlipped: boolean): 1 | -1 => (isFlipped ? (-direction as 1 | -1) : direction);

/** Where each part begins. */
const startsOf = (parts: readonly number[]): readonly number[] =>
  parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part, 0));

/**
 * All cells, from the rectangle's corner to the opposite one: its parts column by column, to and fro, each from a corner to
 * the opposite one likewise. All steps go to a neighbour; one is diagonal where both sides are even, which no path between
 * opposite corners can avoid.
 */
function* cells({ row, column, height, width, down, right }: Rectangle): Generator<readonly [number, number]> {
  const [rows, columns] = [partsOf(height, width), partsOf(width, height)];
  if (rows.length === 1 && columns.length === 1) {
    for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) yield [row + down * y, column + right * x];
    return;
  }
  const [tops, lefts] = [startsOf(rows), startsOf(columns)];
  for (const [j, partWidth] of columns.entries()) {
    const isUp = j % 2 === 1;
    for (const i of isUp ? [...rows.keys()].reverse() : rows.keys()) {
      const partHeight = rows[i] as number;
      const isBack = i % 2 === 1;
      yield* cells({
        row: row + down * ((tops[i] as number) + (isUp ? partHeight - 1 : 0)),
        column: column + right * ((lefts[j] as number) + (isBack ? partWidth - 1 : 0)),
        height: partHeight,
        width: partWidth,
        down: flipped(down, isUp),
        right: flipped(right, isBack),
      });
    }
  }
}

export const peanoCurve: Curve = (rows, columns) =>
  Int32Array.from(
    cells({ row: 0, column: 0, height: rows, width: columns, down: 1, right: 1 }),
    ([row, column]) => row * columns + column,
  );

export const peano = scanMask(
  {
    name: "peano",
    summary: "Chooses the visible patches along a Peano curve, which goes from patch to neighbouring patch.",
    source:
      "Peano, Sur une courbe, qui remplit toute une aire plane, 1890; generalised to rectangles, and rules: own definition",
    since: "0.1",
  },
  peanoCurve,
  {},
);

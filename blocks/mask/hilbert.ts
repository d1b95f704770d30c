/** The Hilbert curve, generalised to any rectangle. */

import { type Curve, scanMask } from "./scan.js";

/** A step along columns and rows. */
type Vector = readonly [x: number, y: number];

const plus = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1]];
const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1]];
/** Rounded down, also below zero. */
const half = (a: Vector): Vector => [Math.floor(a[0] / 2), Math.floor(a[1] / 2)];
const unit = (a: Vector): Vector => [Math.sign(a[0]), Math.sign(a[1])];
/** Of a vector along one axis. */
const lengthOf = (a: Vector): number => Math.abs(a[0] + a[1]);

function* line(from: Vector, along: Vector): Generator<Vector> {
  const step = unit(along);
  for (let i = 0, at = from; i < lengthOf(along); i++, at = plus(at, step)) yield at;
}

/**
 * The cells of the rectangle spanned at `from` by `major` and `minor`, from its first corner to the end of `major`.
 * A long rectangle is cut in two across, any other in three: up, along, down. Halves are made even where that is
 * possible, which keeps all steps orthogonal when the width is even.
 */
function* cells(from: Vector, major: Vector, minor: Vector): Generator<Vector> {
  const [width, height] = [lengthOf(major), lengthOf(minor)];
  const [along, across] = [unit(major), unit(minor)];
  if (height === 1) return yield* line(from, major);
  if (width === 1) return yield* line(from, minor);
  let [a, b] = [half(major), half(minor)];
  if (2 * width > 3 * height) {
    if (lengthOf(a) % 2 === 1 && width > 2) a = plus(a, along);
    yield* cells(from, a, minor);
    yield* cells(plus(from, a), minus(major, a), minor);
    return;
  }
  if (lengthOf(b) % 2 === 1 && height > 2) b = plus(b, across);
  yield* cells(from, b, a);
  yield* cells(plus(from, b), major, minus(minor, b));
  const corner = plus(from, plus(minus(major, along), minus(b, across)));
  yield* cells(corner, minus([0, 0], b), minus(a, major));
}

export const hilbertCurve: Curve = (rows, columns) => {
  const [right, down]: [Vector, Vector] = [
    [columns, 0],
    [0, rows],
  ];
  const [major, minor] = columns >= rows ? [right, down] : [down, right];
  return Int32Array.from(cells([0, 0], major, minor), ([x, y]) => y * columns + x);
};

export const hilbert = scanMask(
  {
    name: "hilbert",
    summary:
      "Chooses the visible patches along a Hilbert curve, which keeps neighbours on the curve close in the image.",
    source: "Hilbert, 1891; generalised to rectangles by Jakub Cerveny (gilbert); rules: own definition",
    since: "0.1",
  },
  hilbertCurve,
  {},
);

/** The spiral: clockwise from the top left corner inwards. */

import { type Curve, scanMask } from "./scan.js";

/** Ring by ring: top row to the right, right column down, bottom row to the left, left column up. */
export const spiralCurve: Curve = (rows, columns) => {
  const scan: number[] = [];
  let [top, left, bottom, right] = [0, 0, rows - 1, columns - 1];
  while (top <= bottom && left <= right) {
    for (let c = left; c <= right; c++) scan.push(top * columns + c);
    for (let r = top + 1; r <= bottom; r++) scan.push(r * columns + right);
    if (top < bottom) for (let c = right - 1; c >= left; c--) scan.push(bottom * columns + c);
    if (left < right) for (let r = bottom - 1; r > top; r--) scan.push(r * columns + left);
    top++;
    left++;
    bottom--;
    right--;
  }
  return Int32Array.from(scan);
};

export const spiral = scanMask(
  {
    name: "spiral",
    summary: "Chooses the visible patches along a spiral from the border to the centre.",
    source: "own definition",
    since: "0.1",
  },
  spiralCurve,
  {
    center: {
      doc: "The innermost patches, the same in every sample.",
      places: (tokens, visible) => Array.from({ length: visible }, (_, i) => tokens - 1 - i),
    },
    border: {
      doc: "The outermost patches, the same in every sample.",
      places: (_, visible) => Array.from({ length: visible }, (_, i) => i),
    },
  },
);

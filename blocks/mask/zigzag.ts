/** The zigzag of JPEG: along the diagonals, turning at each border. */

import { type Curve, scanMask } from "./scan.js";

/** Diagonals row + column = 0, 1, 2, ...; downwards on odd ones, upwards on even ones. */
export const zigzagCurve: Curve = (rows, columns) => {
  const scan = new Int32Array(rows * columns);
  let visited = 0;
  for (let diagonal = 0; diagonal < rows + columns - 1; diagonal++) {
    const top = Math.max(0, diagonal - columns + 1);
    const bottom = Math.min(diagonal, rows - 1);
    for (let i = 0; i <= bottom - top; i++) {
      const row = diagonal % 2 === 1 ? top + i : bottom - i;
      scan[visited++] = row * columns + (diagonal - row);
    }
  }
  return scan;
};

export const zigzag = scanMask(
  {
    name: "zigzag",
    summary: "Chooses the visible patches along the diagonal zigzag of JPEG.",
    source: "ITU-T T.81 (JPEG), figure A.6, for any rectangle; rules: own definition",
    since: "0.1",
  },
  zigzagCurve,
  {},
);

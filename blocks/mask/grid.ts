/** Regular masking: one visible patch in each cell of the grid. */

import type { Random } from "../../graph/index.js";
import { choice, size } from "../params.js";
import { countsText, type Lattice, tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { rowsAndColumns, twoAxes, withDials } from "./dials.js";
import { visibleFirst } from "./order.js";
import { onePatch } from "./ratio.js";

type Stride = readonly [number, number];

const cellCount = (stride: Stride, grid: Lattice): number => {
  const { rows, columns } = rowsAndColumns(grid);
  return Math.ceil(rows / stride[0]) * Math.ceil(columns / stride[1]);
};

/** Row and column inside a cell. */
const drawPhase = (stride: Stride, random: Random): Stride => [random.integer(stride[0]), random.integer(stride[1])];

export const grid = defineMask(
  withDials({
    name: "grid",
    summary: "Shows one patch of each cell of neighbouring patches and hides the others.",
    source:
      "He et al., CVPR 2022, figure 6; phase `cell`: Li et al., Uniform Masking, 2022, section 3; borders: own definition",
    since: "0.1",
    params: {
      stride: size({
        default: [2, 2],
        doc: "Height x width of a cell in patches; 2x2 hides 75%, smaller cells at the border of the grid hide less.",
      }),
      phase: choice({
        default: "fixed",
        options: {
          fixed: "The top left patch of every cell.",
          random: "One place drawn for each sample, the same in all its cells.",
          cell: "A place drawn for each cell.",
        },
        doc: "Which patch of a cell is visible.",
      }),
    },
    requires: [
      twoAxes,
      {
        name: "hides-one",
        at: "stride",
        doc: "At least one patch is hidden.",
        holds: (p, { grid }) => cellCount(p.stride, grid) < tokenCount(grid),
        say: (p, { grid }) => `cells of ${p.stride.join("x")} on a grid of ${countsText(grid)} patches hide no patch`,
        help: (_, { grid }) => {
          if (tokenCount(grid) === 1) return onePatch;
          return `the smallest cells that hide some are ${rowsAndColumns(grid).columns > 1 ? "1x2" : "2x1"}`;
        },
      },
    ],
    visible: (p, grid) => cellCount(p.stride, grid),
    sample(p, grid, random) {
      const { rows, columns } = rowsAndColumns(grid);
      const hidden = new Uint8Array(tokenCount(grid)).fill(1);
      const shared: Stride = p.phase === "random" ? drawPhase(p.stride, random) : [0, 0];
      for (let top = 0; top < rows; top += p.stride[0]) {
        for (let left = 0; left < columns; left += p.stride[1]) {
          const [down, right] = p.phase === "cell" ? drawPhase(p.stride, random) : shared;
          const row = Math.min(top + down, rows - 1);
          const column = Math.min(left + right, columns - 1);
          hidden[row * columns + column] = 0;
        }
      }
      return visibleFirst(hidden);
    },
  }),
);

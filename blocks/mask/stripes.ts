/** Whole rows and whole columns: of spectrograms, stretches of time and bands of frequency that are hidden in all of them. */

import type { Random } from "../../graph/index.js";
import { ratio } from "../params.js";
import { countsText, type Lattice, tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { rowsAndColumns, twoAxes, withDials } from "./dials.js";
import { visibleFirst } from "./order.js";

interface Shares {
  readonly first: number;
  readonly second: number;
}

/** Rows and columns that are seen. */
function seenOf({ first, second }: Shares, grid: Lattice): { readonly rows: number; readonly columns: number } {
  const { rows, columns } = rowsAndColumns(grid);
  return { rows: Math.trunc(rows * (1 - first)), columns: Math.trunc(columns * (1 - second)) };
}

const visibleOf = (p: Shares, grid: Lattice): number => {
  const { rows, columns } = seenOf(p, grid);
  return rows * columns;
};

/** Which of `count` places are seen, so many of them. */
function drawSeen(count: number, seen: number, random: Random): ReadonlySet<number> {
  const noise = Float64Array.from({ length: count }, () => random.uniform());
  const order = [...noise.keys()].sort((a, b) => (noise[a] as number) - (noise[b] as number));
  return new Set(order.slice(0, seen));
}

export const stripes = defineMask(
  withDials({
    name: "stripes",
    summary: "Hides random whole rows and random whole columns: of a spectrogram, times and bands of frequency.",
    source: "Huang et al., Masked Autoencoders that Listen, NeurIPS 2022: `random_masking_2d` of its code",
    since: "0.2",
    params: {
      first: ratio({
        max: 0.99,
        default: 0.2,
        doc: "Share of the places along the first axis that are hidden: of a spectrogram, of its times.",
      }),
      second: ratio({
        max: 0.99,
        default: 0.2,
        doc: "The same along the second axis: of a spectrogram, of its frequencies.",
      }),
    },
    requires: [
      twoAxes,
      {
        name: "some-of-each",
        at: null,
        doc: "At least one patch is visible and at least one hidden.",
        holds: (p, { grid }) => visibleOf(p, grid) > 0 && visibleOf(p, grid) < tokenCount(grid),
        say(p, { grid }) {
          const { rows, columns } = seenOf(p, grid);
          return `of ${countsText(grid)} patches ${rows}x${columns} are visible`;
        },
        help: (p, { grid }) =>
          visibleOf(p, grid) === 0 ? "hide smaller shares, or use smaller patches" : "hide larger shares",
      },
    ],
    visible: visibleOf,
    sample(p, grid, random) {
      const { rows, columns } = rowsAndColumns(grid);
      const seen = seenOf(p, grid);
      const [inRow, inColumn] = [drawSeen(rows, seen.rows, random), drawSeen(columns, seen.columns, random)];
      const hidden = Uint8Array.from({ length: rows * columns }, (_, token) =>
        inRow.has(Math.floor(token / columns)) && inColumn.has(token % columns) ? 0 : 1,
      );
      return visibleFirst(hidden);
    },
  }),
);

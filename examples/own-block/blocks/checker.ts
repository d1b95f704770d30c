/** A mask of this project: the squares of one colour of a chessboard. */

import { choice, countsText, defineMask, placeOf, tokenCount } from "maelang/blocks";

export const checker = defineMask({
  name: "checker",
  summary: "Hides the squares of one colour of a chessboard.",
  source: "own definition",
  since: "1.0",
  params: {
    hide: choice({
      default: "either",
      options: {
        black: "The squares that begin with the second of the first row.",
        white: "The squares that begin with the first of the first row.",
        either: "One of the two, drawn for each sample.",
      },
      doc: "Which squares are hidden.",
    }),
  },
  requires: [
    {
      name: "even",
      at: null,
      doc: "There are as many squares of one colour as of the other, so that every sample hides equally many.",
      holds: (_, { grid }) => tokenCount(grid) % 2 === 0,
      say: (_, { grid }) => `a grid of ${countsText(grid)} patches has more squares of one colour`,
      help: () => "choose a patch size that leaves an even number of rows or columns",
    },
  ],
  visible: (_, grid) => tokenCount(grid) / 2,
  sample(p, grid, random) {
    const hidden = p.hide === "either" ? random.integer(2) : p.hide === "white" ? 0 : 1;
    const colour = (token: number): number => placeOf(grid, token).reduce((sum, place) => sum + place, 0) % 2;
    const tokens = Array.from({ length: tokenCount(grid) }, (_, token) => token);
    return Int32Array.from([
      ...tokens.filter((token) => colour(token) !== hidden),
      ...tokens.filter((token) => colour(token) === hidden),
    ]);
  },
});

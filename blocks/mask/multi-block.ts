/** The masks of I-JEPA: several rectangles, each predicted by itself, and what is seen of one large rectangle outside of them. */

import { type Random, shuffled, type TypedArray } from "../../graph/index.js";
import { int, interval, ratio } from "../params.js";
import { type Lattice, tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { rowsAndColumns, twoAxes } from "./dials.js";
import { percent } from "./ratio.js";

interface Values {
  readonly blocks: number;
  readonly scale: readonly [number, number];
  readonly aspect: readonly [number, number];
  readonly context: readonly [number, number];
  readonly visible: number;
}

/** How often rectangles are drawn until enough is left outside of them. */
const attempts = 32;

const between = ([low, high]: readonly [number, number], random: Random): number =>
  low + (high - low) * random.uniform();

/** Tokens that count of each rectangle: as many as the smallest has. */
const tokensOfBlock = ({ scale }: Pick<Values, "scale">, grid: Lattice): number =>
  Math.max(1, Math.floor(scale[0] * tokenCount(grid)));

const visibleOf = ({ visible }: Pick<Values, "visible">, grid: Lattice): number =>
  Math.floor(visible * tokenCount(grid));

/** Rows and columns that a rectangle may have: it spans neither axis, unless that has one place. */
function mostOf(grid: Lattice): { readonly mostRows: number; readonly mostColumns: number } {
  const { rows, columns } = rowsAndColumns(grid);
  return { mostRows: Math.max(1, rows - 1), mostColumns: Math.max(1, columns - 1) };
}

/** A rectangle of a drawn share of the tokens and a drawn height / width at a random place, in raster order. */
function drawBlock(
  grid: Lattice,
  { scale, aspect }: Pick<Values, "scale" | "aspect">,
  random: Random,
  least = 0,
): readonly number[] {
  const { rows, columns } = rowsAndColumns(grid);
  const { mostRows, mostColumns } = mostOf(grid);
  const area = Math.floor(between(scale, random) * tokenCount(grid));
  const side = between(aspect, random);
  let height = Math.min(mostRows, Math.max(1, Math.round(Math.sqrt(area * side))));
  let width = Math.min(mostColumns, Math.max(1, Math.round(Math.sqrt(area / side))));
  // Rounded sides may have fewer.
  if (height * width < least) width = Math.min(mostColumns, Math.ceil(least / height));
  if (height * width < least) height = Math.ceil(least / width);
  const [top, left] = [random.integer(rows - height + 1), random.integer(columns - width + 1)];
  return Array.from({ length: height * width }, (_, i) => (top + Math.floor(i / width)) * columns + left + (i % width));
}

/** The tokens of all rectangles, one after the other, so that as many as are shown lie outside of them. */
function drawBlocks(p: Values, grid: Lattice, random: Random): Int32Array {
  const count = tokensOfBlock(p, grid);
  const draw = (): readonly number[] => drawBlock(grid, p, random, count).slice(0, count);
  for (let i = 0; i < attempts; i++) {
    const blocks = Array.from({ length: p.blocks }, draw).flat();
    if (tokenCount(grid) - new Set(blocks).size >= visibleOf(p, grid)) return Int32Array.from(blocks);
  }
  const only = draw();
  return Int32Array.from(Array.from({ length: p.blocks }, () => only).flat());
}

/** Tokens of a large rectangle outside of others, or, where it never has enough, of all. */
function contextOf(p: Values, grid: Lattice, blocks: TypedArray, random: Random): readonly number[] {
  const taken = new Set(blocks);
  for (let i = 0; i < attempts; i++) {
    const large = drawBlock(grid, { scale: p.context, aspect: [1, 1] }, random);
    const outside = large.filter((token) => !taken.has(token));
    if (outside.length >= visibleOf(p, grid)) return outside;
  }
  return Array.from({ length: tokenCount(grid) }, (_, token) => token).filter((token) => !taken.has(token));
}

/** It has no `along` that could name two of several axes. */
const overTwoAxes: typeof twoAxes = { ...twoAxes, help: () => "use another mask, such as `random`" };

export const multiBlock = defineMask({
  name: "multi_block",
  summary:
    "Hides all but some tokens of a large rectangle; several smaller ones outside of what is seen are each predicted by themselves.",
  source:
    "Assran et al., Self-Supervised Learning from Images with a Joint-Embedding Predictive Architecture, CVPR 2023, section 3; exact counts: own definition",
  since: "0.2",
  params: {
    blocks: int({ min: 1, max: 64, default: 4, doc: "Rectangles that are predicted, which may lie over one another." }),
    scale: interval({
      of: "ratio",
      min: 0.001,
      max: 0.95,
      default: [0.15, 0.2],
      doc: "Share of the tokens that a rectangle has; of each as many count as the smallest may have.",
    }),
    aspect: interval({
      of: "real",
      min: 0.01,
      max: 100,
      default: [0.75, 1.5],
      doc: "Height / width of a rectangle, drawn uniformly.",
    }),
    context: interval({
      of: "ratio",
      min: 0.01,
      max: 1,
      default: [0.85, 1],
      doc: "Share of the tokens that the large square has, of which the encoder sees what lies outside of the rectangles.",
    }),
    visible: ratio({
      open: true,
      default: 0.25,
      doc: "Share of the tokens that the encoder sees: so many of those of the large square, chosen at random.",
    }),
  },
  requires: [
    overTwoAxes,
    {
      name: "fits",
      at: "scale",
      doc: "The smallest rectangle fits beside a row and a column.",
      holds: (p, { grid }) =>
        grid.length !== 2 || tokensOfBlock(p, grid) <= mostOf(grid).mostRows * mostOf(grid).mostColumns,
      say: (p, { grid }) =>
        `${percent(p.scale[0])} of ${tokenCount(grid)} tokens are ${tokensOfBlock(p, grid)}, and a rectangle has at most ${mostOf(grid).mostRows * mostOf(grid).mostColumns}`,
      help: (_, { grid }) =>
        `write at most ${percent(Math.floor((1000 * mostOf(grid).mostRows * mostOf(grid).mostColumns) / tokenCount(grid)) / 1000)}`,
    },
    {
      name: "room",
      at: "visible",
      doc: "What is seen has room beside one rectangle, and is one token at least.",
      holds: (p, { grid }) =>
        visibleOf(p, grid) >= 1 && visibleOf(p, grid) + tokensOfBlock(p, grid) <= tokenCount(grid),
      say: (p, { grid }) =>
        `${percent(p.visible)} of ${tokenCount(grid)} tokens are ${visibleOf(p, grid)}, and a rectangle has ${tokensOfBlock(p, grid)}`,
      help(p, { grid }) {
        const tokens = tokenCount(grid);
        const most = tokens - tokensOfBlock(p, grid);
        return `write ${percent(Math.ceil(1000 / tokens) / 1000)} to ${percent(Math.floor((1000 * most) / tokens) / 1000)}: 1 to ${most} tokens may be seen`;
      },
    },
  ],
  hiding: () => "drop",
  visible: visibleOf,
  blocks: (p, grid) => ({ blocks: p.blocks, tokens: tokensOfBlock(p, grid) }),
  field: (p, { grid }) => ({
    shape: [p.blocks * tokensOfBlock(p, grid)],
    dtype: "int32",
    fed: true,
    compute: ({ random }) => drawBlocks(p, grid, random),
  }),
  sample(p, grid, random, blocks = new Int32Array()) {
    const outside = contextOf(p, grid, blocks, random);
    const order = shuffled(outside.length, random).subarray(0, visibleOf(p, grid));
    const seen = Array.from(order, (i) => outside[i] as number);
    const isSeen = new Set(seen);
    const hidden = Array.from({ length: tokenCount(grid) }, (_, token) => token).filter((token) => !isSeen.has(token));
    return Int32Array.from([...seen, ...hidden]);
  },
});

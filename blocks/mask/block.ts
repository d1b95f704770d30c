/** Block-wise masking of BEiT, brought to an exact count so that hidden tokens can be dropped. */

import { type Random, shuffled } from "../../graph/index.js";
import { int, interval } from "../params.js";
import { type Lattice, tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { rowsAndColumns, twoAxes, withDials } from "./dials.js";
import { visibleFirst } from "./order.js";
import { byRatio, hiding, someOfEach, visibleByRatio } from "./ratio.js";

interface BlockShape {
  readonly min_block: number;
  readonly aspect: readonly [number, number];
}

const attempts = 10;

const between = (low: number, high: number, random: Random): number => low + (high - low) * random.uniform();

/**
 * Height and width of one block in patches: area uniform in [min_block, room] (from whichever end is smaller), aspect
 * log-uniform. Null when a side would span the grid; a grid of one row or column has blocks of one row or column.
 */
function drawBlock(grid: Lattice, p: BlockShape, room: number, random: Random): readonly [number, number] | null {
  const area = between(p.min_block, room, random);
  const aspect = Math.exp(between(Math.log(p.aspect[0]), Math.log(p.aspect[1]), random));
  const height = Math.round(Math.sqrt(area * aspect));
  const width = Math.round(Math.sqrt(area / aspect));
  const { rows, columns } = rowsAndColumns(grid);
  const fits = height <= Math.max(1, rows - 1) && width <= Math.max(1, columns - 1);
  return fits ? [height, width] : null;
}

/** Hides one block if it covers between 1 and `room` patches that are still visible; gives how many it hid. */
function hideBlock(hidden: Uint8Array, grid: Lattice, p: BlockShape, room: number, random: Random): number {
  const block = drawBlock(grid, p, room, random);
  if (block === null) return 0;
  const [height, width] = block;
  const { rows, columns } = rowsAndColumns(grid);
  const top = random.integer(rows - height + 1);
  const left = random.integer(columns - width + 1);
  const fresh: number[] = [];
  for (let row = top; row < top + height; row++) {
    for (let column = left; column < left + width; column++) {
      const token = row * columns + column;
      if (hidden[token] === 0) fresh.push(token);
    }
  }
  if (fresh.length > room) return 0;
  for (const token of fresh) hidden[token] = 1;
  return fresh.length;
}

/** Blocks until `count` patches are hidden, or until ten attempts in a row hid nothing. */
function hideBlocks(hidden: Uint8Array, grid: Lattice, p: BlockShape, count: number, random: Random): number {
  let done = 0;
  for (let failed = 0; done < count && failed < attempts; ) {
    const added = hideBlock(hidden, grid, p, count - done, random);
    failed = added === 0 ? failed + 1 : 0;
    done += added;
  }
  return done;
}

export const block = defineMask(
  withDials({
    name: "block",
    summary: "Hides random rectangles of patches until the exact number of hidden patches is reached.",
    source:
      "Bao et al., BEiT: BERT Pre-Training of Image Transformers, ICLR 2022, algorithm 1; exact count: own definition",
    since: "0.1",
    params: {
      ...hiding,
      min_block: int({ min: 1, default: 4, doc: "Smallest area drawn for a block, in patches." }),
      aspect: interval({
        of: "real",
        min: 0.01,
        max: 100,
        default: [0.3, 3.3333],
        doc: "Height / width of a block, drawn log-uniformly.",
      }),
    },
    requires: [twoAxes, someOfEach],
    ...byRatio,
    sample(p, grid, random, _, visible = visibleByRatio(p, grid)) {
      const tokens = tokenCount(grid);
      const count = tokens - visible;
      const hidden = new Uint8Array(tokens);
      let missing = count - hideBlocks(hidden, grid, p, count, random);
      for (const token of shuffled(tokens, random)) {
        if (missing === 0) break;
        if (hidden[token] === 1) continue;
        hidden[token] = 1;
        missing--;
      }
      return visibleFirst(hidden);
    },
  }),
);

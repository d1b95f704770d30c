/**
 * Masks along a curve through the grid: the curve gives the order of visit, a rule chooses which places along it are
 * visible. Each curve is a file beside this one; the rules are the same for all.
 */

import { type Random, shuffled } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import { choice, int, type Param } from "../params.js";
import { type Lattice, tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { rowsAndColumns, twoAxes, withDials } from "./dials.js";
import { visibleFirst } from "./order.js";
import { byRatio, fewestByRatio, hiding, type RatioParams, someOfEach, visibleByRatio } from "./ratio.js";

/** Raster indices (row * columns + column) in the order of visit: a permutation. */
export type Curve = (rows: number, columns: number) => Int32Array;

export interface Rule {
  readonly doc: string;
  /** `visible` distinct places along a curve through `tokens` patches; `length` is that of a segment. */
  readonly places: (tokens: number, visible: number, length: number, random: Random) => Iterable<number>;
}

/** Numbers 0..count-1 through a function. */
const list = (count: number, place: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => place(i));

function* segments(tokens: number, visible: number, length: number, random: Random): Generator<number> {
  let left = visible;
  for (const segment of shuffled(Math.ceil(tokens / length), random)) {
    const end = Math.min((segment + 1) * length, tokens);
    for (let place = segment * length; place < end; place++) {
      if (left-- === 0) return;
      yield place;
    }
  }
}

/** The rules that fit every curve. N patches, V visible. */
export const rules = {
  stratified: {
    doc: "The curve is cut into as many equal windows as there are visible patches; one patch drawn in each.",
    places: (tokens, visible, _, random) =>
      list(visible, (j) => {
        const start = Math.floor((j * tokens) / visible);
        return start + random.integer(Math.floor(((j + 1) * tokens) / visible) - start);
      }),
  },
  run: {
    doc: "One unbroken run from a random start; the curve's end joins its beginning.",
    places: (tokens, visible, _, random) => {
      const start = random.integer(tokens);
      return list(visible, (i) => (start + i) % tokens);
    },
  },
  segments: {
    doc: "Random segments of `length` patches; the last one only as far as the count goes.",
    places: segments,
  },
  stride: {
    doc: "Equal steps along the curve from a random start.",
    places: (tokens, visible, _, random) => {
      const phase = random.uniform();
      return list(visible, (j) => Math.floor(((j + phase) * tokens) / visible));
    },
  },
  random: {
    doc: "Uniformly random, whatever the curve: the control.",
    places: (tokens, visible, _, random) => shuffled(tokens, random).subarray(0, visible),
  },
} satisfies Readonly<Record<string, Rule>>;

const defaultLength = 4;

type ScanParams = RatioParams & { readonly keep: Param<string>; readonly length: Param<number> };

const lengthIsRead: Requirement<ScanParams, ModelContext> = {
  name: "length-is-read",
  at: "length",
  doc: "A `length` is written only where `keep` is `segments`.",
  holds: (p) => p.keep === "segments" || p.length === defaultLength,
  say: (p) => `a \`length\` of ${p.length} has no effect with \`keep: ${p.keep}\``,
  help: () => "remove it, or write `keep: segments`",
};

const lengthFits: Requirement<ScanParams, ModelContext> = {
  name: "length-fits",
  at: "length",
  doc: "A segment is no longer than the visible patches together, unless it is the default.",
  holds: (p, { grid }) => p.length === defaultLength || p.length <= fewestByRatio(p, grid),
  say: (p, { grid }) => `a segment of ${p.length} patches is longer than the ${fewestByRatio(p, grid)} visible ones`,
  help: (p, { grid }) => `write a length from 1 to ${fewestByRatio(p, grid)}`,
};

/** The curve of a grid, computed once for each grid. */
function remembered(curve: Curve): (grid: Lattice) => Int32Array {
  const known = new WeakMap<Lattice, Int32Array>();
  return (grid) => {
    const { rows, columns } = rowsAndColumns(grid);
    const scan = known.get(grid) ?? curve(rows, columns);
    known.set(grid, scan);
    return scan;
  };
}

/** A mask along `curve`. `more`: rules that fit this curve alone, beside those for all. */
export function scanMask<const R extends Readonly<Record<string, Rule>>>(
  words: { readonly name: string; readonly summary: string; readonly source: string; readonly since: string },
  curve: Curve,
  more: R,
) {
  const all: Readonly<Record<string, Rule>> = { ...rules, ...more };
  const scanOf = remembered(curve);
  const options = Object.fromEntries(Object.entries(all).map(([name, rule]) => [name, rule.doc]));
  const keep: Param<(keyof typeof rules | keyof R) & string> = choice({
    default: "stratified",
    options,
    doc: "Which places along the curve are visible.",
  });
  return defineMask(
    withDials({
      ...words,
      params: {
        ...hiding,
        keep,
        length: int({ min: 1, default: defaultLength, doc: "Patches of one segment; read by `keep: segments` alone." }),
      },
      requires: [twoAxes, someOfEach, lengthIsRead, lengthFits],
      ...byRatio,
      sample(p, grid, random, _, visible = visibleByRatio(p, grid)) {
        const scan = scanOf(grid);
        const hidden = new Uint8Array(tokenCount(grid)).fill(1);
        const { places } = all[p.keep] as Rule;
        for (const place of places(scan.length, visible, p.length, random)) {
          hidden[scan[place] as number] = 0;
        }
        return visibleFirst(hidden, scan);
      },
    }),
  );
}

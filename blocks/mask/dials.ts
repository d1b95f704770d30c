/**
 * What masks have in common besides their rule: over which axes they are drawn, in which units, and who shares one. A mask with dials
 * is asked for the lattice of its units; what it hides of them is spread to the tokens.
 */

import type { Random } from "../../graph/index.js";
import { type AxisName, liesInSpace } from "../arrays.js";
import type { ModelContext, Requirement } from "../block.js";
import { axes as axesParam, choice, optional, type Params, sides, type ValuesOf } from "../params.js";
import { axesText, boxText, countsOf, type Lattice, placeOf, tokenCount } from "../sets.js";
import { onViews } from "../view/index.js";
import type { Mask, VisibleCounts } from "./contract.js";
import { visibleFirst } from "./order.js";

const share = choice({
  default: "sample",
  options: {
    sample: "Each sample of a batch has its own.",
    batch: "All samples of a batch have the same.",
    views: "All views of a sample have the same, and each sample its own.",
  },
  doc: "Who shares a mask.",
});

export const dials = {
  along: optional(
    axesParam({
      doc: "Axes over which it is drawn, such as `[row, column]`; over the others it is repeated. If absent, all.",
    }),
  ),
  each: optional(
    axesParam({ doc: "Axes along which it is drawn anew at each place, such as `[lead]`. If absent, none." }),
  ),
  cell: optional(
    sides({ doc: "What is hidden together, in the units of the input, such as `32x32` pixels. If absent, a token." }),
  ),
  hidden: optional(
    choice({
      options: {
        drop: "Nothing: the encoder sees the visible tokens alone.",
        token: "A learned token, the same everywhere, with the position of the one that is hidden.",
        zero: "Zeros, with the position of the one that is hidden.",
      },
      doc: "What enters the encoder in place of hidden tokens. If absent, what the decoder asks for, which is nothing or a learned token.",
    }),
  ),
  share,
  on: onViews("Of a model that sees views of a sample, those that it lies over, such as `[first]`."),
};

type Dials = typeof dials;
type Values = Partial<ValuesOf<Dials>>;

const isPlain = ({ along, each, cell }: Values): boolean => !along && !each && !cell;

/** Whether the mask is drawn over an axis. */
const isDrawn = ({ along, each }: Values, name: AxisName): boolean =>
  (along?.includes(name) ?? true) && !each?.includes(name);

/** What a mask with these values is drawn on, and where each token is in it. */
interface Units {
  readonly lattice: Lattice;
  /** How often it is drawn for a sample. */
  readonly draws: number;
  /** Of each token, the draw and the unit within it. */
  readonly draw: Int32Array;
  readonly unit: Int32Array;
}

/** Along an axis: units, and tokens of one unit. */
const cutOf = ({ count, size }: Lattice[number], cell: number | undefined) => {
  const tokens = (cell ?? size) / size;
  return { count: count / tokens, size: size * tokens, tokens };
};

/** The axes of the tokens, cut into units. */
const cutAxes = (p: Values, grid: Lattice) => grid.map((axis, i) => ({ ...axis, ...cutOf(axis, p.cell?.[i]) }));

/** The axes over which it is drawn. They are all that a check asks for, which lists no tokens: there may be too many for any list. */
const drawnOn = (p: Values, grid: Lattice): Lattice =>
  isPlain(p)
    ? grid
    : cutAxes(p, grid)
        .filter(({ name }) => isDrawn(p, name))
        .map(({ name, count, size }) => ({ name, count, size }));

function measureUnits(p: Values, grid: Lattice): Units {
  const axes = cutAxes(p, grid);
  const anew = grid.filter(({ name }) => p.each?.includes(name));
  const [draw, unit] = [new Int32Array(tokenCount(grid)), new Int32Array(tokenCount(grid))];
  for (let token = 0; token < draw.length; token++) {
    for (const [i, place] of placeOf(grid, token).entries()) {
      const { name, count, tokens } = axes[i] as (typeof axes)[number];
      if (isDrawn(p, name)) unit[token] = (unit[token] as number) * count + Math.floor(place / tokens);
      else if (p.each?.includes(name)) {
        draw[token] = (draw[token] as number) * (grid[i] as Lattice[number]).count + place;
      }
    }
  }
  return { lattice: drawnOn(p, grid), draws: tokenCount(anew), draw, unit };
}

const known = new WeakMap<Lattice, Map<string, Units>>();

/** The units of a lattice, computed once for each. */
function units(p: Values, grid: Lattice): Units {
  const of = known.get(grid) ?? new Map<string, Units>();
  known.set(grid, of);
  const key = JSON.stringify([p.along, p.each, p.cell]);
  const found = of.get(key) ?? measureUnits(p, grid);
  of.set(key, found);
  return found;
}

/** Tokens that are visible for each unit that is. */
const tokensPerUnit = (p: Values, grid: Lattice): number =>
  isPlain(p) ? 1 : tokenCount(grid) / tokenCount(drawnOn(p, grid));

type Condition = Requirement<Dials, ModelContext>;

/** The first name that is no axis of the tokens. */
const unknownAxis = ({ along, each }: Values, grid: Lattice): string | undefined =>
  [...(along ?? []), ...(each ?? [])].find((name) => grid.every((axis) => axis.name !== name));

const axesThere: Condition = {
  name: "axes-there",
  at: "along",
  doc: "The axes that a mask names are axes of the tokens.",
  holds: (p, { grid }) => unknownAxis(p, grid) === undefined,
  say: (p, { grid }) => `the tokens have no axis \`${unknownAxis(p, grid)}\``,
  help: (_, { grid }) => `they have ${axesText(grid)}`,
};

const someAxis: Condition = {
  name: "some-axis",
  at: "along",
  doc: "A mask is drawn over at least one axis, and no axis is both in `along` and in `each`.",
  holds: (p, { grid }) =>
    unknownAxis(p, grid) !== undefined ||
    (grid.some(({ name }) => isDrawn(p, name)) && !p.each?.some((name) => p.along?.includes(name) ?? false)),
  say: (p) => {
    const both = p.each?.find((name) => p.along?.includes(name));
    return both === undefined
      ? "no axis is left over which it is drawn"
      : `\`${both}\` is in \`along\` and in \`each\``;
  },
  help: (p, { grid }) =>
    `leave one of ${axesText(grid)} out of \`each\`, and write in \`along\` what it is drawn over${p.along ? "" : ", or nothing"}`,
};

const cellFits: Condition = {
  name: "whole-tokens",
  at: "cell",
  doc: "A cell has a side for each axis, consists of whole tokens, and divides the input.",
  holds: ({ cell }, { grid }) =>
    !cell ||
    (cell.length === grid.length &&
      grid.every(
        ({ count, size }, i) => (cell[i] as number) % size === 0 && (count * size) % (cell[i] as number) === 0,
      )),
  say({ cell }, { grid }) {
    const written = (cell as readonly number[]).join("x");
    if (cell?.length !== grid.length)
      return `a cell of ${written} has ${cell?.length} sides, and the tokens ${grid.length} axes`;
    const whole = grid.every(({ size }, i) => (cell[i] as number) % size === 0);
    if (!whole) return `a cell of ${written} does not consist of whole tokens of ${boxText(grid)}`;
    return `cells of ${written} do not divide the input of ${grid.map(({ count, size }) => count * size).join("x")}`;
  },
  help(_, { grid }) {
    const double = grid.map(({ count, size }) => (count % 2 === 0 ? 2 * size : size));
    return `write a side for each of ${axesText(grid)}, each a multiple of the token's, such as ${double.join("x")}`;
  },
};

const hidesSo: Condition = {
  name: "hidden-as-it-can",
  at: "hidden",
  doc: "What enters in place of hidden cells is what an encoder of maps can take.",
  holds: ({ hidden }, { maps }) => !hidden || !maps || maps.hiding === hidden,
  say: ({ hidden }, { maps }) => `the encoder gives maps, into which \`${maps?.hiding}\` enters and not \`${hidden}\``,
  help: (_, { maps }) => `write \`hidden: ${maps?.hiding}\`, or nothing`,
};

/** The first dial that is written and speaks of axes. */
const dialOfAxes = (p: Values): "along" | "each" | "cell" | undefined =>
  (["along", "each", "cell"] as const).find((dial) => p[dial]);

const axesInOrder: Condition = {
  name: "axes-in-order",
  at: "along",
  doc: "Tokens that lie in space are hidden one by one: they have no axes along which they are in order.",
  holds: (p, { array }) => dialOfAxes(p) === undefined || !liesInSpace(array),
  say: (p) => `the tokens lie in space, in no order, and \`${dialOfAxes(p)}\` speaks of axes`,
  help: (p) => `remove \`${dialOfAxes(p)}\`, or use \`ball\`, which hides what is near in space`,
};

const own: readonly Requirement<Dials, ModelContext>[] = [axesInOrder, axesThere, someAxis, cellFits, hidesSo];

/** The dials among the values of a mask. */
const dialsOf = (p: object): ValuesOf<Dials> => p as ValuesOf<Dials>;

/** The condition, asked of the units where the dials are sound; where they are not, there is nothing to ask. */
function ofUnits<P extends Params>(condition: Requirement<P, ModelContext>): Requirement<P, ModelContext> {
  const seen = (p: Values, context: ModelContext): ModelContext =>
    isPlain(p) ? context : Object.create(context, { grid: { get: () => drawnOn(p, context.grid) } });
  const isSound = (p: ValuesOf<Dials>, context: ModelContext): boolean =>
    isPlain(p) || own.every((one) => one.holds(p, context));
  const { help } = condition;
  return {
    ...condition,
    holds: (p, context) => !isSound(dialsOf(p), context) || condition.holds(p, seen(dialsOf(p), context)),
    say: (p, context) => condition.say(p, seen(dialsOf(p), context)),
    ...(help ? { help: (p, context) => help.call(condition, p, seen(dialsOf(p), context)) } : {}),
  };
}

/** A sample's order where the mask is drawn for units. */
function spread<P extends Params>(
  rule: Mask<P>,
  p: ValuesOf<P>,
  grid: Lattice,
  random: Random,
  visible: number | undefined,
): Int32Array {
  const { lattice, draws, draw, unit } = units(dialsOf(p), grid);
  const seen = visible === undefined ? undefined : visible / tokensPerUnit(dialsOf(p), grid);
  const count = seen ?? rule.visible(p, lattice);
  const hidden = Array.from({ length: draws }, () => {
    const order = rule.sample(p, lattice, random, undefined, seen);
    const flags = new Uint8Array(order.length);
    for (const one of order.subarray(count)) flags[one] = 1;
    return flags;
  });
  return visibleFirst(Uint8Array.from(unit, (one, token) => hidden[draw[token] as number]?.[one] as number));
}

/** The mask with dials: its rule is asked for units, whatever the tokens are. */
export function withDials<const P extends Params>(mask: Mask<P>): Mask<P & Dials> {
  // A rule leaves alone what values there are besides its own.
  const rule = mask as unknown as Mask<P & Dials>;
  const { varies } = rule;
  return {
    ...rule,
    params: { ...mask.params, ...dials },
    requires: [...own, ...(mask.requires ?? []).map(ofUnits)],
    visible: (p, grid) => rule.visible(p, drawnOn(dialsOf(p), grid)) * tokensPerUnit(dialsOf(p), grid),
    ...(varies ? { varies: ofTokens(varies) } : {}),
    shared: (p) => dialsOf(p).share === "batch",
    alike: (p) => dialsOf(p).share === "views",
    hiding: (p) => dialsOf(p).hidden,
    on: (p) => dialsOf(p).on,
    sample: (p, grid, random, field, visible) =>
      isPlain(dialsOf(p)) ? rule.sample(p, grid, random, field, visible) : spread(rule, p, grid, random, visible),
  };
}

/** Numbers of visible tokens, from those of visible units. */
const ofTokens = <P extends Params>(varies: VisibleCounts<P>): VisibleCounts<P> => ({
  counts: (p, grid) =>
    varies.counts(p, drawnOn(dialsOf(p), grid)).map((count) => count * tokensPerUnit(dialsOf(p), grid)),
  count: (p, grid, progress, random) =>
    varies.count(p, drawnOn(dialsOf(p), grid), progress, random) * tokensPerUnit(dialsOf(p), grid),
});

/** A rule for rows and columns: what it is drawn over are two axes. */
export const twoAxes: Requirement<Params, ModelContext> = {
  name: "two-axes",
  at: null,
  doc: "It is drawn over two axes, along which tokens are in order.",
  holds: (_, { array, grid }) => grid.length === 2 && !liesInSpace(array),
  say: (_, { grid }) =>
    grid.length === 2
      ? "it runs through rows and columns, and the tokens lie in space, in no order"
      : `it runs through two axes, and is to be drawn over ${grid.length}: ${axesText(grid)}`,
  help(_, { grid }) {
    if (grid.length === 2) return "use `random`, or `ball`, which hides what is near in space";
    const last = grid.slice(-2).map(({ name }) => name);
    return grid.length > 2
      ? `name two of them, such as \`along: [${last.join(", ")}]\``
      : "use a mask for one axis, such as `random`";
  },
};

/** Its two counts: rows and columns, or whatever the two axes are. */
export const rowsAndColumns = (grid: Lattice): { readonly rows: number; readonly columns: number } => {
  const [rows = 1, columns = 1] = countsOf(grid);
  return { rows, columns };
};

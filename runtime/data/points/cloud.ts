/** One cloud as the array that a model reads: a file opened, points drawn from it, changed as the recipe says, and grouped. */

import {
  type ArrayShape,
  type AugmentStep,
  type CloudShape,
  groupedPoints,
  type Label,
  sidesText,
} from "../../../blocks/index.js";
import { invariant, type Random } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import { BrokenFile } from "../broken-file.js";
import { BrokenShape, pointsOf, type Shape } from "./shape.js";
import { pointNumbersIn, shapeIn } from "./shape-file.js";

type Kind = "sphere" | "scale" | "bend" | "shift" | "rotate";
type Step<K extends Kind> = Extract<AugmentStep, { readonly kind: K }>;
type Carry<K extends Kind> = (points: Float32Array, step: Step<K>) => void;

/** In place. */
const carries: { readonly [K in Kind]: Carry<K> } = {
  sphere: intoSphere,
  scale: (points, { by }) => each(points, (value, c) => value * (by[c] as number)),
  bend(points, { low, high }) {
    const least = [0, 1, 2].map((c) => axis(points, c).reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY));
    const most = [0, 1, 2].map((c) => axis(points, c).reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY));
    const sides = least.map((value, c) => (most[c] as number) - value);
    for (let at = 0; at < points.length; at += 3) {
      const shares = sides.map((side, c) =>
        side > 0 ? ((points[at + c] as number) - (least[c] as number)) / side : 0,
      );
      const [first, last] = [shares.reduce((part, share) => part * (1 - share), 1), shares.reduce((a, b) => a * b, 1)];
      for (const [c, side] of sides.entries()) {
        points[at + c] = (points[at + c] as number) + side * ((low[c] as number) * first + (high[c] as number) * last);
      }
    }
  },
  shift: (points, { by }) => each(points, (value, c) => value + (by[c] as number)),
  rotate(points, { matrix }) {
    for (let at = 0; at < points.length; at += 3) {
      const point = points.slice(at, at + 3);
      for (let row = 0; row < 3; row++) {
        points[at + row] = point.reduce((sum, value, c) => sum + value * (matrix[row * 3 + c] as number), 0);
      }
    }
  },
};

const isOfPoints = (step: AugmentStep): step is Step<Kind> => Object.hasOwn(carries, step.kind);

/** Carries out, in place, what changes points; gives whether anything does. */
export function changePoints(points: Float32Array, steps: readonly AugmentStep[]): boolean {
  const own = steps.filter(isOfPoints);
  for (const step of own) (carries[step.kind] as Carry<Kind>)(points, step);
  return own.length > 0;
}

const axis = (points: Float32Array, c: number): Float32Array => points.filter((_, at) => at % 3 === c);

function each(points: Float32Array, change: (value: number, axis: number) => number): void {
  for (let at = 0; at < points.length; at++) points[at] = change(points[at] as number, at % 3);
}

/** The mean of all points becomes 0, and the farthest one lies at 1. */
function intoSphere(points: Float32Array): void {
  const middle = [0, 0, 0];
  for (let at = 0; at < points.length; at++) middle[at % 3] = (middle[at % 3] as number) + (points[at] as number);
  each(points, (value, c) => value - ((middle[c] as number) * 3) / points.length);
  let farthest = 0;
  for (let at = 0; at < points.length; at += 3)
    farthest = Math.max(farthest, Math.hypot(...points.subarray(at, at + 3)));
  // Points that are all one stay there.
  if (farthest > 0) each(points, (value) => value / farthest);
}

/** How points are drawn: `isFixed`: of a cloud the same ones every time. */
export interface Drawing {
  readonly random: Random;
  readonly isFixed: boolean;
}

/** What enters a model of a shape, and which points of the cloud these are; null: they were drawn from a surface. */
export interface InSpace {
  readonly numbers: Float32Array;
  readonly taken: Int32Array | null;
}

/** A sample whose shape is drawn. */
export interface Drawn {
  readonly drawing: Drawing;
  /** Its class, or all that it has; null: none is known. */
  readonly label: Label | null;
}

/** A file of a shape, and what says something of each of its points: a property in it, or a file of its own; if absent, nothing. */
export interface ShapeFile {
  readonly path: string;
  readonly property?: string;
  readonly map?: string;
}

/** What enters a model of a file, and what is said of each point that was taken. */
export interface CloudPrepared extends InSpace {
  /** null: nothing says anything. Throws `BrokenFile` or `run/data`. */
  readonly said: (() => Promise<Float32Array>) | null;
}

/** [groups, points, 3], with all points behind the groups where a model reads them. Throws `BrokenFile`, `run/array-size`, `run/data` or `run/unreadable`. */
export async function cloudArray(
  file: ShapeFile,
  array: ArrayShape,
  steps: readonly AugmentStep[],
  drawn: Drawn,
): Promise<CloudPrepared> {
  const { path, property, map } = file;
  const shape = await shapeIn(path, property);
  try {
    const made = cloudOf(shape, array, steps, drawn, path);
    const all = shape.points.length / 3;
    const said = async (): Promise<Float32Array> => {
      const numbers = shape.numbers ?? (await pointNumbersIn(map as string));
      return takenOf(numbers, made.taken, { all, path, from: shape.numbers ? path : (map as string) });
    };
    return { ...made, said: shape.numbers || map !== undefined ? said : null };
  } catch (error) {
    throw error instanceof BrokenShape ? new BrokenFile(path, error.message) : error;
  }
}

/** As `cloudArray`; `what` is its name in messages. Throws `BrokenShape` for a surface that has no area. */
export function cloudOf(
  shape: Pick<Shape, "points" | "faces">,
  array: ArrayShape,
  steps: readonly AugmentStep[],
  { drawing: { random, isFixed }, label }: Drawn,
  what: string,
): InSpace {
  checkEnough(shape, array, what);
  const cloud = cloudIn(array);
  const { points, numbers } = pointsOf(shape, cloud.points, random, isFixed);
  changePoints(points, steps);
  const kind = cloud.classes === undefined ? null : classOf(label, cloud.classes, what);
  return { numbers: entering(points, array, kind), taken: numbers };
}

/** What is said of the points that were taken, of what is said of all. */
export function takenOf(
  numbers: ArrayLike<number>,
  taken: Int32Array | null,
  { all, path, from }: { readonly all: number; readonly path: string; readonly from: string },
): Float32Array {
  if (!taken) {
    throw new RunError("run/data", {
      what: `${path} is a surface, and what is said is of single points`,
      help: "Save clouds of points with a number for each: points drawn from a surface are others each time.",
    });
  }
  if (numbers.length === all) return Float32Array.from(taken, (k) => numbers[k] as number);
  throw new RunError("run/data", {
    what: `${path} has ${all} points, and ${from === path ? "says something" : `${from} has a number`} of ${numbers.length}`,
    help: "Save a number for each point, in the order of the points.",
  });
}

/** Groups of points, and behind them as many of all points, each with the number of the class where clouds bear it. */
function entering(points: Float32Array, array: ArrayShape, kind: number | null): Float32Array {
  const [groups, each] = array.axes.map(({ size }) => size) as [number, number];
  const { neighbours } = cloudIn(array);
  if (neighbours === undefined) return groupedPoints(points, groups, each);
  const own = groupedPoints(points, groups, neighbours);
  const behind = each - neighbours;
  const numbers = new Float32Array(groups * each * array.channels).fill(kind ?? 0);
  for (let group = 0; group < groups; group++) {
    for (let k = 0; k < each; k++) {
      const [from, at] = k < neighbours ? [own, group * neighbours + k] : [points, group * behind + k - neighbours];
      numbers.set(from.subarray(at * 3, at * 3 + 3), (group * each + k) * array.channels);
    }
  }
  return numbers;
}

/** Throws `run/data` for a cloud without a class, or of one that the model is not told of. */
function classOf(label: Label | null, classes: number, what: string): number {
  if (typeof label === "number" && label < classes) return label;
  throw new RunError("run/data", {
    what: `${what} ${typeof label === "number" ? `is of class ${label}` : label === null ? "has no class" : "has several classes"}`,
    why: `the model is told the class of each cloud, one of ${classes}`,
    help: "Use data with a label of each cloud, or change `classes` of the model's input.",
  });
}

function cloudIn({ cloud }: ArrayShape): CloudShape {
  invariant(cloud, "only arrays of points are made of shapes");
  return cloud;
}

/** Throws `run/array-size` for a cloud with fewer points than the model reads. */
function checkEnough({ points, faces }: Pick<Shape, "points" | "faces">, array: ArrayShape, what: string): void {
  const { points: count, repeats, neighbours = array.axes[1]?.size as number } = cloudIn(array);
  const [found, wanted] = [points.length / 3, repeats ? neighbours : count];
  if (faces || found >= wanted) return;
  const group = `a group has ${neighbours}, and each of its points stands in it once`;
  throw new RunError("run/array-size", {
    what: `${what} has ${found === 1 ? "1 point" : `${found} points`}, and the model reads ${wanted}`,
    why: repeats
      ? group
      : `${sidesText(array)} points are grouped of them, and a cloud of fewer points says less than that`,
    help: repeats
      ? "Save more points, or write fewer `neighbours` in the model's tokens."
      : `Save more points, or surfaces, from which as many are drawn as are asked for; or write \`points(count: ${found})\` in the model's input, or \`repeat: true\`, which takes points of smaller clouds several times.`,
  });
}

/** Looks whether the file is one that the model reads. Throws as `cloudArray`. */
export async function checkCloud(path: string, array: ArrayShape): Promise<void> {
  checkEnough(await shapeIn(path), array, path);
}

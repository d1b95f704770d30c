/** One cloud as the array that a model reads: a file opened, points drawn from it, changed as the recipe says, and grouped. */

import {
  type ArrayShape,
  type AugmentStep,
  type CloudShape,
  DataError,
  groupedPoints,
  npyValues,
  readNpyHeader,
  sidesText,
} from "../../../blocks/index.js";
import { invariant, type Random } from "../../../graph/index.js";
import { RunError, unreadable } from "../../run-error.js";
import { BrokenFile, bytesOfSample } from "../broken-file.js";
import { readPly } from "./ply.js";
import { BrokenShape, checkPoints, mostBytes, pointsOf, type Shape } from "./shape.js";
import { readObj, readOff, readRows } from "./text-files.js";

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

/** By the endings of their names. */
const readers: Readonly<Record<string, (bytes: Uint8Array, path: string) => Shape>> = {
  off: readOff,
  obj: readObj,
  ply: readPly,
  npy: readArray,
  txt: readRows,
  xyz: readRows,
  pts: readRows,
};

/** An array of NumPy of the shape (points, 3), or with more numbers behind the coordinates. */
function readArray(bytes: Uint8Array, path: string): Shape {
  const { type, shape, begin, size } = readNpyHeader(bytes, path, "float32 of shape (points, 3)");
  const [count = 0, each = 0] = shape;
  if (shape.length !== 2 || each < 3) {
    throw new BrokenShape(`it has the shape (${shape.join(", ")}), and a cloud is saved as (points, 3)`);
  }
  if (size !== bytes.length) {
    throw new BrokenShape(`its header says that it has ${size} bytes, and it has ${bytes.length}`);
  }
  const values = npyValues(type, bytes.subarray(begin));
  const at = (i: number): number => Number(values[Math.floor(i / 3) * each + (i % 3)]);
  return { points: Float32Array.from({ length: count * 3 }, (_, i) => at(i)), faces: null };
}

/** Throws `BrokenFile` or `run/unreadable`. */
export async function shapeIn(path: string): Promise<Shape> {
  const bytes = await bytesOfSample(path, mostBytes).catch((error: unknown) => {
    if (error instanceof BrokenFile) throw error;
    throw unreadable(path, "It was there when the run began. Put it back, or start again without it.", error);
  });
  try {
    if (bytes.length === 0) throw new BrokenShape("it is empty");
    const read = readers[/[^.]*$/.exec(path)?.[0]?.toLowerCase() ?? ""];
    invariant(read, "a folder lists only files that are read");
    const shape = read(bytes, path);
    checkPoints(shape);
    return shape;
  } catch (error) {
    if (error instanceof BrokenShape) throw new BrokenFile(path, error.message);
    if (error instanceof DataError) throw new BrokenFile(path, error.what);
    throw error;
  }
}

/** How points are drawn: `isFixed`: of a cloud the same ones every time. */
export interface Drawing {
  readonly random: Random;
  readonly isFixed: boolean;
}

/** [groups, points, 3]. Throws `BrokenFile`, `run/array-size` or `run/unreadable`. */
export async function cloudArray(
  path: string,
  array: ArrayShape,
  steps: readonly AugmentStep[],
  drawing: Drawing,
): Promise<Float32Array> {
  const shape = await shapeIn(path);
  try {
    return cloudOf(shape, array, steps, drawing, path);
  } catch (error) {
    throw error instanceof BrokenShape ? new BrokenFile(path, error.message) : error;
  }
}

/** As `cloudArray`; `what` is its name in messages. Throws `BrokenShape` for a surface that has no area. */
export function cloudOf(
  shape: Shape,
  array: ArrayShape,
  steps: readonly AugmentStep[],
  { random, isFixed }: Drawing,
  what: string,
): Float32Array {
  checkEnough(shape, array, what);
  const [groups, each] = array.axes.map(({ size }) => size) as [number, number];
  const points = pointsOf(shape, cloudIn(array).points, random, isFixed);
  changePoints(points, steps);
  return groupedPoints(points, groups, each);
}

function cloudIn({ cloud }: ArrayShape): CloudShape {
  invariant(cloud, "only arrays of points are made of shapes");
  return cloud;
}

/** Throws `run/array-size` for a cloud with fewer points than the model reads. */
function checkEnough({ points, faces }: Shape, array: ArrayShape, what: string): void {
  const { points: wanted } = cloudIn(array);
  const found = points.length / 3;
  if (faces || found >= wanted) return;
  throw new RunError("run/array-size", {
    what: `${what} has ${found === 1 ? "1 point" : `${found} points`}, and the model reads ${wanted}`,
    why: `${sidesText(array)} points are grouped of them, and a cloud of fewer points says less than that`,
    help: `Save more points, or surfaces, from which as many are drawn as are asked for, or write \`points(count: ${found})\` in the model's input.`,
  });
}

/** Looks whether the file is one that the model reads. Throws as `cloudArray`. */
export async function checkCloud(path: string, array: ArrayShape): Promise<void> {
  checkEnough(await shapeIn(path), array, path);
}

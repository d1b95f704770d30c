/** Files of shapes, by the endings of their names: their points and faces, and a number that they say of each point. */

import { counted, DataError, grouped, npyValues, readNpyHeader } from "../../../blocks/index.js";
import { invariant } from "../../../graph/index.js";
import { RunError, unreadable } from "../../run-error.js";
import { BrokenFile, bytesOfSample } from "../broken-file.js";
import { arrayInArchive } from "./npz.js";
import { readPly } from "./ply.js";
import { BrokenShape, checkPoints, mostBytes, NotSaid, type Shape } from "./shape.js";
import { readNumbers, readObj, readOff, readRows } from "./text-files.js";

type Read = (bytes: Uint8Array, property: string | null) => Shape | Promise<Shape>;

/** Names under which archives hold points. */
const pointNames = ["points", "xyz", "pos", "data", "arr_0"];

const readers: Readonly<Record<string, Read>> = {
  off: (bytes, property) => withoutProperties(readOff(bytes), property),
  obj: (bytes, property) => withoutProperties(readObj(bytes), property),
  ply: readPly,
  npy: readArray,
  async npz(bytes, property) {
    const { points } = readArray(await arrayInArchive(bytes, pointNames), null);
    if (property === null) return { points, faces: null, numbers: null };
    return { points, faces: null, numbers: numbersIn(await arrayInArchive(bytes, [property], NotSaid)) };
  },
  txt: readRowsOf,
  xyz: readRowsOf,
  pts: readRowsOf,
};

/** Files with a number for each point, and nothing else. */
const numberReaders: Readonly<Record<string, (bytes: Uint8Array) => Float32Array | Promise<Float32Array>>> = {
  npy: numbersIn,
  npz: async (bytes) => numbersIn(await arrayInArchive(bytes, ["labels", "label", "arr_0"])),
  seg: readNumbers,
  txt: readNumbers,
};

function withoutProperties(shape: Shape, property: string | null): Shape {
  if (property === null) return shape;
  throw new NotSaid(`files of its kind say nothing of single points, and \`${property}\` is asked for`);
}

/** The number of a column, from 1, that a property names. */
function columnOf(property: string, columns: number): number {
  const column = Number(property);
  if (Number.isInteger(column) && column > 3 && column <= columns) return column - 1;
  throw new NotSaid(
    `it has ${counted(columns, "column")}, of which the first three are coordinates, and column \`${property}\` is asked for`,
  );
}

function readRowsOf(bytes: Uint8Array, property: string | null): Shape {
  return readRows(bytes, property === null ? null : (columns) => columnOf(property, columns));
}

function headerOf(bytes: Uint8Array, wanted: string): ReturnType<typeof readNpyHeader> {
  const header = readNpyHeader(bytes, "it", wanted);
  if (header.size === bytes.length) return header;
  throw new BrokenShape(
    `its header says that it has ${grouped(header.size)} bytes, and it has ${grouped(bytes.length)}`,
  );
}

/** An array of NumPy of the shape (points, 3), or with more numbers behind the coordinates. */
function readArray(bytes: Uint8Array, property: string | null): Shape {
  const { type, shape, begin } = headerOf(bytes, "float32 of shape (points, 3)");
  const [count = 0, each = 0] = shape;
  if (shape.length !== 2 || each < 3) {
    throw new BrokenShape(`it has the shape (${shape.join(", ")}), and a cloud is saved as (points, 3)`);
  }
  const values = npyValues(type, bytes.subarray(begin));
  const at = (i: number): number => Number(values[Math.floor(i / 3) * each + (i % 3)]);
  const column = property === null ? null : columnOf(property, each);
  return {
    points: Float32Array.from({ length: count * 3 }, (_, i) => at(i)),
    faces: null,
    numbers: column === null ? null : Float32Array.from({ length: count }, (_, i) => Number(values[i * each + column])),
  };
}

/** An array of NumPy of the shape (points,) or (points, 1). */
function numbersIn(bytes: Uint8Array): Float32Array {
  const { type, shape, begin } = headerOf(bytes, "int32 of shape (points,)");
  if (shape.length !== 1 && !(shape.length === 2 && shape[1] === 1)) {
    throw new BrokenShape(`it has the shape (${shape.join(", ")}), and a number of each point is saved as (points,)`);
  }
  return Float32Array.from(npyValues(type, bytes.subarray(begin)) as ArrayLike<number>, Number);
}

const endingOf = (path: string): string => /[^.]*$/.exec(path)?.[0]?.toLowerCase() ?? "";

/** What a file says, with what is wrong in it told of the file. */
async function ofFile<T>(path: string, read: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  const bytes = await bytesOfSample(path, mostBytes).catch((error: unknown) => {
    if (error instanceof BrokenFile) throw error;
    throw unreadable(path, "It was there when the run began. Put it back, or start again without it.", error);
  });
  try {
    if (bytes.length === 0) throw new BrokenShape("it is empty");
    return await read(bytes);
  } catch (error) {
    if (error instanceof BrokenShape) throw new BrokenFile(path, error.message);
    if (error instanceof NotSaid) {
      throw new RunError("run/data", {
        what: `${path} does not say what is asked for: ${error.message}`,
        help: "Write in the recipe's data what of its files says something of each point, or name files of their own with `maps`.",
      });
    }
    if (error instanceof DataError) throw new BrokenFile(path, `${error.what}. ${error.help.replace(/\.$/, "")}`);
    throw error;
  }
}

/** `property`: what the file is to say of each point. Throws `BrokenFile` or `run/unreadable`. */
export const shapeIn = (path: string, property: string | null = null): Promise<Shape> =>
  ofFile(path, async (bytes) => {
    const read = readers[endingOf(path)];
    invariant(read, "a folder lists only files that are read");
    const shape = await read(bytes, property);
    checkPoints(shape);
    return shape;
  });

/** A number of each point, in a file of its own. Throws as `shapeIn`. */
export const pointNumbersIn = (path: string): Promise<Float32Array> =>
  ofFile(path, async (bytes) => {
    const read = numberReaders[endingOf(path)];
    if (read) return read(bytes);
    throw new BrokenShape("it is no .npy, .npz, .seg or .txt file with a number for each point");
  });

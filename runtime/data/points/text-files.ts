/** Shapes in files of text, line by line: OFF, OBJ, and points as rows of numbers. */

import { grouped } from "../../../blocks/index.js";
import { BrokenShape, checkCount, Growing, pushFace, type Shape } from "./shape.js";

/** Bytes of a line. */
const longestLine = 2 ** 16;
/** What a message repeats of a file. */
const shown = 40;

/** The lines of a text that say something, in words; what follows `#` does not. */
export class Lines {
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder("latin1");
  #at: number;
  #number: number;

  constructor(bytes: Uint8Array, begin = 0) {
    this.#bytes = bytes;
    this.#at = begin;
    this.#number = bytes.subarray(0, begin).reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0);
  }

  /** Bytes that follow. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Where the last line stands, for messages. */
  get where(): string {
    return `line ${grouped(this.#number)}`;
  }

  /** null: the text has ended. Throws `BrokenShape` for a line that is none. */
  next(): readonly string[] | null {
    while (this.left > 0) {
      const found = this.#bytes.indexOf(10, this.#at);
      const end = found < 0 ? this.#bytes.length : found;
      if (end - this.#at > longestLine) throw new BrokenShape("it is no text of lines, or its lines are too long");
      const line = this.#decoder.decode(this.#bytes.subarray(this.#at, end));
      this.#at = Math.min(this.#bytes.length, end + 1);
      this.#number++;
      const words = line.replace(/#.*/, "").trim();
      if (words !== "") return words.split(/[\s,;]+/);
    }
    return null;
  }
}

/** Three coordinates at the beginning of some words. */
function coordinates(words: readonly string[], where: string): readonly number[] {
  const values = words.slice(0, 3).map(Number);
  if (values.length < 3 || values.some(Number.isNaN)) {
    const text = words.join(" ").slice(0, shown);
    // A coordinate may be written as what is no number: that is said of the point.
    if (words.length >= 3 && words.slice(0, 3).every((word) => /^[-+]?(nan|inf|infinity|[\d.e+-]+)$/i.test(word))) {
      throw new BrokenShape(`${where} has the point \`${text}\`, and coordinates are finite numbers`);
    }
    throw new BrokenShape(`${where} is \`${text}\`, where a point has three coordinates`);
  }
  return values;
}

/** OFF, also with colours and normals behind the coordinates. The counts may stand right behind the first word, as in ModelNet. */
export function readOff(bytes: Uint8Array): Shape {
  const lines = new Lines(bytes);
  const first = lines.next() ?? [];
  const [, kind = "", glued = ""] = /^((?:ST|C|N|4)*OFF)(.*)$/.exec(first[0] ?? "") ?? [];
  if (kind === "" || kind.includes("4") || first[1]?.toUpperCase() === "BINARY") {
    throw new BrokenShape("it is no OFF file of text, which begins with OFF");
  }
  const behind = [...(glued === "" ? [] : [glued]), ...first.slice(1)];
  const counts = behind.length > 0 ? behind : lines.next();
  if (counts === null) throw new BrokenShape("it is cut off behind its first line");
  const [pointCount = Number.NaN, faceCount = Number.NaN] = counts.map(Number);
  if (Number.isNaN(pointCount) || Number.isNaN(faceCount)) {
    const text = counts.join(" ").slice(0, shown);
    throw new BrokenShape(`${lines.where} is \`${text}\`, where the numbers of vertices, faces and edges stand`);
  }
  // Three numbers with what stands between them; a face has as many and one more.
  checkCount(pointCount, "vertices", lines.left, 5);
  checkCount(faceCount, "faces", lines.left, 7);
  const points = new Float32Array(pointCount * 3);
  for (let i = 0; i < pointCount; i++) {
    points.set(coordinates(lines.next() ?? cutOff(i, pointCount, "vertices"), lines.where), i * 3);
  }
  const faces = new Growing((length) => new Int32Array(length));
  for (let i = 0; i < faceCount; i++) {
    const words = lines.next() ?? cutOff(i, faceCount, "faces");
    const corners = Number(words[0]);
    if (!Number.isInteger(corners) || corners < 1 || words.length < corners + 1) {
      throw new BrokenShape(`${lines.where} is \`${words.join(" ").slice(0, shown)}\`, where a face names its corners`);
    }
    pushFace(faces, words.slice(1, corners + 1).map(Number), pointCount);
  }
  return { points, faces: faces.length > 0 ? faces.all() : null, numbers: null };
}

function cutOff(found: number, said: number, what: string): never {
  throw new BrokenShape(`it is cut off: it says that it has ${grouped(said)} ${what}, and ${grouped(found)} are there`);
}

/** OBJ: its points and faces; of all else, such as materials, nothing. */
export function readObj(bytes: Uint8Array): Shape {
  const lines = new Lines(bytes);
  const points = new Growing((length) => new Float32Array(length));
  const faces = new Growing((length) => new Int32Array(length));
  for (let words = lines.next(); words !== null; words = lines.next()) {
    const [keyword, ...others] = words;
    if (keyword === "v") points.push(...coordinates(others, lines.where));
    if (keyword !== "f") continue;
    const known = points.length / 3;
    // From 1 on, or from the last one backwards.
    const corners = others.map((word) => {
      const number = Number(word.split("/")[0]);
      return number < 0 ? known + number : number - 1;
    });
    if (corners.length < 3 || others.some((word) => !/^-?[1-9]\d*(\/|$)/.test(word))) {
      throw new BrokenShape(`${lines.where} is \`${words.join(" ").slice(0, shown)}\`, where a face names its corners`);
    }
    pushFace(faces, corners, known);
  }
  if (points.length === 0) throw new BrokenShape("it is no OBJ file with points, whose lines begin with v");
  return { points: points.all(), faces: faces.length > 0 ? faces.all() : null, numbers: null };
}

/**
 * A point in each line: its coordinates, and behind them what is not read, such as a normal. `columnOf`: of lines with so many columns the one
 * that is read beside the coordinates; null: none is.
 */
export function readRows(bytes: Uint8Array, columnOf: ((columns: number) => number) | null): Shape {
  const lines = new Lines(bytes);
  const points = new Growing((length) => new Float32Array(length));
  const numbers = new Growing((length) => new Float32Array(length));
  for (let words = lines.next(); words !== null; words = lines.next()) {
    points.push(...coordinates(words, lines.where));
    if (columnOf) numbers.push(numberIn(words[columnOf(words.length)] as string, lines.where));
  }
  return { points: points.all(), faces: null, numbers: columnOf ? numbers.all() : null };
}

function numberIn(word: string, where: string): number {
  const value = Number(word);
  if (Number.isNaN(value)) throw new BrokenShape(`${where} has \`${word.slice(0, shown)}\`, where a number is`);
  return value;
}

/** A number in each line. */
export function readNumbers(bytes: Uint8Array): Float32Array {
  const lines = new Lines(bytes);
  const numbers = new Growing((length) => new Float32Array(length));
  for (let words = lines.next(); words !== null; words = lines.next()) {
    if (words.length > 1) throw new BrokenShape(`${lines.where} has ${words.length} words, where one number is`);
    numbers.push(numberIn(words[0] as string, lines.where));
  }
  return numbers.all();
}

/** Shapes in PLY files, of text and binary in both byte orders: elements with properties, as their header declares them. */

import { grouped } from "../../../blocks/index.js";
import { BrokenShape, checkCount, Growing, NotSaid, pushFace, type Shape } from "./shape.js";
import { Lines } from "./text-files.js";

/** Bytes of a header. */
const longestHeader = 2 ** 16;

interface Type {
  readonly bytes: number;
  readonly read: (view: DataView, at: number, little: boolean) => number;
}

const int8: Type = { bytes: 1, read: (view, at) => view.getInt8(at) };
const uint8: Type = { bytes: 1, read: (view, at) => view.getUint8(at) };
const int16: Type = { bytes: 2, read: (view, at, little) => view.getInt16(at, little) };
const uint16: Type = { bytes: 2, read: (view, at, little) => view.getUint16(at, little) };
const int32: Type = { bytes: 4, read: (view, at, little) => view.getInt32(at, little) };
const uint32: Type = { bytes: 4, read: (view, at, little) => view.getUint32(at, little) };
const float32: Type = { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) };
const float64: Type = { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) };

const types: Readonly<Record<string, Type>> = {
  ...{ char: int8, int8, uchar: uint8, uint8, short: int16, int16, ushort: uint16, uint16 },
  ...{ int: int32, int32, uint: uint32, uint32, float: float32, float32, double: float64, float64 },
};

interface Property {
  readonly name: string;
  readonly type: Type;
  /** Of how many numbers there are, of a list; null: there is one. */
  readonly count: Type | null;
}

interface Element {
  readonly name: string;
  readonly count: number;
  readonly properties: Property[];
}

interface Header {
  readonly format: "ascii" | "binary_little_endian" | "binary_big_endian";
  readonly elements: readonly Element[];
  /** Where the elements begin. */
  readonly begin: number;
}

function readHeader(bytes: Uint8Array): Header {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, longestHeader));
  const end = /^end_header[ \t]*\r?\n/m.exec(text);
  if (!/^ply\s/.test(text) || !end) throw new BrokenShape("it is no PLY file with a whole header");
  const elements: Element[] = [];
  let format: string | null = null;
  for (const line of text.slice(0, end.index).split(/\r?\n/).slice(1)) {
    const [keyword = "", ...words] = line.trim().split(/\s+/);
    if (keyword === "format") [format = null] = words;
    else if (keyword === "element") elements.push({ name: words[0] ?? "", count: Number(words[1]), properties: [] });
    else if (keyword === "property") elements.at(-1)?.properties.push(propertyOf(words));
    else if (!["comment", "obj_info", ""].includes(keyword)) {
      throw new BrokenShape(`its header has the line \`${line.trim().slice(0, 40)}\`, which PLY does not have`);
    }
  }
  if (format !== "ascii" && format !== "binary_little_endian" && format !== "binary_big_endian") {
    throw new BrokenShape(`its header names the format \`${(format ?? "").slice(0, 40)}\`, which PLY does not have`);
  }
  return { format, elements, begin: end.index + end[0].length };
}

function propertyOf(words: readonly string[]): Property {
  const isList = words[0] === "list";
  const [typeName = "", name = ""] = isList ? words.slice(2) : words;
  const type = Object.hasOwn(types, typeName) ? types[typeName] : undefined;
  const count = isList && Object.hasOwn(types, words[1] ?? "") ? (types[words[1] as string] ?? null) : null;
  if (!type || (isList && !count)) {
    throw new BrokenShape(
      `its header has a property of type \`${words.join(" ").slice(0, 40)}\`, which PLY does not have`,
    );
  }
  return { name, type, count };
}

/** Hands out the numbers of elements in their order. */
interface Numbers {
  /** Called before each element. */
  readonly begin: () => void;
  readonly read: (type: Type) => number;
}

function textNumbers(lines: Lines): Numbers {
  let [words, at]: [readonly string[], number] = [[], 0];
  return {
    begin() {
      const line = lines.next();
      if (line === null) throw cutOff();
      [words, at] = [line, 0];
    },
    read() {
      const word = words[at++];
      if (word === undefined) throw new BrokenShape(`${lines.where} has fewer numbers than its header says`);
      const value = Number(word);
      // A coordinate may be written as what is no number: that is said of the point.
      if (!Number.isNaN(value) || /^[-+]?(nan|inf|infinity)$/i.test(word)) return value;
      throw new BrokenShape(`${lines.where} has \`${word.slice(0, 40)}\`, where a number is`);
    },
  };
}

function binaryNumbers(bytes: Uint8Array, begin: number, little: boolean): Numbers {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = begin;
  return {
    begin() {},
    read({ bytes: width, read }) {
      if (at + width > view.byteLength) throw cutOff();
      const value = read(view, at, little);
      at += width;
      return value;
    },
  };
}

const cutOff = (): BrokenShape => new BrokenShape("it is cut off: fewer elements follow than its header says");

/** Numbers of a list: of what is no face, of any use or none. */
const longestList = 2 ** 16;

/** The properties of the next element. */
function elementOf({ properties }: Element, numbers: Numbers): ReadonlyMap<string, readonly number[]> {
  numbers.begin();
  return new Map(
    properties.map(({ name, type, count }) => {
      const length = count ? numbers.read(count) : 1;
      if (!Number.isInteger(length) || length < 0 || length > longestList) {
        throw new BrokenShape(`a list of it has ${grouped(length)} numbers`);
      }
      return [name, Array.from({ length }, () => numbers.read(type))];
    }),
  );
}

/** `property`: what is read of each point besides its coordinates; null: nothing is. */
export function readPly(bytes: Uint8Array, property: string | null): Shape {
  const { format, elements, begin } = readHeader(bytes);
  const isText = format === "ascii";
  const numbers = isText
    ? textNumbers(new Lines(bytes, begin))
    : binaryNumbers(bytes, begin, format === "binary_little_endian");
  const points = new Growing((length) => new Float32Array(length));
  const faces = new Growing((length) => new Int32Array(length));
  const said = new Growing((length) => new Float32Array(length));
  for (const element of elements) {
    const { name, count, properties } = element;
    const least = properties.reduce((sum, property) => sum + (property.count ?? property.type).bytes, 0);
    const what = `elements \`${name.slice(0, 40)}\``;
    // Of text each number has a digit and what parts it from the next; behind the last one there may be nothing.
    if (isText) checkCount(count, what, bytes.length - begin + 1, 2 * properties.length);
    else checkCount(count, what, bytes.length - begin, least);
    if (properties.length === 0 && count > 0)
      throw new BrokenShape(`its elements \`${name.slice(0, 40)}\` have no properties`);
    if (name === "vertex" && !["x", "y", "z"].every((axis) => properties.some((property) => property.name === axis))) {
      throw new BrokenShape("its points have no coordinates x, y and z");
    }
    if (name === "vertex" && property !== null) checkProperty(properties, property);
    for (let i = 0; i < count; i++) {
      const values = elementOf(element, numbers);
      if (name === "vertex") points.push(...["x", "y", "z"].map((axis) => values.get(axis)?.[0] ?? Number.NaN));
      if (name === "vertex" && property !== null) said.push(values.get(property)?.[0] ?? Number.NaN);
      const corners = name === "face" ? (values.get("vertex_indices") ?? values.get("vertex_index")) : undefined;
      if (corners) pushFace(faces, corners, points.length / 3);
    }
  }
  if (points.length === 0) throw new BrokenShape("it has no elements `vertex` before its faces, or none at all");
  return {
    points: points.all(),
    faces: faces.length > 0 ? faces.all() : null,
    numbers: property === null ? null : said.all(),
  };
}

/** Properties that a message repeats. */
const shown = 12;

function checkProperty(properties: readonly Property[], wanted: string): void {
  if (properties.some(({ name, count }) => name === wanted && count === null)) return;
  const there = properties.slice(0, shown).map(({ name }) => `\`${name.slice(0, 40)}\``);
  throw new NotSaid(`its points have no number \`${wanted}\`; they have ${there.join(", ")}`);
}

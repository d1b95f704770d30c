/** The messages of onnx.proto3 that a model consists of, encoded; field numbers are its own. Knows nothing of how a model is made. */

import { type Field, float, integer, integers, join, lengthOf, message, opening, text } from "../protobuf.js";

export type ElementType = "float32" | "int32" | "int64" | "bool";

/** TensorProto.DataType */
/** The numbers by which ONNX knows types of elements. */
export const dataTypes: { readonly [T in ElementType]: number } = { float32: 1, int32: 6, int64: 7, bool: 9 };

export type AttributeValue =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "word"; readonly value: string };

export const int = (value: number): AttributeValue => ({ kind: "int", value });
export const real = (value: number): AttributeValue => ({ kind: "float", value });
export const ints = (value: readonly number[]): AttributeValue => ({ kind: "ints", value });
export const word = (value: string): AttributeValue => ({ kind: "word", value });

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A value and its AttributeProto.AttributeType. */
function typed({ kind, value }: AttributeValue): readonly Field[] {
  switch (kind) {
    case "int":
      return [integer(3, value), integer(20, 2)];
    case "float":
      return [float(2, value), integer(20, 1)];
    case "ints":
      return [integers(8, value), integer(20, 7)];
    case "word":
      return [text(4, value), integer(20, 3)];
  }
}

const attribute = (name: string, value: AttributeValue): Field => message(5, [text(1, name), ...typed(value)]);

export interface NodeParts {
  readonly type: string;
  readonly name: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly attributes: Attributes;
  /** "": ONNX's own. */
  readonly domain: string;
}

export const node = ({ type, name, from, to, attributes, domain }: NodeParts): Field =>
  message(1, [
    ...from.map((input) => text(1, input)),
    ...to.map((output) => text(2, output)),
    text(3, name),
    text(4, type),
    ...Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    ...(domain === "" ? [] : [text(7, domain)]),
  ]);

/** A size of a shape: a number, the name of one that is known when the model runs, or null without a name. */
export type Size = number | string | null;

function dimension(size: Size): Field {
  if (size === null) return message(1, []);
  return message(1, [typeof size === "number" ? integer(1, size) : text(2, size)]);
}

/** An input or an output of the model. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Size[];
  readonly doc: string;
}

export const port = (side: "input" | "output", { name, type, shape, doc }: Port): Field =>
  message(side === "input" ? 11 : 12, [
    text(1, name),
    message(2, [message(1, [integer(1, dataTypes[type]), message(2, shape.map(dimension))])]),
    ...(doc === "" ? [] : [text(3, doc)]),
  ]);

/** A tensor that is part of the model. */
export interface ModelTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly raw: Uint8Array;
}

const head = ({ name, type, shape }: ModelTensor): Field[] => [
  integers(1, shape),
  integer(2, dataTypes[type]),
  text(8, name),
];

/** In pieces, the last of them the tensor's own memory. */
export function heldInside(held: ModelTensor): readonly Uint8Array[] {
  const before = join([...head(held), opening(9, held.raw.length)]);
  return [opening(5, before.length + held.raw.length), before, held.raw];
}

const entry = (field: number, key: string, value: string): Field => message(field, [text(1, key), text(2, value)]);

/** The same where its bytes are in a file beside the model's. */
export const heldBeside = (held: ModelTensor, location: string, offset: number): Field =>
  message(5, [
    ...head(held),
    entry(13, "location", location),
    entry(13, "offset", String(offset)),
    entry(13, "length", String(held.raw.length)),
    integer(14, 1),
  ]);

/** What a model says of itself. */
export interface About {
  /** Version of this package. */
  readonly version: string;
  readonly doc: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Domain of the operators that onnxruntime adds. */
export const MICROSOFT = "com.microsoft";
/** Domain of its operators on blocked tensors, which its own passes use. */
export const NCHWC = "com.microsoft.nchwc";

/** ONNX versions: IR 9 came with opset 20, of which we use operators that are the same since 18, and Gelu. */
const IR_VERSION = 9;
export const OPSET = 20;

/** A whole model, in pieces, around those of its graph. */
export function modelPieces(
  graph: readonly Uint8Array[],
  domains: readonly string[],
  about: About | null,
): readonly Uint8Array[] {
  const name = text(2, "graph");
  return [
    integer(1, IR_VERSION),
    text(2, "maelang"),
    ...(about === null ? [] : [text(3, about.version), text(6, about.doc)]),
    opening(7, name.length + lengthOf(graph)),
    name,
    ...graph,
    message(8, [text(1, ""), integer(2, OPSET)]),
    ...domains.map((domain) => message(8, [text(1, domain), integer(2, 1)])),
    ...Object.entries(about?.metadata ?? {}).map(([key, value]) => entry(14, key, value)),
  ];
}

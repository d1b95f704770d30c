/**
 * An ONNX model under construction: nodes, constants, inputs and outputs, and its bytes. Knows nothing of our graphs.
 */

import { type Field, join, lengthOf } from "../protobuf.js";
import {
  type About,
  type Attributes,
  type ElementType,
  heldBeside,
  heldInside,
  type ModelTensor,
  modelPieces,
  port,
} from "./fields.js";
import { createNodes, type NodeList } from "./node-list.js";
import { type OpenSize, type Sizing, sizing } from "./open-size.js";

export interface ModelOptions {
  /** Only what ONNX defines, for any tool; if absent, what onnxruntime takes, in the order in which it should compute. */
  readonly standard?: boolean;
  /** Numbers of a block in onnxruntime's own layout, where the model may use it. */
  readonly block?: number | null;
  readonly open?: OpenSize;
}

export interface FileOptions {
  readonly about: About;
  /** A model of more bytes than this keeps its weights in a file beside it. */
  readonly largest: number;
  /** The name of that file, which holds these pieces. */
  readonly beside: (pieces: readonly Uint8Array[]) => string;
}

/** Bytes in pieces, to be written one after the other. */
export interface ModelFile {
  readonly model: readonly Uint8Array[];
  /** The file beside it; null: there is none. */
  readonly data: { readonly name: string; readonly pieces: readonly Uint8Array[] } | null;
}

export interface OnnxModel extends Pick<NodeList, "within" | "op">, Pick<Sizing, "isOpen" | "sizes"> {
  readonly standard: boolean;
  /** Numbers of a block in onnxruntime's own layout; null: the model does without it. */
  readonly block: number | null;
  /** Adds a node with several outputs; those not wanted are left out. */
  ops(type: string, inputs: readonly string[], wanted: readonly boolean[], attributes?: Attributes): readonly string[];
  /** A constant; equal small ones are shared. */
  constant(type: ElementType, data: ArrayBufferView, shape: readonly number[]): string;
  /** float32 [1, count]; one tensor for each count. */
  ones(count: number): string;
  /** A constant under a name of its own, whose memory is not copied. */
  weight(name: string, type: ElementType, data: ArrayBufferView, shape: readonly number[]): void;
  /** The same tensor under a name of its own. */
  named(from: string, name: string): void;
  /** Has a tensor computed where the model stands now, not when its first reader is. */
  early(name: string, shape: readonly number[]): void;
  input(name: string, type: ElementType, shape: readonly number[], doc?: string): void;
  output(name: string, type: ElementType, shape: readonly number[], doc?: string): void;
  encode(): Uint8Array;
  file(options: FileOptions): ModelFile;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** Weights smaller than this stay in the model. */
const smallestBeside = 1024;
/** Where tensors of the file beside begin: multiples of this can be mapped into memory on every system. */
const alignment = 65_536;

/** Weights as fields that say where they are, and the file that they are in. */
function laidBeside(weights: readonly ModelTensor[], nameOf: FileOptions["beside"]) {
  const pieces: Uint8Array[] = [];
  const starts = new Map<ModelTensor, number>();
  let end = 0;
  for (const weight of weights) {
    if (weight.raw.length < smallestBeside) continue;
    const start = Math.ceil(end / alignment) * alignment;
    if (start > end) pieces.push(new Uint8Array(start - end));
    starts.set(weight, start);
    pieces.push(weight.raw);
    end = start + weight.raw.length;
  }
  const name = nameOf(pieces);
  const fields = weights.flatMap((weight): Field[] => {
    const start = starts.get(weight);
    return start === undefined ? [...heldInside(weight)] : [heldBeside(weight, name, start)];
  });
  return { fields, data: { name, pieces } };
}

/** Constants of a model; equal small ones are one. */
function createConstants(fresh: () => string) {
  const fields: Field[] = [];
  const shared = new Map<string, string>();
  const constant: OnnxModel["constant"] = (type, data, shape) => {
    const raw = bytesOf(data);
    const key = raw.length <= 64 ? `${type} ${shape} ${raw}` : null;
    const known = key === null ? undefined : shared.get(key);
    if (known !== undefined) return known;
    const name = fresh();
    if (key !== null) shared.set(key, name);
    fields.push(join(heldInside({ name, type, shape, raw })));
    return name;
  };
  const whole = (values: readonly number[]): string =>
    constant("int64", BigInt64Array.from(values, BigInt), [values.length]);
  return { fields, constant, whole };
}

export function createModel({ standard = false, block = null, open }: ModelOptions = {}): OnnxModel {
  const { fresh, reserve, within, add, op, ...nodes } = createNodes();
  const { fields: constants, constant, whole } = createConstants(fresh);
  const { isOpen, sizes, shown } = sizing(open, op, whole);
  const weights: ModelTensor[] = [];
  const ones = new Map<number, string>();
  const ports: Field[] = [];

  const pieces = (held: readonly Uint8Array[], about: About | null): readonly Uint8Array[] => {
    const ordered = standard ? nodes.inOrder() : nodes.gradientsFirst();
    return modelPieces([...ordered, ...constants, ...held, ...ports], nodes.domains(), about);
  };

  return {
    ...{ standard, block, within, op, constant, sizes, isOpen },
    ops(type, from, wanted, attributes) {
      const to = wanted.map((used) => (used ? fresh() : ""));
      add(type, from, to, attributes);
      return to;
    },
    // Spread out by onnxruntime when it loads the model.
    ones(count) {
      const name = ones.get(count) ?? op("Expand", [constant("float32", Float32Array.of(1), []), sizes([1, count])]);
      ones.set(count, name);
      return name;
    },
    weight(name, type, data, shape) {
      reserve(name);
      weights.push({ name, type, shape, raw: bytesOf(data) });
    },
    named(from, name) {
      reserve(name);
      add("Identity", [from], [name]);
    },
    // A result of one element, which nobody fetches: a node that no other reads, in the order of the calls.
    early(name, shape) {
      if (shape.length === 0) return;
      const ends = (value: number): string => whole(shape.map(() => value));
      const corner = op("Slice", [name, ends(0), ends(1)]);
      ports.push(port("output", { name: corner, type: "float32", shape: shape.map(() => 1), doc: "" }));
    },
    input(name, type, shape, doc = "") {
      reserve(name);
      ports.push(port("input", { name, type, shape: shown(shape), doc }));
    },
    output: (name, type, shape, doc = "") => void ports.push(port("output", { name, type, shape: shown(shape), doc })),
    encode: () => join(pieces(weights.flatMap(heldInside), null)),
    file({ about, largest, beside }) {
      const model = pieces(weights.flatMap(heldInside), about);
      if (lengthOf(model) <= largest) return { model, data: null };
      const { fields, data } = laidBeside(weights, beside);
      return { model: pieces(fields, about), data };
    },
  };
}

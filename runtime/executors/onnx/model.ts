/**
 * An ONNX model under construction: nodes, constants, inputs and outputs, and its bytes. Field numbers are those of
 * onnx.proto3. Knows nothing of our graphs.
 */

import { bytes, type Field, float, integer, integers, join, message, text } from "./protobuf.js";

export type ElementType = "float32" | "int32" | "int64" | "bool";

/** TensorProto.DataType */
const dataTypes: { readonly [T in ElementType]: number } = { float32: 1, int32: 6, int64: 7, bool: 9 };

export type AttributeValue =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] };

export const int = (value: number): AttributeValue => ({ kind: "int", value });
export const real = (value: number): AttributeValue => ({ kind: "float", value });
export const ints = (value: readonly number[]): AttributeValue => ({ kind: "ints", value });

type Attributes = Readonly<Record<string, AttributeValue>>;

/** Element type of an attribute that holds a list of tensors, an int, a float: AttributeProto.AttributeType. */
function attribute(name: string, { kind, value }: AttributeValue): Field {
  const typed =
    kind === "int"
      ? [integer(3, value), integer(20, 2)]
      : kind === "float"
        ? [float(2, value), integer(20, 1)]
        : [integers(8, value), integer(20, 7)];
  return message(5, [text(1, name), ...typed]);
}

const valueInfo = (field: number, name: string, type: ElementType, shape: readonly number[]): Field =>
  message(field, [
    text(1, name),
    message(2, [
      message(1, [
        integer(1, dataTypes[type]),
        message(
          2,
          shape.map((size) => message(1, [integer(1, size)])),
        ),
      ]),
    ]),
  ]);

/** Domain of the operators that onnxruntime adds. */
export const MICROSOFT = "com.microsoft";

/** ONNX versions: IR 9 came with opset 20, of which we use operators that are the same since 18. */
const IR_VERSION = 9;
const OPSET = 20;

export interface OnnxModel {
  /** Nodes added from now on are named after it; profiles and errors of onnxruntime show the name. */
  within(scope: string): void;
  /** Adds a node with one output and gives the output's name. */
  op(type: string, inputs: readonly string[], attributes?: Attributes, domain?: string): string;
  /** Adds a node with several outputs; those not wanted are left out. */
  ops(type: string, inputs: readonly string[], wanted: readonly boolean[], attributes?: Attributes): readonly string[];
  /** A constant; equal small ones are shared. */
  constant(type: ElementType, data: ArrayBufferView, shape: readonly number[]): string;
  /** Has a tensor computed where the model stands now, not when its first reader is. */
  early(name: string, shape: readonly number[]): void;
  input(name: string, type: ElementType, shape: readonly number[]): void;
  output(name: string, type: ElementType, shape: readonly number[]): void;
  encode(): Uint8Array;
}

export function createModel(): OnnxModel {
  const nodes: { readonly to: readonly string[]; readonly encoded: Field }[] = [];
  const read = new Set<string>();
  const constants: Field[] = [];
  const inputs: Field[] = [];
  const outputs: Field[] = [];
  const shared = new Map<string, string>();
  let names = 0;
  let scope = "";
  const fresh = (): string => `t${names++}`;

  const add = (
    type: string,
    from: readonly string[],
    to: readonly string[],
    attributes: Attributes,
    domain: string,
  ): void => {
    for (const name of from) read.add(name);
    const encoded = message(1, [
      ...from.map((name) => text(1, name)),
      ...to.map((name) => text(2, name)),
      text(3, `${scope}/${to.find((name) => name !== "")}`),
      text(4, type),
      ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      ...(domain === "" ? [] : [text(7, domain)]),
    ]);
    nodes.push({ to, encoded });
  };

  /**
   * onnxruntime starts from the nodes whose outputs no other reads, the last of them first, and computes what each needs
   * and nothing else before it goes to the next. So they are put in front of the others in reverse: then each gradient of
   * a weight is computed as soon as it can be, and what it was computed from is free. In the order of the calls all of
   * them would come after the whole backward pass, with every activation and its gradient held until then.
   */
  const inOrder = (): Field[] => {
    const isLast = ({ to }: { readonly to: readonly string[] }): boolean => !to.some((name) => read.has(name));
    const [last, others] = [nodes.filter(isLast), nodes.filter((node) => !isLast(node))];
    return [...last.reverse(), ...others].map(({ encoded }) => encoded);
  };

  const op: OnnxModel["op"] = (type, from, attributes = {}, domain = "") => {
    const name = fresh();
    add(type, from, [name], attributes, domain);
    return name;
  };

  const constant: OnnxModel["constant"] = (type, data, shape) => {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = raw.length <= 64 ? `${type} ${shape} ${raw}` : null;
    const known = key === null ? undefined : shared.get(key);
    if (known !== undefined) return known;
    const name = fresh();
    if (key !== null) shared.set(key, name);
    constants.push(message(5, [integers(1, shape), integer(2, dataTypes[type]), text(8, name), bytes(9, raw)]));
    return name;
  };

  return {
    op,
    constant,
    within: (name) => {
      scope = name;
    },
    ops(type, from, wanted, attributes = {}) {
      const to = wanted.map((used) => (used ? fresh() : ""));
      add(type, from, to, attributes, "");
      return to;
    },
    // A result of one element, which nobody fetches: a node that no other reads, in the order of the calls.
    early(name, shape) {
      if (shape.length === 0) return;
      const ends = (value: bigint): string =>
        constant("int64", new BigInt64Array(shape.length).fill(value), [shape.length]);
      const corner = op("Slice", [name, ends(0n), ends(1n)]);
      outputs.push(
        valueInfo(
          12,
          corner,
          "float32",
          shape.map(() => 1),
        ),
      );
    },
    input: (name, type, shape) => void inputs.push(valueInfo(11, name, type, shape)),
    output: (name, type, shape) => void outputs.push(valueInfo(12, name, type, shape)),
    encode: () =>
      join([
        integer(1, IR_VERSION),
        text(2, "maelang"),
        message(7, [...inOrder(), text(2, "graph"), ...constants, ...inputs, ...outputs]),
        message(8, [text(1, ""), integer(2, OPSET)]),
        message(8, [text(1, MICROSOFT), integer(2, 1)]),
      ]),
  };
}

/**
 * An ONNX model under construction: nodes, constants, inputs and outputs, and its bytes. Knows nothing of our graphs.
 */

import { invariant } from "../../../graph/index.js";
import {
  type About,
  type Attributes,
  type ElementType,
  type Held,
  heldBeside,
  heldInside,
  int,
  modelPieces,
  node,
  port,
  type Size,
} from "./fields.js";
import { type Field, join, lengthOf } from "./protobuf.js";

/** A size that is known only when the model runs: that of the first axis of `input`. */
export interface OpenSize {
  /** What stands for it in shapes: a prime, greater than every size that is known. Its multiples stand for multiples. */
  readonly standIn: number;
  readonly name: string;
  readonly input: string;
}

export interface ModelOptions {
  /** Only what ONNX defines, for any tool; absent: what onnxruntime takes, in the order in which it should compute. */
  readonly standard?: boolean;
  readonly open?: OpenSize;
}

export interface FileOptions {
  readonly about: About;
  /** A model of more bytes than this keeps its weights in a file beside it. */
  readonly largest: number;
  /** The name of that file. */
  readonly beside: string;
}

/** Bytes in pieces, to be written one after the other. */
export interface ModelFile {
  readonly model: readonly Uint8Array[];
  /** What is in the file beside it; null: there is none. */
  readonly data: readonly Uint8Array[] | null;
}

export interface OnnxModel {
  readonly standard: boolean;
  /** Nodes added from now on are named after it; profiles and errors of onnxruntime show the name. */
  within(scope: string): void;
  /** Adds a node with one output and gives the output's name. */
  op(type: string, inputs: readonly string[], attributes?: Attributes, domain?: string): string;
  /** Adds a node with several outputs; those not wanted are left out. */
  ops(type: string, inputs: readonly string[], wanted: readonly boolean[], attributes?: Attributes): readonly string[];
  /** A constant; equal small ones are shared. */
  constant(type: ElementType, data: ArrayBufferView, shape: readonly number[]): string;
  /** Sizes as a tensor, int64 [n]. */
  sizes(values: readonly number[]): string;
  /** Whether a size is known only when the model runs. */
  isOpen(size: number): boolean;
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

interface Listed {
  readonly to: readonly string[];
  readonly encoded: Field;
}

/**
 * onnxruntime starts from the nodes whose outputs no other reads, the last of them first, and computes what each needs
 * and nothing else before it goes to the next. So they are put in front of the others in reverse: then each gradient of
 * a weight is computed as soon as it can be, and what it was computed from is free. In the order of the calls all of
 * them would come after the whole backward pass, with every activation and its gradient held until then.
 */
function gradientsFirst(nodes: readonly Listed[], read: ReadonlySet<string>): readonly Listed[] {
  const isLast = ({ to }: Listed): boolean => !to.some((name) => read.has(name));
  return [...nodes.filter(isLast).reverse(), ...nodes.filter((one) => !isLast(one))];
}

/** Weights smaller than this stay in the model. */
const smallestBeside = 1024;
/** Where tensors of the file beside begin: multiples of this can be mapped into memory on every system. */
const alignment = 65_536;

/** Weights as fields that say where they are, and the file that they are in. */
function laidBeside(weights: readonly Held[], location: string): { fields: Field[]; data: Uint8Array[] } {
  const [fields, data]: [Field[], Uint8Array[]] = [[], []];
  let end = 0;
  for (const weight of weights) {
    if (weight.raw.length < smallestBeside) {
      fields.push(...heldInside(weight));
      continue;
    }
    const start = Math.ceil(end / alignment) * alignment;
    if (start > end) data.push(new Uint8Array(start - end));
    fields.push(heldBeside(weight, location, start));
    data.push(weight.raw);
    end = start + weight.raw.length;
  }
  return { fields, data };
}

export function createModel({ standard = false, open }: ModelOptions = {}): OnnxModel {
  const nodes: Listed[] = [];
  const read = new Set<string>();
  const domains = new Set<string>();
  const constants: Field[] = [];
  const weights: Held[] = [];
  const inputs: Field[] = [];
  const outputs: Field[] = [];
  const shared = new Map<string, string>();
  const given = new Set<string>();
  let names = 0;
  let scope = "";
  const fresh = (): string => {
    const name = `t${names++}`;
    return given.has(name) ? fresh() : name;
  };

  const add = (
    type: string,
    from: readonly string[],
    to: readonly string[],
    attributes: Attributes,
    domain: string,
  ) => {
    for (const name of from) read.add(name);
    if (domain !== "") domains.add(domain);
    const name = `${scope}/${to.find((one) => one !== "")}`;
    nodes.push({ to, encoded: node({ type, name, from, to, attributes, domain }) });
  };

  const op: OnnxModel["op"] = (type, from, attributes = {}, domain = "") => {
    const name = fresh();
    add(type, from, [name], attributes, domain);
    return name;
  };

  const constant: OnnxModel["constant"] = (type, data, shape) => {
    const raw = bytesOf(data);
    const key = raw.length <= 64 ? `${type} ${shape} ${raw}` : null;
    const known = key === null ? undefined : shared.get(key);
    if (known !== undefined) return known;
    const name = fresh();
    if (key !== null) shared.set(key, name);
    constants.push(join(heldInside({ name, type, shape, raw })));
    return name;
  };

  const whole = (values: readonly number[]): string =>
    constant("int64", BigInt64Array.from(values, BigInt), [values.length]);

  const isOpen = (size: number): boolean => open !== undefined && size > 0 && size % open.standIn === 0;

  /** The open size as a tensor, once. */
  let measured: string | null = null;
  const times = (size: number): string => {
    invariant(open, "a size is open where the model has one");
    measured ??= op("Shape", [open.input], { start: int(0), end: int(1) });
    return size === open.standIn ? measured : op("Mul", [measured, whole([size / open.standIn])]);
  };

  const sizes: OnnxModel["sizes"] = (values) => {
    if (!values.some(isOpen)) return whole(values);
    const parts = values.map((size) => (isOpen(size) ? times(size) : whole([size])));
    return parts.length === 1 ? (parts[0] as string) : op("Concat", parts, { axis: int(0) });
  };

  const shown = (shape: readonly number[]): readonly Size[] =>
    shape.map((size) => (!isOpen(size) ? size : size === open?.standIn ? open.name : null));

  const pieces = (held: readonly Uint8Array[], about: About | null): readonly Uint8Array[] => {
    const ordered = standard ? nodes : gradientsFirst(nodes, read);
    const graph = [...ordered.map(({ encoded }) => encoded), ...constants, ...held, ...inputs, ...outputs];
    return modelPieces(graph, [...domains], about);
  };

  return {
    standard,
    op,
    constant,
    sizes,
    isOpen,
    within: (name) => {
      scope = name;
    },
    ops(type, from, wanted, attributes = {}) {
      const to = wanted.map((used) => (used ? fresh() : ""));
      add(type, from, to, attributes, "");
      return to;
    },
    weight(name, type, data, shape) {
      given.add(name);
      weights.push({ name, type, shape, raw: bytesOf(data) });
    },
    named(from, name) {
      given.add(name);
      add("Identity", [from], [name], {}, "");
    },
    // A result of one element, which nobody fetches: a node that no other reads, in the order of the calls.
    early(name, shape) {
      if (shape.length === 0) return;
      const ends = (value: number): string => whole(shape.map(() => value));
      const corner = op("Slice", [name, ends(0), ends(1)]);
      outputs.push(port("output", { name: corner, type: "float32", shape: shape.map(() => 1), doc: "" }));
    },
    input(name, type, shape, doc = "") {
      given.add(name);
      inputs.push(port("input", { name, type, shape: shown(shape), doc }));
    },
    output: (name, type, shape, doc = "") =>
      void outputs.push(port("output", { name, type, shape: shown(shape), doc })),
    encode: () => join(pieces(weights.flatMap(heldInside), null)),
    file({ about, largest, beside }) {
      const model = pieces(weights.flatMap(heldInside), about);
      if (lengthOf(model) <= largest) return { model, data: null };
      const { fields, data } = laidBeside(weights, beside);
      return { model: pieces(fields, about), data };
    },
  };
}

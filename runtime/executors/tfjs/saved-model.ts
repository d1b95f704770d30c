/**
 * Tapes as one SavedModel of TensorFlow: variables that all tapes share, for each a way to read and to write it, and for
 * each tape placeholders, operations, and what writes its updates once all variables are read. Names are told by
 * functions, so that a session need not look into the file.
 */

import type { DType, StateSlot } from "../../../graph/index.js";
import { bytes, type Field, float, integer, integers, join, message, text } from "../protobuf.js";
import {
  type Binding,
  dtypeNumber,
  type OperationAttribute,
  type Tape,
  type Taped,
  type TapedConstant,
  type TensorflowBackend,
} from "./tensorflow-tape.js";

/** A tape with what its tensors are to the session; slots and types by their numbers. */
export interface Program {
  /** It is given state, then feeds; its results are outputs, then updates. */
  readonly tape: Tape;
  readonly state: readonly number[];
  readonly feeds: readonly { readonly shape: readonly number[]; readonly dtype: number }[];
  /** The type of each. */
  readonly outputs: readonly number[];
  /** The slot that each is the new value of. */
  readonly updates: readonly number[];
}

export const feedName = (program: number, feed: number): string => `p${program}/feed${feed}`;
export const outputName = (program: number, output: number): string => `p${program}/output${output}`;
/** What is asked for so that updates are made. */
export const doneName = (program: number): string => `p${program}/done`;
/** What asks for a variable of a type: its number is fed, and the value is there. */
export const getNames = (dtype: DType): Readonly<Record<"which" | "value", string>> => ({
  which: `get/${dtype}/which`,
  value: `get/${dtype}/value`,
});
/** What writes a variable of a type: its number and the value are fed, and `done` is asked for. */
export const putNames = (dtype: DType): Readonly<Record<"which" | "value" | "done", string>> => ({
  which: `put/${dtype}/which`,
  value: `put/${dtype}/value`,
  done: `put/${dtype}/done`,
});

type AddNode = (name: string, operation: string, inputs: readonly string[], attributes?: readonly Field[]) => void;

const entry = (name: string, value: Field): Field => message(5, [text(1, name), message(2, [value])]);

// AttrValue: list 1, s 2, i 3, f 4, b 5, type 6, shape 7, tensor 8.
const typeAttribute = (name: string, dtype: number): Field => entry(name, integer(6, dtype));

const shapeFields = (shape: readonly number[]): Field[] => shape.map((size) => message(2, [integer(1, size)]));

const shapeAttribute = (name: string, shape: readonly number[]): Field => entry(name, message(7, shapeFields(shape)));

function tensorAttribute(name: string, { shape, dtype, values }: TapedConstant): Field {
  const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return entry(name, message(8, [integer(1, dtype), message(2, shapeFields(shape)), bytes(4, content)]));
}

/** An attribute as the addon is given it. */
function attributeOf(binding: Binding, { name, type, value }: OperationAttribute): Field {
  switch (type) {
    case binding.TF_ATTR_STRING:
      return entry(name, text(2, value as string));
    case binding.TF_ATTR_INT:
      return entry(
        name,
        Array.isArray(value) ? message(1, [integers(3, value as number[])]) : integer(3, value as number),
      );
    case binding.TF_ATTR_FLOAT:
      return entry(name, float(4, value as number));
    case binding.TF_ATTR_BOOL:
      return entry(name, integer(5, value ? 1 : 0));
    case binding.TF_ATTR_SHAPE:
      return shapeAttribute(name, value as readonly number[]);
    default:
      return typeAttribute(name, value as number);
  }
}

/** A whole number, there when all of `after` is done. */
function addNumber(
  add: AddNode,
  backend: TensorflowBackend,
  name: string,
  value: number,
  after: readonly string[] = [],
) {
  const dtype = dtypeNumber(backend, "int32");
  const tensor = tensorAttribute("value", { shape: [], dtype, values: Int32Array.of(value) });
  add(name, "Const", after.map(behind), [typeAttribute("dtype", dtype), tensor]);
}

/** An input that only says what is done before. */
const behind = (node: string): string => `^${node}`;

const dtypes = ["float32", "int32", "bool"] as const;

/**
 * Variables, and for those of a type one way to read and one to write any of them: TensorFlow prepares each set of names that
 * it is asked for anew, so that hundreds of ways would take a minute. What was not chosen is dead, as TensorFlow calls it.
 */
function addVariables(add: AddNode, backend: TensorflowBackend, slots: readonly StateSlot[]): void {
  const whole = dtypeNumber(backend, "int32");
  const [T, wholeT, wholeType] = [
    (type: number) => typeAttribute("T", type),
    typeAttribute("T", whole),
    typeAttribute("dtype", whole),
  ];
  for (const dtype of dtypes) {
    const own = slots.flatMap((slot, i) => (slot.dtype === dtype ? [{ ...slot, i }] : []));
    if (own.length === 0) continue;
    const type = dtypeNumber(backend, dtype);
    const [get, put] = [getNames(dtype), putNames(dtype)];
    for (const { which } of [get, put]) add(which, "Placeholder", [], [wholeType, shapeAttribute("shape", [])]);
    add(put.value, "Placeholder", [], [typeAttribute("dtype", type)]);
    for (const { name, shape, i } of own) {
      const variable = [
        typeAttribute("dtype", type),
        shapeAttribute("shape", shape),
        entry("shared_name", text(2, name)),
      ];
      add(`v${i}`, "VarHandleOp", [], variable);
      addNumber(add, backend, `v${i}/number`, i);
      add(`v${i}/asked`, "Equal", [get.which, `v${i}/number`], [wholeT]);
      add(`v${i}/read`, "ReadVariableOp", [`v${i}`], [typeAttribute("dtype", type)]);
      add(`v${i}/given`, "Switch", [`v${i}/read`, `v${i}/asked`], [T(type)]);
      add(`v${i}/chosen`, "Equal", [put.which, `v${i}/number`], [wholeT]);
      add(`v${i}/new`, "Switch", [put.value, `v${i}/chosen`], [T(type)]);
      add(`v${i}/write`, "AssignVariableOp", [`v${i}`, `v${i}/new:1`], [typeAttribute("dtype", type)]);
      addNumber(add, backend, `v${i}/written`, i, [`v${i}/write`]);
    }
    const count = entry("N", integer(3, own.length));
    add(
      get.value,
      "Merge",
      own.map(({ i }) => `v${i}/given:1`),
      [T(type), count],
    );
    add(
      put.done,
      "Merge",
      own.map(({ i }) => `v${i}/written`),
      [wholeT, count],
    );
  }
}

/** What a tape is given: the state that it reads, all of it before any of it changes, and feeds. */
function addGiven(add: AddNode, { state, feeds }: Program, program: number, typeOf: (slot: number) => Field): string[] {
  const reads = state.map((slot) => `p${program}/read${slot}`);
  state.forEach((slot, i) => {
    add(reads[i] as string, "ReadVariableOp", [`v${slot}`], [typeOf(slot)]);
  });
  add(`p${program}/all-read`, "NoOp", reads.map(behind));
  feeds.forEach(({ shape, dtype }, i) => {
    add(feedName(program, i), "Placeholder", [], [typeAttribute("dtype", dtype), shapeAttribute("shape", shape)]);
  });
  return [...reads, ...feeds.map((_, i) => feedName(program, i))];
}

/** The operations of a tape; gives the names of its results. */
function addTape(add: AddNode, { binding }: TensorflowBackend, tape: Tape, prefix: string, given: string[]): string[] {
  const names = tape.operations.map(({ name }, i) => `${prefix}/${name}${i}`);
  const nameOf = (taped: Taped): string => {
    if (taped.kind === "given") return given[taped.given] as string;
    return taped.kind === "constant"
      ? `${prefix}/constant${taped.constant}`
      : `${names[taped.operation]}:${taped.output}`;
  };
  tape.constants.forEach((constant, i) => {
    const attributes = [typeAttribute("dtype", constant.dtype), tensorAttribute("value", constant)];
    add(`${prefix}/constant${i}`, "Const", [], attributes);
  });
  tape.operations.forEach(({ name, inputs, attributes }, i) => {
    const fields = attributes.map((attribute) => attributeOf(binding, attribute));
    add(names[i] as string, name, inputs.map(nameOf), fields);
  });
  return tape.results.map(nameOf);
}

function addProgram(
  add: AddNode,
  backend: TensorflowBackend,
  slots: readonly StateSlot[],
  program: Program,
  number: number,
): void {
  const prefix = `p${number}`;
  const typeOf = (slot: number): number => dtypeNumber(backend, (slots[slot] as StateSlot).dtype);
  const given = addGiven(add, program, number, (slot) => typeAttribute("dtype", typeOf(slot)));
  const results = addTape(add, backend, program.tape, prefix, given);
  program.outputs.forEach((dtype, i) => {
    add(outputName(number, i), "Identity", [results[i] as string], [typeAttribute("T", dtype)]);
  });
  const writes = program.updates.map((slot) => `${prefix}/write${slot}`);
  program.updates.forEach((slot, i) => {
    const value = results[program.outputs.length + i] as string;
    const inputs = [`v${slot}`, value, behind(`${prefix}/all-read`)];
    add(writes[i] as string, "AssignVariableOp", inputs, [typeAttribute("dtype", typeOf(slot))]);
  });
  addNumber(add, backend, doneName(number), number, writes);
}

/** How TensorFlow numbers the versions of its graphs: those since the middle of 2022 read this one. */
const version = message(4, [integer(1, 1000)]);

export const savedModelTags = "serve";

/** The bytes of `saved_model.pb`. */
export function savedModel(
  backend: TensorflowBackend,
  slots: readonly StateSlot[],
  programs: readonly Program[],
): Uint8Array {
  const nodes: Field[] = [];
  const add: AddNode = (name, operation, inputs, attributes = []) => {
    const fields = [text(1, name), text(2, operation), ...inputs.map((input) => text(3, input)), ...attributes];
    nodes.push(message(1, fields));
  };
  addVariables(add, backend, slots);
  programs.forEach((program, number) => {
    addProgram(add, backend, slots, program, number);
  });
  const about = message(1, [text(4, savedModelTags)]);
  return join([integer(1, 1), message(2, [about, message(2, [...nodes, version])])]);
}

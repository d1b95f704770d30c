/**
 * Runs the functions of an assembled model and keeps their calls as statements. Each is run with two batch sizes:
 * the axes whose sizes differ are rows, and become "B", or "8B" where there are eight for each sample.
 */

import {
  type Batch,
  batchInputs,
  type Layer,
  type ModelProgram,
  tokenCount,
  weightsOf,
  withVisible,
} from "../../blocks/index.js";
import { type Builder, createBuilder, invariant, type Tensor } from "../../graph/index.js";
import type { BatchForm, Callee, Operand, Program, ProgramFunction, Statement, TensorForm } from "../program.js";
import { type Assembly, programOf, tracingCode } from "./assemble.js";
import { fieldsOf } from "./fields.js";
import type { FunctionCode, ModelFunction } from "./function.js";
import { camel, distinct } from "./names.js";
import type { WeightTree } from "./weights.js";

/** Two sizes that differ, so that what follows the batch is seen. */
const batchSizes = [2, 3] as const;

type Known = Map<object, Operand>;

const isTensor = (value: object): value is Tensor => "node" in value && "dtype" in value;

/** Every branch and leaf of the weights, by identity. */
function weightOperands(weights: WeightTree): Known {
  const known: Known = new Map();
  const visit = (branch: object, path: readonly string[]): void => {
    known.set(branch, { kind: "weights", path });
    if (isTensor(branch)) return;
    for (const [name, inner] of Object.entries(branch)) visit(inner, [...path, name]);
  };
  visit(weights, []);
  return known;
}

/** Says how an argument is written: known objects by name, lists and records by their parts, the rest as data. */
function operandOf(value: unknown, known: Known): Operand {
  if (typeof value !== "object" || value === null) {
    return { kind: "data", value: value as string | number | boolean | null };
  }
  const named = known.get(value);
  if (named) return named;
  invariant(!isTensor(value), "a tensor reaches a layer that no statement of this function made");
  if (Array.isArray(value)) return { kind: "list", items: value.map((item) => operandOf(item, known)) };
  return { kind: "record", fields: Object.entries(value).map(([name, item]) => [name, operandOf(item, known)]) };
}

const formOf = ({ shape, dtype }: Tensor): TensorForm => ({ shape, dtype });

interface Recorder {
  readonly code: FunctionCode;
  readonly statements: readonly Statement[];
}

/** `x`, then `x2`, `x3` where the name is taken. */
function distinctName(wanted: string, taken: Set<string>): string {
  const name = distinct(camel(wanted), (other) => taken.has(other));
  taken.add(name);
  return name;
}

function recorder(g: Builder, w: WeightTree, known: Known, cut: boolean, reserved: readonly string[]): Recorder {
  const statements: Statement[] = [];
  const taken = new Set(["g", "w", ...reserved]);
  const direct = tracingCode(g, w);
  const keep = (statement: Statement, result: Tensor): Tensor => {
    statements.push(statement);
    known.set(result, { kind: "variable", name: statement.name });
    return result;
  };
  const operands = (args: readonly unknown[]) => args.map((arg) => operandOf(arg, known));
  const layerCallee = (layer: Layer): Callee => ({ name: layer.layer, layer });
  const assigned = (name: string, callee: Callee, args: readonly unknown[], compute: () => Tensor): Tensor => {
    const given = operands(args);
    const result = compute();
    const form = formOf(result);
    return keep({ kind: "let", name: distinctName(name, taken), callee, operands: given, form }, result);
  };
  const code: FunctionCode = {
    let: (name, layer, ...args) => assigned(name, layerCallee(layer), args, () => direct.let(name, layer, ...args)),
    call: (name, f, ...args) =>
      assigned(name, { name: f.name, layer: null }, args, () => direct.call(name, f, ...args)),
    fold(name, list, start, layer, ...args) {
      const [from, over, rest] = [operandOf(start, known), operandOf(list, known), operands(args)];
      const result = direct.fold(name, list, start, layer, ...args);
      const element = distinctName("block", taken);
      const statement = { name: distinctName(name, taken), element, start: from, list: over, cut, operands: rest };
      return keep({ kind: "fold", ...statement, callee: layerCallee(layer), form: formOf(result) }, result);
    },
  };
  return { code, statements };
}

/** The batch's record and its fields, by identity. */
const batchOperands = (batch: Batch): readonly (readonly [object, Operand])[] => [
  [batch, { kind: "variable", name: "batch" }],
  ...Object.entries(batch).map(([name, tensor]) => [tensor as object, { kind: "field", name }] as const),
];

function recordFunction(
  assembly: Assembly,
  program: ModelProgram,
  f: ModelFunction,
  batchSize: number,
): ProgramFunction {
  const g = createBuilder({ batch: batchSize });
  const weights = weightsOf(g, assembly.parameters) as WeightTree;
  const batch = batchInputs(g, program);
  const { name } = assembly.parts;
  const array = batch[name] as Tensor;
  const latent = f.inputs.includes("latent") ? program.encode(g, weights, batch) : array;
  const prediction = f.inputs.includes("prediction") ? program.predict(g, weights, batch) : array;
  const known = weightOperands(weights);
  known.set(assembly.parts.grid, { kind: "grid" });
  if (f.inputs.includes("batch")) for (const [object, operand] of batchOperands(batch)) known.set(object, operand);
  else known.set(array, { kind: "variable", name });
  if (f.inputs.includes("prediction")) known.set(prediction, { kind: "variable", name: "prediction" });
  if (f.inputs.includes("latent")) known.set(latent, { kind: "variable", name: "latent" });
  const recording = recorder(g, weights, known, f.inputs.includes("layers"), [...f.inputs, ...Object.keys(batch)]);
  const result = f.body(recording.code, weights, { batch, array, latent, prediction });
  return {
    name: f.name,
    doc: f.doc,
    inputs: f.inputs,
    statements: recording.statements,
    result: operandOf(result, known),
    form: isTensor(result) ? formOf(result) : null,
  };
}

/** What an axis is that has another size in another trace. */
type Differing = (size: Axis, other: Axis) => Axis;
type Axis = TensorForm["shape"][number];

/** Rows, of two batches: a whole number for each sample. */
const rows: Differing = (size, other) => {
  const [first, second] = batchSizes;
  const [each, same] = [Number(size) / first, Number(other) / second];
  if (each !== same || !Number.isInteger(each)) return "any";
  return each === 1 ? "B" : `${each}B`;
};

const varying: Differing = () => "any";

/** The axes whose sizes differ between two traces become what made them differ. */
const merge = (a: TensorForm, b: TensorForm, differing: Differing): TensorForm => ({
  dtype: a.dtype,
  shape: a.shape.map((size, i) => {
    const other = b.shape[i] as Axis;
    return size === other ? size : differing(size, other);
  }),
});

function mergeFunctions(a: ProgramFunction, b: ProgramFunction, differing: Differing): ProgramFunction {
  const words = ({ statements }: ProgramFunction): string =>
    JSON.stringify(statements.map(({ form, ...rest }) => rest));
  invariant(
    words(a) === words(b),
    `${a.name} takes other steps for ${differing === rows ? "another batch" : "other masks"}`,
  );
  return {
    ...a,
    statements: a.statements.map((s, i) => ({
      ...s,
      form: merge(s.form, (b.statements[i] as Statement).form, differing),
    })),
    form: a.form && b.form ? merge(a.form, b.form, differing) : null,
  };
}

/** A function with its forms: traced for two sizes of batch, and for another number of visible tokens where that varies. */
function recordForms(assembly: Assembly, model: ModelProgram, f: ModelFunction): ProgramFunction {
  const [first, second] = batchSizes.map((batch) => recordFunction(assembly, model, f, batch));
  const whole = mergeFunctions(first as ProgramFunction, second as ProgramFunction, rows);
  const [fewest] = model.mask.varies?.counts ?? [];
  if (fewest === undefined) return whole;
  const other = batchSizes.map((batch) => recordFunction(assembly, withVisible(model, fewest), f, batch));
  return mergeFunctions(whole, mergeFunctions(other[0] as ProgramFunction, other[1] as ProgramFunction, rows), varying);
}

/** What a guided mask is fed, with what it is. */
function guideForms({ guide }: ModelProgram["mask"]): BatchForm["guide"] {
  if (!guide) return {};
  const draws = { form: { shape: ["B", guide.numbers], dtype: "float32" }, doc: "Drawn for the mask." } as const;
  const scalar = { form: { shape: [], dtype: "float32" }, doc: "Moves during training." } as const;
  return { draws, ...Object.fromEntries(Object.keys(guide.moving).map((name) => [name, scalar])) };
}

/** The program of an assembled model. */
export function record(assembly: Assembly): Program {
  const model = programOf(assembly);
  const functions = assembly.functions.map((f) => recordForms(assembly, model, f));
  const { name, array } = assembly.parts;
  const count = tokenCount(assembly.parts.grid);
  const { visible, varies } = model.mask;
  const index = (size: number | "any"): TensorForm => ({ shape: ["B", size], dtype: "int32" });
  const formNamed = (name: string): TensorForm => {
    const form = functions.find((f) => f.name === name)?.form;
    invariant(form != null, `${name} gives a tensor`);
    return form;
  };
  return {
    functions,
    latent: formNamed("encode"),
    prediction: formNamed("predict"),
    batch: {
      array: { name, form: { shape: ["B", ...array.axes.map(({ size }) => size), array.channels], dtype: "float32" } },
      visible: index(varies ? "any" : visible),
      hidden: index(varies ? "any" : count - visible),
      restore: index(count),
      fields: Object.fromEntries(
        Object.entries(fieldsOf(assembly.parts))
          .filter(([, { kind }]) => kind !== "mask")
          .map(([name, { shape, dtype }]) => [name, { shape: ["B", ...shape], dtype }]),
      ),
      guide: guideForms(model.mask),
    },
  };
}

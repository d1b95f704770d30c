/**
 * Runs the functions of an assembled model and keeps their calls as statements. Each is run with two batch sizes:
 * the axes whose sizes differ are rows, and become "B", or "8B" where there are eight for each sample.
 */

import {
  type Batch,
  batchInputs,
  codesInput,
  constantWeights,
  dropFeeds,
  dropNumbers,
  guideNames,
  type Layer,
  type MaskSampler,
  type ModelProgram,
  masksOf,
  rowsOf,
  tokenCount,
  trainedMasksOf,
  varyingMasks,
  weightsOf,
  withVisible,
} from "../../blocks/index.js";
import { type Builder, createBuilder, invariant, type Tensor } from "../../graph/index.js";
import {
  type BatchForm,
  type Callee,
  type DocumentedForm,
  gridName,
  isSeveral,
  type Operand,
  type Program,
  type ProgramFunction,
  type ResultForm,
  type Statement,
  type TensorForm,
} from "../program.js";
import { type Assembly, programOf, run, tracingCode } from "./assemble.js";
import type { WeightTree } from "./branches.js";
import { fieldsAsked } from "./fields.js";
import { callingWith, type FunctionCode, inputName, inputsFrom, type ModelFunction, type Result } from "./function.js";
import { camel, distinct } from "./names.js";

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

const formOf = (result: Tensor | readonly Tensor[]): ResultForm => {
  const one = ({ shape, dtype }: Tensor): TensorForm => ({ shape, dtype });
  return isList(result) ? result.map(one) : one(result);
};

const isList = (result: Result): result is readonly Tensor[] => Array.isArray(result);

/** Keeps by which name something is known, and each of a list. */
function name(known: Known, result: Tensor | readonly Tensor[], variable: string): void {
  known.set(result, { kind: "variable", name: variable });
  if (!isList(result)) return;
  for (const [index, item] of result.entries()) known.set(item, { kind: "item", of: variable, index });
}

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
  const keep = <R extends Tensor | readonly Tensor[]>(statement: Statement, result: R): R => {
    statements.push(statement);
    name(known, result, statement.name);
    return result;
  };
  const operands = (args: readonly unknown[]) => args.map((arg) => operandOf(arg, known));
  const layerCallee = (layer: Layer): Callee => ({ name: layer.layer, layer });
  const assigned = <R extends Tensor | readonly Tensor[]>(
    wanted: string,
    callee: Callee,
    args: readonly unknown[],
    compute: () => R,
  ): R => {
    const given = operands(args);
    const result = compute();
    const form = formOf(result);
    return keep({ kind: "let", name: distinctName(wanted, taken), callee, operands: given, form }, result);
  };
  const code: FunctionCode = {
    let: (name, layer, ...args) => assigned(name, layerCallee(layer), args, () => direct.let(name, layer, ...args)),
    call: <R extends Result>(wanted: string, f: ModelFunction, ...args: readonly unknown[]): R =>
      assigned(wanted, { name: f.name, layer: null }, args, () =>
        direct.call<Tensor>(wanted, f, ...args),
      ) as Result as R,
    callConstant: (wanted, f, ...args) =>
      assigned(
        wanted,
        { name: f.name, layer: null, weights: { name: constantWeights.layer, layer: constantWeights } },
        args,
        () => direct.callConstant(wanted, f, ...args),
      ),
    fold(name, list, start, layer, ...args) {
      const [from, over, rest] = [operandOf(start, known), operandOf(list, known), operands(args)];
      const result = direct.fold(name, list, start, layer, ...args);
      const element = distinctName("block", taken);
      const statement = { name: distinctName(name, taken), element, start: from, list: over, cut, operands: rest };
      const form = formOf(result) as TensorForm;
      return keep({ kind: "fold", ...statement, callee: layerCallee(layer), form }, result);
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
  const batch = batchInputs(g, program, "recording");
  const calling = callingWith(batch, (_, other, args) => run(other, g, weights, args) as Tensor);
  const known = weightOperands(weights);
  const { inputs } = assembly.parts;
  for (const { grid, name } of inputs) known.set(grid, { kind: "grid", name: gridName(name, inputs.length === 1) });
  for (const { input, of } of assembly.parts.streams) {
    if (input.grid !== of.grid) known.set(input.grid, { kind: "grid", name: gridName(input.name, false) });
  }
  for (const [object, operand] of batchOperands(batch)) known.set(object, operand);
  const args = f.inputs.map((input) => (typeof input === "string" ? batch : calling(input.name, input.from)));
  for (const [i, input] of f.inputs.entries()) {
    if (typeof input !== "string") name(known, args[i] as Tensor | readonly Tensor[], camel(input.name));
  }
  const names = f.inputs.map((input) => camel(inputName(input)));
  const reserved = [...names, ...Object.keys(batch), ...assembly.functions.map((other) => other.name)];
  const recording = recorder(g, weights, known, f.inputs.includes("layers"), reserved);
  const result = f.body(recording.code, weights, inputsFrom(f, args));
  return {
    name: f.name,
    doc: f.doc,
    inputs: f.inputs.map((input, i) =>
      typeof input === "string"
        ? { kind: input }
        : { kind: "tensor", name: camel(input.name), form: formOf(args[i] as Tensor | readonly Tensor[]) },
    ),
    statements: recording.statements,
    result: operandOf(result, known),
    form: isList(result) || isTensor(result) ? formOf(result) : null,
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
const merge = (a: ResultForm, b: ResultForm, differing: Differing): ResultForm =>
  isSeveral(a)
    ? a.map((form, i) => mergeOne(form, (b as readonly TensorForm[])[i] as TensorForm, differing))
    : mergeOne(a, b as TensorForm, differing);

const mergeOne = (a: TensorForm, b: TensorForm, differing: Differing): TensorForm => ({
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
    statements: a.statements.map(
      (s, i) => ({ ...s, form: merge(s.form, (b.statements[i] as Statement).form, differing) }) as Statement,
    ),
    inputs: a.inputs.map((input, i) => {
      const other = b.inputs[i];
      return input.kind === "tensor" && other?.kind === "tensor"
        ? { ...input, form: merge(input.form, other.form, differing) }
        : input;
    }),
    form: a.form && b.form ? merge(a.form, b.form, differing) : null,
  };
}

/** A function with its forms: traced for two sizes of batch, and for other numbers of visible tokens where those vary. */
function recordForms(assembly: Assembly, model: ModelProgram, f: ModelFunction): ProgramFunction {
  const [first, second] = batchSizes.map((batch) => recordFunction(assembly, model, f, batch));
  const whole = mergeFunctions(first as ProgramFunction, second as ProgramFunction, rows);
  const masks = varyingMasks(model);
  if (masks.length === 0) return whole;
  const fewest = Object.fromEntries(masks.map(({ name, varies }) => [name, varies.counts[0] as number]));
  const other = batchSizes.map((batch) => recordFunction(assembly, withVisible(model, fewest), f, batch));
  return mergeFunctions(whole, mergeFunctions(other[0] as ProgramFunction, other[1] as ProgramFunction, rows), varying);
}

/** What a guided mask is fed, with what it is. `label`: the name of the mask in its feeds. */
function guideForms({ guide }: MaskSampler, label: string | null): BatchForm["guide"] {
  if (!guide) return {};
  const names = guideNames(label);
  const draws = { form: { shape: ["B", guide.numbers], dtype: "float32" }, doc: "Drawn for the mask." } as const;
  const scalar = { form: { shape: [], dtype: "float32" }, doc: "Moves during training." } as const;
  const scalars = Object.keys(guide.moving).map((name) => [names.moving(name), scalar] as const);
  return { [names.draws]: draws, ...Object.fromEntries(scalars) };
}

/** What is fed in training alone that may be absent elsewhere. */
const dropForms = (model: ModelProgram): BatchForm["training"] =>
  Object.fromEntries(
    dropFeeds(model).map(({ name, rows }) => {
      const form: TensorForm = { shape: [rowsOf(rows), dropNumbers(model)], dtype: "float32" };
      return [name, { form, doc: "By what residuals and features are multiplied." }];
    }),
  );

/** What is fed in place of the codes of an array, where some are being generated. */
const codeForms = ({ codes, grids }: ModelProgram): BatchForm["training"] => {
  const [grid = []] = Object.values(grids);
  const form: TensorForm = { shape: ["B", tokenCount(grid)], dtype: "int32" };
  return codes ? { [codesInput]: { form, doc: "Codes in place of those of the array." } } : {};
};

/** Views of samples, and what moves during training. */
function viewForms({ views = {}, moving = {} }: ModelProgram): BatchForm["views"] {
  const seen = Object.entries(views).map(([name, { of, count, array }]): [string, DocumentedForm] => {
    const shape = [rowsOf(count), ...array.axes.map(({ size }) => size), array.channels];
    const doc = count === 1 ? `A view of ${of}.` : `${count} views of each ${of}, sample by sample.`;
    return [name, { form: { shape, dtype: "float32" }, doc }];
  });
  const scalars = Object.keys(moving).map((name): [string, DocumentedForm] => [
    name,
    { form: { shape: [], dtype: "float32" }, doc: "Moves during training." },
  ]);
  return Object.fromEntries([...seen, ...scalars]);
}

/** What the masks are fed, with what it is. */
function placeForms(model: ModelProgram): BatchForm["places"] {
  const masks = [...masksOf(model), ...(model.views ? trainedMasksOf(model) : [])];
  return Object.fromEntries(
    masks.flatMap(({ name, label, mask: { visible, tokens, varies }, feeds, rows }): [string, DocumentedForm][] => {
      const of = label === null ? "" : ` of ${name}`;
      const index = (size: number | "any"): TensorForm => ({ shape: [rowsOf(rows), size], dtype: "int32" });
      return [
        [
          feeds.visible,
          {
            form: index(varies ? "any" : visible),
            doc: `Places of the visible tokens${of}, in the order in which the encoder sees them.`,
          },
        ],
        [feeds.hidden, { form: index(varies ? "any" : tokens - visible), doc: `Places of the hidden tokens${of}.` }],
        [feeds.restore, { form: index(tokens), doc: `Where each token${of} stands in [visible, hidden].` }],
      ];
    }),
  );
}

/** The program of an assembled model. */
export function record(assembly: Assembly): Program {
  const model = programOf(assembly);
  const functions = assembly.functions.map((f) => recordForms(assembly, model, f));
  return {
    functions,
    batch: {
      arrays: Object.fromEntries(
        assembly.parts.inputs.map(({ name, array: { axes, channels } }) => [
          name,
          { shape: ["B", ...axes.map(({ size }) => size), channels], dtype: "float32" },
        ]),
      ),
      places: placeForms(model),
      views: viewForms(model),
      fields: Object.fromEntries(
        fieldsAsked(assembly.parts).flatMap(({ name, kind, input }): [string, DocumentedForm][] => {
          const field = model.fields?.[name];
          if (!field || (kind === "mask" && !field.fed)) return [];
          const form = { shape: ["B", ...field.shape], dtype: field.dtype } as const;
          return [[name, { form, doc: `Computed of each sample beside its ${input.name}.` }]];
        }),
      ),
      guide: Object.assign({}, ...masksOf(model).map(({ mask, label }) => guideForms(mask, label))),
      training: { ...dropForms(model), ...codeForms(model) },
    },
  };
}

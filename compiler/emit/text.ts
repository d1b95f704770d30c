/**
 * Program, weights and values as TypeScript text. Every name and string from a spec is written as an escaped literal;
 * nothing else of a spec reaches the text.
 */

import { declarationOf, isDeclared, isParameter, type ParameterTree } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import {
  isSeveral,
  type Operand,
  type ProgramFunction,
  type ResultForm,
  type Statement,
  type TensorForm,
} from "../program.js";
import type { Imports } from "./imports.js";

const dimText = (dim: TensorForm["shape"][number]): string => {
  if (dim === "any") return "number";
  return typeof dim === "string" ? JSON.stringify(dim) : String(dim);
};

/** `Tensor<["B", 16, 64]>` */
export const tensorType = ({ shape, dtype }: TensorForm): string => {
  const dims = `[${shape.map(dimText).join(", ")}]`;
  return dtype === "float32" ? `Tensor<${dims}>` : `Tensor<${dims}, "${dtype}">`;
};

/** The type of what a function gives: of several tensors a tuple. */
const resultType = (form: ResultForm): string =>
  isSeveral(form) ? `readonly [${form.map(tensorType).join(", ")}]` : tensorType(form);

const isIdentifier = (name: string): boolean => /^[A-Za-z_$][\w$]*$/.test(name);

/** `.name`, `["odd name"]` or `[3]!`: what is read of a list is in it, though a compiler may be set not to believe so. */
const access = (name: string): string =>
  /^\d+$/.test(name) ? `[${name}]!` : isIdentifier(name) ? `.${name}` : `[${JSON.stringify(name)}]`;

const key = (name: string): string => (isIdentifier(name) ? name : JSON.stringify(name));

/** Plain data as a literal. */
export function dataText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dataText).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return `{ ${fields.map(([name, inner]) => `${key(name)}: ${dataText(inner)}`).join(", ")} }`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) return value < 0 ? "-Infinity" : String(value);
  const text = JSON.stringify(value);
  invariant(text !== undefined, "only plain data is printed");
  // These two end a line in JavaScript source, though not in JSON.
  return text.replace(/\u2028/g, "\\u2028").replace(/\u2029/g, "\\u2029");
}

/** The declaration of a weight tree: calls where a declarer made the branch, records elsewhere. */
export function parametersText(tree: ParameterTree, imports: Imports): string {
  const declaration = declarationOf(tree);
  if (declaration) {
    const name = imports.use(declaration.by, declaration.layer);
    const args = declaration.args.map((arg) => (isDeclared(arg) ? parametersText(arg, imports) : dataText(arg)));
    return `${name}(${args.join(", ")})`;
  }
  invariant(!isParameter(tree), "every weight comes from a declarer, so that it can be printed");
  const fields = Object.entries(tree).map(
    ([name, inner]) => `${key(name)}: ${parametersText(inner as ParameterTree, imports)}`,
  );
  return `{ ${fields.join(", ")} }`;
}

/** How the batch's fields are read: by name where the function takes it apart, through `batch` where it hands it on. */
type BatchUse = "apart" | "whole";

function operandText(operand: Operand, batch: BatchUse): string {
  switch (operand.kind) {
    case "variable":
      return operand.name;
    case "item":
      return `${operand.of}[${operand.index}]`;
    case "field":
      return batch === "apart" ? operand.name : `batch.${operand.name}`;
    case "weights":
      return `w${operand.path.map(access).join("")}`;
    case "grid":
      return operand.name;
    case "list":
      return `[${operand.items.map((item) => operandText(item, batch)).join(", ")}]`;
    case "record":
      return `{ ${operand.fields.map(([name, value]) => fieldText(name, operandText(value, batch))).join(", ")} }`;
    case "data":
      return dataText(operand.value);
  }
}

const fieldText = (name: string, value: string): string => (name === value ? name : `${key(name)}: ${value}`);

function callText(statement: Statement, batch: BatchUse, first: readonly string[]): string {
  const given = [...first, ...statement.operands.map((operand) => operandText(operand, batch))];
  const { name, layer, weights } = statement.callee;
  const taken = layer === null ? [weights ? `${weights.name}(g, w)` : "w"] : [];
  return `${name}(${["g", ...taken, ...given].join(", ")})`;
}

function statementText(statement: Statement, batch: BatchUse): string {
  const type = resultType(statement.form);
  if (statement.kind === "let") return `const ${statement.name}: ${type} = ${callText(statement, batch, [])};`;
  const list = `${operandText(statement.list, batch)}${statement.cut ? ".slice(0, layers)" : ""}`;
  const call = callText(statement, batch, [statement.name, statement.element]);
  return [
    `let ${statement.name}: ${type} = ${operandText(statement.start, batch)};`,
    `for (const ${statement.element} of ${list}) ${statement.name} = ${call};`,
  ].join("\n");
}

function* operandsOf(operand: Operand): Generator<Operand> {
  yield operand;
  if (operand.kind === "list") for (const item of operand.items) yield* operandsOf(item);
  if (operand.kind === "record") for (const [, value] of operand.fields) yield* operandsOf(value);
}

function* allOperands(f: ProgramFunction): Generator<Operand> {
  for (const statement of f.statements) {
    const direct =
      statement.kind === "fold" ? [statement.start, statement.list, ...statement.operands] : statement.operands;
    for (const operand of direct) yield* operandsOf(operand);
  }
  yield* operandsOf(f.result);
}

/** The arguments of a function after `g` and `w`; which fields of the batch it reads. `layers`: of the encoder. */
function argumentsText(f: ProgramFunction, batch: BatchUse, layers: number): readonly string[] {
  const fields = [...allOperands(f)].filter((operand) => operand.kind === "field").map((operand) => operand.name);
  const pattern = batch === "apart" ? `{ ${[...new Set(fields)].join(", ")} }` : "batch";
  const texts = { batch: `${pattern}: Batch`, arrays: `${pattern}: Arrays`, layers: `layers = ${layers}` };
  return f.inputs.map((argument) =>
    argument.kind === "tensor" ? `${argument.name}: ${resultType(argument.form)}` : texts[argument.kind],
  );
}

export interface FunctionText {
  readonly name: string;
  readonly doc: string;
  readonly parameters: readonly string[];
  readonly returns: string | null;
  readonly body: string;
}

/** A function in text, piece by piece. `layers`: of the encoder. */
export function functionText(f: ProgramFunction, layers: number): FunctionText {
  const operands = [...allOperands(f)];
  const grids = operands.flatMap((operand) => (operand.kind === "grid" ? [operand.name] : []));
  const called = new Set(["g", "w", ...grids, ...f.statements.map(({ callee }) => callee.name)]);
  // A field that is called like what else the function names stays within its record.
  const whole = operands.some(
    (operand) =>
      (operand.kind === "variable" && operand.name === "batch") ||
      (operand.kind === "field" && called.has(operand.name)),
  );
  const batch = whole ? "whole" : "apart";
  const returned = `return ${operandText(f.result, batch)};`;
  return {
    name: f.name,
    doc: f.doc,
    parameters: ["g: Builder", "w: W", ...argumentsText(f, batch, layers)],
    returns: f.form ? resultType(f.form) : null,
    body: [...f.statements.map((statement) => statementText(statement, batch)), returned].join("\n"),
  };
}

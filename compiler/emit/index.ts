/**
 * A model as one readable TypeScript module. A door of its own: only here are ts-morph and prettier loaded.
 */

import { format } from "prettier";
import { type FunctionDeclarationStructure, type OptionalKind, Project } from "ts-morph";
import { namedParameters, tokenCount } from "../../blocks/index.js";
import { sizeOf } from "../../graph/index.js";
import { type Assembly, adversaryGroups, assemble } from "../assemble/assemble.js";
import { fieldsAsked } from "../assemble/fields.js";
import { layoutOf } from "../assemble/layout.js";
import { record } from "../assemble/record.js";
import type { Model } from "../model.js";
import type { Program, TensorForm } from "../program.js";
import { dataText, functionText, parametersText, tensorType } from "./text.js";

/** The functions that a model hands to whoever runs it. */
const HANDED_ON = ["encode", "features", "predict", "loss"];

/** A module declares names itself; a model may be called like one of them. */
function exportName({ name }: Model, { functions }: Program): string {
  const own = ["imageShape", "grid", "parameters", ...functions.map((f) => f.name)];
  return own.includes(name) ? `${name}Model` : name;
}

/** Comments cannot be left: their end is broken up. */
const comment = (text: string): string => text.replaceAll("*/", "*\\/");

function headline(assembly: Assembly): string {
  const { parts, parameters, model } = assembly;
  const { count, visible } = layoutOf(parts);
  const weights = [...namedParameters(parameters)].reduce((sum, [, { shape }]) => sum + sizeOf(shape as number[]), 0);
  const [height, width] = parts.grid.patch;
  const facts = `${count} patches of ${height}x${width} pixels: ${visible} visible, ${count - visible} hidden. ${weights.toLocaleString("en")} parameters.`;
  return comment([model.doc, facts].filter((line) => line !== "").join("\n\n"));
}

/** A block with its values, as an argument: `masks.random, { ratio: 0.75 }`. */
const bound = (space: string, part: { readonly definition: { readonly name: string }; readonly values: object }) =>
  `${space}.${camel(part.definition.name)}, ${dataText(part.values)}`;

/** Where the blocks of a kind are found in `maelang/blocks`. */
const spaces = { mask: "masks", target: "targets" } as const;

const adversaryText = (assembly: Assembly, adversary: NonNullable<Assembly["parts"]["adversary"]>): string =>
  Object.entries(adversaryGroups(assembly, adversary))
    .map(([name, value]) => `${name}: ${dataText(value)}`)
    .join(", ");

/** A line of what `defineModel` is given, and the imports that it needs. */
interface ModelLine {
  readonly text: string;
  readonly imports: readonly string[];
}

function modelLines(assembly: Assembly, program: Program): readonly ModelLine[] {
  const { parts } = assembly;
  const { mask, encoder, adversary, teacher } = parts;
  const [{ target }] = parts.objectives;
  const handedOn = program.functions.map((f) => f.name).filter((name) => HANDED_ON.includes(name));
  const line = (text: string, ...imports: readonly string[]): ModelLine => ({ text, imports });
  const context = "{ image: imageShape, grid }";
  const fields = fieldsAsked(parts).map(
    ({ name, kind, part }) => `${name}: bindField(${dataText(kind)}, ${bound(spaces[kind], part)}, ${context})`,
  );
  const spacesOfFields = fieldsAsked(parts).map(({ kind }) => spaces[kind]);
  return [
    line(`name: ${dataText(assembly.model.name)}`),
    line("image: imageShape, grid"),
    line(`mask: bindMask(${bound("masks", mask)}, grid)`, "bindMask", "masks"),
    line(`parameters, extraTokens: ${layoutOf(parts).extra}, layers: ${encoder.definition.layers(encoder.values)}`),
    line(handedOn.join(", ")),
    ...(target.definition.picture
      ? [line(`picture: bindPicture(${bound("targets", target)}, ${context})`, "bindPicture", "targets")]
      : []),
    ...(fields.length > 0 ? [line(`fields: { ${fields.join(", ")} }`, "bindField", ...spacesOfFields)] : []),
    ...(adversary ? [line(`adversary: { ${adversaryText(assembly, adversary)}, loss: adversaryLoss }`)] : []),
    ...(teacher ? [line(`teacher: bindTeacher(${bound("teachers", teacher)})`, "bindTeacher", "teachers")] : []),
  ];
}

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The type of a batch. A type and not an interface, which would not be taken where fields of any name are. */
function batchType({ batch: { fields, ...batch } }: Program): string {
  const docs = {
    image: "Pixels as the recipe leaves them.",
    visible: "Places of the visible tokens, in the order in which the encoder sees them.",
    hidden: "Places of the hidden tokens.",
    restore: "Where each token stands in [visible, hidden].",
  };
  const property = (name: string, form: TensorForm, doc: string) =>
    `/** ${doc} */\nreadonly ${name}: ${tensorType(form)};`;
  const properties = [
    ...(Object.keys(docs) as (keyof typeof docs)[]).map((name) => property(name, batch[name], docs[name])),
    ...Object.entries(fields).map(([name, form]) => property(name, form, "Computed of each sample beside its image.")),
  ];
  return `{\n${properties.join("\n")}\n}`;
}

function functionStructures(assembly: Assembly, program: Program): OptionalKind<FunctionDeclarationStructure>[] {
  const { encoder } = assembly.parts;
  const layers = encoder.definition.layers(encoder.values);
  return program.functions.map((f) => {
    const text = functionText(f, { ...program, layers });
    return {
      name: text.name,
      docs: [comment(text.doc)],
      parameters: text.parameters.map((parameter) => {
        const [name, rest] = parameter.split(/: | = /, 2) as [string, string];
        return parameter.includes(": ") ? { name, type: rest } : { name, initializer: rest };
      }),
      ...(text.returns === null ? {} : { returnType: text.returns }),
      statements: text.body,
    };
  });
}

const layersCalled = (program: Program): readonly string[] =>
  program.functions.flatMap((f) => f.statements.filter((s) => !s.callee.local).map((s) => s.callee.name));

/** The module's text before formatting: every part in the order in which it is read. */
function moduleText(assembly: Assembly, program: Program, version: string): string {
  const { image, grid } = assembly.parts;
  const imports = new Set(layersCalled(program));
  const parameters = parametersText(assembly.parameters, imports);
  const lines = modelLines(assembly, program);
  const own = ["defineModel", ...lines.flatMap((line) => line.imports)];
  const file = new Project({ useInMemoryFileSystem: true }).createSourceFile("model.ts");
  file.addStatements(
    `/**\n * ${headline(assembly).replaceAll("\n", "\n * ")}\n *\n * Generated by mae ${version}; change the spec, not this file.\n */\n`,
  );
  file.addImportDeclarations([
    { moduleSpecifier: "maelang/blocks", namedImports: [...[...new Set([...own, ...imports])].sort(), "type Weights"] },
    { moduleSpecifier: "maelang/graph", isTypeOnly: true, namedImports: ["Builder", "Tensor"] },
  ]);
  file.addStatements([
    `const imageShape = ${dataText(image)} as const;`,
    `/** ${tokenCount(grid)} patches, in raster order. */\nconst grid = ${dataText(grid)} as const;`,
    `const parameters = ${parameters};`,
    "type W = Weights<typeof parameters>;",
  ]);
  file.addTypeAlias({ name: "Batch", docs: ["One training batch."], type: batchType(program) });
  file.addFunctions(functionStructures(assembly, program));
  file.addStatements(
    `export const ${exportName(assembly.model, program)} = defineModel({ ${lines.map(({ text }) => text).join(", ")} });`,
  );
  return file.getFullText();
}

/** Blank lines between declarations, which ts-morph does not set everywhere. */
const spaced = (text: string): string =>
  text.replace(/\n(\/\*\*|const |type |interface |function |export )/g, "\n\n$1").replace(/(\*\/\n)\n+/g, "$1");

/**
 * The TypeScript of a model without findings: formatted, shape-typed, importing only `maelang/blocks` and `maelang/graph`.
 */
export async function emitModule(model: Model, version: string): Promise<string> {
  const assembly = assemble(model);
  return format(spaced(moduleText(assembly, record(assembly), version)), { parser: "typescript", printWidth: 120 });
}

/**
 * A model as one readable TypeScript module. A door of its own: only here is prettier loaded.
 */

import { format } from "prettier";
import { type Bound, boxText, isPicture, tokenCount } from "../../blocks/index.js";
import { type Assembly, adversaryGroups, assemble } from "../assemble/assemble.js";
import { fieldsAsked } from "../assemble/fields.js";
import { layoutOf } from "../assemble/layout.js";
import { record } from "../assemble/record.js";
import { noHomes, ourNames } from "../homes.js";
import { countWeights } from "../memory-plan.js";
import type { Model } from "../model.js";
import type { Program, TensorForm } from "../program.js";
import { blockText, type Named, valuesText } from "./block-values.js";
import { createImports, type Elsewhere, type Imports } from "./imports.js";
import { dataText, functionText, parametersText, tensorType } from "./text.js";

export type { Elsewhere } from "./imports.js";

/** The functions that a model hands to whoever runs it. */
const handed = ["guide", "encode", "features", "predict", "loss"];

/** Words that no constant of a module may be called. */
const words =
  "arguments as async await break case catch class const continue debugger default delete do else enum eval export extends " +
  "false finally for function globalThis if implements import in Infinity instanceof interface let NaN new null package " +
  "private protected public return static super switch this throw true try typeof undefined var void while with yield";

/** The name of the module's export: the model's own, unless it means something else in the module or in the language. */
function exportName({ name }: Model, { functions, batch }: Program): string {
  const own = [shapeName(batch.array.name), "grid", "parameters", ...functions.map((f) => f.name)];
  const types = ["Batch", "Builder", "Tensor", "W", "Weights"];
  return [...own, ...types, ...ourNames, ...words.split(" ")].includes(name) ? `${name}Model` : name;
}

/** Comments cannot be left: their end is broken up. */
const comment = (text: string): string => text.replaceAll("*/", "*\\/");

function headline(assembly: Assembly): string {
  const { parts, parameters, model } = assembly;
  const { count, visible } = layoutOf(parts);
  const [fewest = visible] = parts.mask?.definition.varies?.counts(parts.mask.values, parts.grid) ?? [];
  const range = (least: number, most: number): string => (least === most ? String(most) : `${least} to ${most}`);
  const weights = countWeights(parameters).toLocaleString("en");
  const masked = parts.mask
    ? `: ${range(fewest, visible)} visible, ${range(count - visible, count - fewest)} hidden`
    : "";
  const pieces = isPicture(parts.array)
    ? `patches of ${boxText(parts.grid)} pixels`
    : `tokens of ${boxText(parts.grid)}`;
  const facts = `${count} ${pieces}${masked}. ${weights} parameters.`;
  return [model.doc, facts].filter((line) => line !== "").join("\n\n");
}

/** A block with its values, as an argument: `masks.random, { ratio: 0.75 }`. */
const bound = ({ definition, values }: Bound<Named>, imports: Imports): string =>
  `${blockText(definition, imports)}, ${valuesText(values, imports)}`;

const adversaryText = (assembly: Assembly, adversary: NonNullable<Assembly["parts"]["adversary"]>): string =>
  Object.entries(adversaryGroups(assembly, adversary))
    .map(([name, value]) => `${name}: ${dataText(value)}`)
    .join(", ");

/** What the model is, line by line. */
function modelText(assembly: Assembly, program: Program, imports: Imports): string {
  const { parts } = assembly;
  const { mask, encoder, adversary, teacher, classes } = parts;
  const target = parts.objectives[0]?.target;
  const handedOn = program.functions.map((f) => f.name).filter((name) => handed.includes(name));
  const shape = shapeName(parts.name);
  const context = `{ array: ${shape}, grid }`;
  const fields = fieldsAsked(parts).map(
    ({ name, kind, part }) =>
      `${name}: ${imports.ours("bindField")}(${dataText(kind)}, ${bound(part, imports)}, ${context})`,
  );
  const lines = [
    `name: ${dataText(assembly.model.name)}`,
    `arrays: { ${parts.name}: ${shape} }, grid`,
    mask
      ? `mask: ${imports.ours("bindMask")}(${bound(mask, imports)}, grid)`
      : `mask: ${imports.ours("everythingVisible")}(grid)`,
    `parameters, extraTokens: ${layoutOf(parts).extra}, layers: ${encoder.definition.layers(encoder.values)}`,
    handedOn.join(", "),
    ...(classes ? [`classes: ${classes.head.definition.classes(classes.head.values)}`] : []),
    ...(target?.definition.picture
      ? [`picture: ${imports.ours("bindPicture")}(${bound(target, imports)}, ${context})`]
      : []),
    ...(fields.length > 0 ? [`fields: { ${fields.join(", ")} }`] : []),
    ...(adversary ? [`adversary: { ${adversaryText(assembly, adversary)}, loss: adversaryLoss }`] : []),
    ...(teacher ? [`teacher: ${imports.ours("bindTeacher")}(${bound(teacher, imports)})`] : []),
  ];
  return `${imports.ours("defineModel")}({ ${lines.join(", ")} })`;
}

/** The type of a batch. A type and not an interface, which would not be taken where fields of any name are. */
function batchType({ batch: { array, fields, guide, ...batch } }: Program, isPicture: boolean): string {
  const docs = {
    visible: "Places of the visible tokens, in the order in which the encoder sees them.",
    hidden: "Places of the hidden tokens.",
    restore: "Where each token stands in [visible, hidden].",
  };
  const property = (name: string, form: TensorForm, doc: string) =>
    `/** ${doc} */\nreadonly ${name}: ${tensorType(form)};`;
  const properties = [
    property(array.name, array.form, `${isPicture ? "Pixels" : "Numbers"} as the recipe leaves them.`),
    ...(Object.keys(docs) as (keyof typeof docs)[]).map((name) => property(name, batch[name], docs[name])),
    ...Object.entries(fields).map(([name, form]) =>
      property(name, form, `Computed of each sample beside its ${array.name}.`),
    ),
    ...Object.entries(guide).map(([name, { form, doc }]) => property(name, form, doc)),
  ];
  return `{\n${properties.join("\n")}\n}`;
}

/** Text with its documentation in front. */
function documented(doc: string, text: string): string {
  const lines = comment(doc).split("\n");
  return lines.length === 1
    ? `/** ${lines[0]} */\n${text}`
    : `/**\n${lines.map((line) => ` * ${line}\n`).join("")} */\n${text}`;
}

function functionsText(assembly: Assembly, program: Program): readonly string[] {
  const { encoder } = assembly.parts;
  const layers = encoder.definition.layers(encoder.values);
  return program.functions.map((f) => {
    const { name, doc, parameters, returns, body } = functionText(f, { ...program, layers });
    const result = returns === null ? "" : `: ${returns}`;
    return documented(doc, `function ${name}(${parameters.join(", ")})${result} {\n${body}\n}`);
  });
}

/** Names that mean something in every module. */
const reserved = "g w batch latent visible hidden restore prediction layers grid parameters Batch W";

/** What a module calls the shape of its array. */
const shapeName = (array: string): string => `${array}Shape`;

/** Names that the module itself gives. */
const namesIn = ({ functions, batch }: Program, model: string): readonly string[] => [
  ...reserved.split(" "),
  batch.array.name,
  shapeName(batch.array.name),
  ...Object.keys(batch.fields),
  ...functions.flatMap((f) => [
    f.name,
    ...f.statements.flatMap((s) => (s.kind === "fold" ? [s.name, s.element] : [s.name])),
  ]),
  model,
];

/** The program with each layer called by the name that it is imported under. */
const withImports = (program: Program, imports: Imports): Program => ({
  ...program,
  functions: program.functions.map((f) => ({
    ...f,
    statements: f.statements.map((s) => {
      const { layer, name } = s.callee;
      return layer === null ? s : { ...s, callee: { layer, name: imports.use(layer, name) } };
    }),
  })),
});

/** The module's text before formatting: every part in the order in which it is read. */
function moduleText(assembly: Assembly, recorded: Program, version: string, elsewhere: Elsewhere): string {
  const { array, grid } = assembly.parts;
  const name = exportName(assembly.model, recorded);
  const imports = createImports(elsewhere, namesIn(recorded, name));
  const program = withImports(recorded, imports);
  const parameters = parametersText(assembly.parameters, imports);
  const model = modelText(assembly, program, imports);
  const shape = shapeName(assembly.parts.name);
  const head = `${headline(assembly)}\n\nGenerated by mae ${version}; change the spec, not this file.`;
  const importing = [
    `import { ${[...imports.own(), "type Weights"].join(", ")} } from "maelang/blocks";`,
    'import type { Builder, Tensor } from "maelang/graph";',
    ...imports.declarations(),
  ];
  return [
    documented(head, importing.join("\n")),
    `const ${shape} = ${dataText(array)} as const;`,
    documented(
      `${tokenCount(grid)} ${isPicture(array) ? "patches" : "tokens"}, in raster order.`,
      `const grid = ${dataText(grid)} as const;`,
    ),
    `const parameters = ${parameters};`,
    "type W = Weights<typeof parameters>;",
    documented("One training batch.", `type Batch = ${batchType(program, isPicture(array))};`),
    ...functionsText(assembly, program),
    `export const ${name} = ${model};`,
  ].join("\n\n");
}

const nowhere: Elsewhere = { homes: noHomes, specifier: (file) => file };

/**
 * The TypeScript of a model without findings: formatted, shape-typed, importing only `maelang/blocks`, `maelang/graph` and
 * the files of a project that the model's blocks come from.
 */
export async function emitModule(model: Model, version: string, elsewhere: Elsewhere = nowhere): Promise<string> {
  const assembly = assemble(model);
  const text = moduleText(assembly, record(assembly), version, elsewhere);
  return format(text, { parser: "typescript", printWidth: 120 });
}

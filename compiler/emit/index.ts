/**
 * A model as one readable TypeScript module. A door of its own: only here is prettier loaded.
 */

import { format } from "prettier";
import { type Bound, boxText, isPicture, tokenCount } from "../../blocks/index.js";
import {
  type Assembly,
  adversaryGroups,
  assemble,
  encodingsOf,
  headFacts,
  imitationsOf,
  predictionsOf,
  wholeMasks,
} from "../assemble/assemble.js";
import { fieldsAsked } from "../assemble/fields.js";
import { guidedMasks } from "../assemble/guide.js";
import {
  dropsOf,
  frontOf,
  generates,
  jointMask,
  layersOf,
  layoutOf,
  maskOver,
  separatorsOf,
  visibleOf,
} from "../assemble/layout.js";
import {
  type InputPart,
  isUnseen,
  type MaskPart,
  type Objective,
  type Parts,
  type StreamPart,
  wholeParts,
} from "../assemble/parts.js";
import { record } from "../assemble/record.js";
import { movingOf } from "../assemble/views.js";
import { noHomes, ourNames } from "../homes.js";
import { countWeights } from "../memory-plan.js";
import type { Model } from "../model.js";
import { gridName, type Program, type TensorForm } from "../program.js";
import { blockText, type Named, valuesText } from "./block-values.js";
import { createImports, type Elsewhere, type Imports } from "./imports.js";
import { dataText, functionText, parametersText, tensorType } from "./text.js";

export type { Elsewhere } from "./imports.js";

/** The functions that a model hands to whoever runs it. */
const handed = ["encode", "features", "predict", "loss"];

/** Words that no constant of a module may be called. */
const words =
  "arguments as async await break case catch class const continue debugger default delete do else enum eval export extends " +
  "false finally for function globalThis if implements import in Infinity instanceof interface let NaN new null package " +
  "private protected public return static super switch this throw true try typeof undefined var void while with yield";

/** The name of the module's export: the model's own, unless it means something else in the module or in the language. */
function exportName({ name }: Model, { functions, batch }: Program): string {
  const arrays = Object.keys(batch.arrays);
  const own = [
    ...arrays.flatMap(constantsOf(arrays.length === 1)),
    ...Object.keys(batch.views).flatMap(constantsOf(false)),
    "parameters",
    ...functions.map((f) => f.name),
  ];
  const types = ["Arrays", "Batch", "Builder", "Tensor", "W", "Weights"];
  return [...own, ...types, ...ourNames, ...words.split(" ")].includes(name) ? `${name}Model` : name;
}

/** Comments cannot be left: their end is broken up. */
const comment = (text: string): string => text.replaceAll("*/", "*\\/");

function headline({ parts, parameters, model }: Assembly): string {
  const weights = countWeights(parameters).toLocaleString("en");
  const joint = jointMask(parts);
  const sets = parts.inputs.map((input) => {
    const own = joint ? null : maskOver(parts, input);
    const of = parts.inputs.length === 1 ? "" : ` of ${input.name}`;
    return `${tokenCount(input.grid)} ${piecesText(input)}${of}${own ? maskedText(own, tokenCount(input.grid)) : ""}`;
  });
  const all = joint ? [`Together ${layoutOf(parts).count} tokens${maskedText(joint, layoutOf(parts).count)}`] : [];
  const { latents } = parts.encoder;
  const between = latents
    ? [`${frontOf(parts.encoder)} latents of ${latents.definition.width(latents.values)} numbers`]
    : [];
  const facts = [...sets, ...all, ...between, `${weights} parameters`].map((fact) => `${fact}.`).join(" ");
  return [model.doc, facts].filter((line) => line !== "").join("\n\n");
}

const piecesText = ({ array, grid }: InputPart): string =>
  isPicture(array) ? `patches of ${boxText(grid)} pixels` : `tokens of ${boxText(grid)}`;

/** `: 4 visible, 12 hidden`, of so many tokens. */
function maskedText(mask: MaskPart, count: number): string {
  const { definition, values } = mask.block;
  const visible = visibleOf(mask);
  const [fewest = visible] = definition.varies?.counts(values, (mask.over[0] as InputPart).grid) ?? [];
  const range = (least: number, most: number): string => (least === most ? String(most) : `${least} to ${most}`);
  return `: ${range(fewest, visible)} visible, ${range(count - visible, count - fewest)} hidden`;
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
  const { inputs, encoder, adversary, teacher, heads, streams } = parts;
  const moving = movingOf(parts).map(
    ({ term, loss }) => `...${imports.ours("bindMoving")}(${bound(loss, imports)}, ${dataText(term)})`,
  );
  const [own] = heads.length === 0 ? wholeParts(parts).objectives : [];
  const [head] = heads;
  const handedOn = program.functions.map((f) => f.name).filter((name) => handed.includes(name));
  const only = inputs.length === 1;
  const drops = dropsOf(parts).flatMap((own) => own.drops);
  const gridOf = ({ name }: InputPart): string => gridName(name, only);
  const context = (input: InputPart): string =>
    `{ array: ${shapeName(input.name)}, ${only ? gridOf(input) : `grid: ${gridOf(input)}`} }`;
  const byInput = (text: (input: InputPart) => string): string =>
    `{ ${inputs.map((input) => `${input.name}: ${text(input)}`).join(", ")} }`;
  const pictureText = ({ target, input }: Objective): readonly string[] =>
    target.definition.picture
      ? [`picture: ${imports.ours("bindPicture")}(${bound(target, imports)}, ${context(input)})`]
      : [];
  const fields = fieldsAsked(parts).map(
    ({ name, kind, part, input }) =>
      `${name}: ${imports.ours("bindField")}(${dataText(kind)}, ${bound(part, imports)}, ${context(input)}${only ? "" : `, ${dataText(input.name)}`})`,
  );
  const guides = guidedMasks(parts).map(({ mask, f }) => `${mask}: { order: ${f} }`);
  const predictions = predictionsOf(assembly).map(({ name, f, objective }) => {
    const facts = [
      `array: ${dataText(objective.input.name)}`,
      ...(isUnseen(objective) ? ["unseen: true"] : []),
      f === "predict" ? f : `predict: ${f}`,
      ...pictureText(objective),
    ];
    return `${name}: { ${facts.join(", ")} }`;
  });
  const imitations = imitationsOf(assembly).map(({ name, f, imitates }) => {
    const facts = [`array: ${dataText(imitates.input.name)}`, `predict: ${f}`, ...pictureText(imitates)];
    return `${name}: { ${facts.join(", ")} }`;
  });
  const encodings = encodingsOf(assembly).map(
    ({ name, f, extraTokens }) => `${dataText(name)}: { extraTokens: ${extraTokens}, features: ${f} }`,
  );
  const lines = [
    `name: ${dataText(assembly.model.name)}`,
    `arrays: ${byInput(({ name }) => shapeName(name))}`,
    `grids: ${byInput(gridOf)}`,
    `masks: ${masksText(wholeMasks(parts), imports, gridOf)}`,
    ...(streams.length > 0
      ? [`views: { ${streams.map((stream) => viewText(stream, imports, only)).join(", ")} }`]
      : []),
    ...(moving.length > 0 ? [`moving: { ${moving.join(", ")} }`] : []),
    `parameters, backbone: ${dataText(assembly.backbone)}, extraTokens: ${layoutOf(parts).extra}`,
    ...(encoder.latents ? [`latents: ${frontOf(encoder)}`] : []),
    ...(separatorsOf(encoder) > 0 ? [`separators: ${separatorsOf(encoder)}`] : []),
    `layers: ${layersOf(encoder)}`,
    ...(guides.length > 0 ? [`guides: { ${guides.join(", ")} }`] : []),
    handedOn.join(", "),
    ...(head ? Object.entries(headFacts(head)).map(([name, value]) => `${name}: ${dataText(value)}`) : []),
    ...(own ? pictureText(own) : []),
    ...(generates(parts) ? [`codes: { count: ${(inputs[0] as InputPart).codes}, of: codes, draw }`] : []),
    ...(encodings.length > 0 ? [`encodings: { ${encodings.join(", ")} }`] : []),
    ...(predictions.length > 0 ? [`predictions: { ${predictions.join(", ")} }`] : []),
    ...(imitations.length > 0 ? [`imitations: { ${imitations.join(", ")} }`] : []),
    ...(fields.length > 0 ? [`fields: { ${fields.join(", ")} }`] : []),
    ...(drops.length > 0 ? [`drops: ${dataText(drops)}`] : []),
    ...(adversary ? [`adversary: { ${adversaryText(assembly, adversary)}, loss: adversaryLoss }`] : []),
    ...(teacher ? [`teacher: ${imports.ours("bindTeacher")}(${bound(teacher.block, imports)})`] : []),
  ];
  return `${imports.ours("defineModel")}({ ${lines.join(", ")} })`;
}

/** What the program calls the shape of a view, and its lattice: those of its input, where it is as large. */
const viewNames = ({ input, of }: StreamPart, only: boolean) => ({
  shape: shapeName(input.array === of.array ? of.name : input.name),
  grid: input.grid === of.grid ? gridName(of.name, only) : gridName(input.name, false),
});

/** The views of a stream, by name. */
function viewText(stream: StreamPart, imports: Imports, only: boolean): string {
  const { name, of, count, shared, mask } = stream;
  const { shape, grid } = viewNames(stream, only);
  const facts = [
    `of: ${dataText(of.name)}, count: ${count}, array: ${shape}`,
    ...(shared ? ["shared: true"] : []),
    ...(mask ? [`mask: ${imports.ours("bindMask")}(${bound(mask.block, imports)}, ${grid})`] : []),
  ];
  return `${name}: { ${facts.join(", ")} }`;
}

/** The masks of a model by name. */
function masksText(masks: readonly MaskPart[], imports: Imports, gridOf: (input: InputPart) => string): string {
  const texts = masks.map(({ name, block, over }) => {
    const [only, another] = over;
    const bind = another ? "bindJointMask" : "bindMask";
    const grids = another ? `[${over.map(gridOf).join(", ")}]` : gridOf(only as InputPart);
    return `${name}: ${imports.ours(bind)}(${bound(block, imports)}, ${grids})`;
  });
  return `{ ${texts.join(", ")} }`;
}

/** The type of a batch. A type and not an interface, which would not be taken where fields of any name are. */
function batchType({ batch: { arrays, places, views, fields, guide, training } }: Program, { inputs }: Parts): string {
  const property = (name: string, form: TensorForm, doc: string, mark = "") =>
    `/** ${doc} */\nreadonly ${name}${mark}: ${tensorType(form)};`;
  const properties = [
    ...inputs.map(({ name, array }) =>
      property(
        name,
        arrays[name] as TensorForm,
        `${isPicture(array) ? "Pixels" : "Numbers"} as the recipe leaves them.`,
      ),
    ),
    ...Object.entries({ ...views, ...places, ...fields, ...guide }).map(([name, { form, doc }]) =>
      property(name, form, doc),
    ),
    ...Object.entries(training).map(([name, { form, doc }]) => property(name, form, doc, "?")),
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
  const layers = layersOf(assembly.parts.encoder);
  return program.functions.map((f) => {
    const { name, doc, parameters, returns, body } = functionText(f, layers);
    const result = returns === null ? "" : `: ${returns}`;
    return documented(doc, `function ${name}(${parameters.join(", ")})${result} {\n${body}\n}`);
  });
}

/** Names that mean something in every module. */
const reserved = "g w batch latent visible hidden restore prediction layers grid parameters Arrays Batch W";

/** What a module calls the shape of its array. */
const shapeName = (array: string): string => `${array}Shape`;

/** The constants of an array. */
const constantsOf =
  (only: boolean) =>
  (array: string): readonly string[] => [shapeName(array), gridName(array, only)];

/** Names that the module itself gives. */
const namesIn = ({ functions, batch }: Program, model: string): readonly string[] => [
  ...reserved.split(" "),
  ...Object.keys(batch.arrays).flatMap((array, _, all) => [array, ...constantsOf(all.length === 1)(array)]),
  ...Object.keys(batch.places),
  ...Object.keys(batch.views).flatMap((name) => [name, ...constantsOf(false)(name)]),
  ...Object.keys(batch.fields),
  ...Object.keys(batch.training),
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
      const { layer, name, weights } = s.callee;
      if (layer !== null) return { ...s, callee: { layer, name: imports.use(layer, name) } };
      return weights
        ? { ...s, callee: { layer, name, weights: { ...weights, name: imports.use(weights.layer, weights.name) } } }
        : s;
    }),
  })),
});

/** The module's text before formatting: every part in the order in which it is read. */
function moduleText(assembly: Assembly, recorded: Program, version: string, elsewhere: Elsewhere): string {
  const { inputs } = assembly.parts;
  const name = exportName(assembly.model, recorded);
  const imports = createImports(elsewhere, namesIn(recorded, name));
  const program = withImports(recorded, imports);
  const parameters = parametersText(assembly.parameters, imports);
  const model = modelText(assembly, program, imports);
  const head = `${headline(assembly)}\n\nGenerated by mae ${version}; change the spec, not this file.`;
  const importing = [
    `import { ${[...imports.own(), "type Weights"].join(", ")} } from "maelang/blocks";`,
    'import type { Builder, Tensor } from "maelang/graph";',
    ...imports.declarations(),
  ];
  return [
    documented(head, importing.join("\n")),
    ...inputs.flatMap(({ name: array, array: shape, grid }) => [
      `const ${shapeName(array)} = ${dataText(shape)} as const;`,
      documented(
        `${tokenCount(grid)} ${isPicture(shape) ? "patches" : "tokens"}, in raster order.`,
        `const ${gridName(array, inputs.length === 1)} = ${dataText(grid)} as const;`,
      ),
    ]),
    ...assembly.parts.streams.flatMap(({ input: { name: view, array: shape, grid }, of }) =>
      grid === of.grid
        ? []
        : [
            `const ${shapeName(view)} = ${dataText(shape)} as const;`,
            documented(
              `${tokenCount(grid)} ${isPicture(shape) ? "patches" : "tokens"} of a view \`${view}\`, in raster order.`,
              `const ${gridName(view, false)} = ${dataText(grid)} as const;`,
            ),
          ],
    ),
    `const parameters = ${parameters};`,
    "type W = Weights<typeof parameters>;",
    documented("One training batch.", `type Batch = ${batchType(program, assembly.parts)};`),
    documented(
      "What is seen of a sample without a mask.",
      `type Arrays = Pick<Batch, ${inputs.map((input) => dataText(input.name)).join(" | ")}>;`,
    ),
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

/**
 * Puts a model together once, to see whether blocks that are not ours do what their kind promises. What they throw comes
 * through; what they give and nobody can use is in the answer.
 */

import {
  arrayLength,
  asKind,
  type Batch,
  batchInputs,
  type Definition,
  declarationOf,
  type Field,
  type FieldContext,
  type FieldSample,
  isBlockValue,
  isDeclared,
  isParameter,
  kindOf,
  type ParameterTree,
  tokenCount,
  weightsOf,
} from "../blocks/index.js";
import { createBuilder, invariant, randomStream, showShape, sizeOf } from "../graph/index.js";
import { type Assembly, assemble, programOf } from "./assemble/assemble.js";
import { fieldsOf } from "./assemble/fields.js";
import { record } from "./assemble/record.js";
import { type Homes, homeOf } from "./homes.js";
import type { Filled, Model, Use } from "./model.js";

/** Something that a block gives and nobody can use. */
export interface Fault {
  /** The block's use in the model; null: it cannot be said which of them it is. */
  readonly use: Use | null;
  /** A layer or weight that the program could not import: the name that it was given; null: a wrong result. */
  readonly name: string | null;
  /** One sentence without a full stop. */
  readonly message: string;
}

/** Blocks of a model that are not ours, in the order of its lines. */
export function foreignUses(model: Model, homes: Homes): readonly Use[] {
  const all = (lines: readonly Filled[]): readonly Use[] => lines.flatMap(({ use, inner }) => [use, ...all(inner)]);
  return foreignIn(all(model.slots), homes);
}

/** Those that are not ours, of blocks and of the blocks among their values. */
export const foreignIn = (uses: readonly Use[], homes: Homes): readonly Use[] =>
  uses.flatMap(withValues).filter(({ definition }) => homes.has(definition));

/** A block, then the blocks among its values; their origins are those of the arguments. */
const withValues = (use: Use): readonly Use[] => [
  use,
  ...Object.entries(use.values).flatMap(([name, value]): readonly Use[] => {
    if (!isBlockValue(value)) return [];
    const { block, values } = value;
    const [kind, origin] = [kindOf(block), use.origins[name] ?? use.origin];
    invariant(kind, "a block among values was defined as one of some kind");
    return withValues({ kind, definition: block as unknown as Definition, values, origins: {}, origin });
  }),
];

/** What is wrong with what the blocks give. */
export function tryOut(model: Model, homes: Homes): readonly Fault[] {
  const uses = foreignUses(model, homes);
  const assembly = assemble(model);
  const masked = [...faultsOfFields(assembly, homes, uses), ...faultsOfMask(assembly, uses)];
  if (masked.length > 0) return masked;
  const scalars = faultsOfLosses(assembly, uses);
  return scalars.length > 0 ? scalars : faultsOfNames(assembly, homes);
}

/** Samples of a mask that are looked at. */
const draws = 8;

function faultsOfMask({ parts }: Assembly, uses: readonly Use[]): readonly Fault[] {
  const [part] = parts.masks;
  const [input] = part?.over ?? [];
  const use = uses.find(({ definition }) => asKind("mask", definition) === part?.block.definition);
  if (!use || !part || !input) return [];
  const { block: mask } = part;
  const { grid } = input;
  const fault = (message: string): readonly Fault[] => [{ use, name: null, message }];
  const count = tokenCount(grid);
  const visible = mask.definition.visible(mask.values, grid);
  if (!Number.isInteger(visible) || visible < 1 || visible >= count) {
    return fault(`\`visible\` of \`${use.definition.name}\` gives ${visible}, not a number from 1 to ${count - 1}`);
  }
  const field = mask.definition.field?.(mask.values, input);
  for (let i = 0; i < draws; i++) {
    const numbers = field?.compute(pretended(input, field, i));
    const order = mask.definition.sample(mask.values, grid, randomStream(i, "mask", 0, 0), numbers);
    if (!(order instanceof Int32Array) || order.length !== count || new Set(order).size !== count || isOut(order)) {
      return fault(
        `\`sample\` of \`${use.definition.name}\` does not give each token 0 to ${count - 1} once, in an Int32Array`,
      );
    }
  }
  return [];
}

/** What data workers compute of samples, where a block that is not ours has a part in it. */
function faultsOfFields({ parts }: Assembly, homes: Homes, uses: readonly Use[]): readonly Fault[] {
  return Object.values(fieldsOf(parts)).flatMap((field): readonly Fault[] => {
    const { block, shape, dtype } = field;
    const use = uses.find(({ definition }) => (definition as unknown) === block) ?? null;
    const isOurs =
      use === null && !Object.values(field.values).some((value) => isBlockValue(value) && homes.has(value.block));
    if (isOurs) return [];
    const numbers = field.compute(pretended(field.context, field, 0));
    const wanted = dtype === "int32" ? Int32Array : Float32Array;
    if (numbers instanceof wanted && numbers.length === sizeOf(shape)) return [];
    const message = `the field of \`${block.name}\` is not ${sizeOf(shape)} numbers in a ${wanted.name}`;
    return [{ use, name: null, message }];
  });
}

/** A sample with noise for an array, and a map of one region beside it where the field asks for a file. */
function pretended({ array: shape }: Pick<FieldContext, "array">, { beside }: Field, i: number): FieldSample {
  const noise = randomStream(i, "probe");
  return {
    array: Float32Array.from({ length: arrayLength(shape) }, () => noise.uniform()),
    label: null,
    value: 0,
    random: randomStream(i, "field", 0, 0),
    ...(beside === undefined ? {} : { beside: [new Int32Array(arrayLength({ ...shape, channels: 1 }))] }),
  };
}

const isOut = (order: Int32Array): boolean => order.some((token) => token < 0 || token >= order.length);

function faultsOfLosses(assembly: Assembly, uses: readonly Use[]): readonly Fault[] {
  const program = programOf(assembly);
  const g = createBuilder({ batch: 2 });
  const w = weightsOf(g, assembly.parameters);
  const { terms } = program.loss(g, w as never, batchInputs(g, program) as Batch);
  return Object.entries(terms)
    .filter(([, { shape }]) => shape.length > 0)
    .map(([term, { shape }]) => ({
      use:
        uses.find(({ kind, definition }) => kind === "loss" && term.split(".").at(-1)?.startsWith(definition.name)) ??
        null,
      name: null,
      message: `the loss \`${term}\` gives a tensor ${showShape(shape)}, not one number`,
    }));
}

/** What the program calls and could import from nowhere. */
function faultsOfNames(assembly: Assembly, homes: Homes): readonly Fault[] {
  const called = record(assembly).functions.flatMap((f) => f.statements.map(({ callee }) => callee));
  const layers = called.flatMap(({ layer, name }) => (layer && homeOf(layer, name, homes) === null ? [name] : []));
  const declared = [...declarations(assembly.parameters)];
  const unknown = declared.flatMap(({ by, name }) => (by && homeOf(by, name, homes) === null ? [name] : []));
  const bare = declared.flatMap(({ by, name }) => (by ? [] : [name]));
  return [
    ...[...new Set([...layers, ...unknown])].map((name) => ({
      use: null,
      name,
      message: `\`${name}\` is called by the model and exported by no block file`,
    })),
    ...bare.map((name) => ({
      use: null,
      name,
      message: `the weight \`${name}\` is made by no \`declarer\`, so that no program could declare it`,
    })),
  ];
}

/** Who declared each branch of the weights; `by` null: nobody. */
function* declarations(
  tree: ParameterTree,
  path = "",
): Generator<{ readonly by: object | null; readonly name: string }> {
  const call = declarationOf(tree);
  if (call) {
    yield { by: call.by, name: call.layer };
    for (const arg of call.args) if (isDeclared(arg)) yield* declarations(arg, path);
    return;
  }
  if (isParameter(tree)) {
    yield { by: null, name: path };
    return;
  }
  for (const [key, branch] of Object.entries(tree)) {
    yield* declarations(branch as ParameterTree, path === "" ? key : `${path}.${key}`);
  }
}

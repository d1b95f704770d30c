/**
 * Every name that stands in a file, with what it is: read from the syntax tree, and where that does not tell, from the definitions of
 * blocks. What is half-written and not in the tree is left out.
 */

import { blockNamed, modelSlots, recipeSlots, takesMany } from "../compiler/index.js";
import type {
  Condition,
  Declaration,
  Expression,
  Identifier,
  Let,
  ModelEntry,
  Path,
  PipelineEntry,
  Slot,
  Span,
  Stage,
  VariantsEntry,
} from "../grammar/index.js";
import { pathCandidates, settings, wantedAt } from "./paths.js";
import { type Line, linesOf, type Scene } from "./scene.js";
import type { Wanted } from "./values.js";

/** `imported`: what an import takes, as the other file calls it. */
export type Role =
  | "declaration"
  | "imported"
  | "variable"
  | "stage"
  | "label"
  | "slot"
  | "block"
  | "parameter"
  | "option"
  | "unit";

export interface Name {
  readonly role: Role;
  readonly text: string;
  readonly span: Span;
  /** Whether the name is given here; elsewhere it is used. */
  readonly gives: boolean;
  /** Where the name of a variable or of a stage is given. */
  readonly given: Span | null;
  /** Of a label: its model, as the file calls it. Of what is imported: the path of its file, as it is written. */
  readonly of: string | null;
}

/** What the names of a body mean. */
interface Body {
  readonly scene: Scene;
  /** The model whose labels stand here. */
  readonly model: string | null;
  readonly variables: ReadonlyMap<string, Span>;
  readonly lines: () => readonly Line[];
}

type Names = Generator<Name, void, undefined>;

const nameOf = (role: Role, { name, span }: Identifier, more: Partial<Name> = {}): Name => ({
  role,
  text: name,
  span,
  gives: false,
  given: null,
  of: null,
  ...more,
});

/** All names of a file, those of a declaration together. */
export function* namesOf(scene: Scene): Names {
  for (const { names, from } of scene.file.imports) {
    for (const { name, alias } of names) {
      yield nameOf("imported", name, { of: from?.value ?? null });
      if (alias) yield nameOf("declaration", alias, { gives: true });
    }
  }
  for (const declaration of scene.file.declarations) yield* ofDeclaration(declaration, scene);
}

function* ofDeclaration(declaration: Declaration, scene: Scene): Names {
  if (declaration.name) yield nameOf("declaration", declaration.name, { gives: true });
  for (const part of ["base", "subject"] as const) {
    const used = (declaration as Partial<Record<typeof part, Identifier | null>>)[part];
    if (used) yield nameOf("declaration", used);
  }
  const name = declaration.name?.name ?? null;
  switch (declaration.kind) {
    case "model":
    case "recipe":
      return yield* ofEntries(declaration.entries, bodyOf(name, scene));
    case "variants": {
      const body = bodyOf(declaration.subject?.name ?? null, scene);
      const within = { ...body, variables: variablesOf(declaration.entries, body.variables) };
      for (const entry of declaration.entries) yield* ofVariants(entry, within);
      return;
    }
    case "pipeline":
      return yield* ofPipeline(declaration.entries, scene);
  }
}

/** The body of a model or recipe, or of a family of one; its lines are put together when they are first asked for. */
function bodyOf(name: string | null, scene: Scene): Body {
  let lines: readonly Line[] | null = null;
  return {
    scene,
    model: name,
    variables: new Map(),
    lines: () => {
      lines ??= linesOf(name, scene.file, scene);
      return lines;
    },
  };
}

function variablesOf(
  entries: readonly (ModelEntry | VariantsEntry)[],
  around: ReadonlyMap<string, Span>,
): ReadonlyMap<string, Span> {
  const lets = entries.filter((entry): entry is Let => entry.kind === "let");
  return lets.length === 0 ? around : new Map([...around, ...lets.map(({ name }) => [name.name, name.span] as const)]);
}

function* ofLet({ name, alternatives }: Let, body: Body): Names {
  yield nameOf("variable", name, { gives: true, given: name.span });
  for (const value of alternatives) yield* ofValue(value, null, body);
}

function* ofEntries(entries: readonly ModelEntry[], around: Body): Names {
  const body = { ...around, variables: variablesOf(entries, around.variables) };
  for (const entry of entries) {
    if (entry.kind === "let") yield* ofLet(entry, body);
    else if (entry.kind === "set") {
      const path = entry.path.map(({ name }) => name);
      const setting = path.length === 1 ? settings[path[0] ?? ""]?.type : undefined;
      yield* ofPath(entry.path, body);
      if (entry.value) yield* ofValue(entry.value, setting ?? wantedAt(path, body.lines()), body);
    } else if (entry.kind === "remove") {
      yield nameOf("slot", entry.slot);
      if (entry.label) yield ofLabelOrBlock(entry.label, entry.slot.name, body);
    } else yield* ofSlot(entry, body);
  }
}

function* ofSlot({ slot, label, values, every, entries }: Slot, body: Body): Names {
  yield nameOf("slot", slot);
  if (label) yield nameOf("label", label, { gives: true, of: body.model });
  const rule = [...modelSlots, ...recipeSlots].find((one) => one.slot === slot.name);
  const wanted: Wanted = rule ? { kind: "block", of: rule.kind } : (settings[slot.name]?.type ?? null);
  for (const value of values) yield* ofValue(value, wanted, body);
  if (every) yield* ofValue(every, null, body);
  if (entries) yield* ofEntries(entries, body);
}

/** `remove loss mse`: lines of a slot that takes many are told apart by labels, or by their blocks. */
function ofLabelOrBlock(word: Identifier, slot: string, body: Body): Name {
  const there = body.lines().filter(({ rule }) => rule.slot === slot && takesMany(rule));
  const isLabel = there.length === 0 || there.some(({ label }) => label === word.name);
  return isLabel ? nameOf("label", word, { of: body.model }) : nameOf("block", word);
}

function* ofVariants(entry: VariantsEntry, body: Body): Names {
  if (entry.kind === "let") return yield* ofLet(entry, body);
  if (entry.kind === "skip") return entry.condition ? yield* ofCondition(entry.condition, body) : undefined;
  const wanted = wantedAt(
    entry.path.map(({ name }) => name),
    body.lines(),
  );
  yield* ofPath(entry.path, body);
  for (const value of entry.alternatives) yield* ofValue(value, wanted, body);
}

function* ofCondition(condition: Condition, body: Body): Names {
  if (condition.kind === "logical") {
    yield* ofCondition(condition.left, body);
    yield* ofCondition(condition.right, body);
    return;
  }
  const { left, right, operator } = condition;
  const slot = left.kind === "path" ? left.parts[0]?.name : undefined;
  const rule = modelSlots.find((one) => one.slot === slot);
  yield* ofSide(left, body);
  if (operator === "is" && rule) yield* ofValue(right, { kind: "block", of: rule.kind }, body);
  else yield* ofSide(right, body);
}

/** A side of a comparison: a variable, a path into the model, or a value. */
function* ofSide(side: Expression, body: Body): Names {
  const [first] = side.kind === "path" ? side.parts : [];
  const isPath = first && !body.variables.has(first.name) && modelSlots.some(({ slot }) => slot === first.name);
  yield* isPath && side.kind === "path" ? ofPath(side.parts, body) : ofValue(side, null, body);
}

/** `target.region.decoder.width` */
function* ofPath(path: readonly Identifier[], body: Body): Names {
  const [slot] = path;
  if (slot) yield nameOf("slot", slot);
  yield* ofRest(path, 1, body);
}

/** The words of a path from one on; those before it are slots, labels and stages already. */
function* ofRest(path: readonly Identifier[], from: number, body: Body): Names {
  const words = path.map(({ name }) => name);
  for (let i = from; i < path.length; i++) {
    const word = path[i] as Identifier;
    const known = pathCandidates(words.slice(0, i), body.lines()).find(({ name }) => name === word.name);
    if (known?.kind === "label") yield ofLabelOrBlock(word, words[i - 1] ?? "", body);
    else if (known?.kind === "slot" || known?.kind === "parameter") yield nameOf(known.kind, word);
  }
}

function* ofPipeline(entries: readonly PipelineEntry[], scene: Scene): Names {
  const stages = new Map<string, Stage>();
  const use = (word: Identifier): Name => nameOf("stage", word, { given: stages.get(word.name)?.name.span ?? null });
  for (const entry of entries) {
    if (entry.kind === "evaluation") {
      yield use(entry.stage);
      const [rule] = recipeSlots.filter(({ every }) => every);
      for (const probe of entry.probes) {
        yield* ofValue(probe, rule ? { kind: "block", of: rule.kind } : null, bodyOf(null, scene));
      }
      continue;
    }
    yield nameOf("stage", entry.name, { gives: true, given: entry.name.span });
    if (entry.recipe) yield nameOf("declaration", entry.recipe);
    if (entry.model) yield nameOf("declaration", entry.model);
    const own = bodyOf(entry.model?.name ?? null, scene);
    for (const { kind, parts } of entry.from) {
      if (kind === "path") yield* ofStagePart(parts, use, stages, scene);
      else yield* ofPath(parts, own);
    }
    for (const { parts } of entry.fresh) yield* ofPath(parts, own);
    if (!stages.has(entry.name.name)) stages.set(entry.name.name, entry);
  }
}

/** `mae.target.region`: a stage, and a part of its model. */
function* ofStagePart(
  [stage, ...part]: readonly Identifier[],
  use: (word: Identifier) => Name,
  stages: ReadonlyMap<string, Stage>,
  scene: Scene,
): Names {
  if (!stage) return;
  yield use(stage);
  yield* ofPath(part, bodyOf(stages.get(stage.name)?.model?.name ?? null, scene));
}

/** `wanted`: what the value is for. */
function* ofValue(value: Expression, wanted: Wanted, body: Body): Names {
  switch (value.kind) {
    case "path":
      return yield* ofWord(value, wanted, body);
    case "call": {
      yield nameOf("block", value.callee);
      const kinds = wanted?.kind === "block" ? [wanted.of] : Object.keys(body.scene.registry);
      const [definition] = kinds.flatMap((kind) => blockNamed(body.scene.registry, kind, value.callee.name) ?? []);
      for (const { name, value: given } of value.arguments) {
        if (name) yield nameOf("parameter", name);
        const param = name?.name ?? definition?.positional ?? "";
        const type = definition && Object.hasOwn(definition.params, param) ? definition.params[param]?.type : undefined;
        yield* ofValue(given, type ?? null, body);
      }
      return;
    }
    case "quantity":
      return yield nameOf("unit", { kind: "identifier", name: value.unit, span: value.unitSpan });
    case "file part":
      return yield* ofPath(value.parts, body);
    case "list":
    case "tuple":
      for (const item of value.items) yield* ofValue(item, wanted, body);
      return;
    case "range":
    case "ramp":
    case "rate":
      for (const part of partsOf(value)) yield* ofValue(part, wanted, body);
      return;
    default:
  }
}

const partsOf = (value: Extract<Expression, { kind: "range" | "ramp" | "rate" }>): readonly Expression[] => {
  if (value.kind === "rate") return [value.value, value.per];
  return [value.from, value.to, ...(value.kind === "ramp" && value.over ? [value.over] : [])];
};

/** A bare word: a variable before all, else a block, a label or an option. */
function* ofWord({ parts }: Path, wanted: Wanted, body: Body): Names {
  const [word, ...rest] = parts;
  // `joint.audio`: what a line makes of an input, both by their labels.
  if (wanted?.kind === "labels" && wanted.parts && rest.length > 0) {
    for (const part of parts) yield nameOf("label", part, { of: body.model });
    return;
  }
  // `target.student`: a part of the model.
  if (word && wanted?.kind === "parts") {
    yield nameOf("slot", word);
    for (const part of rest) yield nameOf("label", part, { of: body.model });
    return;
  }
  if (!word || rest.length > 0) return;
  const given = body.variables.get(word.name);
  if (given) yield nameOf("variable", word, { given });
  else if (wanted?.kind === "block") yield nameOf("block", word);
  else if (wanted?.kind === "recipes") yield nameOf("declaration", word);
  else if (wanted?.kind === "labels") yield nameOf("label", word, { of: body.model });
  else yield nameOf("option", word);
}

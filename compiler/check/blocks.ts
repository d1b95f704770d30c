/** From `vit(depth: 12)` to a block of the registry with all its values: names, arguments, defaults. */

import type { BlockValue, Definition, Param } from "../../blocks/index.js";
import type { Argument, Expression, Identifier, Span } from "../../grammar/index.js";
import { slotsOf } from "../slots.js";
import type { Body, DraftBlock, DraftValue } from "./draft.js";
import { capitalized, isSlip, named, nearest, suggestion } from "./nearest.js";
import { excerpt, fail, replacement } from "./report.js";
import { lookUp, resolve, unknownVariable, wordOf } from "./scope.js";
import { expectation, sample } from "./show.js";
import { readValue } from "./values.js";
import { blockNamed, blocksOf, kindsWith } from "./vocabulary.js";

/** A block as written: its name, and its arguments if it has any. */
interface Written {
  readonly name: Identifier;
  readonly arguments: readonly Argument[];
}

/** Reads the block of a slot. `slot` is the slot's name, for messages. */
export function readBlock(kind: string, slot: string, expression: Expression, body: Body): DraftBlock | null {
  const word = wordOf(expression);
  const variable = word === null ? null : lookUp(body.scope, word);
  if (variable && word !== null && blockNamed(body.registry, kind, word)) {
    return fail(body.report, "check/ambiguous-name", expression.span, `\`${word}\` is a block and a variable`, {
      help: "rename the variable, or write the block with its arguments",
      related: [{ span: variable.name.span, message: "the variable" }],
    });
  }
  const resolved = resolve(expression, body.scope).expression;
  if (!resolved) return null;
  const written = asWritten(resolved);
  if (written) return bind(kind, slot, written, resolved.span, body);
  if (resolved.kind === "path") return unknownVariable(resolved, `a block for \`${slot}\``, body.scope, body.report);
  return fail(
    body.report,
    "check/not-a-block",
    expression.span,
    `\`${slot}\` takes a block, not \`${excerpt(resolved.span)}\``,
    {
      help: blockHelp(kind, slot, body),
    },
  );
}

function asWritten(expression: Expression): Written | null {
  if (expression.kind === "call") return { name: expression.callee, arguments: expression.arguments };
  const [part, ...more] = expression.kind === "path" ? expression.parts : [];
  return part && more.length === 0 ? { name: part, arguments: [] } : null;
}

const blockHelp = (kind: string, slot: string, { registry }: Body): string => {
  const blocks = blocksOf(registry, kind).map((definition) => definition.name);
  return blocks.length === 0
    ? `no block fills \`${slot}\` in this version`
    : `\`${slot}\` takes ${named(blocks, "or")}`;
};

function bind(kind: string, slot: string, written: Written, span: Span, body: Body): DraftBlock | null {
  const definition = blockNamed(body.registry, kind, written.name.name);
  if (!definition) return unknownBlock(kind, slot, written.name, body);
  return {
    kind,
    definition,
    values: readArguments(definition, written, span, body),
    origin: { how: "written", span },
  };
}

function unknownBlock(kind: string, slot: string, { name, span }: Identifier, body: Body): null {
  const slots = kindsWith(body.registry, name).flatMap(slotsOf);
  if (slots.length > 0) {
    const [first] = slots as [string];
    return fail(
      body.report,
      "check/block-in-wrong-slot",
      span,
      `\`${name}\` does not fit \`${slot}\`: it fills ${named(slots)}`,
      {
        help: `write \`${first} ${name}(...)\`; ${blockHelp(kind, slot, body)}`,
      },
    );
  }
  const valid = blocksOf(body.registry, kind).map((definition) => definition.name);
  if (valid.length === 0) {
    return fail(
      body.report,
      "check/unknown-block",
      span,
      `there is no block \`${name}\`: nothing fills \`${slot}\` in this version`,
      {
        help: "the slot is kept for methods that this version cannot build yet; remove the line",
      },
    );
  }
  const help = suggestion(name, span, valid, `blocks for \`${slot}\``);
  return fail(body.report, "check/unknown-block", span, `there is no block \`${name}\` for \`${slot}\``, help);
}

/** The values of a block: written ones checked, the others by default. */
function readArguments(definition: Definition, written: Written, span: Span, body: Body): DraftBlock["values"] {
  const values = new Map<string, DraftValue | null>();
  const names = new Map<string, Span>();
  for (const argument of written.arguments) {
    const name = argument.name
      ? parameterNamed(argument.name, definition, written, names, values, body)
      : position(argument, definition, names, body);
    if (name === null) continue;
    names.set(name, (argument.name ?? argument).span);
    values.set(name, readParameter(definition, name, argument.value, "written", body));
  }
  // What an unnamed argument or a broken piece of text stands for is not missed as well.
  const unsure = names.size < written.arguments.length || body.tornAt(span);
  for (const [name, param] of Object.entries(definition.params)) {
    if (values.has(name)) continue;
    if (param.default !== undefined) values.set(name, { value: param.default, origin: { how: "default", span } });
    else values.set(name, unsure ? null : missingParameter(name, param, definition, written.name, body));
  }
  return values;
}

/** The parameter that a named argument fills; null when there is none, or it is filled already. */
function parameterNamed(
  { name, span }: Identifier,
  definition: Definition,
  written: Written,
  names: ReadonlyMap<string, Span>,
  values: Map<string, DraftValue | null>,
  body: Body,
): string | null {
  const first = names.get(name);
  if (first) {
    return fail(body.report, "check/duplicate-parameter", span, `\`${name}\` is given twice`, {
      help: "remove one of them",
      related: [{ span: first, message: "first given here" }],
    });
  }
  if (name in definition.params && Object.hasOwn(definition.params, name)) return name;
  const taken = written.arguments.flatMap((argument) => argument.name?.name ?? []);
  const free = Object.keys(definition.params).filter((candidate) => !taken.includes(candidate));
  const meant = nearest(name, free);
  // What was most likely meant counts as written, so that it is not missed as well.
  if (meant !== null) values.set(meant, null);
  const all = Object.keys(definition.params);
  const help = parametersInWords(all);
  return fail(body.report, "check/unknown-parameter", span, `\`${definition.name}\` has no parameter \`${name}\``, {
    help: meant === null ? help : `did you mean \`${meant}\`? ${capitalized(help)}`,
    fix: meant === null || !isSlip(name) ? undefined : replacement(span, meant),
  });
}

function parametersInWords(names: readonly string[]): string {
  if (names.length === 0) return "it has none: write it without arguments";
  return names.length === 1 ? `its only parameter is \`${names[0]}\`` : `its parameters are ${named(names)}`;
}

/** The parameter that an unnamed argument fills. */
function position(
  argument: Argument,
  definition: Definition,
  names: ReadonlyMap<string, Span>,
  body: Body,
): string | null {
  const { positional } = definition;
  if (positional !== undefined && !names.has(positional)) return positional;
  if (argument.value.kind === "missing") return null;
  const open = Object.entries(definition.params).filter(([name]) => !names.has(name));
  const needed = open.filter(([, param]) => param.default === undefined);
  // What has to be written is meant before what may be left out.
  const all = (needed.length > 0 ? needed : open).map(([name]) => name);
  const [only] = all;
  const value = excerpt(argument.value.span);
  const fix = all.length === 1 && only !== undefined ? replacement(argument.span, `${only}: ${value}`) : undefined;
  return fail(body.report, "check/unnamed-argument", argument.span, `\`${value}\` needs the name of a parameter`, {
    help:
      all.length === 0
        ? `\`${definition.name}\` has no ${names.size === 0 ? "parameters" : "other parameter without a value"}`
        : `write \`name: ${value}\` with one of ${named(all)}`,
    fix,
  });
}

/** Reads a value for a parameter of a block; `how` says whether it stands in the block or in a `set` line. */
export function readParameter(
  definition: Definition,
  name: string,
  expression: Expression,
  how: "written" | "set",
  body: Body,
): DraftValue | null {
  const { type } = definition.params[name] as Param<unknown>;
  const value = readSetting(type, expression, `\`${name}\` of \`${definition.name}\``, body);
  return value === null ? null : { value, origin: { how, span: expression.span } };
}

/** Reads a value that stands in a body. */
export function readSetting(
  type: Param<unknown>["type"],
  expression: Expression,
  subject: string,
  body: Body,
): unknown | null {
  return readValue(type, expression, {
    report: body.report,
    scope: body.scope,
    registry: body.registry,
    subject,
    block: (kind, value) => blockValue(readBlock(kind, subject, value, body)),
  });
}

function blockValue(block: DraftBlock | null): BlockValue | null {
  if (!block || [...block.values.values()].includes(null)) return null;
  const values = Object.fromEntries([...block.values].map(([name, value]) => [name, value?.value]));
  return { block: block.definition as unknown as BlockValue["block"], values };
}

function missingParameter(
  name: string,
  param: Param<unknown>,
  definition: Definition,
  written: Identifier,
  body: Body,
): null {
  return fail(body.report, "check/missing-parameter", written.span, `\`${definition.name}\` needs \`${name}\``, {
    reason: `${param.doc} It has no default.`,
    help: `add \`${name}: ...\`, which takes ${expectation(param.type)}, for example \`${name}: ${sample(param.type)}\``,
  });
}

/** A block with its default values, in a slot that was left empty. Null where it has parameters without a default. */
export function defaultUse(kind: string, definition: Definition, span: Span): DraftBlock | null {
  const params = Object.entries(definition.params);
  if (params.some(([, param]) => param.default === undefined)) return null;
  const origin = { how: "default", span } as const;
  const values = new Map(params.map(([name, param]) => [name, { value: param.default, origin }]));
  return { kind, definition, values, origin };
}

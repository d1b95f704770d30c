/** Variables: the `let` lines of a body, which of them are used, and what a name stands for. */

import type { Expression, Let, Path } from "../../grammar/index.js";
import { nearest, suggestion } from "./nearest.js";
import { fail, lineRemoval, type Report, warn } from "./report.js";
import { pathText } from "./show.js";

export interface Scope {
  readonly parent: Scope | null;
  readonly lets: ReadonlyMap<string, Let>;
}

export const emptyScope: Scope = { parent: null, lets: new Map() };

export function lookUp(scope: Scope | null, name: string): Let | null {
  for (let at = scope; at; at = at.parent) {
    const found = at.lets.get(name);
    if (found) return found;
  }
  return null;
}

export function namesIn(scope: Scope | null): readonly string[] {
  return scope ? [...scope.lets.keys(), ...namesIn(scope.parent)] : [];
}

/** The word a path consists of; null when it is dotted. */
export const wordOf = (expression: Expression): string | null =>
  expression.kind === "path" && expression.parts.length === 1 ? (expression.parts[0]?.name ?? null) : null;

/** Every bare word of an expression: what may be a variable. */
export function* wordsOf(expression: Expression): Generator<Path> {
  const rest: Expression[] = [expression];
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (next.kind === "path") yield next;
    else rest.push(...partsOf(next));
  }
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "range":
      return [expression.from, expression.to];
    case "rate":
      return [expression.value, expression.per];
    case "ramp":
      return [expression.from, expression.to, ...(expression.over ? [expression.over] : [])];
    case "list":
    case "tuple":
      return expression.items;
    case "call":
      return expression.arguments.map((argument) => argument.value);
    case "number":
    case "quantity":
    case "size":
    case "text":
    case "file part":
    case "path":
    case "missing":
      return [];
  }
}

interface ScopeOptions {
  /** Every expression of the body that may use a variable, those of the `let` lines included. */
  readonly uses: readonly Expression[];
  /** Whether `let a = 1 | 2` is allowed: in variants. */
  readonly alternatives: boolean;
  /** Whether unused variables are told; not where the parser lost part of the body. */
  readonly complete: boolean;
}

/** Collects the variables of a body and reports doubles, shadowing, cycles and unused ones. */
export function openScope(lets: readonly Let[], parent: Scope | null, options: ScopeOptions, report: Report): Scope {
  const table = new Map<string, Let>();
  const scope: Scope = { parent, lets: table };
  for (const line of lets) {
    const { name, span } = line.name;
    const other = table.get(name) ?? lookUp(parent, name);
    if (other) {
      fail(report, "check/duplicate-variable", span, `there is already a variable \`${name}\``, {
        help: "give one of the two another name",
        related: [{ span: other.name.span, message: "the other one" }],
      });
    } else table.set(name, line);
    if (line.alternatives.length > 1 && !options.alternatives) alternativesOutside(line, report);
  }
  cutCycles(table, report);
  if (options.complete) unused(table, options.uses, report);
  return scope;
}

function alternativesOutside(line: Let, report: Report): void {
  fail(report, "check/alternatives", line.span, `\`${line.name.name}\` has ${line.alternatives.length} alternatives`, {
    help: "keep one value, or move the alternatives to a `variants` declaration",
  });
}

/** Variables on a cycle lose their value, so that whoever uses them keeps silent; the cycle is reported once. */
function cutCycles(table: Map<string, Let>, report: Report): void {
  const state = new Map<string, "open" | "done">();
  const path: { readonly name: string; readonly needs: string[] }[] = [];
  const enter = (name: string): void => {
    state.set(name, "open");
    path.push({ name, needs: [...directNeeds(table, name)] });
  };
  for (const start of [...table.keys()]) {
    if (!state.has(start)) enter(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const need = top.needs.shift();
      if (need === undefined) {
        state.set(top.name, "done");
        path.pop();
      } else if (!state.has(need)) enter(need);
      else if (state.get(need) === "open") {
        const names = path.map((step) => step.name);
        reportCycle(table, names.slice(names.indexOf(need)), report);
      }
    }
  }
}

const directNeeds = (table: ReadonlyMap<string, Let>, name: string): readonly string[] =>
  (table.get(name)?.alternatives ?? [])
    .flatMap((value) => [...wordsOf(value)])
    .flatMap((path) => wordOf(path) ?? [])
    .filter((need) => table.has(need));

function reportCycle(table: Map<string, Let>, cycle: readonly string[], report: Report): void {
  const lines = cycle.map((name) => table.get(name) as Let);
  const [first] = lines as [Let];
  fail(report, "check/variable-cycle", first.name.span, `\`${first.name.name}\` is made from itself`, {
    reason: `To know it one would have to know it already: ${[...cycle, cycle[0]].join(" -> ")}.`,
    help: "give one of them a value of its own",
    related: lines.slice(1).map((line) => ({ span: line.name.span, message: "by way of this one" })),
  });
  for (const line of lines) table.set(line.name.name, { ...line, alternatives: [] });
}

function unused(table: ReadonlyMap<string, Let>, uses: readonly Expression[], report: Report): void {
  const words = new Set(uses.flatMap((use) => [...wordsOf(use)].flatMap((path) => path.parts[0]?.name ?? [])));
  const names = [...table.keys()];
  // A misspelt use is reported where it stands.
  const misspelt = new Set([...words].flatMap((word) => (table.has(word) ? [] : (nearest(word, names) ?? []))));
  for (const [name, line] of table) {
    if (words.has(name) || misspelt.has(name)) continue;
    warn(report, "lint/unused-variable", line.name.span, `\`${name}\` is never used`, {
      help: "use it or remove the line",
      fix: lineRemoval(line.span, `Remove \`let ${name}\``),
    });
  }
}

/** What an expression stands for: variables followed to their value. `via` is the first variable followed. */
interface Resolved {
  /** null: a variable whose value is broken, reported already. */
  readonly expression: Expression | null;
  readonly via: Let | null;
}

export function resolve(expression: Expression, scope: Scope): Resolved {
  let via: Let | null = null;
  let current: Expression = expression;
  for (let name = wordOf(current); name !== null; name = wordOf(current)) {
    const line = lookUp(scope, name);
    if (!line) break;
    via ??= line;
    const [value] = line.alternatives;
    if (!value) return { expression: null, via };
    current = value;
  }
  return { expression: current.kind === "missing" ? null : current, via };
}

/** Reports a word that stands where a value is needed and is no variable. */
export function unknownVariable(path: Path, wanted: string, scope: Scope, report: Report): null {
  const name = pathText(path.parts);
  const known = namesIn(scope);
  const declare = { help: `write the value, or \`let ${name.replaceAll(".", "_")} = ...\` above` };
  return fail(report, "check/unknown-variable", path.span, `there is no variable \`${name}\``, {
    reason: `Here stands ${wanted}, or the name of a \`let\` that holds one.`,
    ...(known.length === 0 ? declare : suggestion(name, path.span, known, "variables")),
  });
}

/**
 * The declarations of the loaded files: who extends whom, checked once each, bases first. Chains are walked, not recursed
 * into, so that no text can exhaust the stack.
 */

import type { Registry } from "../../blocks/index.js";
import type { Declaration, Diagnostic, ModelDeclaration, RecipeDeclaration, Span } from "../../grammar/index.js";
import { unknownBase } from "./draft.js";
import { deepest, type Loaded } from "./files.js";
import { type CheckedModel, type Checking, checkModel, type ModelBase } from "./models.js";
import { type Declared, find, type Names, namesOf } from "./names.js";
import { type CheckedRecipe, checkRecipe, type RecipeBase, type Subject } from "./recipes.js";
import { fail, type Report } from "./report.js";

export interface Project {
  readonly registry: Registry;
  readonly main: Loaded;
  readonly report: Report;
  readonly names: Map<Loaded, Names>;
  readonly models: Map<ModelDeclaration, CheckedModel>;
  readonly recipes: Map<RecipeDeclaration, CheckedRecipe>;
}

export const openProject = (main: Loaded, registry: Registry, report: Report): Project => ({
  registry,
  main,
  report,
  names: new Map(),
  models: new Map(),
  recipes: new Map(),
});

/** Advice on imported files is given when those are checked themselves. */
export const reportFor = ({ main, report }: Project, home: Loaded): Report =>
  home === main ? report : (diagnostic: Diagnostic) => diagnostic.severity === "error" && report(diagnostic);

export function namesIn(project: Project, home: Loaded): Names {
  const known = project.names.get(home);
  if (known) return known;
  const names = namesOf(home, reportFor(project, home));
  project.names.set(home, names);
  return names;
}

/** Whether the parser lost part of a declaration: it reported an error between its start and the next one's. */
export function isTorn({ declaration, home }: Declared): boolean {
  const { declarations, source } = home.file;
  const next = declarations.map((other) => other.span.start).filter((start) => start > declaration.span.start);
  const end = next.length === 0 ? source.text.length + 1 : Math.min(...next);
  return home.syntax.some(
    ({ severity, span }) => severity === "error" && span.end >= declaration.span.start && span.start < end,
  );
}

const checkingOf = (project: Project, declared: Declared): Checking => ({
  registry: project.registry,
  report: reportFor(project, declared.home),
  torn: isTorn(declared),
});

type Extending = ModelDeclaration | RecipeDeclaration;

interface Link<D extends Extending> {
  readonly declared: Declared<D>;
  /** null: extends nothing. `"unknown"`: extends something that is not known, reported. */
  readonly base: Declared<D> | "unknown" | null;
}

const baseOf = <D extends Extending>({ declaration, home }: Declared<D>, project: Project): Link<D>["base"] => {
  if (!declaration.base) return null;
  const kind: Extending["kind"] = declaration.kind;
  return (
    (find(declaration.base, kind, namesIn(project, home), reportFor(project, home)) as Declared<D> | null) ?? "unknown"
  );
};

/** From the root of `extends` to the declaration itself, cut where it turns in a circle. */
function chain<D extends Extending>(from: Declared<D>, project: Project): readonly Link<D>[] {
  const links: Link<D>[] = [];
  for (let declared: Declared<D> | null = from; declared; ) {
    const at: Declared<D> = declared;
    const seen = links.findIndex((link) => link.declared.declaration === at.declaration);
    if (seen >= 0) {
      extendsCycle(
        links.slice(seen).map((link) => link.declared),
        project,
      );
      const cut = links.at(-1) as Link<D>;
      links[links.length - 1] = { ...cut, base: "unknown" };
      break;
    }
    const base = baseOf(at, project);
    links.push({ declared: at, base });
    declared = base === "unknown" ? null : base;
  }
  return links.reverse();
}

/** Reported at the member that stands first, so that it is one finding wherever one enters the circle. */
function extendsCycle(members: readonly Declared<Extending>[], project: Project): void {
  const place = ({ declaration, home }: Declared): readonly [string, number] => [
    home.source.path,
    declaration.span.start,
  ];
  const sorted = [...members].sort((a, b) =>
    place(a)[0] < place(b)[0] ? -1 : place(a)[0] > place(b)[0] ? 1 : place(a)[1] - place(b)[1],
  );
  const start = members.indexOf(sorted[0] as Declared<Extending>);
  const cycle = [...members.slice(start), ...members.slice(0, start)];
  const [first] = cycle as [Declared<Extending>];
  const names = [...cycle, first].map(({ declaration }) => declaration.name?.name ?? "?");
  const baseSpan = ({ declaration }: Declared<Extending>): Span => declaration.base?.span ?? declaration.span;
  fail(
    reportFor(project, first.home),
    "check/extends-cycle",
    baseSpan(first),
    `\`${names[0]}\` extends itself: ${names.join(" -> ")}`,
    {
      help: "let one of them extend nothing",
      related: cycle.slice(1).map((member) => ({ span: baseSpan(member), message: "by way of this one" })),
    },
  );
}

/** Whether a base is too far from the root to be followed; reported then. */
function tooDeep({ declaration, home }: Declared<Extending>, depth: number, project: Project): boolean {
  if (depth < deepest || !declaration.base) return false;
  fail(
    reportFor(project, home),
    "check/too-deep",
    declaration.base.span,
    `\`${declaration.name?.name}\` is the ${depth + 1}th in a chain of \`extends\``,
    {
      reason: `A chain longer than ${deepest} cannot be followed by a reader either.`,
      help: "write one of the models in between out in full: `mae render` prints it",
    },
  );
  return true;
}

/** Checks a model and, before it, what it extends. */
export function modelOf(declared: Declared<ModelDeclaration>, project: Project): CheckedModel {
  const known = project.models.get(declared.declaration);
  if (known) return known;
  let last = null as CheckedModel | null;
  for (const [depth, link] of chain(declared, project).entries()) {
    const { declaration } = link.declared;
    const cut = link.base === "unknown" || tooDeep(link.declared, depth, project);
    const checked: CheckedModel | null = cut || link.base === null ? null : last;
    const base: ModelBase | null = link.base === null ? null : { draft: checked?.draft ?? unknownBase, checked };
    last = project.models.get(declaration) ?? checkModel(declaration, base, checkingOf(project, link.declared));
    project.models.set(declaration, last);
  }
  return last as CheckedModel;
}

/** Checks a recipe and, before it, what it extends and the models they train. */
export function recipeOf(declared: Declared<RecipeDeclaration>, project: Project): CheckedRecipe {
  const known = project.recipes.get(declared.declaration);
  if (known) return known;
  let last = null as CheckedRecipe | null;
  let subject: Subject | null = null;
  for (const [depth, link] of chain(declared, project).entries()) {
    const { declaration } = link.declared;
    const cut = link.base === "unknown" || tooDeep(link.declared, depth, project);
    const checked: CheckedRecipe | null = cut || link.base === null ? null : last;
    const base: RecipeBase | null = link.base === null ? null : { draft: checked?.draft ?? unknownBase, checked };
    subject = subjectOf(link.declared, cut, subject, project);
    last =
      project.recipes.get(declaration) ?? checkRecipe(declaration, base, subject, checkingOf(project, link.declared));
    project.recipes.set(declaration, last);
  }
  return last as CheckedRecipe;
}

/** The model a recipe is for: its own `for`, else that of what it extends. */
function subjectOf(
  declared: Declared<RecipeDeclaration>,
  open: boolean,
  inherited: Subject | null,
  project: Project,
): Subject | null {
  const { declaration, home } = declared;
  const report = reportFor(project, home);
  if (declaration.subject) {
    const found = find(declaration.subject, "model", namesIn(project, home), report);
    return found && { name: modelKey(found, project), checked: modelOf(found, project) };
  }
  if (declaration.base) return inherited;
  if (!open && !isTorn(declared)) {
    const name = declaration.name?.name ?? "Name";
    fail(
      report,
      "check/missing-subject",
      declaration.name?.span ?? declaration.span,
      `\`${name}\` does not say which model it trains`,
      {
        help: `write \`recipe ${name} for Model\``,
      },
    );
  }
  return null;
}

/** The name under which the analysis knows a model: the main file's own, else the file's path and the model's name. */
export function modelKey(declared: Declared<ModelDeclaration>, project: Project): string {
  for (const [name, known] of namesIn(project, project.main))
    if (known?.declaration === declared.declaration) return name;
  return `${declared.home.source.path}:${declared.declaration.name?.name}`;
}

export const isDeclared = <K extends Declaration["kind"]>(
  declared: Declared | null | undefined,
  kind: K,
): declared is Declared<Extract<Declaration, { kind: K }>> => declared?.declaration.kind === kind;

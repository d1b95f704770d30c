/**
 * The declarations of the loaded files: who extends whom, checked once each, bases first. Chains are walked, not recursed
 * into, so that no text can exhaust the stack.
 */

import type { Registry } from "../../blocks/index.js";
import {
  type Declaration,
  type Diagnostic,
  keep,
  type ModelDeclaration,
  type RecipeDeclaration,
  type Span,
} from "../../grammar/index.js";
import type { Model, Recipe } from "../model.js";
import { unknownBase } from "./draft.js";
import { deepest, type Host, type Loaded } from "./files.js";
import { mostMembers } from "./members.js";
import { type CheckedModel, type Checking, checkModel, type Subject } from "./models.js";
import { type Declared, find, type Names, nameIn, namesOf } from "./names.js";
import { type CheckedRecipe, checkRecipe } from "./recipes.js";
import { fail, type Report } from "./report.js";

export interface Project {
  readonly registry: Registry;
  readonly main: Loaded;
  readonly report: Report;
  readonly names: Map<Loaded, Names>;
  readonly models: Map<ModelDeclaration, CheckedModel>;
  readonly recipes: Map<RecipeDeclaration, CheckedRecipe>;
  /** How many declarations each one that is checked stands on. */
  readonly depths: Map<Declaration, number>;
  readonly host: Host;
  /** The model of a name in a text that stands alone; null: there is none that is sound. */
  readonly modelIn: (text: string, name: string) => Model | null;
  /** Recipes with what their weights start from; null: they cannot. */
  readonly started: Map<Recipe, Recipe | null>;
  /** What the families of the main file may still build. */
  readonly room: { members: number };
}

export const openProject = (
  main: Loaded,
  given: Pick<Project, "host" | "registry" | "report" | "modelIn">,
): Project => ({
  ...given,
  main,
  started: new Map(),
  names: new Map(),
  models: new Map(),
  recipes: new Map(),
  depths: new Map(),
  room: { members: mostMembers },
});

/**
 * Nothing is said of text that the parser could not read, beyond what it said itself. Advice on imported files is given
 * when those are checked themselves.
 */
const reportFor =
  ({ main, report }: Project, home: Loaded): Report =>
  (diagnostic: Diagnostic) => {
    const wanted = home === main || diagnostic.severity === "error";
    if (wanted && !(diagnostic.span.source === home.source && home.damage.inside(diagnostic.span))) report(diagnostic);
  };

export function namesIn(project: Project, home: Loaded): Names {
  const known = project.names.get(home);
  if (known) return known;
  const names = namesOf(home, reportFor(project, home));
  project.names.set(home, names);
  return names;
}

export const checkingOf = (project: Project, declared: Declared): Checking => ({
  registry: project.registry,
  report: reportFor(project, declared.home),
  torn: declared.home.damage.torn(declared.declaration),
  tornAt: (span) => span.source === declared.home.source && declared.home.damage.inside(span),
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
    (find(
      declaration.base,
      kind,
      namesIn(project, home),
      reportFor(project, home),
      declaration.name,
    ) as Declared<D> | null) ?? "unknown"
  );
};

/**
 * From the root of `extends`, or the nearest declaration that is checked already, to the declaration itself; cut where it
 * turns in a circle.
 */
function chain<D extends Extending>(from: Declared<D>, project: Project): readonly Link<D>[] {
  const links = new Map<Declaration, Link<D>>();
  for (let declared: Declared<D> | null = from; declared; ) {
    const at: Declared<D> = declared;
    const before = links.get(at.declaration);
    if (before) {
      const all = [...links.values()];
      const circle = all.slice(all.indexOf(before)).map((link) => link.declared);
      extendsCycle(circle, project);
      const last = all.at(-1) as Link<D>;
      links.set(last.declared.declaration, { ...last, base: "unknown" });
      break;
    }
    const base = baseOf(at, project);
    links.set(at.declaration, { declared: at, base });
    declared = base === "unknown" || project.depths.has(at.declaration) ? null : base;
  }
  return [...links.values()].reverse();
}

/** Members of a circle that are named. */
const mostNamed = 16;

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
  const names = cycle.map(({ declaration }) => declaration.name?.name ?? "?");
  const between = names.length > mostNamed ? [`${names.length - mostNamed} more`] : [];
  const circle = [...names.slice(0, mostNamed), ...between, names[0]];
  const baseSpan = ({ declaration }: Declared<Extending>): Span => declaration.base?.span ?? declaration.span;
  fail(
    reportFor(project, first.home),
    "check/extends-cycle",
    baseSpan(first),
    `\`${names[0]}\` extends itself: ${circle.join(" -> ")}`,
    {
      help: "let one of them extend nothing",
      related: cycle.slice(1, mostNamed).map((member) => ({ span: baseSpan(member), message: "by way of this one" })),
    },
  );
}

/** Whether a declaration stands too far from the root of its chain; reported for the first that does. */
function tooDeep({ declaration, home }: Declared<Extending>, project: Project, base: Declaration | null): boolean {
  const depth = base ? (project.depths.get(base) ?? 0) + 1 : 0;
  project.depths.set(declaration, depth);
  if (depth !== deepest || !declaration.base) return false;
  const name = declaration.name?.name;
  fail(
    reportFor(project, home),
    "check/too-deep",
    declaration.base.span,
    `\`${name}\` ends a chain of more than ${deepest} declarations that extend each other`,
    {
      help: "write one of those in between out in full: `mae render` prints it",
    },
  );
  return true;
}

/** What checking a declaration of a chain starts from. */
interface Step<D extends Extending, C> {
  readonly declared: Declared<D>;
  /** null: it extends nothing, or something that is not known. */
  readonly base: C | null;
  readonly extending: boolean;
}

/** Checks a chain of declarations from its root on, each once. Gives the last. */
function checkChain<D extends Extending, C>(
  from: Declared<D>,
  done: Map<D, C>,
  project: Project,
  check: (step: Step<D, C>) => C,
): C {
  const known = done.get(from.declaration);
  if (known) return known;
  let last: C | null = null;
  for (const { declared, base } of chain(from, project)) {
    const { declaration } = declared;
    const before = done.get(declaration);
    if (before === undefined) {
      const cut = base === "unknown" || tooDeep(declared, project, base?.declaration ?? null);
      const step = { declared, base: cut || base === null ? null : last, extending: base !== null };
      done.set(declaration, check(step));
    }
    last = done.get(declaration) as C;
  }
  return last as C;
}

/** What checking a declaration gave, what was found, and what it was checked with beside itself. */
interface Kept<C> {
  readonly with: readonly unknown[];
  readonly checked: C;
  readonly found: readonly Diagnostic[];
}

/** Declarations that several files import, or that stand in a text which has not changed since, are checked once. */
const kept: {
  readonly model: WeakMap<Declaration, Kept<CheckedModel>>;
  readonly recipe: WeakMap<Declaration, Kept<CheckedRecipe>>;
} = {
  model: new WeakMap(),
  recipe: new WeakMap(),
};

/** Checks a declaration, or tells again what was found when it was checked with the same. */
function checkOnce<C>(
  table: WeakMap<Declaration, Kept<C>>,
  declaration: Declaration,
  given: readonly unknown[],
  checking: Checking,
  check: (checking: Checking) => C,
): C {
  const before = table.get(declaration);
  if (before?.with.every((one, i) => one === given[i])) {
    for (const diagnostic of before.found) checking.report(diagnostic);
    return before.checked;
  }
  const found: Diagnostic[] = [];
  const report: Report = (diagnostic) => {
    keep(found, diagnostic);
    checking.report(diagnostic);
  };
  const checked = check({ ...checking, report });
  table.set(declaration, { with: given, checked, found });
  return checked;
}

/** Checks a model and, before it, what it extends. */
export const modelOf = (declared: Declared<ModelDeclaration>, project: Project): CheckedModel =>
  checkChain<ModelDeclaration, CheckedModel>(declared, project.models, project, (step) => {
    const { declaration } = step.declared;
    const base = step.extending ? { draft: step.base?.draft ?? unknownBase, checked: step.base } : null;
    const given = [project.registry, step.extending, step.base];
    return checkOnce(kept.model, declaration, given, checkingOf(project, step.declared), (checking) =>
      checkModel(declaration, base, checking),
    );
  });

/** Checks a recipe and, before it, what it extends and the models they train. */
export const recipeOf = (declared: Declared<RecipeDeclaration>, project: Project): CheckedRecipe =>
  checkChain<RecipeDeclaration, CheckedRecipe>(declared, project.recipes, project, (step) => {
    const { declaration } = step.declared;
    const base = step.extending ? { draft: step.base?.draft ?? unknownBase, checked: step.base } : null;
    const subject = subjectOf(step, project);
    const given = [project.registry, step.extending, step.base, subject?.name, subject?.checked];
    return checkOnce(kept.recipe, declaration, given, checkingOf(project, step.declared), (checking) =>
      checkRecipe(declaration, base, subject, checking),
    );
  });

/** A recipe judged against another model than the one it is for, as a stage of a pipeline uses it. */
export function recipeForModel(
  declared: Declared<RecipeDeclaration>,
  subject: Subject,
  project: Project,
): CheckedRecipe {
  const asWritten = recipeOf(declared, project);
  if (!asWritten.recipe || asWritten.subject?.checked === subject.checked) return asWritten;
  const base = baseOf(declared, project);
  const checked = base === null || base === "unknown" ? null : recipeOf(base, project);
  return checkRecipe(
    declared.declaration,
    base && { draft: checked?.draft ?? unknownBase, checked },
    subject,
    checkingOf(project, declared),
  );
}

/** The model a recipe is for: its own `for`, else that of what it extends. */
function subjectOf(
  { declared, base, extending }: Step<RecipeDeclaration, CheckedRecipe>,
  project: Project,
): Subject | null {
  const { declaration, home } = declared;
  const report = reportFor(project, home);
  if (declaration.subject) {
    const found = find(declaration.subject, "model", namesIn(project, home), report);
    return found && { name: modelKey(found, project), checked: modelOf(found, project) };
  }
  if (extending) return base?.subject ?? null;
  if (!home.damage.torn(declaration)) {
    const name = declaration.name?.name ?? "Name";
    fail(
      report,
      "check/missing-subject",
      declaration.name?.span ?? declaration.span,
      `\`${name}\` does not say which model it trains`,
      { help: `write \`recipe ${name} for Model\`` },
    );
  }
  return null;
}

/** The name under which the analysis knows a model: the main file's own, else the file's path and the model's name. */
export const modelKey = ({ declaration, home }: Declared<ModelDeclaration>, project: Project): string =>
  nameIn(namesIn(project, project.main), declaration) ?? `${home.source.path}:${declaration.name?.name}`;

export const isDeclared = <K extends Declaration["kind"]>(
  declared: Declared | null | undefined,
  kind: K,
): declared is Declared<Extract<Declaration, { kind: K }>> => declared?.declaration.kind === kind;

/**
 * Advice on models and recipes: asks the lints, and says what they remark where the values that they judge by stand. A lint
 * knows nothing of texts, and of broken parts: one that asks for such a part has nothing to say.
 */

import {
  type DataFacts,
  isChanged,
  type Lint,
  type LintRecipe,
  lints,
  mustBe,
  type OfInput,
  type Place,
  type Remark,
  viewName,
} from "../../blocks/index.js";
import { type Diagnostic, isWithin, type Span } from "../../grammar/index.js";
import type { Filled, Model, Recipe, Use } from "../model.js";
import { ask } from "./facts.js";
import { finding, type Report } from "./report.js";
import { valueText } from "./show.js";

/** Where remarks may stand, and which are known already. */
export interface Linting {
  readonly report: Report;
  /** The declaration that is judged. */
  readonly within: Span;
  /** Its name, where a remark stands that no line of it is to blame for. */
  readonly name: Span;
  /** What is remarked of the declaration that it extends: said there. */
  readonly known: ReadonlySet<string>;
}

/** A place of a remark in the text. */
interface Stand {
  readonly span: Span;
  readonly message: string;
}

/** Judges a model. Gives the names of what is remarked. */
export const lintModel = (slots: readonly Filled[], linting: Linting): ReadonlySet<string> =>
  tellAll(
    (lint) => lint.model?.(slots) ?? [],
    (place) => standOf(place, {}),
    linting,
  );

/** A recipe with the model that it trains, whose blocks and settings know where they stand. */
export interface JudgedRecipe extends Omit<LintRecipe, "data" | "beside" | "augment"> {
  readonly model: readonly Filled[];
  /** At least one. */
  readonly data: Recipe["data"];
  readonly augment: Recipe["augment"];
  readonly settings: Recipe["settings"];
}

/** Judges a recipe, as far as it is sound. */
export function lintRecipe(recipe: JudgedRecipe, linting: Linting): ReadonlySet<string> {
  const seen = ofEachInput(recipe);
  return tellAll(
    (lint) => seen.flatMap((one) => lint.recipe?.(one) ?? []),
    (place) => standOf(place, recipe.settings),
    linting,
  );
}

/** The recipe as lints see it: once for each input that it has data for, with what is read of that input and done to it. */
function ofEachInput(recipe: JudgedRecipe): readonly LintRecipe[] {
  const names = ask(() => recipe.data.map(({ input }) => input))?.answer ?? [undefined];
  if (names.length < 2) {
    return ofEachView(recipe).map((labels) => {
      const isSeen = ({ input }: OfInput<Use>): boolean => input === undefined || (labels?.includes(input) ?? true);
      const [data, augment] = [() => recipe.data[0], () => recipe.augment.filter(isSeen)];
      return Object.create(recipe, { data: { get: data }, augment: { get: augment } }) as LintRecipe;
    });
  }
  return recipe.data.map((data) => {
    const isOther = (label: string | null | undefined): boolean =>
      label != null && label !== data.input && names.includes(label);
    const model = () => recipe.model.filter(({ label }) => !isOther(label));
    const augment = () => recipe.augment.filter((use) => !isOther(use.input) && changes(use, recipe, data.input));
    return Object.create(recipe, {
      ...{ model: { get: model }, data: { value: data }, augment: { get: augment } },
      beside: { value: recipe.data.filter((other) => other !== data) },
    }) as LintRecipe;
  });
}

/** The labels of augmentations by which each view of a sample is made; null: the model sees whole samples. */
function ofEachView(recipe: JudgedRecipe): readonly (readonly string[] | null)[] {
  // Of a broken model nothing can be read, its lines as little as their views.
  const views = ask(() => recipe.model.find(({ slot }) => slot === "views"))?.answer?.use;
  if (!views) return [null];
  const inputs = recipe.model.flatMap(({ slot, label, use }) =>
    slot === "input" ? [label ?? use.definition.name] : [],
  );
  return mustBe("view", views.definition)
    .streams(views.values)
    .flatMap(({ name, count }) => Array.from({ length: count }, (_, i) => [...inputs, name, viewName(name, count, i)]));
}

/** Whether an augmentation that is of this input, or of no single one, changes it. */
function changes(use: OfInput<Use>, { model }: JudgedRecipe, name: string | undefined): boolean {
  if (use.input !== undefined) return true;
  const input = model.find(({ slot, label }) => slot === "input" && label === name)?.use;
  const shape = input && mustBe("input", input.definition).shape(input.values);
  return shape === undefined || isChanged(shape, mustBe("augment", use.definition));
}

function tellAll(
  remarksOf: (lint: Lint) => readonly Remark[],
  place: (place: Place) => Stand,
  linting: Linting,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (const lint of lints) {
    const told = ask(() => remarksOf(lint).map((remark) => ({ remark, stands: remark.places.map(place) })));
    const said = new Set<string>();
    for (const { remark, stands } of told?.answer ?? []) {
      const name = `${lint.code} ${remark.message}`;
      // What is said of all inputs alike is said once.
      const place = `${stands[0]?.span.start} ${name}`;
      if (said.has(place)) continue;
      said.add(place);
      names.add(name);
      tell(lint, remark, stands, linting.known.has(name), linting);
    }
  }
  return names;
}

/** Says a remark at the first of its places that the declaration writes; what it only inherits is said where it is written. */
function tell(lint: Lint, remark: Remark, stands: readonly Stand[], isKnown: boolean, linting: Linting): void {
  const { report, within, name } = linting;
  const own = stands.find(({ span }) => isWithin(span, within));
  if (!own && isKnown) return;
  const span = own?.span ?? name;
  const related = stands.filter(
    (stand, i) => stand.span !== span && stands.findIndex((s) => s.span === stand.span) === i,
  );
  report(
    finding(lint.severity, lint.code, span, remark.message, {
      reason: lint.reason,
      help: remark.help,
      related,
      fix: own && own === stands[0] ? fixOf(remark, span) : undefined,
    }),
  );
}

function fixOf({ instead }: Remark, span: Span) {
  if (!instead) return undefined;
  const { after } = instead;
  return { title: `Add \`${after.trim()}\``, edits: [{ span: { ...span, start: span.end }, text: after }] };
}

function standOf(place: Place, settings: Recipe["settings"]): Stand {
  if ("setting" in place) {
    const setting = settings[place.setting] as Recipe["settings"][string];
    return { span: setting.origin.span, message: `\`${place.setting}\` is ${setting.value} here` };
  }
  const { definition, origins, origin, values } = place.block as Use;
  const param = place.value === undefined ? undefined : definition.params[place.value];
  const from = place.value === undefined ? undefined : origins[place.value];
  if (!param || !from) return { span: origin.span, message: `\`${definition.name}\` is here` };
  const text = `\`${place.value}\` of \`${definition.name}\` is ${valueText(param.type, values[place.value as string])}`;
  return { span: from.span, message: from.how === "default" ? `${text} by default` : `${text} here` };
}

/** What lints remark of a recipe, once its data was looked at. Where nothing of it is written in the text, nothing is said. */
export function lintData(recipe: Recipe, models: ReadonlyMap<string, Model>, facts: DataFacts): readonly Diagnostic[] {
  const model = models.get(recipe.model);
  if (!model) return [];
  const found: Diagnostic[] = [];
  const seen = ofEachInput({ ...recipe, model: model.slots });
  const { source } = recipe.span;
  const linting: Linting = {
    report: (one) => void found.push(one),
    within: { source, start: 0, end: source.text.length },
    name: recipe.span,
    known: new Set(),
  };
  tellAll(
    (lint) => seen.flatMap((one) => lint.data?.(one, facts) ?? []),
    (place) => standOf(place, recipe.settings),
    linting,
  );
  return found;
}

/**
 * What a stage or a recipe takes of what was trained before: whether the parts are there, give something, and leave nothing to start unsaid from
 * scratch. And which parts alone it trains.
 */

import { frozenBy, namedParameters } from "../../blocks/index.js";
import type { Fix, Span } from "../../grammar/index.js";
import { showShape } from "../../graph/index.js";
import { type OwnedWeight, ownedWeights, partNames } from "../assemble/owners.js";
import { partsOf } from "../assemble/parts.js";
import { modelWeights } from "../assemble/weights.js";
import { foreignParts } from "../foreign.js";
import { keyMap } from "../key-map.js";
import type { Mapping } from "../mapping.js";
import type { Model, Recipe } from "../model.js";
import type { Stage } from "../pipeline.js";
import { freezingOf } from "../settings.js";
import { modelSlot } from "../slots.js";
import { named, suggestion } from "./nearest.js";
import { fail, type Report } from "./report.js";

/** A stage as later ones know it; null: it is broken. */
export interface Earlier {
  readonly span: Span;
  readonly stage: Stage | null;
}

/** `mae.encoder`, `"runs/mae".encoder`: something that was trained, and one of its parts. */
export interface SourcePath {
  /** As it is written. */
  readonly text: string;
  readonly span: Span;
  /** What key maps call it: a stage by its name, a file in quotes. */
  readonly source: string;
  /** What has the parts: a model, or a file. */
  readonly holder: string;
  /** null: all of it. */
  readonly part: string | null;
  /** Where the part is written. */
  readonly partSpan: Span;
  /** What it has in blocks of a model of these weights that the model has not. */
  readonly strange?: (own: readonly OwnedWeight[]) => readonly string[];
  /** What it has, for a model of these weights. */
  readonly weights: (own: readonly OwnedWeight[]) => readonly OwnedWeight[];
}

/** A part of the model that may start from scratch, and where that is said. */
export interface FreshPart {
  readonly part: string;
  readonly span: Span;
}

/** A model that starts from something. */
export interface Taking {
  /** The stage or the recipe. */
  readonly taker: string;
  /** The model as it is called where it takes something. */
  readonly name: string;
  /** What is underlined where something of it is not taken. */
  readonly span: Span;
  readonly model: Model;
  readonly from: readonly SourcePath[];
  /** null: the text says nothing of it; empty: all that is new may start from scratch. */
  readonly fresh: readonly FreshPart[] | null;
  /** Whether patches may have other channels than those that are taken. */
  readonly adapt: boolean;
  /** Stages before it, by name. */
  readonly earlier: ReadonlyMap<string, Earlier>;
  /** The text that allows a part to start from scratch. */
  readonly allow: (part: string) => Fix | undefined;
  /** The word `fresh` alone, and what takes it away. */
  readonly idle: () => { readonly span: Span; readonly fix: Fix | undefined };
}

/** Where each weight comes from; null after a report. */
export function takenParts(taking: Taking, report: Report): readonly Mapping[] | null {
  const { name, model, from } = taking;
  const own = ownedWeights(model);
  const sources = from.map(({ source, part, weights }) => ({ stage: source, part, weights: weights(own) }));
  const known = from.map(({ part, partSpan, holder }, i) =>
    isPart({ part, span: partSpan }, holder, sources[i]?.weights ?? [], report),
  );
  const fresh = (taking.fresh ?? []).map((part) => isPart(part, name, own, report));
  if (![...known, ...fresh].every(Boolean)) return null;
  const { mappings, given, doubled } = keyMap(own, sources, taking.adapt);
  const sound = [
    ...from.map((source) => hasSuchBlocks(source, taking, own, report)),
    ...from.map((source, i) => givesSomething(source, given[i] ?? 0, taking, own, report)),
    takenOnce(doubled, from, report),
    fromScratch(mappings, own, taking, report),
    saysWhatIs(mappings, taking, report),
  ];
  return sound.every(Boolean) ? mappings : null;
}

/** A recipe with the weights that it trains, where it names their parts; null after a report. */
export function trainingParts(recipe: Recipe, model: Model, report: Report): Recipe | null {
  const trained = namedParts(recipe, model, report);
  return trained && movesSomething(trained, model, report) ? trained : null;
}

function namedParts(recipe: Recipe, model: Model, report: Report): Recipe | null {
  const { value, origin } = recipe.settings.train ?? {};
  const parts = (value ?? null) as readonly string[] | null;
  if (!parts || !origin) return recipe;
  const own = ownedWeights(model);
  const { span } = origin;
  if (!parts.every((part) => isPart({ part, span }, model.name, own, report))) return null;
  const trained = parts.flatMap((part) => trainedIn(own, part).map(({ name }) => name));
  if (trained.length === 0) {
    return fail(report, "check/unknown-part", span, `nothing of ${named(parts)} of \`${model.name}\` is trained`, {
      reason: "Its weights are computed, or follow others.",
      help: `name another part of ${named(partNames(own))}`,
    });
  }
  return { ...recipe, trained };
}

/** Whether a recipe that leaves some weights as they are trains something of each part that it names, or of the model. */
function movesSomething(recipe: Recipe, model: Model, report: Report): boolean {
  const { train, ...settings } = recipe.settings;
  const frozen = Object.entries(settings).filter(
    ([name, setting]) => (name === "freeze" || name === "freeze_blocks") && setting.value != null,
  );
  const [first] = frozen;
  if (!first) return true;
  const weights = modelWeights(partsOf(model));
  const trainedOf = ({ parameters }: Pick<typeof weights, "parameters">): ReadonlySet<string> =>
    new Set([...namedParameters(parameters)].flatMap(([name, { trainable }]) => (trainable ? name : [])));
  const freezing = freezingOf(recipe);
  if (
    trainedOf(frozenBy(weights, { freeze: freezing.freeze ?? null })).size === trainedOf(weights).size &&
    freezing.freeze
  ) {
    return noPatches(model, first[1].origin.span, report);
  }
  const moved = trainedOf(frozenBy(weights, freezing));
  const own = ownedWeights(model);
  const parts = (train?.value ?? null) as readonly string[] | null;
  const idle = parts?.find((part) => !trainedIn(own, part).some(({ name }) => moved.has(name)));
  if (idle === undefined && moved.size > 0) return true;
  const { span } = (idle === undefined ? first[1] : train)?.origin ?? first[1].origin;
  const what = idle === undefined ? `nothing of \`${model.name}\` is trained` : `nothing of \`${idle}\` is trained`;
  fail(
    report,
    "check/nothing-trained",
    span,
    `${what}: ${frozen.map(([name]) => `\`${name}\``).join(" and ")} leaves it as it is`,
    {
      help: parts ? "name another part after `train`, or let less stay as it is" : "let less stay as it is",
      related:
        idle === undefined
          ? []
          : frozen.map(([name, { origin }]) => ({ span: origin.span, message: `\`${name}\` is written here` })),
    },
  );
  return false;
}

/** Of an encoder of maps, or of one of ids, no matrix reads patches. */
function noPatches(model: Model, span: Span, report: Report): false {
  fail(report, "check/unknown-part", span, `\`${model.name}\` has nothing that \`freeze\` could leave as it is`, {
    reason: "No matrix makes tokens of the values of patches.",
    help: "write `freeze embedding`, or remove the line",
  });
  return false;
}

/** Whether a name is that of a part of what `holder` has. */
function isPart(
  { part, span }: { readonly part: string | null; readonly span: Span },
  holder: string,
  weights: readonly OwnedWeight[],
  report: Report,
): boolean {
  const valid = partNames(weights).filter((name) => name !== foreignParts);
  if (part === null || valid.includes(part)) return true;
  const message = modelSlot(part)
    ? `\`${part}\` of \`${holder}\` has no weights`
    : `\`${holder}\` has no part \`${part}\``;
  fail(report, "check/unknown-part", span, message, suggestion(part, span, valid, `parts of \`${holder}\``));
  return false;
}

/** Whether what is taken of blocks is all that they compute with. */
function hasSuchBlocks(
  { strange, span, holder }: SourcePath,
  { name }: Taking,
  own: readonly OwnedWeight[],
  report: Report,
): boolean {
  const [first, ...more] = strange?.(own) ?? [];
  if (first === undefined) return true;
  const others = more.length > 0 ? ` and ${more.length} more` : "";
  fail(report, "check/unreadable-weights", span, `\`${holder}\` has blocks of another kind than \`${name}\``, {
    reason: `\`${first}\`${others} would be left out, and what the blocks compute would be something else.`,
    help: "change the model so that it has them, or take other weights",
  });
  return false;
}

function givesSomething(
  { text, span, part }: SourcePath,
  given: number,
  { name, model }: Taking,
  own: readonly OwnedWeight[],
  report: Report,
): boolean {
  if (given > 0) return true;
  const what = part === null ? `all of \`${text}\`` : `\`${text}\``;
  const same = part === null || partNames(own).includes(part);
  fail(report, "check/nothing-taken", span, `${what} gives \`${name}\` nothing`, {
    help: same
      ? `no weight there has the shape of one in \`${model.name}\`: remove it, or change one of the two models`
      : `remove it; the parts of \`${name}\` are ${named(partNames(own))}`,
  });
  return false;
}

function takenOnce(
  doubled: ReturnType<typeof keyMap>["doubled"],
  from: readonly SourcePath[],
  report: Report,
): boolean {
  const told = new Set<string>();
  for (const { name, sources } of doubled) {
    const key = sources.join(" ");
    if (told.has(key)) continue;
    told.add(key);
    const [first, second] = sources.map((i) => from[i] as SourcePath) as [SourcePath, SourcePath];
    const { span } = second;
    fail(report, "check/taken-twice", span, `\`${name}\` is in \`${first.text}\` already`, {
      help: "name parts that share no weight, or keep one of the two",
      related: [{ span: first.span, message: "taken from here too" }],
    });
  }
  return doubled.length === 0;
}

type New = Extract<Mapping, { status: "new" }>;

const newOf = (mappings: readonly Mapping[]): readonly New[] =>
  mappings.filter((mapping): mapping is New => mapping.status === "new");

/** Whether all that is new may be: a stage with none before it takes nothing, and that is no secret. */
function fromScratch(
  mappings: readonly Mapping[],
  own: readonly OwnedWeight[],
  taking: Taking,
  report: Report,
): boolean {
  const { fresh, from, earlier } = taking;
  const given = new Set(own.flatMap((weight) => (weight.given ? [weight.name] : [])));
  const isAllowed = ({ name, parts }: New): boolean =>
    !given.has(name) && fresh !== null && (fresh.length === 0 || fresh.some(({ part }) => parts.includes(part)));
  const homeless = newOf(mappings).filter(({ name }) => given.has(name));
  if (from.length > 0 && homeless.length > 0) return tellHomeless(homeless, taking, report);
  const unsaid = newOf(mappings).filter((mapping) => !isAllowed(mapping));
  if (unsaid.length === 0 || (earlier.size === 0 && from.length === 0)) return true;
  if (from.length === 0) {
    fail(report, "check/starts-from-scratch", taking.span, `\`${taking.taker}\` takes nothing from an earlier stage`, {
      help: `write what it starts from, such as \`from ${[...earlier.keys()].at(-1)}.${partNames(own)[0]}\`, or \`fresh\` where this is meant`,
    });
    return false;
  }
  for (const group of grouped(unsaid, own)) tellScratch(group, own, taking, report);
  return false;
}

/** A network that is never trained here, and that nothing gives. */
function tellHomeless([first]: readonly New[], { name, span }: Taking, report: Report): boolean {
  const misshaped = first?.instead
    ? `; there it is ${showShape(first.instead.shape)}, and here ${showShape(first.shape)}`
    : "";
  fail(report, "check/starts-from-scratch", span, `nothing gives \`${name}\` the network that others have trained`, {
    reason: `\`${first?.name}\` is never trained here${misshaped}.`,
    help: 'take it from a stage, a run or a file that has an encoder of the same form, such as `from "runs/eyes".encoder`',
  });
  return false;
}

interface Group {
  readonly part: string;
  readonly weights: readonly New[];
  /** Trained weights of the part. */
  readonly all: number;
}

/** By the widest part that is new as a whole, else by the narrowest. */
function grouped(unsaid: readonly New[], own: readonly OwnedWeight[]): readonly Group[] {
  const left = new Map(unsaid.map((mapping) => [mapping.name, mapping]));
  const groups: Group[] = [];
  const take = (part: string, weights: readonly New[]): void => {
    if (weights.length === 0) return;
    groups.push({ part, weights, all: trainedIn(own, part).length });
    for (const { name } of weights) left.delete(name);
  };
  for (const part of partNames(own)) {
    const weights = trainedIn(own, part).map(({ name }) => left.get(name));
    if (weights.every((weight) => weight !== undefined)) take(part, weights);
  }
  for (const part of partNames(own)) {
    take(
      part,
      [...left.values()].filter(({ parts }) => parts.at(-1) === part),
    );
  }
  return groups;
}

const trainedIn = (own: readonly OwnedWeight[], part: string): readonly OwnedWeight[] =>
  own.filter(({ parts, trainable }) => trainable && parts.includes(part));

function tellScratch({ part, weights, all }: Group, own: readonly OwnedWeight[], taking: Taking, report: Report): void {
  const { name, span } = taking;
  const [first] = weights;
  const more = weights.length > 1 ? ` and ${weights.length - 1} more` : "";
  const what =
    weights.length === all
      ? `\`${part}\` of \`${name}\` would start from scratch`
      : `${weights.length} of the ${all} weights of \`${part}\` would start from scratch: \`${first?.name}\`${more}`;
  fail(report, "check/starts-from-scratch", span, what, {
    help: `${otherShape(weights)}write \`fresh ${part}\` where this is meant${elsewhere({ part, weights, all }, own, taking)}`,
    fix: taking.allow(part),
  });
}

/** Says how a weight differs from the one that was to be taken. */
function otherShape(weights: readonly New[]): string {
  const misshaped = weights.find(({ instead }) => instead !== null);
  if (!misshaped?.instead) return "";
  const { stage, shape } = misshaped.instead;
  const channels = misshaped.adaptable;
  const adapted = channels
    ? `\`adapt channels\` in the recipe brings ${channels.from} channels to ${channels.to}; `
    : "";
  return `\`${misshaped.name}\` is ${showShape(misshaped.shape)} here and ${showShape(shape)} in \`${stage}\`; ${adapted}`;
}

/** Earlier stages that could give what is missing, and are not asked for it. */
function elsewhere({ part, weights }: Group, own: readonly OwnedWeight[], { from, earlier }: Taking): string {
  const missing = own.filter(({ name }) => weights.some((weight) => weight.name === name));
  const gives = (stage: Stage): boolean =>
    newOf(keyMap(missing, [{ stage: stage.name, part, weights: ownedWeights(stage.model) }]).mappings).length === 0;
  const asked = (stage: Stage): boolean =>
    from.some((source) => source.source === stage.name && (source.part === null || source.part === part));
  const paths = [...earlier.values()].flatMap(({ stage }) =>
    stage && !asked(stage) && gives(stage) ? [`${stage.name}.${part}`] : [],
  );
  return paths.length === 0 ? "" : `; or take it: ${named(paths, "or")}`;
}

/** Whether what `fresh` names does start from scratch. */
function saysWhatIs(mappings: readonly Mapping[], { fresh, name, idle }: Taking, report: Report): boolean {
  if (fresh === null) return true;
  const scratch = new Set(newOf(mappings).flatMap(({ parts }) => parts));
  if (fresh.length === 0) {
    if (scratch.size > 0) return true;
    const { span, fix } = idle();
    const help = "remove `fresh`";
    fail(report, "check/idle-fresh", span, `nothing of \`${name}\` starts from scratch`, { help, fix });
    return false;
  }
  const unused = fresh.filter(({ part }) => !scratch.has(part));
  for (const { part, span } of unused) {
    const help = "remove it here, or name the parts that are taken after `from`";
    fail(report, "check/idle-fresh", span, `\`${part}\` does not start from scratch: all of it is taken`, { help });
  }
  return unused.length === 0;
}

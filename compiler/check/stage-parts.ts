/** What a stage takes from earlier ones: whether the parts are there, give something, and leave nothing to start unsaid from scratch. */

import type { Identifier, Path, Span, Stage as StageEntry } from "../../grammar/index.js";
import { showShape } from "../../graph/index.js";
import { type OwnedWeight, ownedWeights, partNames } from "../assemble/owners.js";
import { keyMap, type Mapping } from "../key-map.js";
import type { Model } from "../model.js";
import type { Stage } from "../pipeline.js";
import { modelSlot } from "../slots.js";
import { named, suggestion } from "./nearest.js";
import { fail, type Report } from "./report.js";
import { pathText } from "./show.js";

/** A stage as later ones know it; null: it is broken. */
export interface Earlier {
  readonly span: Span;
  readonly stage: Stage | null;
}

/** `mae.encoder`: an earlier stage, and one of its parts. */
export interface SourcePath {
  readonly path: Path;
  readonly stage: Stage;
  /** null: the path ends with the stage. */
  readonly part: string | null;
}

/** A stage whose model is sound. */
export interface Taking {
  readonly entry: StageEntry;
  /** The model as the stage calls it. */
  readonly name: Identifier;
  readonly model: Model;
  readonly from: readonly SourcePath[];
  readonly earlier: ReadonlyMap<string, Earlier>;
}

/** Where each weight of the stage comes from; null after a report. */
export function takenParts(taking: Taking, report: Report): readonly Mapping[] | null {
  const { entry, name, model, from } = taking;
  const own = ownedWeights(model);
  const sources = from.map(({ stage, part }) => ({ stage: stage.name, part, weights: ownedWeights(stage.model) }));
  const known = from.map(({ path, stage, part }, i) =>
    isPart({ path, from: 1, part }, stage.modelName, sources[i]?.weights ?? [], report),
  );
  const fresh = entry.fresh.map((path) =>
    isPart({ path, from: 0, part: pathText(path.parts) }, name.name, own, report),
  );
  if (![...known, ...fresh].every(Boolean)) return null;
  const { mappings, given, doubled } = keyMap(own, sources);
  const sound = [
    ...from.map((source, i) => givesSomething(source, given[i] ?? 0, taking, own, report)),
    takenOnce(doubled, from, report),
    fromScratch(mappings, own, taking, report),
    saysWhatIs(mappings, taking, report),
  ];
  return sound.every(Boolean) ? mappings : null;
}

/** Whether a path names a part of a model. `from`: its first word that belongs to the part. */
function isPart(
  { path, from, part }: { readonly path: Path; readonly from: number; readonly part: string | null },
  model: string,
  weights: readonly OwnedWeight[],
  report: Report,
): boolean {
  const valid = partNames(weights);
  const first = path.parts[from];
  if (part === null || !first || valid.includes(part)) return true;
  const span: Span = { ...first.span, end: (path.parts.at(-1) ?? first).span.end };
  const message = modelSlot(part)
    ? `\`${part}\` of \`${model}\` has no weights`
    : `\`${model}\` has no part \`${part}\``;
  fail(report, "check/unknown-part", span, message, suggestion(part, span, valid, `parts of \`${model}\``));
  return false;
}

function givesSomething(
  { path, stage, part }: SourcePath,
  given: number,
  { name, model }: Taking,
  own: readonly OwnedWeight[],
  report: Report,
): boolean {
  if (given > 0) return true;
  const what = part === null ? `all of \`${stage.name}\`` : `\`${stage.name}.${part}\``;
  const same = part === null || partNames(own).includes(part);
  fail(report, "check/nothing-taken", path.span, `${what} gives \`${name.name}\` nothing`, {
    help: same
      ? `no weight there has the shape of one in \`${model.name}\`: remove it, or change one of the two models`
      : `remove it; the parts of \`${name.name}\` are ${named(partNames(own))}`,
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
    const span = second.path.span;
    fail(report, "check/taken-twice", span, `\`${name}\` is in \`${pathText(first.path.parts)}\` already`, {
      help: "name parts that share no weight, or keep one of the two",
      related: [{ span: first.path.span, message: "taken from here too" }],
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
  const { entry, name, earlier } = taking;
  const isAllowed = ({ parts }: New): boolean =>
    entry.saysFresh && (entry.fresh.length === 0 || entry.fresh.some((path) => parts.includes(pathText(path.parts))));
  const unsaid = newOf(mappings).filter((mapping) => !isAllowed(mapping));
  if (unsaid.length === 0 || earlier.size === 0) return true;
  if (entry.from.length === 0) {
    fail(report, "check/starts-from-scratch", name.span, `\`${entry.name.name}\` takes nothing from an earlier stage`, {
      help: `write what it starts from, such as \`from ${[...earlier.keys()].at(-1)}.${partNames(own)[0]}\`, or \`fresh\` where this is meant`,
    });
    return false;
  }
  for (const group of grouped(unsaid, own)) tellScratch(group, own, taking, report);
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
    groups.push({ part, weights, all: trained(own, part).length });
    for (const { name } of weights) left.delete(name);
  };
  for (const part of partNames(own)) {
    const weights = trained(own, part).map(({ name }) => left.get(name));
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

const trained = (own: readonly OwnedWeight[], part: string): readonly OwnedWeight[] =>
  own.filter(({ parts, trainable }) => trainable && parts.includes(part));

function tellScratch({ part, weights, all }: Group, own: readonly OwnedWeight[], taking: Taking, report: Report): void {
  const { entry, name } = taking;
  const [first] = weights;
  const more = weights.length > 1 ? ` and ${weights.length - 1} more` : "";
  const what =
    weights.length === all
      ? `\`${part}\` of \`${name.name}\` would start from scratch`
      : `${weights.length} of the ${all} weights of \`${part}\` would start from scratch: \`${first?.name}\`${more}`;
  const end = entry.span.end;
  const allowed = entry.fresh.length > 0 ? `, ${part}` : ` fresh ${part}`;
  fail(report, "check/starts-from-scratch", name.span, what, {
    help: `${otherShape(weights)}write \`fresh ${part}\` where this is meant${elsewhere({ part, weights, all }, own, taking)}`,
    fix: {
      title: `Say that it does: \`${allowed.trim()}\``,
      edits: [{ span: { ...entry.span, start: end }, text: allowed }],
    },
  });
}

/** Says how a weight differs from the one that was to be taken. */
function otherShape(weights: readonly New[]): string {
  const misshaped = weights.find(({ instead }) => instead !== null);
  if (!misshaped?.instead) return "";
  const { stage, shape } = misshaped.instead;
  return `\`${misshaped.name}\` is ${showShape(misshaped.shape)} here and ${showShape(shape)} in \`${stage}\`; `;
}

/** Earlier stages that could give what is missing, and are not asked for it. */
function elsewhere({ part, weights }: Group, own: readonly OwnedWeight[], { from, earlier }: Taking): string {
  const missing = own.filter(({ name }) => weights.some((weight) => weight.name === name));
  const gives = (stage: Stage): boolean =>
    newOf(keyMap(missing, [{ stage: stage.name, part, weights: ownedWeights(stage.model) }]).mappings).length === 0;
  const asked = (stage: Stage): boolean =>
    from.some((source) => source.stage === stage && (source.part === null || source.part === part));
  const paths = [...earlier.values()].flatMap(({ stage }) =>
    stage && !asked(stage) && gives(stage) ? [`${stage.name}.${part}`] : [],
  );
  return paths.length === 0 ? "" : `; or take it: ${named(paths, "or")}`;
}

/** Whether what `fresh` names does start from scratch. */
function saysWhatIs(mappings: readonly Mapping[], { entry, name }: Taking, report: Report): boolean {
  if (!entry.saysFresh) return true;
  const scratch = new Set(newOf(mappings).flatMap(({ parts }) => parts));
  if (entry.fresh.length === 0) {
    if (scratch.size > 0) return true;
    const word = /\s*fresh$/.exec(entry.span.source.text.slice(entry.span.start, entry.span.end));
    const span: Span = { ...entry.span, start: entry.span.end - (word?.[0].trimStart().length ?? 0) };
    fail(report, "check/idle-fresh", span, `nothing of \`${name.name}\` starts from scratch`, {
      help: "remove `fresh`",
      fix: word
        ? { title: "Remove `fresh`", edits: [{ span: { ...span, start: entry.span.end - word[0].length }, text: "" }] }
        : undefined,
    });
    return false;
  }
  const idle = entry.fresh.filter((path) => !scratch.has(pathText(path.parts)));
  for (const path of idle) {
    fail(
      report,
      "check/idle-fresh",
      path.span,
      `\`${pathText(path.parts)}\` does not start from scratch: all of it is taken`,
      {
        help: "remove it here, or name the parts that are taken after `from`",
      },
    );
  }
  return idle.length === 0;
}

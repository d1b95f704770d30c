/** What may stand in the lines of variants and of pipelines. */

import { modelSlots, recipeSlots } from "../compiler/index.js";
import type { VariantsDeclaration } from "../grammar/index.js";
import { blockCandidates, type Candidate, none } from "./candidate.js";
import { keywords } from "./keywords.js";
import {
  afterLast,
  type Entry,
  isPathSoFar,
  isSign,
  isWord,
  type Node,
  pathInFile,
  wordAfter,
  wordsOf,
} from "./nest.js";
import { partCandidates } from "./parts.js";
import { labelsOf, pathCandidates, settings, wantedAt } from "./paths.js";
import type { Place, Step } from "./place.js";
import { type Line, linesOf, lineWith, namesOf, type Scene } from "./scene.js";
import { candidatesInValue, type Values, type Wanted, wordsFor } from "./values.js";
import { stagesBefore, stagesIn, variablesIn } from "./variables.js";

/** The one setting of recipes that a family varies. */
const seedSetting = settings.seed as NonNullable<(typeof settings)[string]>;
const seedCandidate: readonly Candidate[] = [
  { kind: "setting", name: "seed", summary: seedSetting.doc, param: seedSetting },
];

/** In the braces of `variants`. `head`: the declaration's line. */
export function inVariants(head: Entry, steps: readonly Step[], place: Place, scene: Scene): readonly Candidate[] {
  const [step, ...inner] = steps;
  if (!step) return none;
  const lines = variedLines(head, scene);
  const values: Values = { scene, variables: variablesIn(place), labels: none, parts: () => none };
  const [first, ...rest] = step.before;
  if (!first) return [...keywords("let", "skip"), ...pathCandidates([], lines), ...seedCandidate];
  if (isWord(first, "let")) {
    return isWord(rest[0]) && isSign(rest[1], "=") ? alternative(rest.slice(2), inner, null, values) : none;
  }
  if (isWord(first, "skip")) {
    if (rest.length === 0) return keywords("when");
    return isWord(rest[0], "when") ? inCondition(rest.slice(1), inner, lines, values) : none;
  }
  const equals = step.before.findIndex((node) => isSign(node, "="));
  if (equals < 0) return isPathSoFar(step.before) ? pathCandidates(wordsOf(step.before), lines) : none;
  const wanted = wantedAt(wordsOf(step.before.slice(0, equals)), lines);
  return alternative(step.before.slice(equals + 1), inner, wanted, values);
}

const alternative = (before: Entry, inner: readonly Step[], wanted: Wanted, values: Values): readonly Candidate[] =>
  candidatesInValue(
    afterLast(before, (node) => isSign(node, "|")),
    inner,
    wanted,
    values,
  );

/** The lines of the base, and those that the family puts in their place. */
function variedLines(head: Entry, scene: Scene): readonly Line[] {
  const base = linesOf(wordAfter(head, "of"), scene.file, scene);
  const [, name] = head;
  const family = scene.file.declarations.find(
    (one): one is VariantsDeclaration => one.kind === "variants" && isWord(name) && one.name?.name === name.text,
  );
  const varied = (family?.entries ?? []).flatMap((entry) => {
    const [slot, label] = entry.kind === "axis" ? entry.path : [];
    const rule = modelSlots.find((one) => one.slot === slot?.name);
    if (entry.kind !== "axis" || !rule || label) return [];
    return entry.alternatives.map((value) => lineWith(value, rule, null, scene));
  });
  return [...base, ...varied];
}

const isJoint = (node: Node): boolean => isWord(node, "and") || isWord(node, "or");
const comparators = ["<", "<=", ">", ">=", "==", "!=", "="];
const isComparator = (node: Node): boolean => comparators.some((sign) => isSign(node, sign));

/** After `skip when`; `inner`: parentheses around parts of the condition. */
function inCondition(
  before: Entry,
  inner: readonly Step[],
  lines: readonly Line[],
  values: Values,
): readonly Candidate[] {
  const [group, ...deeper] = inner;
  if (group) return inCondition(group.before, deeper, lines, values);
  const part = afterLast(before, isJoint);
  const is = part.findIndex((node) => isWord(node, "is"));
  if (is >= 0) return is === part.length - 1 ? blockOf(wordsOf(part.slice(0, is)), values) : keywords("and", "or");
  const sign = part.findIndex(isComparator);
  if (sign >= 0) {
    const wanted = wantedAt(wordsOf(part.slice(0, sign)), lines);
    const names = sign === part.length - 1 ? pathCandidates([], lines) : none;
    return [...candidatesInValue(part.slice(sign + 1), [], wanted, values, ["and", "or"]), ...names];
  }
  if (isPathSoFar(part))
    return [...pathCandidates(wordsOf(part), lines), ...(part.length === 0 ? wordsFor(null, values) : none)];
  return part.every((node) => isWord(node) || isSign(node, ".")) ? keywords("is") : keywords("and", "or");
}

/** The blocks that may fill a slot. */
function blockOf(path: readonly string[], { scene }: Values): readonly Candidate[] {
  const kind = modelSlots.find(({ slot }) => slot === path[0])?.kind;
  return kind === undefined ? none : blockCandidates(kind, scene.registry);
}

/** In the braces of `pipeline`. */
export function inPipeline(steps: readonly Step[], place: Place, scene: Scene): readonly Candidate[] {
  const [step, ...inner] = steps;
  if (!step) return none;
  const { before } = step;
  const [first] = before;
  if (!first) return keywords("stage", "evaluate");
  if (isWord(first, "stage")) return inStage(before, step, place, scene);
  if (!isWord(first, "evaluate")) return none;
  if (before.length === 1) return stagesIn(step, place);
  const [rule] = recipeSlots.filter(({ every }) => every);
  const colon = before.findIndex((node) => isSign(node, ":"));
  if (!rule || colon < 0) return none;
  const value = afterLast(before.slice(colon + 1), (node) => isSign(node, ","));
  const stage = isWord(before[1]) ? before[1].text : "";
  const lines = linesOf(modelOfStage(stage, step), scene.file, scene).filter(({ label }) => label !== null);
  return candidatesInValue(
    value,
    inner,
    { kind: "block", of: rule.kind },
    { scene, variables: none, labels: labelsOf(lines), parts: () => none },
  );
}

/** `stage weak = Hashtags of TagClassifier from mae.encoder fresh head` */
function inStage(before: Entry, step: Step, place: Place, scene: Scene): readonly Candidate[] {
  const equals = before.findIndex((node) => isSign(node, "="));
  if (equals < 0) return none;
  const line = before.slice(equals + 1);
  const joint = line.findLastIndex((node) => ["of", "from", "fresh"].some((word) => isWord(node, word)));
  const part = afterLast(line.slice(joint + 1), (node) => isSign(node, ","));
  if (joint < 0) return part.length === 0 ? namesOf("recipe", scene) : keywords("of");
  const word = line[joint];
  if (isWord(word, "of")) return part.length === 0 ? namesOf("model", scene) : keywords("from", "fresh");
  const inFile = pathInFile(part);
  if (inFile) return isWord(word, "from") ? partCandidates(inFile, wordAfter(step.entry, "of"), scene) : none;
  if (!isPathSoFar(part)) return isWord(word, "from") ? keywords("fresh") : none;
  const path = wordsOf(part);
  if (isWord(word, "fresh")) return partCandidates(path, wordAfter(step.entry, "of"), scene);
  const [stage, ...rest] = path;
  if (stage === undefined) return stagesBefore(step, place);
  return partCandidates(rest, modelOfStage(stage, step), scene);
}

/** The model of a stage of the same pipeline. */
function modelOfStage(stage: string, { group }: Step): string | null {
  const entry = group.entries.find(([first, name]) => isWord(first, "stage") && isWord(name, stage));
  return entry ? wordAfter(entry, "of") : null;
}

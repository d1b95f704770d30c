/** What may stand in a value, by the kind of parameter that it is for: options, blocks, units, and the words that join numbers. */

import { axisNames, defaultsOf, measureUnits, type ParamType } from "../blocks/index.js";
import { blockNamed, units } from "../compiler/index.js";
import { blockCandidates, type Candidate, none, parameterCandidates, sentence } from "./candidate.js";
import { type Keyword, keywords } from "./keywords.js";
import { afterLast, type Entry, isPathSoFar, isSign, isWord, wordsOf } from "./nest.js";
import type { Step } from "./place.js";
import { namesOf, type Scene } from "./scene.js";

/** A block of a kind that the registry may not have: a slot of the language that nothing fills yet. */
interface AnyBlock {
  readonly kind: "block";
  readonly of: string;
}

/** What a value is for; null: a `let`, which may be anything. */
export type Wanted = ParamType | AnyBlock | null;

type Kind = ParamType["kind"];
type TypeOf<K extends Kind> = K extends "block" ? AnyBlock : Extract<ParamType, { readonly kind: K }>;

/** What the values of a place are made of. */
export interface Values {
  readonly scene: Scene;
  /** Variables in scope. */
  readonly variables: readonly Candidate[];
  /** Labels that a value may name. */
  readonly labels: readonly Candidate[];
  /** Parts of the model that a recipe trains, behind the words of such a part that stand already. */
  readonly parts: (path: readonly string[]) => readonly Candidate[];
}

/** The names that views of a sample can have, whichever block makes them. */
const viewCandidates = ({ registry }: Scene): readonly Candidate[] => {
  const streams = registry.view.flatMap((view) => view.streams(defaultsOf(view.params) as never));
  const names = [...new Set(streams.map(({ name }) => name))];
  return names.map((name) => ({ kind: "label", name, summary: "Views of a sample.", at: null }));
};

const option = ([name, summary]: readonly [string, string]): Candidate => ({ kind: "option", name, summary });

const truths = [
  ["true", "Yes."],
  ["false", "No."],
] as const;

/** The words that a value of each kind may be. */
const words: { readonly [K in Kind]: (type: TypeOf<K>, values: Values) => readonly Candidate[] } = {
  int: () => none,
  real: () => none,
  ratio: () => none,
  size: () => none,
  choice: ({ options }) => Object.entries(options).map(option),
  flag: () => truths.map(option),
  text: () => none,
  reals: () => none,
  interval: () => none,
  rate: () => none,
  duration: () => none,
  schedule: () => none,
  block: ({ of }, { scene }) => blockCandidates(of, scene.registry),
  labels: () => none,
  sources: () => none,
  parts: (_, { parts }) => parts([]),
  recipes: (_, { scene }) => namesOf("recipe", scene),
  axes: () => none,
  quantity: () => none,
};

/** The units that follow a number of each kind. */
const unitsAfter: { readonly [K in Kind]: (type: TypeOf<K>) => readonly string[] } = {
  int: () => [],
  real: () => [],
  ratio: () => ["%"],
  size: () => [],
  choice: () => [],
  flag: () => [],
  text: () => [],
  reals: () => [],
  interval: ({ of }) => (of === "ratio" ? ["%"] : []),
  rate: () => [],
  duration: () => ["epochs", "steps"],
  schedule: ({ of }) => (of === "ratio" ? ["%"] : []),
  block: () => [],
  labels: () => [],
  sources: () => [],
  parts: () => [],
  recipes: () => [],
  axes: () => [],
  quantity: ({ of }) => Object.keys(measureUnits[of]),
};

const stretches = ["epochs", "steps", "%"];

const unitCandidates = (names: readonly string[]): readonly Candidate[] =>
  names.map((name) => ({ kind: "unit", name, summary: sentence(units.get(name) ?? name) }));

/** What may begin a value. */
export const wordsFor = (wanted: Wanted, values: Values): readonly Candidate[] => [
  ...(wanted === null
    ? none
    : (words[wanted.kind] as (type: Wanted, values: Values) => readonly Candidate[])(wanted, values)),
  ...values.variables,
];

/** What may follow the nodes of a value that stand before the cursor. `ending`: what may follow the whole of it. */
function valueCandidates(
  before: Entry,
  wanted: Wanted,
  values: Values,
  ending: readonly Keyword[] = [],
): readonly Candidate[] {
  const last = before.at(-1);
  if (wanted?.kind === "sources") return partsOfFile(before, values);
  if (wanted?.kind === "parts" && isPathSoFar(before)) return values.parts(wordsOf(before));
  if (!last) return wordsFor(wanted, values);
  const isNumber = last.kind === "number";
  if (isSign(last, "->") || isSign(last, "..") || isWord(last, "per")) return values.variables;
  if (isWord(last, "over")) return [...keywords("all"), ...values.variables];
  const moves = before.some((node) => isSign(node, "->"));
  const stretch = before.some((node) => isWord(node, "over"));
  if (isWord(last, "all")) return unitCandidates(["epochs"]);
  if (isNumber) {
    const fitting = stretch ? stretches : unitsOf(wanted);
    const rate = (wanted === null || wanted.kind === "rate") && !moves;
    return [
      ...unitCandidates(fitting),
      ...keywords(...(rate ? (["per"] as const) : [])),
      ...after(moves, stretch, ending),
    ];
  }
  return after(moves, stretch, ending);
}

/** Behind a file and a dot. */
const partsOfFile = ([file, dot, ...path]: Entry, { parts }: Values): readonly Candidate[] =>
  file?.kind === "text" && isSign(dot, ".") && path.length === 0 ? parts([]) : none;

const after = (moves: boolean, stretch: boolean, ending: readonly Keyword[]): readonly Candidate[] =>
  keywords(...(moves && !stretch ? (["over"] as const) : []), ...ending);

const unitsOf = (wanted: Wanted): readonly string[] =>
  wanted === null ? stretches : (unitsAfter[wanted.kind] as (type: Wanted) => readonly string[])(wanted);

/**
 * What may stand at a cursor in a value, with the brackets around the cursor in that value.
 * @param before the nodes of the value before the cursor, or before the first of those brackets
 * @param inner those brackets, from the outermost
 */
export function candidatesInValue(
  before: Entry,
  inner: readonly Step[],
  wanted: Wanted,
  values: Values,
  ending: readonly Keyword[] = [],
): readonly Candidate[] {
  const [step, ...rest] = inner;
  if (!step) return valueCandidates(before, wanted, values, ending);
  const callee = before.at(-1);
  if (step.group.opener === "(" && isWord(callee)) return inArguments(callee.text, step, rest, wanted, values);
  if (step.group.opener === "[" && rest.length === 0) {
    if (wanted?.kind === "labels") return wanted.views ? viewCandidates(values.scene) : values.labels;
    if (wanted?.kind === "parts") {
      const part = afterLast(step.before, (node) => isSign(node, ","));
      return isPathSoFar(part) ? values.parts(wordsOf(part)) : none;
    }
    if (wanted?.kind === "recipes") return namesOf("recipe", values.scene);
    if (wanted?.kind === "sources") return partsOfFile(step.before, values);
    if (wanted?.kind === "axes") return axisNames.map((name) => option([name, "An axis of the input."]));
  }
  // Items of a list of numbers.
  return candidatesInValue(step.before, rest, wanted?.kind === "reals" ? number : null, values);
}

const number: ParamType = { kind: "real", min: -Infinity, max: Infinity, openMin: false };

/** In the parentheses of a block. */
function inArguments(
  callee: string,
  step: Step,
  rest: readonly Step[],
  wanted: Wanted,
  values: Values,
): readonly Candidate[] {
  const { scene } = values;
  const definition = blocksCalled(callee, wanted, scene);
  if (!definition) return none;
  const [name, colon, ...value] = step.before;
  const { params, positional } = definition;
  const named = isWord(name) && isSign(colon, ":");
  const parameter = named ? name.text : positional;
  const param = parameter !== undefined && Object.hasOwn(params, parameter) ? params[parameter] : undefined;
  const type = param?.type;
  if (named) return type ? candidatesInValue(value, rest, type, values) : none;
  if (step.before.length > 0 || rest.length > 0)
    return type ? candidatesInValue(step.before, rest, type, values) : none;
  const given = givenIn(step, positional);
  const unnamed = type && !given.has(positional ?? "") ? wordsFor(type, values) : none;
  return [...parameterCandidates(definition, given), ...unnamed];
}

const blocksCalled = (name: string, wanted: Wanted, { registry }: Scene) =>
  wanted?.kind === "block"
    ? blockNamed(registry, wanted.of, name)
    : Object.keys(registry).flatMap((kind) => blockNamed(registry, kind, name) ?? [])[0];

/** Parameters that the arguments beside the one with the cursor fill; an unnamed one fills `positional`. */
const givenIn = ({ group, entry }: Step, positional: string | undefined): ReadonlySet<string> =>
  new Set(
    group.entries.flatMap((other) => {
      const [name, colon] = other;
      if (other === entry || !name) return [];
      return isWord(name) && isSign(colon, ":") ? name.text : (positional ?? []);
    }),
  );

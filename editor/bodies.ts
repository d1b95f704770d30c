/** What may stand in the body of a model or a recipe, and in the braces after a block. */

import { defaultBlock, modelSlots, recipeSlots, type SlotRule, takesLabels, takesMany } from "../compiler/index.js";
import { type Candidate, none, slotCandidates } from "./candidate.js";
import { keywords } from "./keywords.js";
import { afterLast, type Entry, isPathSoFar, isSign, isWord, withoutVerb, wordAfter, wordsOf } from "./nest.js";
import { partCandidates } from "./parts.js";
import { labelsOf, pathCandidates, settings, wantedAt } from "./paths.js";
import type { Place, Step } from "./place.js";
import { type Line, linesOf, type Scene } from "./scene.js";
import { candidatesInValue, type Values, type Wanted } from "./values.js";
import { labelledLines, variablesIn } from "./variables.js";

/** A body, and what its lines may be. */
interface Body {
  readonly rules: readonly SlotRule[];
  /** Whether it is a recipe's own, which has plain values too. */
  readonly hasSettings: boolean;
  /** Whether it extends another. */
  readonly extending: boolean;
  readonly inherited: readonly Line[];
  readonly values: Values;
}

const settingCandidates: readonly Candidate[] = Object.entries(settings).map(([name, param]) => ({
  kind: "setting",
  name,
  summary: param.doc,
  param,
}));

/** In the braces of a model or recipe. `steps`: from the declaration's line inwards. */
export function inBody(head: Entry, steps: readonly Step[], place: Place, scene: Scene): readonly Candidate[] {
  const owner = isWord(head[0], "recipe") ? "recipe" : "model";
  const base = wordAfter(head, "extends");
  const inherited = linesOf(base, scene.file, scene);
  const labels = labelsOf(inherited.filter(({ label }) => label !== null));
  const model = owner === "recipe" ? wordAfter(head, "for") : null;
  const ofModel = model === null ? [] : linesOf(model, scene.file, scene).filter(({ label }) => label !== null);
  const values = {
    scene,
    variables: variablesIn(place),
    labels: [...labelledLines(place), ...labels, ...labelsOf(ofModel)],
    parts: (path: readonly string[]) => partCandidates(path, model, scene),
  };
  return inLines(steps, {
    rules: owner === "recipe" ? recipeSlots : modelSlots,
    hasSettings: owner === "recipe",
    extending: base !== null,
    inherited,
    values,
  });
}

function inLines(steps: readonly Step[], body: Body): readonly Candidate[] {
  const [step, ...inner] = steps;
  if (!step) return none;
  const [next, ...deeper] = inner;
  if (next?.group.opener === "{") {
    const rule = ruleOf(step.entry, body);
    const rules = modelSlots.filter(({ slot }) => rule?.inner.includes(slot));
    const within = { ...body, rules, hasSettings: false, extending: false, inherited: [] };
    return inLines([next, ...deeper], within);
  }
  return inLine(step, inner, body);
}

function ruleOf(entry: Entry, { rules }: Body): SlotRule | undefined {
  const [slot] = withoutVerb(entry);
  return isWord(slot) ? rules.find((rule) => rule.slot === slot.text) : undefined;
}

/** In one line; `inner`: brackets of its value around the cursor. */
function inLine(step: Step, inner: readonly Step[], body: Body): readonly Candidate[] {
  const { before } = step;
  const [first, ...rest] = before;
  if (!first) return lineStarts(step, body);
  if (!isWord(first)) return none;
  switch (first.text) {
    case "let":
      return isWord(rest[0]) && isSign(rest[1], "=")
        ? candidatesInValue(rest.slice(2), inner, null, body.values)
        : none;
    case "remove":
      return removable(rest, body);
    case "set":
      return settable(rest, inner, body);
    case "add":
      return rest.length === 0 ? slotCandidates(addable(body)) : inSlot(rest, inner, body);
    case "replace":
      return rest.length === 0 ? slotCandidates(replaceable(body)) : inSlot(rest, inner, body);
    default:
      return inSlot(before, inner, body);
  }
}

/** Slots that still have room, and the verbs where there is something to change. */
function lineStarts({ group, entry }: Step, body: Body): readonly Candidate[] {
  if (body.extending) return keywords("add", "replace", "remove", "set", "let");
  const filled = new Set(
    group.entries.flatMap((other) => (other !== entry && isWord(other[0]) ? [other[0].text] : [])),
  );
  const free = body.rules.filter((rule) => rule.built && (rule.multiplicity !== "one" || !filled.has(rule.slot)));
  const plain = body.hasSettings ? settingCandidates.filter(({ name }) => !filled.has(name)) : none;
  return [...slotCandidates(free), ...plain, ...keywords("let")];
}

const inheritedIn = ({ inherited }: Body, { slot }: SlotRule): readonly Line[] =>
  inherited.filter(({ rule }) => rule.slot === slot);

const addable = (body: Body): readonly SlotRule[] =>
  body.rules.filter(
    (rule) => rule.built && (takesMany(rule) || takesLabels(rule) || inheritedIn(body, rule).length === 0),
  );

/** What is inherited can be replaced, and a block that stands where nothing is written. */
const replaceable = (body: Body): readonly SlotRule[] =>
  body.inherited.length === 0
    ? body.rules
    : body.rules.filter(
        (rule) =>
          inheritedIn(body, rule).length > 0 || defaultBlock(body.values.scene.registry, rule.kind) !== undefined,
      );

function removable(rest: Entry, body: Body): readonly Candidate[] {
  const [slot] = rest;
  if (rest.length === 0) {
    const there = body.rules.filter((rule) => inheritedIn(body, rule).length > 0);
    const slots = slotCandidates(body.inherited.length === 0 ? body.rules : there);
    return [...slots, ...(body.hasSettings ? settingCandidates : none)];
  }
  const rule = rest.length === 1 && isWord(slot) ? body.rules.find((one) => one.slot === slot.text) : undefined;
  return rule ? labelsOf(inheritedIn(body, rule)) : none;
}

/** `set encoder.depth: 6` */
function settable(rest: Entry, inner: readonly Step[], body: Body): readonly Candidate[] {
  const colon = rest.findIndex((node) => isSign(node, ":"));
  const lines = [...body.inherited, ...defaultLines(body)];
  if (colon < 0) {
    if (!isPathSoFar(rest)) return none;
    return [
      ...pathCandidates(wordsOf(rest), lines),
      ...(rest.length === 0 && body.hasSettings ? settingCandidates : none),
    ];
  }
  const path = wordsOf(rest.slice(0, colon));
  const [name = ""] = path;
  const setting = body.hasSettings && Object.hasOwn(settings, name) ? settings[name] : undefined;
  const wanted = path.length === 1 ? (setting?.type ?? null) : wantedAt(path, lines);
  return candidatesInValue(rest.slice(colon + 1), inner, wanted, body.values);
}

/** Blocks that stand in slots which nothing is written for. */
const defaultLines = (body: Body): readonly Line[] =>
  body.rules.flatMap((rule) => {
    const definition = defaultBlock(body.values.scene.registry, rule.kind);
    const [line] = body.inherited;
    if (!definition || !line || inheritedIn(body, rule).length > 0) return [];
    return [{ rule, label: null, definition, inner: [], span: line.span }];
  });

/** `encoder audio: vit(...)`, from the slot on. */
function inSlot(nodes: Entry, inner: readonly Step[], body: Body): readonly Candidate[] {
  const [slot, ...rest] = nodes;
  if (!isWord(slot)) return none;
  const setting = body.hasSettings && Object.hasOwn(settings, slot.text) ? settings[slot.text] : undefined;
  if (setting) return candidatesInValue(rest, inner, setting.type, body.values);
  const rule = body.rules.find((one) => one.slot === slot.text);
  if (!rule) return none;
  const labelled = isWord(rest[0]) && isSign(rest[1], ":") ? rest.slice(2) : rest;
  const value = takesMany(rule) ? afterLast(labelled, (node) => isSign(node, ",")) : labelled;
  const every = value.findLastIndex((node) => isWord(node, "every"));
  if (rule.every && every >= 0) return candidatesInValue(value.slice(every + 1), inner, often, body.values);
  const wanted: Wanted = { kind: "block", of: rule.kind };
  const blocks = candidatesInValue(value, inner, wanted, body.values, rule.every ? ["every"] : []);
  // The labels of an input are those of its tokens, mask and target.
  const mayBeLabelled = takesLabels(rule) && rest.length === 0 && inner.length === 0;
  return mayBeLabelled ? [...blocks, ...body.values.labels] : blocks;
}

const often: Wanted = { kind: "duration", min: 1 };

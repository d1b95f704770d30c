/** What is said of the labels of a model whose lines are sound: one that is missing, or means something else. */

import { placeNames } from "../../blocks/index.js";
import type { Wiring } from "../wire/wiring.js";
import type { DraftLine } from "./draft.js";
import { blockOf, type Finding } from "./wiring-finding.js";

/** An input is told from others by its label. */
export function inputsWithoutLabel(wiring: Wiring<DraftLine>): readonly Finding[] {
  const inputs = wiring.parts.filter(({ slot }) => slot === "input");
  if (inputs.length < 2) return [];
  return inputs
    .filter(({ line }) => line.label === null)
    .map((part) => ({
      code: "check/missing-label",
      part,
      message: "an `input` has no label, and there are other inputs",
      help: `write \`input name: ${part.definition?.name}(...)\`: tokens, masks and targets are told by it`,
    }));
}

/** Words of the language that models are written in; no function can take an array under one of them. */
const words = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for " +
    "function if implements import in instanceof interface let new null package private protected public return static super switch " +
    "this throw true try typeof undefined var void while with yield"
  ).split(" "),
);

/** Labels that mean something else where the arrays and weights of a model are named. */
export function takenLabels(wiring: Wiring<DraftLine>): readonly Finding[] {
  const inputs = wiring.parts.filter(({ slot, line }) => slot === "input" && line.label !== null);
  const places = [null, ...inputs.map(({ line }) => line.label)].map((label) => [label, placeNames(label)] as const);
  const isFed = new Map(places.flatMap(([label, names]) => Object.values(names).map((name) => [name, label] as const)));
  return wiring.parts.flatMap((part): readonly Finding[] => {
    const { slot, line } = part;
    const { label } = line;
    if (label === null) return [];
    const whose = isFed.get(label);
    const meaning = isOfEveryObject(label)
      ? "every object of JavaScript has something of that name"
      : slot !== "input"
        ? null
        : words.has(label)
          ? "it is a word of TypeScript, in which models are written"
          : whose !== undefined
            ? `places of masked tokens${whose === null ? "" : ` of \`${whose}\``} are called so`
            : ownWeights.has(label)
              ? "weights are called so"
              : null;
    if (meaning === null) return [];
    return [
      {
        code: "check/taken-label",
        part,
        message: `\`${label}\` cannot be the label of ${slot} ${blockOf(part)}: ${meaning}`,
        help: `write another label, such as \`${isOfEveryObject(label) ? `own_${slot}` : `${label}_${slot}`}\``,
      },
    ];
  });
}

const isOfEveryObject = (label: string): boolean => label in {};

/** Weights of tokens that stand under no label. */
const ownWeights: ReadonlySet<string> = new Set(["cls_token", "dist_token", "mask_token"]);

/** The weights of a decoder in braces stand under the label of its target, where there are several. */
export function nameless(wiring: Wiring<DraftLine>): readonly Finding[] {
  const targets = wiring.parts.filter(({ slot }) => slot === "target");
  if (targets.length < 2) return [];
  return targets
    .filter((part) => part.line.label === null && part.line.inner.some(({ slot }) => slot === "decoder"))
    .map((part) => ({
      code: "check/missing-label",
      part,
      message: "a `target` with a decoder of its own has no label, and there are other targets",
      help: "write `target name: ...`: its weights stand under that name",
    }));
}

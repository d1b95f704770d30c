/** What guided masks, teachers and adversaries are asked about and cannot see, and which tokens and masks lie under what. */

import type { Mask } from "../../blocks/index.js";
import { givesMaps } from "../wire/roles.js";
import { isCalled, namesAt, ownParts, reached, sourceAt, sourcesAt, type Wiring } from "../wire/wiring.js";
import { type DraftLine, valuesOf } from "./draft.js";
import { blockOf, type DraftPart, type Finding, nameOf, unreadable } from "./wiring-finding.js";

export type DraftWiring = Wiring<DraftLine>;

/** Masks over tokens. */
export const masksOver = (wiring: DraftWiring, tokens: DraftPart): readonly DraftPart[] =>
  (wiring.readers.get(tokens) ?? []).filter(({ slot }) => slot === "mask");

export const isJoint = (mask: DraftPart, wiring: DraftWiring): boolean => sourcesAt(wiring, mask, "set").length > 1;

/** The tokens that an encoder sees, through others too. */
export function tokensUnder(wiring: DraftWiring, encoder: DraftPart): readonly DraftPart[] {
  const isLast = (part: DraftPart): boolean => part.slot === "tokens" || givesMaps(part.definition);
  const under = reached([encoder], (part) => (isLast(part) ? [] : sourcesAt(wiring, part, "tokens")));
  return [...under].filter(isLast);
}

/** A mask that a teacher decides, of a model without one that follows its encoder. */
export function unguided(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const { guide } = part.definition as Mask;
  if (guide?.by?.(valuesOf(part.line)) !== "teacher") return [];
  const encoder = sourceAt(wiring, part, "attention");
  const teacher = ownParts(wiring, "teacher").find((other) =>
    sourcesAt(wiring, other, "student").includes(encoder as DraftPart),
  );
  if (teacher) return [];
  return [
    unreadable(
      part,
      `a teacher decides what the mask ${blockOf(part)} hides, and the model has none that follows its encoder`,
      "The slow copy of the encoder looks at the whole image.",
      "add a `teacher` with a target that is made of what it gives, or write `by: encoder`",
    ),
  ];
}

/** Tokens that the encoder at a port does not see. */
export function unseenBy(
  part: DraftPart,
  port: string,
  tokens: readonly DraftPart[],
  wiring: DraftWiring,
): readonly Finding[] {
  const encoder = sourceAt(wiring, part, port);
  if (!encoder) return [];
  const seen = tokensUnder(wiring, encoder);
  const unseen = tokens.find((one) => !seen.includes(one));
  if (!unseen) return [];
  return [
    unreadable(
      part,
      `\`${nameOf(part)}\` is about \`${unseen.input}\`, which \`${nameOf(encoder)}\` does not see`,
      "What an encoder has not seen it says nothing of.",
      "name an encoder that reads this input",
      encoder,
    ),
  ];
}

/** A target of features of an input that the teacher does not see. */
export function untaught(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const teacher = sourceAt(wiring, part, "teacher");
  const tokens = sourceAt(wiring, part, "set");
  if (!teacher || !tokens) return [];
  return unseenBy(teacher, "student", [tokens], wiring).map((finding) => ({ ...finding, part }));
}

/** Predictions that an adversary cannot judge: of inputs that its encoder does not see, or of which nothing is hidden. */
export function unjudged(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const names = namesAt(wiring, part, "prediction");
  const tokens = sourcesAt(wiring, part, "prediction")
    .flatMap((decoder) => sourcesAt(wiring, decoder, "target"))
    .filter((target) => names === null || isCalled(target, names))
    .flatMap((target) => sourceAt(wiring, target, "set") ?? []);
  const unseen = unseenBy(part, "backbone", tokens, wiring);
  if (unseen.length > 0) return unseen;
  const wrong = tokens.find((one) => {
    const [mask] = masksOver(wiring, one);
    return !mask || isJoint(mask, wiring);
  });
  if (!wrong) return [];
  return [
    unreadable(
      part,
      `the adversary ${blockOf(part)} tells what was hidden of \`${wrong.input}\` from what was visible, and no mask of its own hides any`,
      "It learns from as many originals and predictions of each sample.",
      "use a mask of this input alone, such as `random`, or remove the adversary",
    ),
  ];
}

/** What enters an encoder in place of hidden tokens, by the mask and the decoders of a model; and encoders that need every token. */

import type { Decoder, Encoder, Hiding, Mask } from "../../blocks/index.js";
import { givesMaps } from "../wire/roles.js";
import { ownParts, sourcesAt } from "../wire/wiring.js";
import { valuesOf } from "./draft.js";
import { type DraftWiring, isJoint, masksOver, predicted } from "./unseen.js";
import { blockOf, type DraftPart, type Finding, nameOf, unreadable } from "./wiring-finding.js";

export const readsOf = ({ definition }: DraftPart): NonNullable<Decoder["reads"]> | "visible" =>
  (definition as Decoder).reads ?? "visible";

/** Decoders in the order of their weights: the model's own first. */
const decodersOf = (wiring: DraftWiring): readonly DraftPart[] => [
  ...ownParts(wiring, "decoder"),
  ...wiring.parts.filter(({ slot, within }) => slot === "decoder" && within !== null),
];

/** What enters an encoder in place of hidden tokens; null: none are hidden. */
export function hidingOf(wiring: DraftWiring, tokens: DraftPart): Hiding | null {
  const [mask] = masksOver(wiring, tokens);
  if (!mask) return null;
  if (givesMaps(tokens.definition)) return (tokens.definition as Encoder).maps?.hiding ?? null;
  const said = (mask.definition as Mask).hiding?.(valuesOf(mask.line)) ?? null;
  if (said !== null || isJoint(mask, wiring)) return said ?? "drop";
  const decoders = decodersOf(wiring);
  const own = decoders.find((decoder) => predicted(wiring, decoder).includes(tokens)) ?? decoders[0];
  return own && readsOf(own) === "every" ? "token" : "drop";
}

/** An encoder that asks where tokens lie, and does not see all of one input. */
export function ofEveryToken(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  if (!(part.definition as Encoder).everyToken) return [];
  const why = "Its blocks look at tokens by where they lie, and find them by their order.";
  const [only, another] = sourcesAt(wiring, part, "tokens");
  if (another || only?.slot !== "tokens") {
    const help = "use an encoder of any tokens, such as `vit`";
    return [unreadable(part, `\`${nameOf(part)}\` reads more than the tokens of one input`, why, help, another)];
  }
  if (hidingOf(wiring, only) !== "drop") return [];
  const [mask] = masksOver(wiring, only);
  return [
    unreadable(
      part,
      `${blockOf(part)} sees every token, and the mask leaves hidden ones out`,
      why,
      "write `hidden: token` in the mask, or use a decoder that reads every token, such as `linear`",
      mask,
    ),
  ];
}

/** What cannot stand in a model whose training sees views of a sample: parts that would never see any of them. */

import { asKind, type Stream } from "../../blocks/index.js";
import { givesVectors } from "../wire/roles.js";
import { ownParts, type Wiring } from "../wire/wiring.js";
import type { DraftLine } from "./draft.js";
import { fact, streamsOf } from "./facts.js";
import { blockOf, type DraftPart, type Finding, nameOf, unreadable } from "./wiring-finding.js";

const why = "Training shows views in the place of samples, and what is computed of a whole sample has none.";

/** Reports what training would leave out without a word. */
export function besideViews(wiring: Wiring<DraftLine>): readonly Finding[] {
  const [views] = ownParts(wiring, "views");
  if (!views) return [];
  const refused = (part: DraftPart, what: string, help: string): Finding =>
    unreadable(part, `${what}, and this model's training sees views`, why, help, views);
  const [, second] = ownParts(wiring, "input");
  const [, encoder] = ownParts(wiring, "encoder");
  return [
    ...(second
      ? [refused(second, `\`${nameOf(second)}\` is a second input`, "keep one input, or remove `views`")]
      : []),
    ...(encoder
      ? [refused(encoder, `\`${nameOf(encoder)}\` is a second encoder`, "keep one encoder, or remove `views`")]
      : []),
    ...wiring.parts.flatMap((part): readonly Finding[] => {
      if (part.slot === "head" && !givesVectors(part.definition)) {
        return [
          refused(part, "the head judges whole samples", "train it in a stage of its own, from this model's encoder"),
        ];
      }
      if (part.slot === "adversary") {
        return [refused(part, "the adversary judges whole samples", "remove it, or remove `views`")];
      }
      if (part.slot === "encoder" && part.within) {
        return [
          refused(part, "a target has an encoder of its own", "let the target be predicted by the model's decoder"),
        ];
      }
      if (part.slot === "decoder") return asked(wiring, part);
      const mask = asKind("mask", part.definition);
      if (part.slot === "mask" && (mask?.guide || mask?.field)) {
        return [refused(part, "the mask is decided by whole samples", "use a mask that is drawn, such as `random`")];
      }
      if (part.slot === "target" && asKind("target", part.definition)?.field) {
        return [
          refused(
            part,
            "the target is computed of whole samples",
            "use a target that is cut from what is seen, such as `pixels`",
          ),
        ];
      }
      return [];
    }),
  ];
}

/** A decoder asks for each view that it predicts as many of another, and some are left that it predicts. */
function asked(wiring: Wiring<DraftLine>, part: DraftPart): readonly Finding[] {
  const names = fact(part.line, (definition, values) => asKind("decoder", definition)?.asks?.(values) ?? []);
  const on = fact(ownParts(wiring, "mask")[0]?.line ?? null, (mask, values) => asKind("mask", mask)?.on?.(values));
  const streams = streamsOf({ wiring });
  if (!names || !streams || names.value.length === 0) return [];
  const isAsked = ({ name }: Stream): boolean => names.value.includes(name);
  const predicted = streams.value.filter((stream) => !isAsked(stream) && (on?.value?.includes(stream.name) ?? true));
  const because = "Of each view that a decoder predicts it asks one of each other that it names.";
  if (predicted.length === 0) {
    const message = `the decoder ${blockOf(part)} asks all views over which a mask lies, and predicts none`;
    return [unreadable(part, message, because, "ask fewer views, or let the mask lie over others")];
  }
  const counts = new Set([...predicted, ...streams.value.filter(isAsked)].map(({ count }) => count));
  if (counts.size === 1) return [];
  const message = `the decoder ${blockOf(part)} asks views of which there are not as many as of those that it predicts`;
  return [unreadable(part, message, because, "use views of equal number, such as `two` or `frames`")];
}

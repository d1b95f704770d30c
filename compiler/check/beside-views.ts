/** What cannot stand in a model whose training sees views of a sample: parts that would never see any of them, or views that do not fit each other. */

import { asKind, type Stream } from "../../blocks/index.js";
import { givesVectors } from "../wire/roles.js";
import { ownParts, type Wiring } from "../wire/wiring.js";
import type { DraftLine } from "./draft.js";
import { type Fact, fact, streamsOf } from "./facts.js";
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
      if (part.slot === "loss") return taught(wiring, part, asKind("loss", part.definition)?.taught === true);
      if (part.slot === "teacher") return predicting(wiring, part);
      const mask = asKind("mask", part.definition);
      if (part.slot === "mask" && (mask?.guide || mask?.field)) {
        return [refused(part, "the mask is decided by whole samples", "use a mask that is drawn, such as `random`")];
      }
      if (part.slot === "mask") return alike(wiring, part);
      if (part.slot === "target" && asKind("target", part.definition)?.fromTeacher) return taught(wiring, part, true);
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
  const on = maskedOn(wiring);
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

/** The views over which the mask lies; null as a value: all. */
const maskedOn = (wiring: Wiring<DraftLine>): Fact<readonly string[] | null | undefined> =>
  fact(ownParts(wiring, "mask")[0]?.line ?? null, (mask, values) => asKind("mask", mask)?.on?.(values));

const predicts = (teacher: DraftPart | undefined): boolean => asKind("teacher", teacher?.definition)?.predicts === true;

/** What is made of a teacher is what it gives: predictions, or else vectors and features. */
function taught(wiring: Wiring<DraftLine>, part: DraftPart, isTaught: boolean): readonly Finding[] {
  const [teacher] = ownParts(wiring, "teacher");
  const wantsPredictions = asKind("loss", part.definition)?.ofPredictions === true;
  if (!isTaught || !teacher || wantsPredictions === predicts(teacher)) return [];
  const [has, wants] = wantsPredictions
    ? ["gives no predictions", "compares them"]
    : ["gives predictions alone", "reads what it makes of views"];
  const message = `the teacher ${blockOf(teacher)} ${has}, and the ${part.slot} ${blockOf(part)} ${wants}`;
  const reason = "A teacher has a copy of the decoders, and predicts, or of encoder and heads, whose vectors it gives.";
  const help = wantsPredictions ? "use `ema_autoencoder`" : "use `ema`";
  return [unreadable(part, message, reason, help, teacher)];
}

/** A teacher that predicts sees views under the mask, in the number of those that are left to the student. */
function predicting(wiring: Wiring<DraftLine>, part: DraftPart): readonly Finding[] {
  const [on, masked, streams] = [
    fact(part.line, (teacher, values) => asKind("teacher", teacher)?.on?.(values)),
    maskedOn(wiring),
    streamsOf({ wiring }),
  ];
  if (!predicts(part) || !on || !streams) return [];
  const isMasked = ({ name }: Stream): boolean =>
    ownParts(wiring, "mask").length > 0 && (masked?.value?.includes(name) ?? true);
  const isSeen = ({ name }: Stream): boolean => on.value?.includes(name) ?? true;
  const own = streams.value.filter(isSeen);
  const left = streams.value.filter((stream) => !isSeen(stream) && isMasked(stream));
  const reason = "It predicts what a mask hides of its views, in the place of the student, which predicts the others.";
  const found = (message: string, help: string): readonly Finding[] => [unreadable(part, message, reason, help)];
  if (ownParts(wiring, "decoder").length === 0)
    return found(`the teacher ${blockOf(part)} predicts, and the model has no decoder`, "add a decoder, or use `ema`");
  const bare = own.find((stream) => !isMasked(stream));
  if (bare)
    return found(
      `no mask hides anything of \`${bare.name}\`, which the teacher predicts`,
      "let the mask lie over it too",
    );
  if (left.length === 0)
    return found(
      `the teacher ${blockOf(part)} sees all views that a mask lies over, and none is left to the student`,
      "name fewer views in `on`",
    );
  if (new Set([...own, ...left].map(({ count, size }) => `${count} ${size}`)).size === 1) return [];
  return found(
    "the views of teacher and student differ in number or size",
    "use views alike, such as `frames` or `two`",
  );
}

/** A mask that all views share is one of views of one size. */
function alike(wiring: Wiring<DraftLine>, part: DraftPart): readonly Finding[] {
  const isAlike = fact(part.line, (mask, values) => asKind("mask", mask)?.alike?.(values) === true);
  const streams = streamsOf({ wiring });
  if (!isAlike?.value || !streams || new Set(streams.value.map(({ size }) => String(size))).size <= 1) return [];
  const message = "all views have one mask, and they are of several sizes";
  return [unreadable(part, message, "A mask is an order of the tokens of a view.", "remove `share: views`")];
}

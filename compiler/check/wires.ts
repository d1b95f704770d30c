/**
 * What is said of the wires of a model: a part without something that it reads, with more than one, or with one that cannot
 * give it; a loss of another kind than what is predicted; a part that nothing reads. What goes together is judged in `joins.ts`, and
 * labels in `labels.ts`.
 */

import { asKind, type Saying, saidBy, saidWords } from "../../blocks/index.js";
import { modelSlot } from "../slots.js";
import { isOfNamedInput, type Port, readersOf } from "../wire/roles.js";
import { circularParts, idleParts, inputsUnder, isCalled, sourcesAt, type Wire, type Wiring } from "../wire/wiring.js";
import { besideViews } from "./beside-views.js";
import { type Body, type DraftLine, lineName } from "./draft.js";
import { badlyJoined } from "./joins.js";
import { inputsWithoutLabel, nameless, takenLabels } from "./labels.js";
import { named } from "./nearest.js";
import { fail } from "./report.js";
import { blockOf, type DraftPart, type Finding } from "./wiring-finding.js";

/** Reports what is wrong with the wires of a model whose lines are sound otherwise. Gives whether nothing is. */
export function isWired(wiring: Wiring<DraftLine>, { report, name }: Body): boolean {
  const first = [...inputsWithoutLabel(wiring), ...takenLabels(wiring), ...circular(wiring)];
  const joined =
    first.length > 0
      ? first
      : wiring.parts.flatMap((part) =>
          part.slot === "loss" && !["features", "views"].includes(asKind("loss", part.definition)?.compares ?? "")
            ? lossOfAnotherKind(part, wiring, name)
            : (wiring.wires.get(part) ?? []).flatMap((wire) => [
                ...unreadNames(part, wire, wiring),
                ...wrongWire(part, wire, name),
              ]),
        );
  // Of wires that lead nowhere, idle parts are no news.
  const findings =
    joined.length > 0
      ? joined
      : [...idle(wiring, name), ...nameless(wiring), ...badlyJoined(wiring), ...besideViews(wiring)];
  for (const { code, part, message, ...words } of findings) fail(report, code, part.line.span, message, words);
  return findings.length === 0;
}

/** `target region` of `Mae`, or `Mae` alone: whose lines these are. */
const ownerOf = ({ within }: DraftPart, model: string): string =>
  within ? `\`${lineName(within.slot, within.line.label)}\` of \`${model}\`` : `\`${model}\``;

const circular = (wiring: Wiring<DraftLine>): readonly Finding[] =>
  circularParts(wiring).map((part) => ({
    code: "check/circular-source",
    part,
    message: `\`${lineName(part.slot, part.line.label)}\` reads what is made of itself`,
    help: "name only inputs, or encoders that do not read it",
  }));

/** Names of a line that lead nowhere. */
function unreadNames(part: DraftPart, { port, names }: Wire<DraftLine>, wiring: Wiring<DraftLine>): readonly Finding[] {
  if (names?.length === 0) {
    const message = `the ${part.slot} ${blockOf(part)} is told to read nothing`;
    return [{ code: "check/unreadable-source", part, message, reason: port.why, help: `name ${readable(port)}` }];
  }
  return (names ?? []).flatMap((name): readonly Finding[] => {
    const [label, input] = name.split(".");
    const source = wiring.parts.find(
      (other) => other.within === null && other !== part && isNamed(other, label as string, port),
    );
    const [message, help] = source
      ? [
          `\`${lineName(source.slot, source.line.label)}\` reads no \`${input}\``,
          `it reads ${named([...inputsUnder(wiring, source)].map((other) => `${label}.${other}`))}`,
        ]
      : [`nothing called \`${label}\` can be read by ${part.slot} ${blockOf(part)}`, `name ${readable(port)}`];
    if (source && (input === undefined || inputsUnder(wiring, source).has(input))) return [];
    return [{ code: "check/unreadable-source", part, message, reason: port.why, help }];
  });
}

const isNamed = (part: DraftPart, label: string, { from, through, by }: Port): boolean =>
  (part.slot === (through ?? from) && part.line.label === label) ||
  (part.slot === (by ?? from) && isCalled(part, [label]));

const readable = ({ from, through, by }: Port): string => {
  const slot = by ?? from;
  const one = `${/^[aeiou]/.test(slot) ? "an" : "a"} \`${slot}\``;
  return through === undefined ? `the label of ${one}` : `the label of an input or of an \`${through}\``;
};

function wrongWire(
  part: DraftPart,
  { port, sources, joined, names }: Wire<DraftLine>,
  model: string,
): readonly Finding[] {
  const [source, another] = sources;
  if (!source) return port.optional || names ? [] : [dangling(part, port, model)];
  if (another && !joined) return [ambiguous(part, port, sources, model)];
  const { asks, why } = port;
  const { definition } = part;
  if (!asks || !definition) return [];
  const unfit = sources.find((one) => one.definition && !asks.met(one.definition, definition));
  if (!unfit) return [];
  return [
    {
      code: "check/unreadable-source",
      part,
      message: `the ${part.slot} ${blockOf(part)} reads the ${unfit.slot} ${blockOf(unfit)}, ${asks.otherwise}`,
      reason: why,
      help:
        unfit.slot === part.slot
          ? `use another block than ${blockOf(part)} or than ${blockOf(unfit)}`
          : `use another \`${unfit.slot}\`, or another \`${part.slot}\``,
      related: [{ span: unfit.line.span, message: `the ${unfit.slot}` }],
    },
  ];
}

function dangling(part: DraftPart, { from, place, alone, why }: Port, model: string): Finding {
  const line = `a line \`${from} ...\``;
  const inBraces = part.within ? `add ${line} to its braces` : `put it into the braces of a target, beside ${line}`;
  return {
    code: "check/missing-slot",
    part,
    message: `${ownerOf(part, model)} has no \`${from}\` for its ${part.slot} ${blockOf(part)}`,
    reason: why,
    help: place === "braces" ? inBraces : `add ${line}${alone ? `, or remove the ${part.slot}` : ""}`,
  };
}

/** `of: [audio]`, `of: [image]` and, where several are read, `of: [audio, image]`: what a line may say of what it reads. */
function ofLines(parameter: string, sources: readonly DraftPart[], isSeveral: boolean): readonly string[] {
  const labels = sources.flatMap(({ line, input }) => line.label ?? input ?? []);
  const sets = [...(isSeveral ? [labels] : []), ...labels.map((label) => [label])];
  return sets.map((some) => `${parameter}: [${some.join(", ")}]`);
}

function ambiguous(
  part: DraftPart,
  { alone, why, named: own, several }: Port,
  sources: readonly DraftPart[],
  model: string,
): Finding {
  const names = sources.map(({ line, input }) => lineName(line.slot, line.label ?? input));
  const reader = lineName(part.slot, part.line.label);
  const parameter = own ?? (isOfNamedInput(part.slot) ? "of" : undefined);
  const canJoin = part.definition !== undefined && several?.(part.definition) === true;
  return {
    code: "check/ambiguous-source",
    part,
    message: `\`${reader}\` of \`${model}\` could read any of ${named(names)}`,
    reason: why,
    help: alone
      ? `give ${canJoin ? "each of them a label, or " : ""}all but one of them a \`${part.slot}\` of their own, in braces`
      : parameter !== undefined
        ? `write ${named(ofLines(parameter, sources, several !== undefined), "or")}`
        : "keep one of them",
    related: sources.map(({ line }, i) => ({ span: line.span, message: `\`${names[i]}\` stands here` })),
  };
}

/** What decoders predict. */
const predictedWords = { patches: "numbers", points: "sets of points", ids: "ids", columns: "columns" };

type PredictedKind = keyof typeof predictedWords;

/** What a loss judges of a decoder: of several targets, one with the label of the loss alone. */
function judgedOf(decoder: DraftPart, loss: DraftPart, wiring: Wiring<DraftLine>): readonly DraftPart[] {
  const targets = sourcesAt(wiring, decoder, "target").filter(({ definition }) => definition);
  const own = targets.filter(
    ({ line, input }) => loss.line.label !== null && (line.label ?? input) === loss.line.label,
  );
  return own.length > 0 ? own : targets;
}

/** What a decoder predicts that a loss judges. */
function predictedBy(decoder: DraftPart, loss: DraftPart, wiring: Wiring<DraftLine>): readonly PredictedKind[] {
  if (!decoder.definition) return [];
  const judged = judgedOf(decoder, loss, wiring);
  if (judged.length === 0) return [asKind("decoder", decoder.definition)?.predicts ?? "patches"];
  return judged.map(({ definition }) => asKind("target", definition)?.predicts ?? "patches");
}

/** What losses of patches compare, and what targets have, by what they say of logits. */
const comparedWords = { each: "logits with zeros and ones", one: "logits with classes of places", none: "numbers" };
const targetWords = {
  each: "zeros and ones, of which logits are predicted",
  one: "classes of places, of which logits are predicted",
  none: "other numbers",
};

/** A loss of logits of a target that has other numbers than zeros and ones, or the other way round. */
function ofOtherLogits(part: DraftPart, decoders: readonly DraftPart[], wiring: Wiring<DraftLine>): readonly Finding[] {
  const compared = asKind("loss", part.definition)?.logits ?? "none";
  const logitsOf = ({ definition }: DraftPart) => asKind("target", definition)?.logits ?? "none";
  const targets = decoders.flatMap((decoder) => judgedOf(decoder, part, wiring));
  const wrong = targets.find((target) => logitsOf(target) !== compared);
  if (!wrong) return [];
  return [
    {
      code: "check/loss-of-another-kind",
      part,
      message: `${blockOf(part)} compares ${comparedWords[compared]}, and the target ${blockOf(wrong)} has ${targetWords[logitsOf(wrong)]}`,
      help: {
        each: "use `bce`, or another target",
        one: "use `channel_cross_entropy`, or another target",
        none: "use a loss such as `mse`, or a target such as `occupancy`, which has zeros and ones",
      }[logitsOf(wrong)],
      related: [{ span: wrong.line.span, message: "the target" }],
    },
  ];
}

const isSaid = (compared: string): compared is Saying => Object.hasOwn(saidWords, compared);

/** A loss compares what a decoder predicts, or a head. */
function lossOfAnotherKind(part: DraftPart, wiring: Wiring<DraftLine>, model: string): readonly Finding[] {
  const loss = asKind("loss", part.definition);
  const heads = sourcesAt(wiring, part, "logits");
  const other = heads.find(({ definition }) => {
    const head = definition && asKind("head", definition);
    return head && saidBy(head) !== loss?.compares;
  });
  const head = other?.definition && asKind("head", other.definition);
  if (other && head && loss?.compares && isSaid(loss.compares)) {
    const [what, said] = [saidWords[loss.compares], saidWords[saidBy(head)]];
    const message = `${blockOf(part)} compares ${what}, and ${blockOf(other)} says ${said}`;
    const help = `use a head that says ${what}, or a loss of ${said}`;
    return [{ code: "check/loss-of-another-kind", part, message, help }];
  }
  if (!loss || heads.length > 0) return [];
  const decoders = sourcesAt(wiring, part, "prediction");
  const compared = loss.compares ?? "patches";
  const otherThan = (decoder: DraftPart): PredictedKind | undefined =>
    predictedBy(decoder, part, wiring).find((kind) => kind !== compared);
  const wrong = decoders.find((decoder) => otherThan(decoder) !== undefined);
  const predicted = wrong && otherThan(wrong);
  if (wrong && predicted && compared in predictedWords) {
    const words = predictedWords[compared as keyof typeof predictedWords];
    return [
      {
        code: "check/loss-of-another-kind",
        part,
        message: `${blockOf(part)} compares ${words}, and ${predictedWords[predicted]} are predicted by the decoder ${blockOf(wrong)}`,
        help: `use a loss of ${predicted}`,
        related: [{ span: wrong.line.span, message: "the decoder" }],
      },
    ];
  }
  if (decoders.length > 0) return compared === "patches" ? ofOtherLogits(part, decoders, wiring) : [];
  const [message, help] =
    loss.compares && isSaid(loss.compares)
      ? [
          `${blockOf(part)} compares ${saidWords[loss.compares]}, and \`${model}\` predicts patches`,
          "add a `head`, or use a loss of patches",
        ]
      : [`${blockOf(part)} compares patches, and \`${model}\` predicts classes`, "use a loss of classes"];
  return [{ code: "check/loss-of-another-kind", part, message, help }];
}

/** Of parts that nothing reads, those that no other of them reads, of lines of which nothing is read. */
function idle(wiring: Wiring<DraftLine>, model: string): readonly Finding[] {
  const unread = new Set(idleParts(wiring));
  const read = new Set(wiring.parts.flatMap((part) => (unread.has(part) ? [] : [part.line])));
  return [...unread]
    .filter((part) => (wiring.readers.get(part) ?? []).length === 0 && !read.has(part.line))
    .map((part) => {
      const { slot, line, within } = part;
      const inBraces = within ? modelSlot(within.slot)?.inner : undefined;
      const readers = readersOf(slot).filter((reader) => inBraces?.includes(reader) ?? true);
      const whose = within ? `the \`${slot}\` of \`${lineName(within.slot, within.line.label)}\`` : `its \`${slot}\``;
      const what = line.label === null || within ? whose : `its \`${lineName(slot, line.label)}\``;
      return {
        code: "check/idle-part",
        part,
        message: `no loss or output of \`${model}\` reads ${what}`,
        help: `add a ${named(readers, "or")} that reads it, or remove it`,
      };
    });
}

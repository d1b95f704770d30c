/**
 * What is said of the wires of a model: a part without something that it reads, with more than one, or with one that cannot
 * give it; a loss of another kind than what is predicted; a part that nothing reads; two parts whose weights have one name.
 */

import { asKind, type Decoder, type Encoder, type Mask, placeNames } from "../../blocks/index.js";
import { modelSlot } from "../slots.js";
import { type Port, readersOf } from "../wire/roles.js";
import { circularParts, idleParts, type Part, sourceAt, sourcesAt, type Wire, type Wiring } from "../wire/wiring.js";
import type { Code } from "./codes.js";
import { type Body, type DraftLine, lineName, valuesOf } from "./draft.js";
import { named } from "./nearest.js";
import { fail, type Words } from "./report.js";

type DraftPart = Part<DraftLine>;

interface Finding extends Words {
  readonly code: Code;
  readonly part: DraftPart;
  readonly message: string;
}

/** Reports what is wrong with the wires of a model whose lines are sound otherwise. Gives whether nothing is. */
export function isWired(wiring: Wiring<DraftLine>, { report, name }: Body): boolean {
  const first = [...inputsWithoutLabel(wiring), ...takenLabels(wiring), ...circular(wiring)];
  const joined =
    first.length > 0
      ? first
      : wiring.parts.flatMap((part) =>
          part.slot === "loss" && asKind("loss", part.definition)?.compares !== "features"
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
      : [...idle(wiring, name), ...nameless(wiring), ...otherLatents(wiring), ...badlyJoined(wiring)];
  for (const { code, part, message, ...words } of findings) fail(report, code, part.line.span, message, words);
  return findings.length === 0;
}

const blockOf = ({ definition }: DraftPart): string => `\`${definition?.name}\``;

/** `target region` of `Mae`, or `Mae` alone: whose lines these are. */
const ownerOf = ({ within }: DraftPart, model: string): string =>
  within ? `\`${lineName(within.slot, within.line.label)}\` of \`${model}\`` : `\`${model}\``;

/** An input is told from others by its label. */
function inputsWithoutLabel(wiring: Wiring<DraftLine>): readonly Finding[] {
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
function takenLabels(wiring: Wiring<DraftLine>): readonly Finding[] {
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
const ownWeights: ReadonlySet<string> = new Set(["cls_token", "mask_token"]);

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

const isNamed = ({ slot, line, input }: DraftPart, label: string, { from, through }: Port): boolean =>
  (slot === (through ?? from) && line.label === label) || (slot === from && (line.label === label || input === label));

const readable = ({ from, through }: Port): string =>
  through === undefined ? `the label of an ${from}` : `the label of an input or of an ${through}`;

/** The inputs whose tokens a part sees. */
function inputsUnder(wiring: Wiring<DraftLine>, part: DraftPart): ReadonlySet<string> {
  const under = new Set(sourcesAt(wiring, part, "tokens"));
  // A set gives its iterator what is added meanwhile: each part is looked at once, however many ways lead to it.
  for (const other of under) for (const source of sourcesAt(wiring, other, "tokens")) under.add(source);
  return new Set([...under].flatMap(({ slot, input }) => (slot === "tokens" ? (input ?? []) : [])));
}

/** Encoders that read the tokens of an input twice, or those of an encoder of another width. */
function badlyJoined(wiring: Wiring<DraftLine>): readonly Finding[] {
  const encoders = wiring.parts.filter(({ slot, within }) => slot === "encoder" && within === null);
  return encoders.flatMap((part) => {
    const read = sourcesAt(wiring, part, "tokens");
    const seen = read.flatMap((source) => source.input ?? [...inputsUnder(wiring, source)]);
    const twice = seen.find((input, i) => seen.indexOf(input) < i);
    const reader = lineName(part.slot, part.line.label);
    if (twice !== undefined) {
      return {
        code: "check/unreadable-source" as const,
        part,
        message: `\`${reader}\` reads the tokens of \`${twice}\` in two ways`,
        reason: "Tokens stand once in a sequence: what comes after could not tell one from the other.",
        help: "name encoders that have no input in common",
      };
    }
    const own = widthOf(part);
    const other = read.find((source) => source.slot === "encoder" && widthOf(source) !== own);
    if (!other) return [];
    const source = lineName(other.slot, other.line.label);
    return {
      code: "check/unreadable-source" as const,
      part,
      message: `\`${reader}\` has the width ${own}, and \`${source}\`, which it reads, ${widthOf(other)}`,
      reason: "An encoder goes on with the numbers that another one gives for each token.",
      help: "give both the same `width`",
      related: [{ span: other.line.span, message: `\`${source}\`` }],
    };
  });
}

const widthOf = ({ definition, line }: DraftPart): number => (definition as Encoder).width(valuesOf(line));

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
      help: `use another \`${unfit.slot}\`, or another \`${part.slot}\``,
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

/** `of: [audio]`, `of: [image]` and `of: [audio, image]`: what a line may say of what it reads. */
function ofLines(parameter: string, sources: readonly DraftPart[]): readonly string[] {
  const labels = sources.flatMap(({ line, input }) => input ?? line.label ?? []);
  return [labels, ...labels.map((label) => [label])].map((some) => `${parameter}: [${some.join(", ")}]`);
}

function ambiguous(
  part: DraftPart,
  { alone, why, named: parameter }: Port,
  sources: readonly DraftPart[],
  model: string,
): Finding {
  const names = sources.map(({ line, input }) => lineName(line.slot, line.label ?? input));
  const reader = lineName(part.slot, part.line.label);
  return {
    code: "check/ambiguous-source",
    part,
    message: `\`${reader}\` of \`${model}\` could read any of ${named(names)}`,
    reason: why,
    help: alone
      ? `give all but one of them a \`${part.slot}\` of their own, in braces`
      : parameter !== undefined
        ? `write ${named(ofLines(parameter, sources), "or")}`
        : "keep one of them",
    related: sources.map(({ line }, i) => ({ span: line.span, message: `\`${names[i]}\` stands here` })),
  };
}

/** A loss compares what a decoder predicts, or a head. */
function lossOfAnotherKind(part: DraftPart, wiring: Wiring<DraftLine>, model: string): readonly Finding[] {
  const loss = asKind("loss", part.definition);
  if (!loss || sourceAt(wiring, part, "logits")) return [];
  const decoder = sourceAt(wiring, part, "prediction");
  if (decoder) {
    const given = asKind("decoder", decoder.definition)?.predicts;
    if (!decoder.definition || (given === "ids") === (loss.compares === "ids")) return [];
    const said =
      given === "ids" ? "compares numbers, and ids are predicted" : "compares ids, and numbers are predicted";
    return [
      {
        code: "check/loss-of-another-kind",
        part,
        message: `${blockOf(part)} ${said} by the decoder ${blockOf(decoder)}`,
        help: given === "ids" ? "use a loss of ids" : "use a loss of patches",
        related: [{ span: decoder.line.span, message: "the decoder" }],
      },
    ];
  }
  const [message, help] =
    loss.compares === "classes"
      ? [
          `${blockOf(part)} compares classes, and \`${model}\` predicts patches`,
          "add a `head`, or use a loss of patches",
        ]
      : [`${blockOf(part)} compares patches, and \`${model}\` predicts classes`, "use a loss of classes"];
  return [{ code: "check/loss-of-another-kind", part, message, help }];
}

/** Of parts that nothing reads, those that no other of them reads. */
function idle(wiring: Wiring<DraftLine>, model: string): readonly Finding[] {
  const unread = idleParts(wiring);
  return unread
    .filter((part) => (wiring.readers.get(part) ?? []).length === 0)
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

/** All decoders read one latent: of the visible tokens, or of every token. */
function otherLatents(wiring: Wiring<DraftLine>): readonly Finding[] {
  const decoders = wiring.parts.filter(({ slot }) => slot === "decoder");
  const masks = wiring.parts.filter(({ slot }) => slot === "mask");
  const said = masks.flatMap((mask) => (mask.definition as Mask).hiding?.(valuesOf(mask.line)) ?? [])[0];
  const own = decoders.find(({ within }) => within === null) ?? decoders[0];
  const readsOf = (part: DraftPart | undefined) => (part?.definition as Decoder | undefined)?.reads ?? "visible";
  const isWhole = said === undefined ? readsOf(own) === "every" : said !== "drop";
  return decoders
    .filter((part) => readsOf(part) === (isWhole ? "visible" : "every"))
    .map((part) => ({
      code: "check/unreadable-source",
      part,
      message: isWhole
        ? `the decoder ${blockOf(part)} reads what the encoder gives for visible tokens, and hidden ones pass through it too`
        : `the decoder ${blockOf(part)} reads what the encoder gives for every token, and hidden ones do not pass through it`,
      reason: "One pass of the encoder serves all decoders.",
      help: isWhole
        ? "use a decoder that reads every token, such as `linear`, or write `hidden: drop` in the mask"
        : "write `hidden: token` in the mask, or use a decoder of visible tokens",
      ...(masks[0] ? { related: [{ span: masks[0].line.span, message: "the mask" }] } : {}),
    }));
}

/** The weights of a decoder in braces stand under the label of its target, where there are several. */
function nameless(wiring: Wiring<DraftLine>): readonly Finding[] {
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

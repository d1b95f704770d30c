/**
 * What is said of the wires of a model: a part without something that it reads, with more than one, or with one that cannot
 * give it; a loss of another kind than what is predicted; a part that nothing reads; two parts whose weights have one name.
 */

import type { Loss } from "../../blocks/index.js";
import { modelSlot } from "../slots.js";
import { type Port, readersOf } from "../wire/roles.js";
import { idleParts, type Part, sourceAt, type Wire, type Wiring } from "../wire/wiring.js";
import type { Code } from "./codes.js";
import { type Body, type DraftLine, lineName } from "./draft.js";
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
  const joined = wiring.parts.flatMap((part) =>
    part.slot === "loss"
      ? lossOfAnotherKind(part, wiring, name)
      : (wiring.wires.get(part) ?? []).flatMap((wire) => wrongWire(part, wire, name)),
  );
  // Of wires that lead nowhere, idle parts are no news.
  const findings = joined.length > 0 ? joined : [...idle(wiring, name), ...nameless(wiring)];
  for (const { code, part, message, ...words } of findings) fail(report, code, part.line.span, message, words);
  return findings.length === 0;
}

const blockOf = ({ definition }: DraftPart): string => `\`${definition?.name}\``;

/** `target region` of `Mae`, or `Mae` alone: whose lines these are. */
const ownerOf = ({ within }: DraftPart, model: string): string =>
  within ? `\`${lineName(within.slot, within.line.label)}\` of \`${model}\`` : `\`${model}\``;

function wrongWire(part: DraftPart, { port, sources }: Wire<DraftLine>, model: string): readonly Finding[] {
  const [source, another] = sources;
  if (!source) return port.optional ? [] : [dangling(part, port, model)];
  if (another) return [ambiguous(part, port, sources, model)];
  if (!source.definition || !port.asks || port.asks.met(source.definition)) return [];
  const reader = `${part.slot} ${blockOf(part)}`;
  return [
    {
      code: "check/unreadable-source",
      part,
      message: `the ${reader} reads the ${source.slot} ${blockOf(source)}, ${port.asks.otherwise}`,
      reason: port.why,
      help: `use another \`${source.slot}\`, or another \`${part.slot}\``,
      related: [{ span: source.line.span, message: `the ${source.slot}` }],
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

function ambiguous(part: DraftPart, { alone, why }: Port, sources: readonly DraftPart[], model: string): Finding {
  const names = sources.map(({ line }) => lineName(line.slot, line.label));
  const reader = lineName(part.slot, part.line.label);
  return {
    code: "check/ambiguous-source",
    part,
    message: `\`${reader}\` of \`${model}\` could read any of ${named(names)}`,
    reason: why,
    help: alone ? `give all but one of them a \`${part.slot}\` of their own, in braces` : "keep one of them",
    related: sources.map(({ line }, i) => ({ span: line.span, message: `\`${names[i]}\` stands here` })),
  };
}

/** A loss compares what a decoder predicts, or a head. */
function lossOfAnotherKind(part: DraftPart, wiring: Wiring<DraftLine>, model: string): readonly Finding[] {
  const loss = part.definition as unknown as Loss | undefined;
  if (!loss || sourceAt(wiring, part, "prediction") || sourceAt(wiring, part, "logits")) return [];
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

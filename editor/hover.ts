/** Hover: what the word under a cursor means, in Markdown. */

import type { Definition, Param } from "../blocks/index.js";
import { blockPage, type Cost, flopText, parameterText, type SlotRule } from "../compiler/index.js";
import { type Declaration, lineText, positionAt, type Source, type Span } from "../grammar/index.js";
import type { Candidate } from "./candidate.js";
import { candidateAt } from "./candidates.js";
import type { Surroundings } from "./scene.js";

export interface Hover {
  /** The word. */
  readonly span: Span;
  /** Markdown. */
  readonly text: string;
}

/**
 * What is known of the word at an offset: the page of a block, range and default of a parameter, the words of all else.
 *
 * Never throws for any text.
 * @param costOf the cost of a model of the text by its name; null: it is not sound
 */
export function hover(
  source: Source,
  offset: number,
  around: Surroundings,
  costOf: (model: string) => Cost | null,
): Hover | null {
  const found = candidateAt(source, offset, around);
  return found && { span: found.span, text: textOf(found.candidate, around, costOf) };
}

function textOf(candidate: Candidate, around: Surroundings, costOf: (model: string) => Cost | null): string {
  const { kind, name, summary } = candidate;
  switch (kind) {
    case "block":
      return page(candidate.of, candidate.definition, around);
    case "parameter":
      return parameter(`\`${name}\` of \`${candidate.definition.name}\``, candidate.param);
    case "setting":
      return parameter(`\`${name}\` of a recipe`, candidate.param);
    case "slot":
      return `\`${name}\`: ${summary}\n\n${often[candidate.rule.multiplicity]}`;
    case "declaration":
      return declared(name, candidate.declaration, costOf);
    case "variable":
      return candidate.at ? fenced(lineAt(candidate.at)) : summary;
    default:
      return `\`${name}\`: ${summary}`;
  }
}

/** As `mae explain` prints it, with smaller headings. */
const page = (kind: string, definition: Definition, { home }: Surroundings): string =>
  blockPage(kind, definition, home(definition)?.source.path ?? null).replace(/^#/gm, "###");

function parameter(name: string, param: Param<unknown>): string {
  const options = param.type.kind === "choice" ? Object.entries(param.type.options) : [];
  const listed = options.map(([option, meaning]) => `- \`${option}\`: ${meaning}`).join("\n");
  return [`${name}: ${parameterText(param)}`, param.doc, ...(listed === "" ? [] : [listed])].join("\n\n");
}

const often: Readonly<Record<SlotRule["multiplicity"], string>> = {
  one: "Filled once.",
  labelled: "Filled once, or several times under labels: `slot label: block(...)`.",
  list: "May be filled several times, by different blocks or under labels.",
  sequence: "May be filled several times, in order.",
};

function declared(name: string, declaration: Declaration | null, costOf: (model: string) => Cost | null): string {
  if (!declaration) return `\`${name}\` is imported from where it cannot be found.`;
  const base = "base" in declaration && declaration.base ? ` extends ${declaration.base.name}` : "";
  const cost = declaration.kind === "model" ? costOf(name) : null;
  const head = fenced(`${declaration.kind} ${declaration.name?.name ?? name}${base}`);
  return [head, declaration.doc, ...(cost ? [costText(cost)] : [])].filter((text) => text !== "").join("\n\n");
}

function costText({ parameters, tokens, flops }: Cost): string {
  const seen = tokens.hidden > 0 ? `, ${count(tokens.visible)} of them visible` : "";
  return `${count(parameters)} parameters; ${count(tokens.total)} tokens${seen}; ${flopText(flops.forward)} for an image.`;
}

const count = (n: number): string => n.toLocaleString("en-US");

const fenced = (text: string): string => `\`\`\`mae\n${text}\n\`\`\``;

const lineAt = ({ source, start }: Span): string => lineText(source, positionAt(source, start).line).trim();

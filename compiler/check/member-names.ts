/**
 * How the members of a family are counted and called: the factors of the product in their order, and the part of a
 * member's name that each alternative gives. Names are made from what is written, so that nothing else changes them.
 */

import type { Argument, Axis, Expression, Let } from "../../grammar/index.js";
import { wordOf, wordsOf } from "./scope.js";
import { pathText } from "./show.js";

/** A line of the family that says several things, or one. */
export interface Factor {
  readonly line: Axis | Let;
  /** `decoder.depth`, or the name of a variable. */
  readonly name: string;
  /** A part of the name for each alternative: `decoder-depth-4`. */
  readonly parts: readonly string[];
}

/** Axes in the order written, each followed by the variables that it is the first to use; then all other variables. */
export function factorsOf(lets: readonly Let[], axes: readonly Axis[]): readonly Factor[] {
  const placed = new Set<Let>();
  const lines: (Axis | Let)[] = [];
  const place = (fresh: readonly Let[]): void => {
    for (const line of fresh) {
      placed.add(line);
      lines.push(line);
    }
  };
  for (const axis of axes) {
    lines.push(axis);
    const used = usedBy(axis, lets);
    place(lets.filter((line) => used.has(line) && !placed.has(line)));
  }
  place(lets.filter((line) => !placed.has(line)));
  return lines.map(factorOf);
}

/** The variables that an axis uses, and those that they use. */
function usedBy(axis: Axis, lets: readonly Let[]): ReadonlySet<Let> {
  const found = new Set<Let>();
  const rest: (Axis | Let)[] = [axis];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const words = new Set(next.alternatives.flatMap((value) => [...wordsOf(value)].map(wordOf)));
    for (const line of lets) {
      if (found.has(line) || !words.has(line.name.name)) continue;
      found.add(line);
      rest.push(line);
    }
  }
  return found;
}

function factorOf(line: Axis | Let): Factor {
  const name = line.kind === "let" ? line.name.name : pathText(line.path);
  const taken = new Set<string>();
  const parts = line.alternatives.map((value) => {
    const part = `${name.replaceAll(".", "-")}-${slug(wordsFor(value, line.alternatives))}`;
    return unused(part, taken);
  });
  return { line, name, parts };
}

/** The part, with a number behind it where another has it already; folders may not tell capitals apart. */
export function unused(part: string, taken: Set<string>): string {
  let free = part;
  for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${part}-${n}`;
  taken.add(free.toLowerCase());
  return free;
}

/** Longest part of a name that a value gives, in characters. */
const longest = 40;

/** Letters, digits, `_` for a point and `-` for all else. */
function slug(text: string): string {
  const plain = text
    .replace(/(^|[^\dA-Za-z])-(?=[\d.])/g, "$1minus-")
    .replaceAll(".", "_")
    .replace(/\W+/g, "-");
  return plain.slice(0, longest).replace(/^-+|-+$/g, "") || "empty";
}

/** The words for a value among its alternatives: of a block its name, and those arguments that its namesakes lack. */
function wordsFor(value: Expression, alternatives: readonly Expression[]): string {
  if (value.kind !== "call") return words(value);
  const { name } = value.callee;
  const namesakes = alternatives.flatMap((other) => {
    if (other.kind === "call") return other.callee.name === name ? [other.arguments.map(argumentWords)] : [];
    return wordOf(other) === name ? [[]] : [];
  });
  const own = value.arguments.map(argumentWords);
  return [name, ...own.filter((text) => !namesakes.every((texts) => texts.includes(text)))].join(" ");
}

const argumentWords = ({ name, value }: Argument): string => (name ? `${name.name} ${words(value)}` : words(value));

function words(value: Expression): string {
  switch (value.kind) {
    case "number":
      return value.raw;
    case "quantity": {
      const amount = value.amount?.raw ?? "all";
      return value.unit === "%" ? amount : `${amount} ${value.unit}`;
    }
    case "size":
      return value.sides.join("x");
    case "range":
      return `${words(value.from)} to ${words(value.to)}`;
    case "rate":
      return `${words(value.value)} per ${words(value.per)}`;
    case "ramp":
      return [value.from, value.to, ...(value.over ? [value.over] : [])].map(words).join(" to ");
    case "text":
      return value.value;
    case "file part":
      return [value.file.value, ...value.parts.map((part) => part.name)].join(" ");
    case "list":
    case "tuple":
      return value.items.map(words).join(" ");
    case "path":
      return value.parts.map((part) => part.name).join(" ");
    case "call":
      return [value.callee.name, ...value.arguments.map(argumentWords)].join(" ");
    case "missing":
      return "";
  }
}

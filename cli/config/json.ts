/** JSON with the place of every value, so that a finding can point at it. The whole of RFC 8259 and nothing beyond. */

import type { Source, Span } from "../../grammar/index.js";

export type Json =
  | { readonly kind: "object"; readonly span: Span; readonly members: readonly Member[] }
  | { readonly kind: "array"; readonly span: Span; readonly items: readonly Json[] }
  | { readonly kind: "string"; readonly span: Span; readonly value: string }
  /** A number, true, false or null: nothing here needs their values. */
  | { readonly kind: "number" | "boolean" | "null"; readonly span: Span };

export interface Member {
  readonly key: { readonly value: string; readonly span: Span };
  readonly value: Json;
}

/** Where a text stops being JSON. */
export interface JsonMistake {
  readonly span: Span;
  /** What is wrong, one sentence without a full stop. */
  readonly message: string;
}

class Mistake extends Error {
  constructor(readonly found: JsonMistake) {
    super(found.message);
  }
}

/** Deeper than any such file; a deeper one is not worth its stack. */
const deepest = 100;

const tokens = {
  string: /"(?:[^"\\\n\r]|\\.)*"/y,
  number: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y,
  word: /[A-Za-z_]\w*/y,
  blank: /[ \t\n\r]*/y,
};

interface Reader {
  readonly source: Source;
  at: number;
}

/** The value of a text, or its first mistake. */
export function readJson(source: Source): Json | JsonMistake {
  const reader: Reader = { source, at: 0 };
  try {
    const value = readValue(reader, 0);
    if (next(reader) !== "") throw mistake(reader, `nothing may follow the value, and there is ${shown(reader)}`);
    return value;
  } catch (error) {
    if (error instanceof Mistake) return error.found;
    throw error;
  }
}

export const isMistake = (read: Json | JsonMistake): read is JsonMistake => "message" in read;

/** Text that a pattern takes here; null where it takes none. */
function take(reader: Reader, pattern: RegExp): string | null {
  pattern.lastIndex = reader.at;
  const text = pattern.exec(reader.source.text)?.[0];
  if (text === undefined) return null;
  reader.at += text.length;
  return text;
}

/** The next character that is not blank; "" at the end. */
function next(reader: Reader): string {
  take(reader, tokens.blank);
  return reader.source.text.charAt(reader.at);
}

const shown = ({ source, at }: Reader): string =>
  at >= source.text.length ? "the end of the file" : `\`${String.fromCodePoint(source.text.codePointAt(at) ?? 0)}\``;

const mistake = ({ source, at }: Reader, message: string): Mistake =>
  new Mistake({ span: { source, start: at, end: Math.min(at + 1, source.text.length) }, message });

function readValue(reader: Reader, depth: number): Json {
  if (depth > deepest) throw mistake(reader, `the values are nested more than ${deepest} deep`);
  const opening = next(reader);
  const start = reader.at;
  const spanned = (): Span => ({ source: reader.source, start, end: reader.at });
  if (opening === "{") return { kind: "object", members: readMembers(reader, depth), span: spanned() };
  if (opening === "[") return { kind: "array", items: readItems(reader, depth), span: spanned() };
  if (opening === '"') return { kind: "string", ...readString(reader) };
  if (take(reader, tokens.number) !== null) return { kind: "number", span: spanned() };
  const word = take(reader, tokens.word);
  if (word === "true" || word === "false") return { kind: "boolean", span: spanned() };
  if (word === "null") return { kind: "null", span: spanned() };
  reader.at = start;
  throw mistake(reader, `a value is expected, and there is ${shown(reader)}`);
}

function readString(reader: Reader): { readonly value: string; readonly span: Span } {
  const start = reader.at;
  const text = take(reader, tokens.string);
  const value = text === null ? null : decoded(text);
  const span = { source: reader.source, start, end: reader.at };
  if (value !== null) return { value, span };
  reader.at = start;
  throw mistake(reader, "this text does not end on its line, or holds what JSON has to escape");
}

function decoded(literal: string): string | null {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return null;
  }
}

function readMembers(reader: Reader, depth: number): readonly Member[] {
  return readList(reader, "}", () => {
    if (next(reader) !== '"') throw mistake(reader, `a name in quotes is expected, and there is ${shown(reader)}`);
    const key = readString(reader);
    if (next(reader) !== ":") throw mistake(reader, `\`:\` is expected after a name, and there is ${shown(reader)}`);
    reader.at++;
    return { key, value: readValue(reader, depth + 1) };
  });
}

const readItems = (reader: Reader, depth: number): readonly Json[] =>
  readList(reader, "]", () => readValue(reader, depth + 1));

/** What stands between brackets, with commas between. */
function readList<T>(reader: Reader, closing: string, read: () => T): readonly T[] {
  reader.at++;
  const items: T[] = [];
  if (next(reader) === closing) {
    reader.at++;
    return items;
  }
  for (;;) {
    items.push(read());
    const after = next(reader);
    if (after !== "," && after !== closing) {
      throw mistake(reader, `\`,\` or \`${closing}\` is expected, and there is ${shown(reader)}`);
    }
    reader.at++;
    if (after === closing) return items;
    if (next(reader) === closing)
      throw mistake(reader, `a value is expected after \`,\`, and there is ${shown(reader)}`);
  }
}

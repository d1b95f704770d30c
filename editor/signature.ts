/** What a block takes, while its arguments are written. */

import type { Definition } from "../blocks/index.js";
import { parameterText } from "../compiler/index.js";
import { type Source, type Token, tokensOf } from "../grammar/index.js";
import { candidateAt } from "./candidates.js";
import type { Surroundings } from "./scene.js";

export interface Signature {
  /** `random(ratio, ...)` */
  readonly label: string;
  readonly summary: string;
  readonly parameters: readonly {
    /** Its place in the label. */
    readonly start: number;
    readonly end: number;
    readonly text: string;
  }[];
  /** The parameter that is being written; null: none of them is known to be. */
  readonly active: number | null;
}

/** The call that an offset lies in: its block's name, and the tokens of the argument before the offset. */
interface Call {
  readonly callee: Token;
  argument: Token[];
  /** How many arguments stand before this one. */
  before: number;
}

/** The block whose parentheses are the innermost around an offset; null: there is none, or it is not known. */
export function signature(source: Source, offset: number, around: Surroundings): Signature | null {
  const call = callAt(source, offset);
  const found = call && candidateAt(source, call.callee.start, around)?.candidate;
  return call && found?.kind === "block" ? signatureOf(found.definition, call) : null;
}

function callAt(source: Source, offset: number): Call | null {
  const open: (Call | null)[] = [];
  let last: Token | null = null;
  for (const token of tokensOf(source)) {
    const { kind, text, start } = token;
    if (start >= offset) break;
    const call = open.at(-1);
    if (kind === "sign" && /^[([{]$/.test(text)) {
      open.push(text === "(" && last?.kind === "word" ? { callee: last, argument: [], before: 0 } : null);
    } else if (kind === "sign" && /^[)\]}]$/.test(text)) open.pop();
    else if (call && kind === "sign" && text === ",") Object.assign(call, { argument: [], before: call.before + 1 });
    else call?.argument.push(token);
    last = token;
  }
  return open.findLast((call) => call !== null) ?? null;
}

function signatureOf(definition: Definition, { argument, before }: Call): Signature {
  const { name, params, positional, summary } = definition;
  let label = `${name}(`;
  const parameters = Object.entries(params).map(([param, what], i) => {
    label += i === 0 ? "" : ", ";
    const start = label.length;
    label += param;
    return { name: param, start, end: label.length, text: `${parameterText(what)}\n\n${what.doc}` };
  });
  label += ")";
  const [first, colon] = argument;
  const isNamed = first?.kind === "word" && colon?.text === ":";
  const written = isNamed ? first.text : before === 0 ? positional : undefined;
  const active = parameters.findIndex((param) => param.name === written);
  return { label, summary, parameters, active: active < 0 ? null : active };
}

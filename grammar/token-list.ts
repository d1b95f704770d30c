/**
 * The tokens of a text as the parser reads them, for editors: every bracket has its partner, and a line end stands where an
 * entry ends. It holds for texts that are half-written, where the syntax tree lacks what is being written.
 */

import type { IToken, TokenType } from "chevrotain";
import { tokensIn } from "./parse.js";
import type { Source } from "./source.js";
import * as T from "./tokens.js";

export interface Token {
  /** `sign`: brackets, `:`, `->` and their like. `other`: what is no token of the language. */
  readonly kind: "word" | "number" | "size" | "text" | "sign" | "lineEnd" | "other";
  /** As written; of a bracket that is missing in the text, that bracket. */
  readonly text: string;
  readonly start: number;
  /** Where it begins, for line ends and for brackets that are missing. */
  readonly end: number;
}

const kinds = new Map<TokenType, Token["kind"]>([
  [T.Numeral, "number"],
  [T.Size, "size"],
  [T.Quoted, "text"],
  [T.OpenQuoted, "text"],
  [T.LineEnd, "lineEnd"],
  [T.Invalid, "other"],
  [T.Stray, "other"],
  [T.BadNumeral, "other"],
]);

const missing = new Map<TokenType, string>([
  [T.LeftBrace, "{"],
  [T.RightBrace, "}"],
  [T.RightParen, ")"],
  [T.RightBracket, "]"],
]);

const tokenOf = (token: IToken): Token => ({
  kind: T.isA(token, T.Word) ? "word" : (kinds.get(token.tokenType) ?? "sign"),
  text: token.image || (missing.get(token.tokenType) ?? ""),
  start: token.startOffset,
  end: T.endOf(token),
});

/** The balanced tokens of a text, in its order. */
export const tokensOf = (source: Source): readonly Token[] => tokensIn(source).laidOut.tokens.map(tokenOf);

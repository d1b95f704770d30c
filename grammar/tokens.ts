/**
 * The kinds of token and the lexer made of them. Every character of a text falls into some kind, the last of which is
 * `Invalid`: lexing never fails. What a wrong token means to the user is the business of `scan.ts`.
 */

import { createToken, type IToken, type ITokenConfig, Lexer, type TokenType } from "chevrotain";

/** Every token but the end of a line belongs to it, so that the parser can step over what it does not expect. */
export const Any = createToken({ name: "Any", pattern: Lexer.NA });

const kinds: TokenType[] = [];

function kind(config: ITokenConfig): TokenType {
  // Said for each kind, so that the lexer need not find it out from the patterns at every start.
  const type = createToken({ categories: Any, line_breaks: false, ...config });
  kinds.push(type);
  return type;
}

export const Space = kind({ name: "Space", pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
export const DocComment = kind({ name: "DocComment", pattern: /\/\/\/(?!\/)[^\r\n]*/, group: "comments" });
export const LineComment = kind({ name: "LineComment", pattern: /\/\/[^\r\n]*/, group: "comments" });
/** Where the last end of a comment stands in the text that is read: an open comment after it looks for none. */
let lastClose = -1;

function closedComment(text: string, at: number): [string] | null {
  if (lastClose < at + 2 || !text.startsWith("/*", at)) return null;
  return [text.slice(at, text.indexOf("*/", at + 2) + 2)];
}

export const BlockComment = kind({
  name: "BlockComment",
  pattern: closedComment,
  start_chars_hint: ["/"],
  group: "comments",
  line_breaks: true,
});
/** Taken to the end of its line only: what follows is read as if the comment were closed. */
export const OpenComment = kind({ name: "OpenComment", pattern: /\/\*[^\r\n]*/, group: "comments" });

export const Quoted = kind({ name: "Quoted", pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/ });
export const OpenQuoted = kind({ name: "OpenQuoted", pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/ });

export const Size = kind({ name: "Size", pattern: /\d+(?:x\d+)+(?![A-Za-z0-9_]|\.\d)/ });
/** A unit may touch its number (`25ms`); what looks like a number gone wrong is left to `BadNumeral`. */
export const Numeral = kind({
  name: "Numeral",
  pattern: /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![0-9_]|\.\d|\.(?![.\w])|[A-Za-z]+[0-9_]|[eEx](?![A-Za-z]))/,
});
export const BadNumeral = kind({ name: "BadNumeral", pattern: /[+-]?(?:\d(?:\w|\.\w|\.(?!\.))*|\.\d\w*)/ });

export const Arrow = kind({ name: "Arrow", pattern: "->" });
export const Dots = kind({ name: "Dots", pattern: ".." });
export const Dot = kind({ name: "Dot", pattern: "." });
export const Comparator = kind({ name: "Comparator", pattern: /<=|>=|==|!=|<|>/ });
export const Equals = kind({ name: "Equals", pattern: "=" });
export const Colon = kind({ name: "Colon", pattern: ":" });
export const Comma = kind({ name: "Comma", pattern: "," });
export const Pipe = kind({ name: "Pipe", pattern: "|" });
export const Percent = kind({ name: "Percent", pattern: "%" });
export const LeftBrace = kind({ name: "LeftBrace", pattern: "{" });
export const RightBrace = kind({ name: "RightBrace", pattern: "}" });
export const LeftParen = kind({ name: "LeftParen", pattern: "(" });
export const RightParen = kind({ name: "RightParen", pattern: ")" });
export const LeftBracket = kind({ name: "LeftBracket", pattern: "[" });
export const RightBracket = kind({ name: "RightBracket", pattern: "]" });

/** A name. The words of the grammar are names too wherever no rule gives them a meaning. */
export const Word = createToken({ name: "Word", pattern: /[A-Za-z_]\w*/, categories: Any, line_breaks: false });

function word(text: string): TokenType {
  return kind({
    name: `${text[0]?.toUpperCase()}${text.slice(1)}`,
    pattern: text,
    categories: [Word, Any],
    longer_alt: Word,
  });
}

/** The words of the grammar, by their text. */
export const words = {
  edition: word("edition"),
  import: word("import"),
  as: word("as"),
  from: word("from"),
  model: word("model"),
  recipe: word("recipe"),
  variants: word("variants"),
  pipeline: word("pipeline"),
  extends: word("extends"),
  for: word("for"),
  of: word("of"),
  add: word("add"),
  replace: word("replace"),
  remove: word("remove"),
  set: word("set"),
  let: word("let"),
  every: word("every"),
  skip: word("skip"),
  when: word("when"),
  is: word("is"),
  and: word("and"),
  or: word("or"),
  stage: word("stage"),
  evaluate: word("evaluate"),
  fresh: word("fresh"),
  per: word("per"),
  over: word("over"),
  all: word("all"),
};

/**
 * The characters that a lexer sorts its kinds by: each of the first 256, and those from there on in groups that have one of these in them.
 */
const sorted = Array.from({ length: 768 }, (_, i) => (i < 256 ? i : (i - 256) * 128 + 256));

/** Whatever else stands in a text, one character at a time. A lexer cannot see from `\S` what it begins with, and would try all kinds. */
export const Invalid = createToken({
  name: "Invalid",
  pattern: /\S/,
  categories: Any,
  line_breaks: false,
  start_chars_hint: sorted.filter((code) => code > 255 || /\S/.test(String.fromCharCode(code))),
});

/** Made by `layout.ts`, never found in a text. */
export const LineEnd = createToken({ name: "LineEnd", pattern: Lexer.NA });
/** A closing bracket that closes nothing. */
export const Stray = createToken({ name: "Stray", pattern: Lexer.NA, categories: Any });

const lexed = [...kinds, Word, Invalid];

export const vocabulary = [...lexed, LineEnd, Stray, Any];

let lexer: Lexer | null = null;

/** Tokens and comments of a text, in order. */
export function lex(text: string): { tokens: IToken[]; comments: IToken[] } {
  lexer ??= new Lexer(lexed, { skipValidations: true, positionTracking: "full" });
  lastClose = text.lastIndexOf("*/");
  const { tokens, groups } = lexer.tokenize(text);
  return { tokens, comments: groups.comments ?? [] };
}

/** True of a token of that kind or of a kind that belongs to it. */
export function isA(token: IToken | undefined, type: TokenType): boolean {
  return token !== undefined && (token.tokenType === type || token.tokenType.CATEGORIES?.includes(type) === true);
}

/** The offset after a token's last character; also right for tokens of no width. */
export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

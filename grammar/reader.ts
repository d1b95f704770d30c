/**
 * What every rule of the parser uses: spans, reports, and stepping over what cannot be read. The rules stand in the classes
 * that extend it: `expressions.ts`, `lines.ts`, `studies.ts`, `parser.ts`.
 *
 * No rule throws for a wrong text. Where a token does not fit, a rule reports it once, steps over the tokens up to the end of
 * the argument or entry (`layout.ts` has balanced the brackets), and goes on with a tree that lacks that piece.
 */

import { EmbeddedActionsParser, EOF, type IParserConfig, type IToken, type TokenType } from "chevrotain";
import type * as Ast from "./ast.js";
import { type Diagnostic, keep } from "./diagnostic.js";
import { stray, unexpected } from "./messages.js";
import type { Source, Span } from "./source.js";
import * as T from "./tokens.js";

/** Ends of an argument or of an item of a list. */
const itemEnds = new Set<TokenType>([T.Comma, T.RightParen, T.RightBracket, T.RightBrace, T.LineEnd, EOF]);
/** Ends of one of several values of an entry. */
const valueEnds = new Set<TokenType>([...itemEnds, T.Pipe, T.LeftBrace]);
/** Ends of an entry. */
const entryEnds = new Set<TokenType>([T.LineEnd, T.RightBrace, EOF]);
/** Ends of what may stand before a body. */
const headEnds = new Set<TokenType>([...entryEnds, T.LeftBrace]);

export const ends = { item: itemEnds, value: valueEnds, entry: entryEnds, head: headEnds };

const openers = new Set<TokenType>([T.LeftBrace, T.LeftParen, T.LeftBracket]);
const closers = new Set<TokenType>([T.RightBrace, T.RightParen, T.RightBracket]);
/** Tokens that were reported when they were read. */
const reported = new Set<TokenType>([T.Invalid, T.BadNumeral, T.OpenQuoted]);

export abstract class Reader extends EmbeddedActionsParser {
  protected source: Source = { path: "", text: "" };
  protected diagnostics: Diagnostic[] = [];
  /** How many parentheses and brackets are open. */
  protected nested = 0;
  /** The token at which something was last reported: it is reported once. */
  private blamed: IToken | null = null;

  protected constructor(config: IParserConfig) {
    super(T.vocabulary, { recoveryEnabled: false, maxLookahead: 1, nodeLocationTracking: "none", ...config });
  }

  protected begin(source: Source, tokens: readonly IToken[]): void {
    this.input = [...tokens];
    this.source = source;
    this.diagnostics = [];
    this.nested = 0;
    this.blamed = null;
  }

  protected spanOf(token: IToken): Span {
    const end = this.source.text.length;
    if (token.tokenType === EOF) return { source: this.source, start: end, end };
    return { source: this.source, start: token.startOffset, end: T.endOf(token) };
  }

  /** From the start of a token to the end of the last one read; of no width where the token was not read. */
  protected spanFrom(start: IToken): Span {
    const here = this.spanHere();
    return start.startOffset < here.end ? { ...here, start: start.startOffset } : here;
  }

  /** Right after the last token read: where something is missing. */
  protected spanHere(): Span {
    const last = this.LA(0);
    const end = last.tokenType === EOF ? 0 : T.endOf(last);
    return { source: this.source, start: end, end };
  }

  protected identifier(token: IToken): Ast.Identifier {
    return { kind: "identifier", name: token.image, span: this.spanOf(token) };
  }

  protected next(type: TokenType, ahead = 1): boolean {
    return T.isA(this.LA(ahead), type);
  }

  protected at(set: ReadonlySet<TokenType>, ahead = 1): boolean {
    return set.has(this.LA(ahead).tokenType);
  }

  /** True of two tokens that stand on one line. */
  protected sameLine(ahead: number): boolean {
    return this.LA(ahead).endLine === this.LA(ahead + 1).startLine;
  }

  /** Reports what is wrong with the next token, once. */
  protected complain(diagnostic: Diagnostic): void {
    const token = this.LA(1);
    if (token === this.blamed || reported.has(token.tokenType)) return;
    this.blamed = token;
    keep(this.diagnostics, token.tokenType === T.Stray ? stray(this.spanOf(token)) : diagnostic);
  }

  /** Reports a mistake from which the parser goes on without a loss. */
  protected note(diagnostic: Diagnostic): void {
    this.ACTION(() => keep(this.diagnostics, diagnostic));
  }

  /** Reports the next token as one that does not fit, and steps over it and what follows up to one of `until`. */
  protected discard(until: ReadonlySet<TokenType>, wanted: string, more: Partial<Diagnostic> = {}): void {
    if (this.at(until)) return;
    this.complain(unexpected(this.spanOf(this.LA(1)), wanted, more));
    this.stepOver(until);
  }

  /**
   * Steps over tokens up to one of `until`, at which nothing more is reported; brackets are stepped over whole.
   * `depth`: how many of them are already open.
   */
  protected stepOver(until: ReadonlySet<TokenType>, depth = 0): void {
    let inside = depth;
    for (let type = this.LA(1).tokenType; type !== EOF; type = this.LA(1).tokenType) {
      if (inside <= 0 && until.has(type)) break;
      if (openers.has(type)) inside++;
      else if (closers.has(type)) inside--;
      this.SKIP_TOKEN();
    }
    this.blamed = this.LA(1);
  }

  /** 1 after the opening of a bracket, else 0: the depth to go on with when that token has been read. */
  protected depthAfter(token: IToken): number {
    return openers.has(token.tokenType) ? 1 : 0;
  }
}

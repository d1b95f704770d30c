/** The rules of values: numbers with their units, sizes, ranges, rates, ramps, strings, lists, words and calls. */

import type { IToken, TokenType } from "chevrotain";
import type * as Ast from "./ast.js";
import { expectedName, missingComma, missingValue, notAValue, unexpected, wrongSign } from "./messages.js";
import { ends, Reader } from "./reader.js";
import type { Span } from "./source.js";
import * as T from "./tokens.js";

/** Words that join values and so are no units. */
const joining = new Set<TokenType>([
  T.words.per,
  T.words.over,
  T.words.every,
  T.words.and,
  T.words.or,
  T.words.is,
  T.words.of,
  T.words.from,
  T.words.fresh,
]);
/** The payload of a parenthesis that belongs to the word before it. */
export const ofCall = "call";
/** Tokens that begin a value and cannot follow one. */
const literals = new Set<TokenType>([T.Numeral, T.BadNumeral, T.Size, T.Quoted, T.OpenQuoted, T.LeftBracket]);

export abstract class ExpressionReader extends Reader {
  /** A value, or `Missing` with a report: it fits every text. `owner` is what the value is for, for the report. */
  protected value = this.RULE("value", (owner: string): Ast.Expression => {
    const from = this.SUBRULE(this.rate, { ARGS: [owner] });
    let ramp: Ast.Expression = from;
    this.OPTION(() => {
      this.CONSUME(T.Arrow);
      const to = this.SUBRULE1(this.rate, { ARGS: ["`->`"] });
      let over: Ast.Expression | null = null;
      this.OPTION1(() => {
        this.CONSUME(T.words.over);
        over = this.SUBRULE2(this.rate, { ARGS: ["`over`"] });
      });
      ramp = { kind: "ramp", from, to, over, span: this.spanTo(from) };
    });
    return ramp;
  });

  /** From the start of a value to the end of the last token read. */
  private spanTo(first: Ast.Expression): Span {
    return { ...first.span, end: this.spanHere().end };
  }

  private rate = this.RULE("rate", (owner: string): Ast.Expression => {
    const value = this.SUBRULE(this.range, { ARGS: [owner] });
    let rate = value;
    this.OPTION(() => {
      this.CONSUME(T.words.per);
      const per = this.SUBRULE1(this.range, { ARGS: ["`per`"] });
      rate = { kind: "rate", value, per, span: this.spanTo(value) };
    });
    return rate;
  });

  private range = this.RULE("range", (owner: string): Ast.Expression => {
    const from = this.SUBRULE(this.operand, { ARGS: [owner] });
    let range = from;
    this.OPTION(() => {
      this.CONSUME(T.Dots);
      const to = this.SUBRULE1(this.operand, { ARGS: ["`..`"] });
      range = { kind: "range", from, to, span: this.spanTo(from) };
    });
    return range;
  });

  private operand = this.RULE(
    "operand",
    (owner: string): Ast.Expression =>
      this.OR<Ast.Expression>({
        // `Any` stands for all that begins no value: an alternative before it always goes first.
        IGNORE_AMBIGUITIES: true,
        DEF: [
          { ALT: () => this.SUBRULE(this.numeral) },
          { ALT: () => this.SUBRULE(this.size) },
          { ALT: () => this.SUBRULE(this.quoted) },
          { ALT: () => this.text(this.CONSUME(T.OpenQuoted)) },
          { ALT: () => this.SUBRULE(this.list) },
          { ALT: () => this.SUBRULE(this.tuple) },
          { ALT: () => this.SUBRULE(this.wordValue) },
          { GATE: () => !this.atValueEnd(), ALT: () => this.SUBRULE(this.wrongValue, { ARGS: [owner] }) },
          { ALT: () => this.noValue(owner) },
        ],
      }),
  );

  private noValue(owner: string): Ast.Missing {
    this.ACTION(() => this.complain(missingValue(this.spanHere(), owner)));
    return { kind: "missing", span: this.spanHere() };
  }

  private wrongValue = this.RULE("wrongValue", (owner: string): Ast.Missing => {
    this.ACTION(() => this.complain(notAValue(this.spanOf(this.LA(1)), owner)));
    const token = this.CONSUME(T.Any);
    this.ACTION(() => this.stepOver(this.nested > 0 ? ends.item : ends.value, this.depthAfter(token)));
    return { kind: "missing", span: this.spanFrom(token) };
  });

  /** Where a value cannot go on: the ends of an item in brackets, of a value elsewhere. */
  protected atValueEnd(): boolean {
    return this.at(this.nested > 0 ? ends.item : ends.value);
  }

  private numeral = this.RULE("numeral", (): Ast.Expression => {
    const start = this.LA(1);
    const number = this.OR([{ ALT: () => this.CONSUME(T.Numeral) }, { ALT: () => this.CONSUME(T.BadNumeral) }]);
    let unit: IToken | null = null;
    this.OPTION({
      GATE: () => this.next(T.Percent) || this.atUnit(),
      DEF: () => {
        unit = this.OR1([{ ALT: () => this.CONSUME(T.Percent) }, { ALT: () => this.CONSUME(T.Word) }]);
      },
    });
    return this.ACTION(() => this.numberNode(start, number, unit)) as Ast.Expression;
  });

  private numberNode(start: IToken, number: IToken, unit: IToken | null): Ast.Expression {
    if (number.tokenType === T.BadNumeral) return { kind: "missing", span: this.spanFrom(start) };
    const value = number.payload as number;
    const amount: Ast.NumberLiteral = { kind: "number", value, raw: number.image, span: this.spanOf(number) };
    if (!unit) return amount;
    return { kind: "quantity", amount, unit: unit.image, unitSpan: this.spanOf(unit), span: this.spanFrom(start) };
  }

  /** A word right of a number, on its line; not `width` of `depth: 12 width: 768`, where a comma is missing. */
  private atUnit(): boolean {
    if (!this.next(T.Word) || joining.has(this.LA(1).tokenType)) return false;
    const last = this.LA(0);
    return last.endLine === this.LA(1).startLine && !this.next(T.Colon, 2) && !this.next(T.LeftParen, 2);
  }

  private size = this.RULE("size", (): Ast.Size => {
    const token = this.CONSUME(T.Size);
    return { kind: "size", sides: token.image.split("x").map(Number), span: this.spanOf(token) };
  });

  protected text(token: IToken): Ast.Text {
    return { kind: "text", value: token.payload as string, span: this.spanOf(token) };
  }

  /** A text, or with a dot after it a part of what that names. */
  protected quoted = this.RULE("quoted", (): Ast.Text | Ast.FilePart => {
    const start = this.CONSUME(T.Quoted);
    const parts: Ast.Identifier[] = [];
    this.SUBRULE(this.afterDots, { ARGS: [parts] });
    return this.ACTION(() => {
      const file = this.text(start);
      return parts.length === 0 ? file : { kind: "file part", file, parts, span: this.spanFrom(start) };
    }) as Ast.Text | Ast.FilePart;
  });

  private list = this.RULE("list", (): Ast.List => {
    const start = this.CONSUME(T.LeftBracket);
    const items = this.SUBRULE(this.items, { ARGS: [T.RightBracket] });
    this.CONSUME(T.RightBracket);
    return { kind: "list", items, span: this.spanFrom(start) };
  });

  private tuple = this.RULE("tuple", (): Ast.Tuple => {
    const start = this.CONSUME(T.LeftParen);
    const items = this.SUBRULE(this.items, { ARGS: [T.RightParen] });
    this.CONSUME(T.RightParen);
    return { kind: "tuple", items, span: this.spanFrom(start) };
  });

  private items = this.RULE("items", (closer: TokenType): Ast.Expression[] => {
    const items: Ast.Expression[] = [];
    this.ACTION(() => this.nested++);
    this.MANY({
      GATE: () => !this.next(closer),
      DEF: () => {
        items.push(this.SUBRULE(this.value, { ARGS: ["this item"] }));
        this.ACTION(() => this.endItem(closer));
        this.OPTION(() => this.CONSUME(T.Comma));
      },
    });
    this.ACTION(() => this.nested--);
    return items;
  });

  private wordValue = this.RULE("wordValue", (): Ast.Expression => {
    const first = this.CONSUME(T.Word);
    let unit: IToken | null = null;
    this.OPTION({
      GATE: () => first.tokenType === T.words.all && this.atUnit(),
      DEF: () => {
        unit = this.CONSUME1(T.Word);
      },
    });
    let called: Ast.Argument[] | null = null;
    let parts: Ast.Identifier[] = [];
    this.OR([
      {
        ALT: () => {
          called = this.SUBRULE(this.argumentList);
        },
      },
      {
        ALT: () => {
          parts = this.SUBRULE(this.dotted, { ARGS: [first] });
        },
      },
    ]);
    return this.ACTION(() => this.wordNode(first, unit, called, parts)) as Ast.Expression;
  });

  private wordNode(first: IToken, unit: IToken | null, called: Ast.Argument[] | null, parts: Ast.Identifier[]) {
    const span = this.spanFrom(first);
    if (unit !== null) return { kind: "quantity", amount: null, unit: unit.image, unitSpan: this.spanOf(unit), span };
    if (called !== null) return { kind: "call", callee: this.identifier(first), arguments: called, span };
    return { kind: "path", parts, span };
  }

  /** The names after the first of a dotted path. */
  private dotted = this.RULE("dotted", (first: IToken): Ast.Identifier[] => {
    const parts: Ast.Identifier[] = [];
    this.ACTION(() => parts.push(this.identifier(first)));
    this.SUBRULE(this.afterDots, { ARGS: [parts] });
    return parts;
  });

  private afterDots = this.RULE("afterDots", (parts: Ast.Identifier[]): void => {
    this.MANY(() => {
      this.CONSUME(T.Dot);
      this.OR([
        {
          ALT: () => {
            const word = this.CONSUME(T.Word);
            this.ACTION(() => parts.push(this.identifier(word)));
          },
        },
        { ALT: () => this.noPart() },
      ]);
    });
  });

  private noPart(): void {
    this.ACTION(() => this.complain(expectedName(this.spanHere(), "the name after the dot", "mae.encoder")));
  }

  /** `encoder.audio.depth` */
  protected path = this.RULE("path", (): Ast.Path => {
    const first = this.CONSUME(T.Word);
    const parts = this.SUBRULE(this.dotted, { ARGS: [first] });
    return { kind: "path", parts, span: this.spanFrom(first) };
  });

  private argumentList = this.RULE("argumentList", (): Ast.Argument[] => {
    const list: Ast.Argument[] = [];
    const paren = this.CONSUME(T.LeftParen);
    this.ACTION(() => {
      paren.payload = ofCall;
      this.nested++;
    });
    this.MANY({
      GATE: () => !this.next(T.RightParen),
      DEF: () => {
        list.push(this.SUBRULE(this.argument));
        this.ACTION(() => this.endItem(T.RightParen));
        this.OPTION(() => this.CONSUME(T.Comma));
      },
    });
    this.ACTION(() => this.nested--);
    this.CONSUME(T.RightParen);
    return list;
  });

  private argument = this.RULE("argument", (): Ast.Argument => {
    const start = this.LA(1);
    let name: Ast.Identifier | null = null;
    this.OPTION({
      GATE: () => this.next(T.Word) && (this.next(T.Colon, 2) || this.next(T.Equals, 2) || this.colonForgotten()),
      DEF: () => {
        name = this.identifier(this.CONSUME(T.Word));
        this.SUBRULE(this.sign, { ARGS: [":", "an argument"] });
      },
    });
    const owner = name ? `\`${(name as Ast.Identifier).name}:\`` : "this argument";
    const value = this.SUBRULE(this.value, { ARGS: [owner] });
    return { name, value, span: name ? this.spanFrom(start) : this.spanTo(value) };
  });

  private colonForgotten(): boolean {
    return this.at(literals, 2) && this.sameLine(1);
  }

  /** `:` or `=`, of which `wanted` is the right one; `what` needs it. */
  protected sign = this.RULE("sign", (wanted: ":" | "=", what: string): void => {
    const token = this.LA(1);
    this.OR([
      { ALT: () => this.CONSUME(T.Colon) },
      { ALT: () => this.CONSUME(T.Equals) },
      { ALT: () => this.noSign(wanted) },
    ]);
    this.ACTION(() => {
      const found = this.LA(0) === token;
      if (found && token.image !== wanted) this.note(wrongSign(this.spanOf(token), wanted, what));
    });
  });

  private noSign(wanted: string): void {
    this.ACTION(() => {
      const last = this.LA(0);
      const edits = [{ span: this.spanHere(), text: wanted === ":" ? ":" : ` ${wanted}` }];
      const fix = { title: `add \`${wanted}\``, edits };
      this.complain(unexpected(this.spanOf(this.LA(1)), `\`${wanted}\` after \`${last.image}\``, { fix }));
    });
  }

  /** What may follow an item: a comma or the closing bracket. */
  private endItem(closer: TokenType): void {
    if (this.next(T.Comma) || this.next(closer)) return;
    const token = this.LA(1);
    if (this.next(T.Word) || this.at(literals)) {
      this.complain(missingComma(this.spanOf(token), this.spanHere().end));
      return;
    }
    const help = this.next(T.Pipe)
      ? "Alternatives stand outside of arguments, in `variants`: `let r = 50% | 75%`."
      : null;
    const wanted = closer === T.RightParen ? "`,` or `)`" : "`,` or `]`";
    this.discard(ends.item, wanted, help ? { help } : {});
  }
}

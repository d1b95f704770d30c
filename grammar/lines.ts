/** The rules of names, of the ends of lines, and of the lines of models and recipes. */

import type { IToken, ParserMethod } from "chevrotain";
import type * as Ast from "./ast.js";
import { ExpressionReader } from "./expressions.js";
import * as say from "./messages.js";
import { ends } from "./reader.js";
import * as T from "./tokens.js";

/** Tokens that end a line, or stand before a body: a verb alone on its line is a verb that was left unfinished. */
const lineEnds = ends.head;

type LineKind = "slot" | "remove" | "set" | "let" | "junk";

export abstract class LineReader extends ExpressionReader {
  /** Offset of a token to the `///` text before it. */
  protected docs = new Map<number, string>();

  protected docOf(token: IToken): string {
    return this.ACTION(() => {
      const doc = this.docs.get(token.startOffset) ?? "";
      this.docs.delete(token.startOffset);
      return doc;
    }) as string;
  }

  /** A name, or null with a report. */
  protected name = this.RULE("name", (what: string, example: string): Ast.Identifier | null => {
    let found: Ast.Identifier | null = null;
    this.OR({
      // `Any` stands for all that is no word.
      IGNORE_AMBIGUITIES: true,
      DEF: [
        {
          ALT: () => {
            found = this.identifier(this.CONSUME(T.Word));
          },
        },
        { GATE: () => !this.atNameEnd(), ALT: () => this.SUBRULE(this.noName, { ARGS: [what, example] }) },
        { ALT: () => this.ACTION(() => this.complain(say.expectedName(this.spanHere(), what, example))) },
      ],
    });
    return found;
  });

  private atNameEnd(): boolean {
    return this.at(ends.value) || this.next(T.Equals) || this.next(T.Colon) || this.next(T.LeftParen);
  }

  private noName = this.RULE("noName", (what: string, example: string): void => {
    this.ACTION(() => this.complain(say.expectedName(this.spanOf(this.LA(1)), what, example)));
    const token = this.CONSUME(T.Any);
    this.ACTION(() => this.depthAfter(token) > 0 && this.stepOver(ends.head, 1));
  });

  /** Reports what stands where a line should end, and steps over it; a new entry on the same line is only reported. */
  protected endEntry(wanted: string): void {
    if (this.at(ends.entry)) return;
    const newEntry = this.next(T.Word) && this.next(T.Word, 2) && (this.next(T.LeftParen, 3) || this.at(lineEnds, 3));
    if (newEntry || (this.next(T.Word) && this.LA(0).tokenType === T.RightBrace)) {
      this.complain(say.missingLineBreak(this.spanOf(this.LA(1))));
    } else {
      this.discardOrMiss(wanted);
    }
  }

  /** Reports what stands here, or that nothing does, and steps over the rest of the entry. */
  protected discardOrMiss(wanted: string): void {
    const named = this.next(T.Word) && this.next(T.Colon, 2);
    const help = named ? { help: `Arguments stand in parentheses: \`block(${this.LA(1).image}: ...)\`.` } : {};
    if (this.at(ends.entry)) this.complain(say.unexpected(this.spanHere(), wanted));
    else this.discard(ends.entry, wanted, help);
  }

  private lineKind(): LineKind {
    if (!this.next(T.Word)) return "junk";
    const type = this.LA(1).tokenType;
    const named = this.next(T.Word, 2) || this.at(lineEnds, 2);
    if (named && type === T.words.remove) return "remove";
    if (named && type === T.words.set) return "set";
    if ((named || this.next(T.Equals, 2)) && type === T.words.let) return "let";
    return "slot";
  }

  /** The lines of a body in braces, as part of a rule; a missing `{` is reported before it is read. */
  protected linesIn<E>(owner: string, line: ParserMethod<[], E | null>): E[] {
    const entries: E[] = [];
    this.ACTION(() => {
      if (this.LA(1).image !== "{") this.complain(say.missingBody(this.spanHere(), owner));
    });
    this.OPTION(() => {
      this.CONSUME(T.LeftBrace);
      this.MANY({
        GATE: () => !this.next(T.RightBrace),
        DEF: () => {
          const entry = this.SUBRULE(line);
          this.ACTION(() => entry && entries.push(entry));
        },
      });
      this.CONSUME(T.RightBrace);
    });
    return entries;
  }

  protected body = this.RULE("body", (owner: string): Ast.ModelEntry[] => this.linesIn(owner, this.modelLine));

  private modelLine = this.RULE("modelLine", (): Ast.ModelEntry | null =>
    this.OR<Ast.ModelEntry | null>({
      // All begin with a word; `lineKind` decides which.
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { ALT: () => this.SUBRULE(this.lineEnd) },
        { GATE: () => this.lineKind() === "remove", ALT: () => this.SUBRULE(this.remove) },
        { GATE: () => this.lineKind() === "set", ALT: () => this.SUBRULE(this.setValue) },
        { GATE: () => this.lineKind() === "let", ALT: () => this.SUBRULE(this.let) },
        { GATE: () => this.lineKind() === "slot", ALT: () => this.SUBRULE(this.slot) },
        { ALT: () => this.SUBRULE(this.junk, { ARGS: ["a slot or `}`"] }) },
      ],
    }),
  );

  protected lineEnd = this.RULE("lineEnd", (): null => {
    this.CONSUME(T.LineEnd);
    return null;
  });

  protected junk = this.RULE("junk", (wanted: string): null => {
    this.ACTION(() => {
      this.complain(say.unexpected(this.spanOf(this.LA(1)), wanted));
      this.docOf(this.LA(1));
    });
    const token = this.CONSUME(T.Any);
    this.ACTION(() => this.stepOver(ends.entry, this.depthAfter(token)));
    return null;
  });

  private slot = this.RULE("slot", (): Ast.Slot | null => {
    const start = this.LA(1);
    const doc = this.docOf(start);
    let verb: IToken | null = null;
    this.OPTION({
      GATE: () => this.next(T.Word, 2) || this.at(lineEnds, 2),
      DEF: () => {
        verb = this.OR([{ ALT: () => this.CONSUME(T.words.add) }, { ALT: () => this.CONSUME(T.words.replace) }]);
      },
    });
    const slot = this.SUBRULE(this.name, { ARGS: ["a slot", "add loss mse"] });
    const label = this.SUBRULE(this.label, { ARGS: [slot] });
    const filled = this.SUBRULE(this.slotValues, { ARGS: [slot] });
    let every: Ast.Expression | null = null;
    this.OPTION1(() => {
      this.CONSUME(T.words.every);
      every = this.SUBRULE(this.value, { ARGS: ["`every`"] });
    });
    this.ACTION(() => !this.at(ends.head) && this.endEntry("the end of the line"));
    let entries: Ast.ModelEntry[] | null = null;
    this.OPTION2({
      GATE: () => this.next(T.LeftBrace),
      DEF: () => {
        entries = this.SUBRULE(this.body, { ARGS: ["the block"] });
      },
    });
    return this.ACTION(() => {
      const span = this.spanFrom(start);
      this.endEntry("the end of the line");
      if (slot === null) return null;
      const word = verb === null ? null : ((verb as IToken).image as "add" | "replace");
      return { kind: "slot", doc, verb: word, slot, label, values: filled, every, entries, span };
    });
  });

  /** `audio:`, and what is easily written in its place. */
  private label = this.RULE("label", (slot: Ast.Identifier | null): Ast.Identifier | null => {
    this.ACTION(() => slot && this.checkSlot(slot));
    let label: Ast.Identifier | null = null;
    this.OPTION({
      GATE: () => this.next(T.Colon, 2) || this.next(T.Equals, 2),
      DEF: () => {
        label = this.identifier(this.CONSUME(T.Word));
        this.SUBRULE(this.sign, { ARGS: [":", "a label"] });
      },
    });
    return label;
  });

  private checkSlot(slot: Ast.Identifier): void {
    if (this.next(T.LeftParen)) {
      this.complain(say.missingSlot(slot.span));
      this.stepOver(ends.entry);
    } else if (this.next(T.Colon) || this.next(T.Equals)) {
      const sign = this.LA(1);
      this.complain(say.signAfterSlot(this.spanOf(sign), slot.name, this.valueStart(sign)));
      this.SKIP_TOKEN();
    }
  }

  /** Where the token after a sign begins, if it stands on the same line. */
  private valueStart(sign: IToken): number {
    const value = this.LA(2);
    return value.startLine === sign.endLine ? value.startOffset : T.endOf(sign);
  }

  protected slotValues = this.RULE("slotValues", (slot: Ast.Identifier | null): Ast.Expression[] => {
    const owner = slot ? `\`${slot.name}\`` : "this line";
    const found: Ast.Expression[] = [];
    const first = this.SUBRULE(this.value, { ARGS: [owner] });
    this.MANY(() => {
      this.CONSUME(T.Comma);
      this.OPTION({
        GATE: () => !this.at(lineEnds),
        DEF: () => {
          found.push(this.SUBRULE1(this.value, { ARGS: [owner] }));
        },
      });
    });
    return this.ACTION(() => [first, ...found].filter((value, _, all) => all.length > 1 || value.kind !== "missing"));
  });

  private remove = this.RULE("remove", (): Ast.Remove | null => {
    const start = this.CONSUME(T.words.remove);
    const slot = this.SUBRULE(this.name, { ARGS: ["a slot", "remove decoder"] });
    let label: Ast.Identifier | null = null;
    this.OPTION(() => {
      label = this.identifier(this.CONSUME(T.Word));
    });
    return this.ACTION(() => {
      const span = this.spanFrom(start);
      this.endEntry("the end of the line: `remove` takes a slot, and a label if it has one");
      return slot && { kind: "remove", slot, label, span };
    });
  });

  private setValue = this.RULE("setValue", (): Ast.SetValue | null => {
    const start = this.CONSUME(T.words.set);
    const path = this.SUBRULE(this.pathOrReport, { ARGS: ["what to set", "set encoder.depth: 6"] });
    this.SUBRULE(this.sign, { ARGS: [":", "`set`"] });
    const value = this.SUBRULE(this.value, { ARGS: ["`set`"] });
    return this.ACTION(() => {
      const span = this.spanFrom(start);
      this.endEntry("the end of the line");
      return path && { kind: "set", path: path.parts, value: value.kind === "missing" ? null : value, span };
    });
  });

  protected pathOrReport = this.RULE("pathOrReport", (what: string, example: string): Ast.Path | null => {
    let path: Ast.Path | null = null;
    this.OR([
      {
        ALT: () => {
          path = this.SUBRULE(this.path);
        },
      },
      { ALT: () => this.ACTION(() => this.complain(say.expectedName(this.spanHere(), what, example))) },
    ]);
    return path;
  });

  protected let = this.RULE("let", (): Ast.Let | null => {
    const start = this.CONSUME(T.words.let);
    const name = this.SUBRULE(this.name, { ARGS: ["a name", "let ratio = 75%"] });
    this.SUBRULE(this.sign, { ARGS: ["=", "`let`"] });
    const alternatives = this.SUBRULE(this.alternatives, { ARGS: [name ? `\`${name.name}\`` : "`let`"] });
    return this.ACTION(() => {
      const span = this.spanFrom(start);
      this.endEntry("the end of the line");
      return name && { kind: "let", name, alternatives, span };
    });
  });

  protected alternatives = this.RULE("alternatives", (owner: string): Ast.Expression[] => {
    const found: Ast.Expression[] = [];
    this.OPTION(() => this.CONSUME(T.Pipe));
    found.push(this.SUBRULE(this.value, { ARGS: [owner] }));
    this.MANY(() => {
      this.CONSUME1(T.Pipe);
      found.push(this.SUBRULE1(this.value, { ARGS: [owner] }));
    });
    return found;
  });
}

/** The rules of what stands between braces: lines of models and recipes, of variants, and of pipelines. */

import type { IToken } from "chevrotain";
import type * as Ast from "./ast.js";
import { ExpressionReader } from "./expressions.js";
import * as say from "./messages.js";
import { ends } from "./reader.js";
import * as T from "./tokens.js";

/** A condition may have this many parts: the tree is as deep as it has parts. */
const longestCondition = 64;

/** Tokens that end a line, or stand before a body: a verb alone on its line is a verb that was left unfinished. */
const lineEnds = ends.head;

type LineKind = "slot" | "remove" | "set" | "let" | "axis" | "skip" | "stage" | "evaluation" | "junk";

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

  private variantsKind(): LineKind {
    if (!this.next(T.Word)) return "junk";
    const type = this.LA(1).tokenType;
    const isPath = this.next(T.Equals, 2) || this.next(T.Dot, 2);
    if (type === T.words.let && !this.next(T.Dot, 2)) return "let";
    return type === T.words.skip && !isPath ? "skip" : "axis";
  }

  private pipelineKind(): LineKind {
    if (this.next(T.words.stage)) return "stage";
    return this.next(T.words.evaluate) ? "evaluation" : "junk";
  }

  /** Reports a missing `{` before the rule of the body is tried. */
  private openBody(owner: string): void {
    this.ACTION(() => {
      if (this.LA(1).image !== "{") this.complain(say.missingBody(this.spanHere(), owner));
    });
  }

  protected body = this.RULE("body", (owner: string): Ast.ModelEntry[] => {
    const entries: Ast.ModelEntry[] = [];
    this.openBody(owner);
    this.OPTION(() => {
      this.CONSUME(T.LeftBrace);
      this.MANY({
        GATE: () => !this.next(T.RightBrace),
        DEF: () => {
          const entry = this.SUBRULE(this.modelLine);
          this.ACTION(() => entry && entries.push(entry));
        },
      });
      this.CONSUME(T.RightBrace);
    });
    return entries;
  });

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

  private lineEnd = this.RULE("lineEnd", (): null => {
    this.CONSUME(T.LineEnd);
    return null;
  });

  private junk = this.RULE("junk", (wanted: string): null => {
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
      this.endEntry("the end of the line");
      if (slot === null) return null;
      const word = verb === null ? null : ((verb as IToken).image as "add" | "replace");
      return { kind: "slot", doc, verb: word, slot, label, values: filled, every, entries, span: this.spanFrom(start) };
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

  private slotValues = this.RULE("slotValues", (slot: Ast.Identifier | null): Ast.Expression[] => {
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
    let value: Ast.Expression | null = null;
    this.OPTION({
      GATE: () => path !== null,
      DEF: () => {
        this.SUBRULE(this.sign, { ARGS: [":", "`set`"] });
        value = this.SUBRULE(this.value, { ARGS: ["`set`"] });
      },
    });
    return this.ACTION(() => {
      const span = this.spanFrom(start);
      this.endEntry("the end of the line");
      const known = value !== null && (value as Ast.Expression).kind === "missing" ? null : value;
      return path && { kind: "set", path: path.parts, value: known, span };
    });
  });

  private pathOrReport = this.RULE("pathOrReport", (what: string, example: string): Ast.Path | null => {
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

  private let = this.RULE("let", (): Ast.Let | null => {
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

  private alternatives = this.RULE("alternatives", (owner: string): Ast.Expression[] => {
    const found: Ast.Expression[] = [];
    this.OPTION(() => this.CONSUME(T.Pipe));
    found.push(this.SUBRULE(this.value, { ARGS: [owner] }));
    this.MANY(() => {
      this.CONSUME1(T.Pipe);
      found.push(this.SUBRULE1(this.value, { ARGS: [owner] }));
    });
    return found;
  });

  protected variantsBody = this.RULE("variantsBody", (): Ast.VariantsEntry[] => {
    const entries: Ast.VariantsEntry[] = [];
    this.openBody("the declaration");
    this.OPTION(() => {
      this.CONSUME(T.LeftBrace);
      this.MANY({
        GATE: () => !this.next(T.RightBrace),
        DEF: () => {
          const entry = this.SUBRULE(this.variantsLine);
          this.ACTION(() => entry && entries.push(entry));
        },
      });
      this.CONSUME(T.RightBrace);
    });
    return entries;
  });

  private variantsLine = this.RULE("variantsLine", (): Ast.VariantsEntry | null =>
    this.OR<Ast.VariantsEntry | null>({
      // All begin with a word; `variantsKind` decides which.
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { ALT: () => this.SUBRULE(this.lineEnd) },
        { GATE: () => this.variantsKind() === "let", ALT: () => this.SUBRULE(this.let) },
        { GATE: () => this.variantsKind() === "skip", ALT: () => this.SUBRULE(this.skip) },
        { GATE: () => this.variantsKind() === "axis", ALT: () => this.SUBRULE(this.axis) },
        { ALT: () => this.SUBRULE(this.junk, { ARGS: ["`let`, `skip when` or what to vary"] }) },
      ],
    }),
  );

  private axis = this.RULE("axis", (): Ast.Axis => {
    const path = this.SUBRULE(this.path);
    this.SUBRULE(this.sign, { ARGS: ["=", "what varies"] });
    const owner = this.ACTION(() => path.parts.map((part) => part.name).join("."));
    const alternatives = this.SUBRULE(this.alternatives, { ARGS: [`\`${owner}\``] });
    return this.ACTION(() => {
      const span = { ...path.span, end: this.spanHere().end };
      this.endEntry("`|` or the end of the line");
      return { kind: "axis", path: path.parts, alternatives, span };
    }) as Ast.Axis;
  });

  private skip = this.RULE("skip", (): Ast.Skip => {
    const start = this.CONSUME(T.words.skip);
    let condition: Ast.Condition | null = null;
    this.OPTION(() => {
      this.CONSUME(T.words.when);
      condition = this.SUBRULE(this.condition);
    });
    return this.ACTION(() => {
      const help = "For example `skip when mask is block and r > 75%`.";
      if (this.LA(0) === start)
        this.complain(say.unexpected(this.spanOf(this.LA(1)), "`when` and a condition", { help }));
      const span = this.spanFrom(start);
      this.endEntry("`and`, `or` or the end of the line");
      return { kind: "skip", condition, span };
    }) as Ast.Skip;
  });

  private condition = this.RULE("condition", (): Ast.Condition | null => {
    const parts = [this.SUBRULE(this.conjunction)];
    this.MANY(() => {
      this.CONSUME(T.words.or);
      parts.push(this.SUBRULE1(this.conjunction));
    });
    return this.ACTION(() => this.join("or", parts));
  });

  private conjunction = this.RULE("conjunction", (): Ast.Condition | null => {
    const parts = [this.SUBRULE(this.comparison)];
    this.MANY(() => {
      this.CONSUME(T.words.and);
      parts.push(this.SUBRULE1(this.comparison));
    });
    return this.ACTION(() => this.join("and", parts));
  });

  private join(operator: "and" | "or", parts: readonly (Ast.Condition | null)[]): Ast.Condition | null {
    const excess = parts[longestCondition];
    if (excess) this.diagnostics.push(say.longCondition(excess.span, longestCondition));
    return parts.slice(0, longestCondition).reduce((left, right) => {
      if (left === null || right === null) return null;
      const span = { ...left.span, end: right.span.end };
      return { kind: "logical", operator, left, right, span };
    });
  }

  private comparison = this.RULE("comparison", (): Ast.Condition | null =>
    this.OR<Ast.Condition | null>({
      // A parenthesis that begins a comparison groups; a tuple is compared with nothing.
      IGNORE_AMBIGUITIES: true,
      DEF: [{ ALT: () => this.SUBRULE(this.group) }, { ALT: () => this.SUBRULE(this.compared) }],
    }),
  );

  private group = this.RULE("group", (): Ast.Condition | null => {
    this.CONSUME(T.LeftParen);
    this.ACTION(() => this.nested++);
    const condition = this.SUBRULE(this.condition);
    this.ACTION(() => {
      this.discard(new Set([T.RightParen]), "`and`, `or` or `)`");
      this.nested--;
    });
    this.CONSUME(T.RightParen);
    return condition;
  });

  private compared = this.RULE("compared", (): Ast.Condition | null => {
    const start = this.LA(1);
    const left = this.SUBRULE(this.value, { ARGS: ["the condition"] });
    let operator: IToken | null = null;
    let right: Ast.Expression | null = null;
    this.OPTION(() => {
      operator = this.OR([
        { ALT: () => this.CONSUME(T.words.is) },
        { ALT: () => this.CONSUME(T.Comparator) },
        { ALT: () => this.CONSUME(T.Equals) },
      ]);
      right = this.SUBRULE1(this.value, { ARGS: [`\`${operator.image}\``] });
    });
    return this.ACTION(() => this.comparisonNode(start, left, operator, right));
  });

  private comparisonNode(start: IToken, left: Ast.Expression, sign: IToken | null, right: Ast.Expression | null) {
    if (sign === null || right === null) {
      this.complain(say.unexpected(this.spanOf(this.LA(1)), "a comparison: `is`, `<`, `<=`, `>`, `>=`, `==` or `!=`"));
      return null;
    }
    const equals = sign.tokenType === T.Equals;
    if (equals) this.note(say.wrongComparator(this.spanOf(sign)));
    if (left.kind === "missing" || right.kind === "missing") return null;
    const operator = equals ? "==" : (sign.image as Ast.Comparison["operator"]);
    return { kind: "comparison", operator, left, right, span: this.spanFrom(start) } as const;
  }

  protected pipelineBody = this.RULE("pipelineBody", (): Ast.PipelineEntry[] => {
    const entries: Ast.PipelineEntry[] = [];
    this.openBody("the pipeline");
    this.OPTION(() => {
      this.CONSUME(T.LeftBrace);
      this.MANY({
        GATE: () => !this.next(T.RightBrace),
        DEF: () => {
          const entry = this.SUBRULE(this.pipelineLine);
          this.ACTION(() => entry && entries.push(entry));
        },
      });
      this.CONSUME(T.RightBrace);
    });
    return entries;
  });

  private pipelineLine = this.RULE("pipelineLine", (): Ast.PipelineEntry | null =>
    this.OR<Ast.PipelineEntry | null>({
      // `Any` stands for all that begins no line of a pipeline.
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { ALT: () => this.SUBRULE(this.lineEnd) },
        { GATE: () => this.pipelineKind() === "stage", ALT: () => this.SUBRULE(this.stage) },
        { GATE: () => this.pipelineKind() === "evaluation", ALT: () => this.SUBRULE(this.evaluation) },
        { ALT: () => this.SUBRULE(this.junk, { ARGS: ["`stage` or `evaluate`"] }) },
      ],
    }),
  );

  private stage = this.RULE("stage", (): Ast.Stage | null => {
    const example = "stage mae = Pretrain of MaeBase";
    const start = this.CONSUME(T.words.stage);
    const name = this.SUBRULE(this.name, { ARGS: ["the name of the stage", example] });
    this.SUBRULE(this.sign, { ARGS: ["=", "a stage"] });
    const recipe = this.SUBRULE1(this.name, { ARGS: ["the recipe of the stage", example] });
    let model: Ast.Identifier | null = null;
    this.OPTION(() => {
      this.CONSUME(T.words.of);
      model = this.SUBRULE2(this.name, { ARGS: ["the model of the stage", example] });
    });
    this.ACTION(() => model === null && this.discardOrMiss("`of` and a model"));
    const from: Ast.Path[] = [];
    this.OPTION1(() => {
      this.CONSUME(T.words.from);
      this.SUBRULE(this.paths, { ARGS: [from, "a part of an earlier stage", "from mae.encoder"] });
    });
    const fresh: Ast.Path[] = [];
    let saysFresh = false;
    this.OPTION2(() => {
      this.CONSUME(T.words.fresh);
      saysFresh = true;
      this.OPTION3({
        GATE: () => !this.at(lineEnds),
        DEF: () => this.SUBRULE1(this.paths, { ARGS: [fresh, "a part of the model", "fresh head"] }),
      });
    });
    return this.ACTION(() => {
      const span = this.spanFrom(start);
      this.endEntry("`from`, `fresh` or the end of the line");
      return name && { kind: "stage", name, recipe, model, from, fresh, saysFresh, span };
    });
  });

  private paths = this.RULE("paths", (list: Ast.Path[], what: string, example: string): void => {
    const keep = (path: Ast.Path | null) => this.ACTION(() => path && list.push(path));
    keep(this.SUBRULE(this.pathOrReport, { ARGS: [what, example] }));
    this.MANY(() => {
      this.CONSUME(T.Comma);
      keep(this.SUBRULE1(this.pathOrReport, { ARGS: [what, example] }));
    });
  });

  private evaluation = this.RULE("evaluation", (): Ast.PipelineEvaluation | null => {
    const start = this.CONSUME(T.words.evaluate);
    const stage = this.SUBRULE(this.name, { ARGS: ["a stage", "evaluate finetune: top1"] });
    this.SUBRULE(this.sign, { ARGS: [":", "`evaluate`"] });
    const probes = this.SUBRULE(this.slotValues, { ARGS: [stage] });
    return this.ACTION(() => {
      const span = this.spanFrom(start);
      this.endEntry("the end of the line");
      return stage && { kind: "evaluation", stage, probes, span };
    });
  });
}

/** The rules of the lines of variants, with their conditions, and of pipelines. */

import type { IToken } from "chevrotain";
import type * as Ast from "./ast.js";
import { keep } from "./diagnostic.js";
import { LineReader } from "./lines.js";
import * as say from "./messages.js";
import { ends } from "./reader.js";
import * as T from "./tokens.js";

/** A condition may have this many parts: the tree is as deep as it has parts. */
const longestCondition = 64;

type VariantsKind = "let" | "skip" | "axis" | "junk";
type PipelineKind = "stage" | "evaluation" | "junk";

export abstract class StudyReader extends LineReader {
  private variantsKind(): VariantsKind {
    if (!this.next(T.Word)) return "junk";
    const type = this.LA(1).tokenType;
    const isPath = this.next(T.Equals, 2) || this.next(T.Dot, 2);
    if (type === T.words.let && !this.next(T.Dot, 2)) return "let";
    return type === T.words.skip && !isPath ? "skip" : "axis";
  }

  private pipelineKind(): PipelineKind {
    if (this.next(T.words.stage)) return "stage";
    return this.next(T.words.evaluate) ? "evaluation" : "junk";
  }

  protected variantsBody = this.RULE("variantsBody", (): Ast.VariantsEntry[] =>
    this.linesIn("the declaration", this.variantsLine),
  );

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
    if (excess) keep(this.diagnostics, say.longCondition(excess.span, longestCondition));
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
      DEF: [
        { ALT: () => this.SUBRULE(this.group) },
        { ALT: () => this.SUBRULE(this.compared) },
        { ALT: () => this.noCondition() },
      ],
    }),
  );

  private noCondition(): null {
    this.ACTION(() => this.complain(say.missingValue(this.spanHere(), "the condition")));
    return null;
  }

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

  protected pipelineBody = this.RULE("pipelineBody", (): Ast.PipelineEntry[] =>
    this.linesIn("the pipeline", this.pipelineLine),
  );

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
    const from: (Ast.Path | Ast.FilePart)[] = [];
    this.OPTION1(() => {
      this.CONSUME(T.words.from);
      this.SUBRULE(this.sources, { ARGS: [from] });
    });
    const fresh: Ast.Path[] = [];
    let saysFresh = false;
    this.OPTION2(() => {
      this.CONSUME(T.words.fresh);
      saysFresh = true;
      this.OPTION3({
        GATE: () => !this.at(ends.head),
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

  private sources = this.RULE("sources", (list: (Ast.Path | Ast.FilePart)[]): void => {
    this.SUBRULE(this.startingSource, { ARGS: [list] });
    this.MANY(() => {
      this.CONSUME(T.Comma);
      this.SUBRULE1(this.startingSource, { ARGS: [list] });
    });
  });

  private startingSource = this.RULE("startingSource", (list: (Ast.Path | Ast.FilePart)[]): void => {
    let source: Ast.Path | Ast.FilePart | null = null;
    this.OR([
      {
        ALT: () => {
          const file = this.SUBRULE(this.quoted);
          source = this.ACTION(() =>
            file.kind === "text" ? { kind: "file part", file, parts: [], span: file.span } : file,
          ) as Ast.FilePart;
        },
      },
      {
        ALT: () => {
          source = this.SUBRULE(this.path);
        },
      },
      {
        ALT: () =>
          this.ACTION(() =>
            this.complain(say.expectedName(this.spanHere(), "a part of an earlier stage", "from mae.encoder")),
          ),
      },
    ]);
    this.ACTION(() => source && list.push(source));
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

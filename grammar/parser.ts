/**
 * The rules of files, declarations and their lines. What stands in their braces is in `lines.ts` and `studies.ts`, values in `expressions.ts`.
 * Words such as `model`, `set` or `over` have their meaning by where they stand, so that they are free as names elsewhere:
 * the gates below look at one or two tokens ahead and decide.
 */

import { EOF, type IToken, type TokenType } from "chevrotain";
import type * as Ast from "./ast.js";
import { type Diagnostic, keep } from "./diagnostic.js";
import * as say from "./messages.js";
import { nearestWord } from "./nearest-word.js";
import { ends } from "./reader.js";
import type { Source } from "./source.js";
import { StudyReader } from "./studies.js";
import * as T from "./tokens.js";

type TopKind = "edition" | "import" | "model" | "recipe" | "variants" | "pipeline" | "unknown" | "junk";

const declarations = ["model", "recipe", "variants", "pipeline"] as const;
const beginnings = [...declarations, "edition", "import"];
const headWords = new Set<TokenType>([T.LeftBrace, T.words.extends, T.words.for, T.words.of]);

export class Parser extends StudyReader {
  private edition: Ast.Edition | null = null;
  private imports: Ast.Import[] = [];
  private declared: Ast.Declaration[] = [];

  /** `validate`: check the rules themselves for ambiguities, which costs time and is done in a test. */
  constructor(validate = false) {
    super({ skipValidations: !validate });
    this.performSelfAnalysis();
  }

  /** The tree of a balanced token list. `docs`: the `///` text before the token at an offset; what is used is taken out. */
  read(source: Source, tokens: readonly IToken[], docs: Map<number, string>): { file: Ast.File; found: Diagnostic[] } {
    this.begin(source, tokens);
    this.docs = docs;
    this.edition = null;
    this.imports = [];
    this.declared = [];
    this.file();
    const { edition, imports, declared: declarations } = this;
    const span = { source, start: 0, end: source.text.length };
    // No rule fails on a balanced list of tokens; should one, the user still learns where.
    for (const { token } of this.errors) keep(this.diagnostics, say.unexpected(this.spanOf(token), "something else"));
    return { file: { kind: "file", source, edition, imports, declarations, span }, found: this.diagnostics };
  }

  private file = this.RULE("file", () => {
    this.MANY(() => {
      this.OR({
        // All begin with a word; `topKind` decides which.
        IGNORE_AMBIGUITIES: true,
        DEF: [
          { ALT: () => this.CONSUME(T.LineEnd) },
          { GATE: () => this.topKind() === "edition", ALT: () => this.SUBRULE(this.editionLine) },
          { GATE: () => this.topKind() === "import", ALT: () => this.SUBRULE(this.importLine) },
          { GATE: () => this.topKind() === "model", ALT: () => this.SUBRULE(this.model) },
          { GATE: () => this.topKind() === "recipe", ALT: () => this.SUBRULE(this.recipe) },
          { GATE: () => this.topKind() === "variants", ALT: () => this.SUBRULE(this.variants) },
          { GATE: () => this.topKind() === "pipeline", ALT: () => this.SUBRULE(this.pipeline) },
          { ALT: () => this.SUBRULE(this.junkLine) },
        ],
      });
    });
  });

  /** What the line at the top level begins; a misspelt keyword of something with a body counts as the one it is near. */
  private topKind(): TopKind {
    const type = this.LA(1).tokenType;
    if (type === T.words.edition) return "edition";
    if (type === T.words.import) return "import";
    const declaration = declarations.find((word) => T.words[word] === type);
    if (declaration) return declaration;
    const hasBody = this.next(T.Word) && this.next(T.Word, 2) && this.at(headWords, 3);
    return hasBody ? (nearestWord(this.LA(1).image, declarations) ?? "unknown") : "junk";
  }

  /** Lines that belong to nothing: one report for as many as follow each other. */
  private junkLine = this.RULE("junkLine", () => {
    const first = this.LA(1);
    let alone = false;
    this.ACTION(() => {
      const nearest = this.next(T.Word) ? nearestWord(first.image, beginnings) : null;
      alone = nearest !== null || this.topKind() === "unknown";
      this.complain(say.unknownDeclaration(this.spanOf(first), nearest));
    });
    this.CONSUME(T.Any);
    this.ACTION(() => {
      this.stepOver(ends.entry, this.depthAfter(first));
      while (!alone && this.next(T.LineEnd) && this.junkFollows()) {
        this.SKIP_TOKEN();
        this.stepOver(ends.entry);
      }
    });
  });

  private junkFollows(): boolean {
    const type = this.LA(2).tokenType;
    if (type === EOF || type === T.LineEnd) return false;
    if (!this.next(T.Word, 2)) return true;
    return !(this.next(T.Word, 3) && this.at(headWords, 4)) && nearestWord(this.LA(2).image, beginnings) === null;
  }

  private editionLine = this.RULE("editionLine", () => {
    const start = this.CONSUME(T.words.edition);
    let year: IToken | null = null;
    this.OPTION(() => {
      year = this.CONSUME(T.Numeral);
    });
    this.ACTION(() => {
      if (year === null) {
        const missing = say.missingValue(this.spanOf(start), "`edition`");
        this.complain({ ...missing, help: "Write the year: `edition 2026`." });
        this.stepOver(ends.entry);
        return;
      }
      const span = this.spanFrom(start);
      const late = this.edition !== null || this.imports.length > 0 || this.declared.length > 0;
      if (late) keep(this.diagnostics, say.misplacedEdition(span, this.edition?.span ?? null));
      this.edition ??= { kind: "edition", year: year.payload as number, span };
      this.discard(ends.entry, "the end of the line after the edition");
    });
  });

  private importLine = this.RULE("importLine", () => {
    const start = this.CONSUME(T.words.import);
    const names: Ast.ImportedName[] = [];
    this.ACTION(() => {
      if (this.next(T.LeftBrace)) return;
      const help = 'Imports name what they take: `import { MaeBase } from "./mae.mae"`.';
      this.discard(new Set([...ends.entry, T.words.from]), "`{`", { help });
    });
    this.OPTION(() => {
      this.CONSUME(T.LeftBrace);
      this.ACTION(() => this.nested++);
      this.MANY({
        GATE: () => !this.next(T.RightBrace),
        DEF: () => this.SUBRULE(this.importedName, { ARGS: [names] }),
      });
      this.ACTION(() => this.nested--);
      this.CONSUME(T.RightBrace);
    });
    const from = this.OPTION1(() => this.SUBRULE(this.importPath)) ?? null;
    this.ACTION(() => {
      if (from === null) this.discardOrMiss("`from` and a path in quotes");
      const span = this.spanFrom(start);
      const first = this.declared[0];
      if (first) keep(this.diagnostics, say.misplacedImport(span, first.name?.span ?? first.span));
      this.imports.push({ kind: "import", names, from, span });
      this.endEntry("the end of the line after the import");
    });
  });

  private importedName = this.RULE("importedName", (names: Ast.ImportedName[]) => {
    const start = this.LA(1);
    const name = this.SUBRULE(this.name, {
      ARGS: ["the name of a declaration", 'import { MaeBase } from "./mae.mae"'],
    });
    let alias: Ast.Identifier | null = null;
    this.OPTION(() => {
      this.CONSUME(T.words.as);
      alias = this.SUBRULE1(this.name, { ARGS: ["a name after `as`", "MaeBase as Base"] });
    });
    this.ACTION(() => {
      if (name) names.push({ name, alias, span: this.spanFrom(start) });
      if (this.next(T.Word)) this.complain(say.missingComma(this.spanOf(this.LA(1)), this.spanHere().end));
      else this.discard(ends.item, "`,` or `}`");
    });
    this.OPTION1(() => this.CONSUME(T.Comma));
  });

  private importPath = this.RULE("importPath", (): Ast.Text | null => {
    this.CONSUME(T.words.from);
    const path = this.OR<IToken | null>([
      { ALT: () => this.CONSUME(T.Quoted) },
      { ALT: () => this.CONSUME(T.OpenQuoted) },
      { ALT: () => null },
    ]);
    return this.ACTION(() => (path === null ? null : this.text(path)));
  });

  private model = this.RULE("model", () => {
    const start = this.CONSUME(T.Word);
    const doc = this.docOf(start);
    this.misspelt(start);
    const name = this.SUBRULE(this.declaredName, { ARGS: ["the name of the model", "model MaeBase {"] });
    const base = this.SUBRULE(this.after, { ARGS: [T.words.extends, "the model it extends"] });
    this.ACTION(() => this.endHead("`extends` or `{`"));
    const entries = this.SUBRULE(this.body, { ARGS: ["the model"] });
    this.ACTION(() => {
      this.declared.push({ kind: "model", doc, name, base, entries, span: this.spanFrom(start) });
      this.endEntry("the end of the line after `}`");
    });
  });

  private recipe = this.RULE("recipe", () => {
    const start = this.CONSUME(T.Word);
    const doc = this.docOf(start);
    this.misspelt(start);
    const name = this.SUBRULE(this.declaredName, { ARGS: ["the name of the recipe", "recipe Pretrain for MaeBase {"] });
    const base = this.SUBRULE(this.after, { ARGS: [T.words.extends, "the recipe it extends"] });
    const subject = this.SUBRULE1(this.after, { ARGS: [T.words.for, "the model it trains"] });
    this.ACTION(() => this.endHead("`extends`, `for` or `{`"));
    const entries = this.SUBRULE(this.body, { ARGS: ["the recipe"] });
    this.ACTION(() => {
      this.declared.push({ kind: "recipe", doc, name, base, subject, entries, span: this.spanFrom(start) });
      this.endEntry("the end of the line after `}`");
    });
  });

  private variants = this.RULE("variants", () => {
    const start = this.CONSUME(T.Word);
    const doc = this.docOf(start);
    this.misspelt(start);
    const name = this.SUBRULE(this.declaredName, { ARGS: ["the name of the variants", "variants Study of MaeBase {"] });
    this.ACTION(() => {
      const help = "For example `variants Study of MaeBase {`.";
      if (!this.next(T.words.of)) this.complain(say.unexpected(this.spanOf(this.LA(1)), "`of` and a model", { help }));
    });
    const subject = this.SUBRULE(this.after, { ARGS: [T.words.of, "the model they vary"] });
    this.ACTION(() => this.endHead("`{`"));
    const entries = this.SUBRULE(this.variantsBody);
    this.ACTION(() => {
      this.declared.push({ kind: "variants", doc, name, subject, entries, span: this.spanFrom(start) });
      this.endEntry("the end of the line after `}`");
    });
  });

  private pipeline = this.RULE("pipeline", () => {
    const start = this.CONSUME(T.Word);
    const doc = this.docOf(start);
    this.misspelt(start);
    const name = this.SUBRULE(this.declaredName, { ARGS: ["the name of the pipeline", "pipeline Study {"] });
    this.ACTION(() => this.endHead("`{`"));
    const entries = this.SUBRULE(this.pipelineBody);
    this.ACTION(() => {
      this.declared.push({ kind: "pipeline", doc, name, entries, span: this.spanFrom(start) });
      this.endEntry("the end of the line after `}`");
    });
  });

  /** Reports `modle` where `model` was understood. */
  private misspelt(keyword: IToken): void {
    this.ACTION(() => {
      const known = declarations.some((word) => word === keyword.image);
      const nearest = nearestWord(keyword.image, declarations);
      if (!known) this.note(say.unknownDeclaration(this.spanOf(keyword), nearest));
    });
  }

  private declaredName = this.RULE("declaredName", (what: string, example: string): Ast.Identifier | null => {
    // `model extends Base {` lacks its name; `model extends {` has an odd one.
    const joined = (ahead: number) => this.at(headWords, ahead) && !this.next(T.LeftBrace, ahead);
    let named: Ast.Identifier | null = null;
    this.OPTION({
      GATE: () => !(joined(1) && this.next(T.Word, 2) && !joined(2)),
      DEF: () => {
        named = this.SUBRULE(this.name, { ARGS: [what, example] });
      },
    });
    this.ACTION(() => {
      if (named === null) this.complain(say.expectedName(this.spanHere(), what, example));
    });
    return named;
  });

  /** The name after a joining word, where that word stands. */
  private after = this.RULE("after", (joint: TokenType, what: string): Ast.Identifier | null => {
    let found: Ast.Identifier | null = null;
    this.OPTION({
      GATE: () => this.next(joint),
      DEF: () => {
        const word = this.CONSUME(T.Word);
        found = this.SUBRULE(this.name, { ARGS: [what, `${word.image} MaeBase`] });
      },
    });
    return found;
  });

  private endHead(wanted: string): void {
    this.discard(ends.head, wanted);
  }
}

/** TypeScript to JavaScript, file by file and without checking types. Only here is TypeScript loaded for block files. */

import { basename } from "node:path";
import { ts } from "ts-morph";

/** A place in a text, half open, in UTF-16 code units. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export interface Import {
  readonly specifier: string;
  /** The literal in the JavaScript, quotes included. */
  readonly inCode: Place;
  /** The literal in the text. */
  readonly inText: Place;
}

export interface Transpiled {
  /** JavaScript with a source map to the address that was given. */
  readonly code: string;
  /** In the order of the code. */
  readonly imports: readonly Import[];
  /** What TypeScript cannot read. */
  readonly mistakes: readonly (Place & { readonly message: string })[];
}

/** `url`: the file's address, which stack traces show. */
export function strip(url: string, text: string): Transpiled {
  const { outputText, diagnostics = [] } = ts.transpileModule(text, {
    fileName: basename(new URL(url).pathname),
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      inlineSourceMap: true,
      sourceRoot: new URL(".", url).href,
    },
  });
  const mistakes = diagnostics
    .filter(({ category }) => category === ts.DiagnosticCategory.Error)
    .map(({ start = 0, length = 0, messageText }) => ({
      start,
      end: start + length,
      message: ts.flattenDiagnosticMessageText(messageText, " ").replace(/\.$/, ""),
    }));
  return { code: outputText, imports: importsOf(outputText, text), mistakes };
}

interface Literal extends Place {
  readonly specifier: string;
}

/** Imports, exports from elsewhere, and `import()` of a literal. */
function literalsOf(text: string): readonly Literal[] {
  const file = ts.createSourceFile("block.ts", text, ts.ScriptTarget.ES2022);
  const found: Literal[] = [];
  const keep = (node: ts.Node | undefined): void => {
    if (!node || !ts.isStringLiteralLike(node)) return;
    found.push({ specifier: node.text, start: node.getStart(file), end: node.end });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) keep(node.moduleSpecifier);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) keep(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function importsOf(code: string, text: string): readonly Import[] {
  const written = literalsOf(text);
  return literalsOf(code).map(({ specifier, start, end }) => {
    const place = written.find((literal) => literal.specifier === specifier) ?? { start: 0, end: 0 };
    return { specifier, inCode: { start, end }, inText: { start: place.start, end: place.end } };
  });
}

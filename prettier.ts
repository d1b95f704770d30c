/**
 * The package's door for Prettier: a plugin that gives `.mae` files the format of `mae fmt`. It has one form and no options, so that those
 * of Prettier change nothing but the ends of lines.
 */

import { type AstPath, doc, type Parser, type Printer, type SupportLanguage } from "prettier";
import { type Diagnostic, format, positionAt } from "./grammar/index.js";

/** A whole file is one node: there is nothing in it that is printed otherwise. */
interface Spec {
  readonly text: string;
}

export const languages: SupportLanguage[] = [
  { name: "Maelang", parsers: ["mae"], extensions: [".mae"], aliases: ["mae"], vscodeLanguageIds: ["mae"] },
];

export const parsers: Record<"mae", Parser<Spec>> = {
  mae: {
    astFormat: "mae",
    parse(text, { filepath }) {
      const formatted = format({ path: filepath ?? "<stdin>", text });
      const error = formatted.diagnostics.find(({ severity }) => severity === "error");
      if (error) throw syntaxError(error);
      return { text: formatted.text };
    },
    locStart: () => 0,
    locEnd: ({ text }) => text.length,
  },
};

export const printers: Record<"mae", Printer<Spec>> = {
  mae: {
    // Lines of comments keep the spaces at their ends, as `mae fmt` has it.
    print: ({ node }: AstPath<Spec>) => doc.builders.join(doc.builders.literalline, node.text.split("\n")),
  },
};

/** As Prettier shows it: with the lines around its place. */
function syntaxError({ span, message, help }: Diagnostic): SyntaxError {
  const place = (offset: number) => positionAt(span.source, offset);
  const { line, column } = place(span.start);
  const words = help === undefined ? message : `${message}; ${help}`;
  return Object.assign(new SyntaxError(`${words} (${line}:${column})`), {
    loc: { start: { line, column }, end: place(span.end) },
  });
}

/** Our places, findings and candidates in the terms of the Language Server Protocol. Lines and columns count from 0 there, from 1 here. */

import {
  type CompletionItem,
  CompletionItemKind,
  DiagnosticSeverity,
  type DocumentSymbol,
  InsertTextFormat,
  MarkupKind,
  type Diagnostic as ProtocolDiagnostic,
  type Range,
  SymbolKind,
  type TextEdit,
} from "vscode-languageserver/node";
import { type Diagnostic, positionAt, type Severity, type Source, type Span } from "../grammar/index.js";
import type { Completion } from "./complete.js";
import type { OutlineItem } from "./outline.js";

export function rangeOf({ source, start, end }: Span): Range {
  const place = (offset: number) => {
    const { line, column } = positionAt(source, offset);
    return { line: line - 1, character: column - 1 };
  };
  return { start: place(start), end: place(end) };
}

/** The address of the file that a place is in. */
export type UriOf = (source: Source) => string;

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** A finding with all its words, as an editor shows them. */
export function diagnosticOf(finding: Diagnostic, uriOf: UriOf): ProtocolDiagnostic {
  const { code, severity, span, message, reason, help, related = [] } = finding;
  return {
    range: rangeOf(span),
    severity: severities[severity],
    code,
    source: "mae",
    message: [message, ...(reason ? [`why: ${reason}`] : []), ...(help ? [`help: ${help}`] : [])].join("\n"),
    relatedInformation: related.map((one) => ({
      location: { uri: uriOf(one.span.source), range: rangeOf(one.span) },
      message: one.message,
    })),
  };
}

const completionKinds: Readonly<Record<Completion["kind"], CompletionItemKind>> = {
  keyword: CompletionItemKind.Keyword,
  option: CompletionItemKind.EnumMember,
  unit: CompletionItemKind.Unit,
  slot: CompletionItemKind.Field,
  setting: CompletionItemKind.Property,
  block: CompletionItemKind.Function,
  parameter: CompletionItemKind.Property,
  declaration: CompletionItemKind.Class,
  variable: CompletionItemKind.Variable,
  stage: CompletionItemKind.Module,
  label: CompletionItemKind.Reference,
  part: CompletionItemKind.Reference,
};

/** `i`: its place among all, which is kept. */
export function completionItem(completion: Completion, i: number, snippets: boolean): CompletionItem {
  const { name, kind, summary, detail, span, insert, snippet } = completion;
  const filled = snippets && snippet !== null;
  return {
    label: name,
    kind: completionKinds[kind],
    ...(detail === null ? {} : { detail }),
    documentation: { kind: MarkupKind.Markdown, value: summary },
    sortText: String(i).padStart(4, "0"),
    insertTextFormat: filled ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    textEdit: { range: rangeOf(span), newText: filled ? snippet : insert },
  };
}

const symbolKinds: Readonly<Record<OutlineItem["kind"], SymbolKind>> = {
  model: SymbolKind.Class,
  recipe: SymbolKind.Object,
  variants: SymbolKind.Enum,
  pipeline: SymbolKind.Module,
  slot: SymbolKind.Field,
  variable: SymbolKind.Variable,
  axis: SymbolKind.EnumMember,
  stage: SymbolKind.Event,
};

export const symbolOf = ({ name, detail, kind, span, nameSpan, items }: OutlineItem): DocumentSymbol => ({
  name,
  detail,
  kind: symbolKinds[kind],
  range: rangeOf(span),
  selectionRange: rangeOf(nameSpan),
  children: items.map(symbolOf),
});

/** The edit that makes one text of another, from the first difference to the last; none where they are the same. */
export function editsTo(source: Source, text: string): TextEdit[] {
  const before = source.text;
  if (before === text) return [];
  const most = Math.min(before.length, text.length);
  let start = 0;
  while (start < most && before[start] === text[start]) start++;
  // A line end of two characters is not taken apart.
  if (start > 0 && before[start - 1] === "\r") start--;
  let same = 0;
  while (same < most - start && before[before.length - 1 - same] === text[text.length - 1 - same]) same++;
  if (before[before.length - same] === "\n" && before[before.length - same - 1] === "\r") same--;
  const range = rangeOf({ source, start, end: before.length - same });
  return [{ range, newText: text.slice(start, text.length - same) }];
}

/** Our places, findings and candidates in the terms of the Language Server Protocol. Lines and columns count from 0 there, from 1 here. */

import {
  type CompletionItem,
  CompletionItemKind,
  DiagnosticSeverity,
  type DocumentSymbol,
  type FoldingRange,
  FoldingRangeKind,
  type InlayHint,
  InlayHintKind,
  InsertTextFormat,
  MarkupKind,
  type Diagnostic as ProtocolDiagnostic,
  type Range,
  SemanticTokenModifiers,
  SemanticTokensBuilder,
  SemanticTokenTypes,
  type SignatureHelp,
  SymbolKind,
  type TextEdit,
} from "vscode-languageserver/node";
import { type Diagnostic, positionAt, type Severity, type Source, type Span } from "../grammar/index.js";
import type { Completion } from "./complete.js";
import type { Fold } from "./fold.js";
import type { Hint } from "./hints.js";
import type { OutlineItem } from "./outline.js";
import type { SemanticToken, TokenKind } from "./semantic.js";
import type { Signature } from "./signature.js";

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

/** The path of an import, in the place of what stands in its quotes. */
export const pathItem = (path: string, span: Span): CompletionItem => ({
  label: path,
  kind: CompletionItemKind.File,
  filterText: path,
  textEdit: { range: rangeOf(span), newText: path },
});

const foldKinds: Readonly<Record<Fold["kind"], FoldingRangeKind | undefined>> = {
  body: undefined,
  imports: FoldingRangeKind.Imports,
  comment: FoldingRangeKind.Comment,
};

export function foldOf({ kind, first, last }: Fold): FoldingRange {
  const named = foldKinds[kind];
  return { startLine: first - 1, endLine: last - 1, ...(named === undefined ? {} : { kind: named }) };
}

export const hintOf = ({ after, text, why }: Hint): InlayHint => ({
  position: rangeOf(after).end,
  label: text,
  kind: InlayHintKind.Type,
  tooltip: why,
  paddingLeft: true,
});

export const signatureOf = ({ label, summary, parameters, active }: Signature): SignatureHelp => ({
  signatures: [
    {
      label,
      documentation: { kind: MarkupKind.Markdown, value: summary },
      parameters: parameters.map(({ start, end, text }) => ({
        label: [start, end],
        documentation: { kind: MarkupKind.Markdown, value: text },
      })),
    },
  ],
  activeSignature: 0,
  activeParameter: active,
});

const tokenTypes: Readonly<Record<TokenKind, SemanticTokenTypes>> = {
  comment: SemanticTokenTypes.comment,
  keyword: SemanticTokenTypes.keyword,
  number: SemanticTokenTypes.number,
  unit: SemanticTokenTypes.number,
  text: SemanticTokenTypes.string,
  sign: SemanticTokenTypes.operator,
  declaration: SemanticTokenTypes.class,
  imported: SemanticTokenTypes.class,
  variable: SemanticTokenTypes.variable,
  stage: SemanticTokenTypes.namespace,
  label: SemanticTokenTypes.label,
  slot: SemanticTokenTypes.property,
  block: SemanticTokenTypes.function,
  parameter: SemanticTokenTypes.parameter,
  option: SemanticTokenTypes.enumMember,
};

/** What the numbers of `semanticData` mean. */
export const tokenLegend = {
  tokenTypes: [...new Set(Object.values(tokenTypes))],
  tokenModifiers: [SemanticTokenModifiers.declaration],
};

/** Each token by how far it is from the one before it. */
export function semanticData(tokens: readonly SemanticToken[]): number[] {
  const builder = new SemanticTokensBuilder();
  for (const { kind, span, gives } of tokens) {
    const { line, character } = rangeOf(span).start;
    const type = tokenLegend.tokenTypes.indexOf(tokenTypes[kind]);
    builder.push(line, character, span.end - span.start, type, gives ? 1 : 0);
  }
  return builder.build().data;
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

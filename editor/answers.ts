/** What the server answers: a question of the protocol in, the functions of this folder asked, their answer in its terms out. */

import {
  type CodeAction,
  CodeActionKind,
  type CompletionParams,
  LSPErrorCodes,
  MarkupKind,
  type PrepareRenameParams,
  type Range,
  type RenameParams,
  ResponseError,
  type TextDocumentPositionParams,
  type WorkspaceEdit,
} from "vscode-languageserver/node";
import { costOf } from "../compiler/index.js";
import { type Diagnostic, format, parse, positionAt, type Source, type Span } from "../grammar/index.js";
import { complete } from "./complete.js";
import { definition } from "./definition.js";
import { folds } from "./fold.js";
import { hints } from "./hints.js";
import { hover } from "./hover.js";
import { importPathAt, importPaths } from "./import-paths.js";
import { outlineItems } from "./outline.js";
import {
  completionItem,
  diagnosticOf,
  editsTo,
  foldOf,
  hintOf,
  pathItem,
  rangeOf,
  semanticData,
  signatureOf,
  symbolOf,
} from "./protocol.js";
import { type Refusal, renamable, rename } from "./rename.js";
import { semanticTokens } from "./semantic.js";
import { findingsOf, openSources, readable, type Session, uriOf } from "./session.js";
import { signature } from "./signature.js";

/** The text and the offset of a question, with what lies around. */
async function asked(session: Session, { textDocument, position }: TextDocumentPositionParams) {
  const document = session.documents.get(textDocument.uri);
  const source = document && readable(session, document);
  if (!source) return null;
  const around = await session.workspace.surroundings(source, openSources(session));
  const offset = document.offsetAt(position);
  return { source, offset, before: source.text.slice(0, offset), around };
}

export function answerQuestions(session: Session): void {
  const { connection, workspace } = session;
  const textOf = ({ textDocument }: { readonly textDocument: { readonly uri: string } }) =>
    readable(session, session.documents.get(textDocument.uri));
  connection.onCompletion((params) => completion(session, params));
  connection.onHover(async (params) => {
    const at = await asked(session, params);
    if (!at) return null;
    const { models } = await workspace.analysis(at.source, openSources(session));
    const costIn = (name: string) => {
      const model = models.get(name);
      return model ? workspace.attempt(() => costOf(model)) : null;
    };
    const found = hover(at.source, at.offset, at.around, costIn);
    return found && { range: rangeOf(found.span), contents: { kind: MarkupKind.Markdown, value: found.text } };
  });
  connection.onSignatureHelp(async (params) => {
    const at = await asked(session, params);
    const found = at && signature(at.source, at.offset, at.around);
    return found && signatureOf(found);
  });
  connection.onDefinition(async (params) => {
    const at = await asked(session, params);
    const span = at && definition(at.source, at.offset, at.around);
    return span && { uri: uriOf(session, span.source), range: rangeOf(span) };
  });
  connection.onPrepareRename((params) => prepareRename(session, params));
  connection.onRenameRequest((params) => renameEverywhere(session, params));
  connection.onDocumentSymbol((params) => {
    const source = textOf(params);
    return source ? outlineItems(parse(source).file).map(symbolOf) : [];
  });
  connection.onFoldingRanges((params) => {
    const source = textOf(params);
    return source ? folds(parse(source)).map(foldOf) : [];
  });
  connection.languages.semanticTokens.on(async (params) => {
    const source = textOf(params);
    if (!source) return { data: [] };
    const around = await workspace.surroundings(source, openSources(session));
    return { data: semanticData(semanticTokens(source, { ...around, file: parse(source).file })) };
  });
  connection.languages.inlayHint.on(async ({ textDocument, range }) => {
    const document = session.documents.get(textDocument.uri);
    const source = readable(session, document);
    if (!source || !document) return [];
    const shown = { start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
    const analysis = await workspace.analysis(source, openSources(session));
    return hints(source, shown, analysis, workspace.attempt).map(hintOf);
  });
  connection.onDocumentFormatting((params) => {
    const source = textOf(params);
    return source ? editsTo(source, format(source).text) : [];
  });
  connection.onCodeAction(async ({ textDocument, range }) => {
    const { findings } = await findingsOf(session, true);
    const here = findings.filter(({ span }) => uriOf(session, span.source) === textDocument.uri);
    return here.filter(({ span }) => touches(rangeOf(span), range)).flatMap((finding) => fixFor(finding, session));
  });
}

async function completion(session: Session, params: CompletionParams) {
  const at = await asked(session, params);
  if (!at) return [];
  const sign = params.context?.triggerCharacter;
  const open = openSources(session);
  const path = importPathAt(at.source, at.offset);
  if (path) return importPaths(path, await session.workspace.specs(open)).map((one) => pathItem(one, path));
  // Who indents a line asks for nothing yet; quotes and slashes ask for paths alone.
  if (sign === '"' || sign === "/" || (sign === " " && /(?:^|[\r\n])[ \t]*$/.test(at.before))) return [];
  return complete(at.source, at.offset, at.around).map((one, i) => completionItem(one, i, session.snippets));
}

const failed = (why: string): ResponseError => new ResponseError(LSPErrorCodes.RequestFailed, why);

const isNotOpen: Refusal = { ok: false, why: "there is no such text open" };

async function prepareRename(session: Session, params: PrepareRenameParams) {
  const at = await asked(session, params);
  const found = at ? renamable(at.source, at.offset, at.around) : isNotOpen;
  return found.ok ? { range: rangeOf(found.name.span), placeholder: found.name.text } : failed(found.why);
}

/** All edits of a rename, which the compiler has nothing against; a `ResponseError` says why there are none. */
async function renameEverywhere(session: Session, params: RenameParams): Promise<WorkspaceEdit | ResponseError> {
  const at = await asked(session, params);
  if (!at) return failed(isNotOpen.why);
  const open = openSources(session);
  const specs = await session.workspace.specs(open);
  const { newName } = params;
  const found = rename(at.source, at.offset, newName, specs, at.around);
  if (!found.ok) return failed(found.why);
  const error = await newError(found.spans, newName, session);
  if (error) {
    const { source, start } = error.span;
    return failed(`\`${newName}\` does not fit: ${error.message} (${source.path}:${positionAt(source, start).line})`);
  }
  return {
    changes: changesOf(
      found.spans.map((span) => ({ span, text: newName })),
      session,
    ),
  };
}

/** What the compiler would have against the texts with another name in some places, and has not now. */
async function newError(spans: readonly Span[], newName: string, session: Session): Promise<Diagnostic | undefined> {
  const touched = new Map(spans.map(({ source }) => [source.path, source]));
  const now = [...openSources(session).filter(({ path }) => !touched.has(path)), ...touched.values()];
  const then = now.map(({ path, text }) => {
    const here = spans.filter(({ source }) => source.path === path).sort((a, b) => b.start - a.start);
    const renamed = here.reduce((all, { start, end }) => all.slice(0, start) + newName + all.slice(end), text);
    return { path, text: renamed };
  });
  const key = ({ code, span }: Diagnostic): string => `${code} ${span.source.path}`;
  const errorsIn = async (texts: readonly Source[]) =>
    (await session.workspace.check(texts, true)).findings.filter(({ severity }) => severity === "error");
  const known = (await errorsIn(now)).map(key);
  return (await errorsIn(then)).find((error) => {
    const at = known.indexOf(key(error));
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}

/** Edits by the address of their file. */
function changesOf(edits: readonly { readonly span: Span; readonly text: string }[], session: Session) {
  const changes: Record<string, { range: Range; newText: string }[]> = {};
  for (const { span, text } of edits) {
    const at = uriOf(session, span.source);
    changes[at] ??= [];
    changes[at].push({ range: rangeOf(span), newText: text });
  }
  return changes;
}

const isBefore = (a: Range["start"], b: Range["start"]): boolean =>
  a.line < b.line || (a.line === b.line && a.character < b.character);

const touches = (a: Range, b: Range): boolean => !isBefore(a.end, b.start) && !isBefore(b.end, a.start);

/** The fix of a finding, if it has one. */
function fixFor(finding: Diagnostic, session: Session): readonly CodeAction[] {
  const { fix } = finding;
  if (!fix || fix.edits.length === 0) return [];
  const uri = (source: Source): string => uriOf(session, source);
  return [
    {
      title: fix.title,
      kind: CodeActionKind.QuickFix,
      diagnostics: [diagnosticOf(finding, uri)],
      isPreferred: true,
      edit: { changes: changesOf(fix.edits, session) },
    },
  ];
}

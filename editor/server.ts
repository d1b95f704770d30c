/**
 * The language server: what an editor asks, answered by the functions of this folder. Which blocks there are, what is on the disk
 * and what is wrong with a text is said by the workspace that it is given.
 */

import type { Readable, Writable } from "node:stream";
import {
  CodeActionKind,
  createConnection,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type InitializeResult,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Diagnostic, Source } from "../grammar/index.js";
import { answerQuestions } from "./answers.js";
import { diagnosticOf, tokenLegend } from "./protocol.js";
import { fileFor, findingsOf, type Session, stateOf, uriOf, type Workspace } from "./session.js";

export interface ServerOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly workspace: Workspace;
  /** Of maelang. */
  readonly version: string;
}

/** Findings of one document that an editor is given: it draws each of them. */
const mostPublished = 1000;

/** Milliseconds without a change before texts are checked again, where a check takes longer than `quick`. */
const quiet = 100;

/** Milliseconds without a change before what was left for later is checked. */
const rest = 400;

/** Milliseconds that a check may take at each stroke of a key. */
const quick = 50;

/** Serves until the client says goodbye or goes away; then the process ends. */
export function serve({ input, output, workspace, version }: ServerOptions): void {
  const connection = createConnection(input, output);
  const session: Session = {
    connection,
    documents: new TextDocuments(TextDocument),
    workspace,
    sources: new WeakMap(),
    snippets: false,
    watches: false,
    checked: {},
    refreshed: 0,
    timer: null,
    took: 0,
    published: new Set(),
  };
  connection.onInitialize((params) => initialize(session, params, version));
  connection.onInitialized(() => watch(session));
  answerQuestions(session);
  followTexts(session);
  session.documents.listen(connection);
  connection.listen();
}

function initialize(session: Session, { capabilities, workspaceFolders, rootUri }: InitializeParams, version: string) {
  const root = workspaceFolders?.[0]?.uri ?? rootUri;
  const folder = root ? fileFor(root) : null;
  if (folder !== null) session.workspace.enter(folder);
  session.snippets = capabilities.textDocument?.completion?.completionItem?.snippetSupport ?? false;
  session.watches = capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration ?? false;
  const result: InitializeResult = {
    serverInfo: { name: "maelang", version },
    capabilities: {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
      completionProvider: { triggerCharacters: [" ", "(", ",", ".", ":", "|", '"', "/"] },
      hoverProvider: true,
      definitionProvider: true,
      documentSymbolProvider: true,
      documentFormattingProvider: true,
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
      renameProvider: { prepareProvider: true },
      foldingRangeProvider: true,
      semanticTokensProvider: { legend: tokenLegend, full: true },
      signatureHelpProvider: { triggerCharacters: ["(", ",", ":"] },
      inlayHintProvider: true,
    },
  };
  return result;
}

function watch({ connection, workspace, watches }: Session): void {
  if (!watches) return;
  const watchers = workspace.watched.map((globPattern) => ({ globPattern }));
  connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
}

/** Checks and publishes when texts change; where that takes long, when they have been left alone for a moment. */
function followTexts(session: Session): void {
  const { connection, documents, workspace } = session;
  const tellError = (error: unknown): void => connection.console.error(String((error as Error).stack));
  const later = (wait: number, hasTime: boolean): void => {
    if (session.timer) clearTimeout(session.timer);
    const check = async (): Promise<void> => {
      const isWhole = await publish(session, hasTime);
      if (!isWhole && session.timer === timer) later(rest, true);
    };
    const timer = setTimeout(() => check().catch(tellError), wait);
    session.timer = timer;
  };
  const soon = (): void => later(session.took > quick ? quiet : 0, false);
  const refresh = (): void => {
    const done = (): void => {
      session.refreshed++;
      soon();
    };
    workspace.refresh().then(done).catch(tellError);
  };
  documents.onDidChangeContent(soon);
  documents.onDidClose(soon);
  documents.onDidOpen(refresh);
  documents.onDidSave(refresh);
  connection.onDidChangeWatchedFiles(refresh);
}

/** Gives whether nothing is left to check. */
async function publish(session: Session, hasTime: boolean): Promise<boolean> {
  const [began, state] = [performance.now(), stateOf(session)];
  const { findings, isWhole } = await findingsOf(session, hasTime);
  if (!hasTime) session.took = performance.now() - began;
  // Meanwhile the texts have changed again, and are checked again.
  if (stateOf(session) !== state) return true;
  const uri = (source: Source): string => uriOf(session, source);
  const byUri = new Map<string, Diagnostic[]>(session.documents.all().map((document) => [document.uri, []]));
  for (const finding of findings) {
    const at = uri(finding.span.source);
    const found = byUri.get(at);
    if (!found) byUri.set(at, [finding]);
    else if (found.length < mostPublished) found.push(finding);
  }
  for (const at of session.published) if (!byUri.has(at)) byUri.set(at, []);
  for (const [at, found] of byUri) {
    const version = session.documents.get(at)?.version;
    const diagnostics = found.map((finding) => diagnosticOf(finding, uri));
    await session.connection.sendDiagnostics({ uri: at, diagnostics, ...(version === undefined ? {} : { version }) });
  }
  session.published = new Set([...byUri].filter(([, found]) => found.length > 0).map(([at]) => at));
  return isWhole;
}

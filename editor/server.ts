/**
 * The language server: what an editor asks, answered by the functions of this folder. Which blocks there are, what is on the disk
 * and what is wrong with a text is said by the workspace that it is given.
 */

import type { Readable, Writable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type CodeAction,
  CodeActionKind,
  type Connection,
  createConnection,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type InitializeResult,
  MarkupKind,
  type Range,
  type TextDocumentPositionParams,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Cost } from "../compiler/index.js";
import { type Diagnostic, format, parse, type Source } from "../grammar/index.js";
import { complete } from "./complete.js";
import { definition } from "./definition.js";
import { hover } from "./hover.js";
import { outlineItems } from "./outline.js";
import { completionItem, diagnosticOf, editsTo, rangeOf, symbolOf } from "./protocol.js";
import type { Surroundings } from "./scene.js";

/** What the server knows of the machine. `open`: the texts in the editor, which stand for those on the disk. */
export interface Workspace {
  /** Makes a folder the project: paths start from it. */
  enter(folder: string): void;
  /** The path that the compiler knows a file by, and the way back to the file. */
  pathOf(file: string): string;
  fileOf(path: string): string;
  /** Everything that is wrong with the open texts and with what they stand on. */
  check(open: readonly Source[]): Promise<readonly Diagnostic[]>;
  surroundings(source: Source, open: readonly Source[]): Promise<Surroundings>;
  /** What the models of a text cost, by name; null: the model is not sound. */
  costs(source: Source, open: readonly Source[]): Promise<(model: string) => Cost | null>;
  /** Looks at what it knows of the disk again: something was opened, saved or changed there. */
  refresh(): Promise<void>;
  /** Names of files that it wants to hear of, as globs. */
  readonly watched: readonly string[];
}

export interface ServerOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly workspace: Workspace;
  /** Of maelang. */
  readonly version: string;
}

/** Findings of one document that an editor is given: it draws each of them. */
const mostPublished = 1000;

/** Characters of a text that is read while it is written: a larger one would keep the others waiting. */
export const longestText = 2 ** 19;

/** Milliseconds without a change before texts are checked again. */
const quiet = 100;

interface Session {
  readonly connection: Connection;
  readonly documents: TextDocuments<TextDocument>;
  readonly workspace: Workspace;
  readonly sources: WeakMap<TextDocument, { readonly version: number; readonly source: Source }>;
  /** Of the client. */
  snippets: boolean;
  watches: boolean;
  /** Findings of the texts as they are: by what they were computed from. */
  checked: { readonly state: string; readonly findings: Promise<readonly Diagnostic[]> } | null;
  /** Counts what was heard of the disk. */
  refreshed: number;
  timer: NodeJS.Timeout | null;
  /** Addresses that findings were published for. */
  published: ReadonlySet<string>;
}

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
    checked: null,
    refreshed: 0,
    timer: null,
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
      completionProvider: { triggerCharacters: [" ", "(", ",", ".", ":", "|"] },
      hoverProvider: true,
      definitionProvider: true,
      documentSymbolProvider: true,
      documentFormattingProvider: true,
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    },
  };
  return result;
}

function watch({ connection, workspace, watches }: Session): void {
  if (!watches) return;
  const watchers = workspace.watched.map((globPattern) => ({ globPattern }));
  connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
}

/** The file behind an address; null: it is none on the disk. */
function fileFor(uri: string): string | null {
  try {
    return fileURLToPath(uri);
  } catch {
    return null;
  }
}

/** The text of a document as the compiler knows it. */
function sourceOf({ sources, workspace }: Session, document: TextDocument): Source {
  const known = sources.get(document);
  if (known?.version === document.version) return known.source;
  const file = fileFor(document.uri);
  const source = { path: file === null ? `<${document.uri}>` : workspace.pathOf(file), text: document.getText() };
  sources.set(document, { version: document.version, source });
  return source;
}

/** The text of a document that is not too long to be read for every question. */
function readable(session: Session, document: TextDocument | undefined): Source | null {
  const source = document ? sourceOf(session, document) : null;
  return source !== null && source.text.length <= longestText ? source : null;
}

const openSources = (session: Session): readonly Source[] =>
  session.documents.all().map((document) => sourceOf(session, document));

/** The address of a file as the client writes it, where the file is open there. */
function uriOf(session: Session, { path }: Source): string {
  const open = session.documents.all().find((document) => sourceOf(session, document).path === path);
  return open?.uri ?? pathToFileURL(session.workspace.fileOf(path)).href;
}

/** Findings of all open texts, computed once for each state of them. */
function findingsOf(session: Session): Promise<readonly Diagnostic[]> {
  const versions = session.documents.all().map(({ uri, version }) => `${version} ${uri}`);
  const state = [session.refreshed, ...versions].join("\n");
  if (session.checked?.state !== state) {
    session.checked = { state, findings: session.workspace.check(openSources(session)) };
  }
  return session.checked.findings;
}

/** Checks and publishes when the texts have been left alone for a moment. */
function followTexts(session: Session): void {
  const { connection, documents, workspace } = session;
  const tellError = (error: unknown): void => connection.console.error(String((error as Error).stack));
  const soon = (): void => {
    if (session.timer) clearTimeout(session.timer);
    session.timer = setTimeout(() => {
      publish(session).catch(tellError);
    }, quiet);
  };
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

async function publish(session: Session): Promise<void> {
  const findings = await findingsOf(session);
  if (findings !== (await session.checked?.findings)) return;
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
}

/** The text and the offset of a question, with what lies around. */
async function asked(session: Session, { textDocument, position }: TextDocumentPositionParams) {
  const document = session.documents.get(textDocument.uri);
  const source = document && readable(session, document);
  if (!source) return null;
  const around = await session.workspace.surroundings(source, openSources(session));
  const offset = document.offsetAt(position);
  return { source, offset, before: source.text.slice(0, offset), around };
}

function answerQuestions(session: Session): void {
  const { connection, workspace } = session;
  connection.onCompletion(async (params) => {
    const at = await asked(session, params);
    // Who indents a line asks for nothing yet.
    const isAsked = at && (params.context?.triggerCharacter !== " " || !/(?:^|[\r\n])[ \t]*$/.test(at.before));
    const found = isAsked ? complete(at.source, at.offset, at.around) : [];
    return found.map((one, i) => completionItem(one, i, session.snippets));
  });
  connection.onHover(async (params) => {
    const at = await asked(session, params);
    const costs = at && (await workspace.costs(at.source, openSources(session)));
    const found = at && costs && hover(at.source, at.offset, at.around, costs);
    return found && { range: rangeOf(found.span), contents: { kind: MarkupKind.Markdown, value: found.text } };
  });
  connection.onDefinition(async (params) => {
    const at = await asked(session, params);
    const span = at && definition(at.source, at.offset, at.around);
    return span && { uri: uriOf(session, span.source), range: rangeOf(span) };
  });
  connection.onDocumentSymbol(({ textDocument }) => {
    const source = readable(session, session.documents.get(textDocument.uri));
    return source ? outlineItems(parse(source).file).map(symbolOf) : [];
  });
  connection.onDocumentFormatting(({ textDocument }) => {
    const source = readable(session, session.documents.get(textDocument.uri));
    return source ? editsTo(source, format(source).text) : [];
  });
  connection.onCodeAction(async ({ textDocument, range }) => {
    const findings = await findingsOf(session);
    const here = findings.filter(({ span }) => uriOf(session, span.source) === textDocument.uri);
    return here.filter(({ span }) => touches(rangeOf(span), range)).flatMap((finding) => fixFor(finding, session));
  });
}

const isBefore = (a: Range["start"], b: Range["start"]): boolean =>
  a.line < b.line || (a.line === b.line && a.character < b.character);

const touches = (a: Range, b: Range): boolean => !isBefore(a.end, b.start) && !isBefore(b.end, a.start);

/** The fix of a finding, if it has one. */
function fixFor(finding: Diagnostic, session: Session): readonly CodeAction[] {
  const { fix } = finding;
  if (!fix || fix.edits.length === 0) return [];
  const uri = (source: Source): string => uriOf(session, source);
  const addresses = new Set(fix.edits.map(({ span }) => uri(span.source)));
  const changes = Object.fromEntries(
    [...addresses].map((at) => {
      const edits = fix.edits.filter(({ span }) => uri(span.source) === at);
      return [at, edits.map(({ span, text }) => ({ range: rangeOf(span), newText: text }))];
    }),
  );
  return [
    {
      title: fix.title,
      kind: CodeActionKind.QuickFix,
      diagnostics: [diagnosticOf(finding, uri)],
      isPreferred: true,
      edit: { changes },
    },
  ];
}

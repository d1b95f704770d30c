/** What the server remembers while an editor is there: the open texts, and what was found in them. */

import { fileURLToPath, pathToFileURL } from "node:url";
import type { Connection, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Analysis } from "../compiler/index.js";
import type { Diagnostic, Source } from "../grammar/index.js";
import type { Attempt } from "./hints.js";
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
  /** The sound models and recipes of a text. */
  analysis(source: Source, open: readonly Source[]): Promise<Analysis>;
  readonly attempt: Attempt;
  /** The specs of the project. */
  specs(open: readonly Source[]): Promise<readonly Source[]>;
  /** Looks at what it knows of the disk again: something was opened, saved or changed there. */
  refresh(): Promise<void>;
  /** Names of files that it wants to hear of, as globs. */
  readonly watched: readonly string[];
}

/** Characters of a text that is read while it is written: a larger one would keep the others waiting. */
export const longestText = 2 ** 19;

export interface Session {
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
  /** Milliseconds that the last check took. */
  took: number;
  /** Addresses that findings were published for. */
  published: ReadonlySet<string>;
}

/** The file behind an address; null: it is none on the disk. */
export function fileFor(uri: string): string | null {
  try {
    return fileURLToPath(uri);
  } catch {
    return null;
  }
}

/** The text of a document as the compiler knows it. */
export function sourceOf({ sources, workspace }: Session, document: TextDocument): Source {
  const known = sources.get(document);
  if (known?.version === document.version) return known.source;
  const file = fileFor(document.uri);
  const source = { path: file === null ? `<${document.uri}>` : workspace.pathOf(file), text: document.getText() };
  sources.set(document, { version: document.version, source });
  return source;
}

/** The text of a document that is not too long to be read for every question. */
export function readable(session: Session, document: TextDocument | undefined): Source | null {
  const source = document ? sourceOf(session, document) : null;
  return source !== null && source.text.length <= longestText ? source : null;
}

export const openSources = (session: Session): readonly Source[] =>
  session.documents.all().map((document) => sourceOf(session, document));

/** The address of a file as the client writes it, where the file is open there. */
export function uriOf(session: Session, { path }: Source): string {
  const open = session.documents.all().find((document) => sourceOf(session, document).path === path);
  return open?.uri ?? pathToFileURL(session.workspace.fileOf(path)).href;
}

/** Findings of all open texts, computed once for each state of them. */
export function findingsOf(session: Session): Promise<readonly Diagnostic[]> {
  const versions = session.documents.all().map(({ uri, version }) => `${version} ${uri}`);
  const state = [session.refreshed, ...versions].join("\n");
  if (session.checked?.state !== state) {
    session.checked = { state, findings: session.workspace.check(openSources(session)) };
  }
  return session.checked.findings;
}

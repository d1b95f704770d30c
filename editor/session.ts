/** What the server remembers while an editor is there: the open texts, and what was found in them. */

import { fileURLToPath, pathToFileURL } from "node:url";
import type { Connection, TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Analysis } from "../compiler/index.js";
import type { Diagnostic, Source } from "../grammar/index.js";
import type { Attempt } from "./hints.js";
import type { Surroundings } from "./scene.js";

/** What is wrong with texts. */
export interface Findings {
  readonly findings: readonly Diagnostic[];
  /** Otherwise some of them are those of the texts before the last change. */
  readonly isWhole: boolean;
}

/** What the server knows of the machine. `open`: the texts in the editor, which stand for those on the disk. */
export interface Workspace {
  /** Makes a folder the project: paths start from it. */
  enter(folder: string): void;
  /** The path that the compiler knows a file by, and the way back to the file. */
  pathOf(file: string): string;
  fileOf(path: string): string;
  /** Everything that is wrong with the open texts and with what they stand on. `hasTime` false: what was written last is answered first. */
  check(open: readonly Source[], hasTime: boolean): Promise<Findings>;
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
  readonly checked: Partial<
    Record<"first" | "whole", { readonly state: string; readonly findings: Promise<Findings> }>
  >;
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

/** Changes with any text, and with the disk. */
export function stateOf({ documents, refreshed }: Session): string {
  const versions = documents.all().map(({ uri, version }) => `${version} ${uri}`);
  return [refreshed, ...versions].join("\n");
}

/** Findings of all open texts, computed once for each state of them. */
export function findingsOf(session: Session, hasTime: boolean): Promise<Findings> {
  const state = stateOf(session);
  const known = session.checked[hasTime ? "whole" : "first"];
  if (known?.state === state) return known.findings;
  const findings = session.workspace.check(openSources(session), hasTime);
  session.checked[hasTime ? "whole" : "first"] = { state, findings };
  return findings;
}

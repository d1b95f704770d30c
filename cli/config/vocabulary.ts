/**
 * The blocks that a spec can use: ours, and those of the block files that the project's `mae.config.json` names. This is
 * the only place from which code of a project is run, and the configuration the only thing that can ask for it.
 */

import { createHash } from "node:crypto";
import { dirname, relative, resolve } from "node:path";
import { type Definition, type Kind, kindOf, type Registry, registry } from "../../blocks/index.js";
import { blockPage, type Homes } from "../../compiler/index.js";
import { type Diagnostic, positionAt, type Source, type Span } from "../../grammar/index.js";
import { arrange } from "../report/index.js";
import { ofSession } from "../session.js";
import { printedPath, type Reading, readSpec } from "../specs/files.js";
import { count, tell } from "../words/terminal.js";
import { messageOf, placeIn } from "./blame.js";
import { configError, topOf } from "./codes.js";
import { looksLikeDefinition, mistakesIn } from "./definitions.js";
import { findConfig, isRunFolder, namedConfig } from "./find.js";
import type { LoadedFile } from "./load.js";
import { type AdviceWeights, type Config, readConfig, unread } from "./read.js";

/** A block of a project. */
export interface OwnBlock {
  readonly kind: Kind;
  readonly definition: Definition;
  /** Absolute path of the file that exports it. */
  readonly file: string;
  /** Where its export stands. */
  readonly span: Span;
}

export interface Project {
  /** Absolute path of the configuration. */
  readonly config: string;
  readonly blocks: readonly OwnBlock[];
  /** The block files that were run and what they import, by their paths from the configuration's folder. */
  readonly files: readonly ProjectFile[];
}

export interface ProjectFile {
  readonly name: string;
  readonly source: Source;
  /** Of its text. */
  readonly sha256: string;
  /** Address of the module as it runs in this process. */
  readonly url: string;
}

export interface Vocabulary {
  readonly registry: Registry;
  /** Where emitted modules find what is not of this package. */
  readonly homes: Homes;
  /** null: no configuration applies. */
  readonly project: Project | null;
  /** How much advice weighs here. */
  readonly weights: AdviceWeights;
  /** What is wrong with the configuration and its block files. */
  readonly findings: readonly Diagnostic[];
}

/** Ours alone. */
export const ownVocabulary: Vocabulary = {
  registry,
  homes: new Map(),
  project: null,
  weights: new Map(),
  findings: [],
};

/** What a configuration makes, and the text that it had. */
interface Known {
  readonly read: Reading;
  readonly vocabulary: Promise<Vocabulary>;
}

const known = ofSession(() => new Map<string, Known>());

/** Of the block files that were run. */
const sourcesRun = ofSession((): Source[] => []);

/** What an error that came through a block file says, and where it did, as `path:line:column`; null: it came through none. */
export function blockAtFault(error: unknown): { readonly message: string; readonly where: string } | null {
  const place = placeIn(error, sourcesRun());
  if (!place) return null;
  const { line, column } = positionAt(place.source, place.start);
  return { message: messageOf(error), where: `${printedPath(place.source.path)}:${line}:${column}` };
}

/**
 * The vocabulary of a spec.
 * @param spec its path; null: a run's or a checkpoint's, or none. Those are data, and take the blocks of the working folder
 * @param named the configuration that the command line names; if absent, the nearest above the spec
 */
export function vocabularyOf(spec: string | null, named?: string | undefined): Promise<Vocabulary> {
  const config = named === undefined ? findConfig(homeOf(spec)) : namedConfig(named);
  return config === null ? Promise.resolve(ownVocabulary) : vocabularyWith(config);
}

/** The folder whose configuration a spec has: its own, or the working folder for one that a run keeps. */
function homeOf(spec: string | null): string {
  const folder = spec === null ? "." : dirname(resolve(spec));
  return isRunFolder(folder) ? "." : folder;
}

/** The vocabulary that a configuration makes; its block files are run once in a call, and that is told. */
function vocabularyWith(config: string): Promise<Vocabulary> {
  const before = known().get(config);
  if (before) return before.vocabulary;
  const read = readSpec(config);
  const vocabulary = load(config, read);
  known().set(config, { read, vocabulary });
  return vocabulary;
}

/**
 * Forgets what configurations made that have changed, or whose block files have, so that these are run again when they are
 * asked for next. So is one that something is wrong with: the file that mends it may be new.
 */
export async function forgetChanged(): Promise<void> {
  for (const [config, { read, vocabulary }] of [...known()]) {
    const { project, findings } = await vocabulary;
    const sources = project?.files.map(({ source }) => source) ?? [];
    const isSame = textOf(readSpec(config)) === textOf(read);
    const areSame = sources.every(({ path, text }) => textOf(readSpec(path)) === text);
    if (!isSame || !areSame || findings.length > 0) known().delete(config);
  }
}

const textOf = (read: Reading): string | null => (read.ok ? read.text : null);

async function load(path: string, read: Reading): Promise<Vocabulary> {
  const config = read.ok
    ? readConfig(path, read.text)
    : unread(path, (span) => ({ severity: "error", span, ...read.problem }));
  const findings = [...config.findings];
  const files = config.entries.length === 0 ? [] : await runFiles(config, findings);
  sourcesRun().push(...files.map(({ file }) => file.source));
  const blocks = blocksOf(config, files, findings);
  return {
    registry: withBlocks(blocks),
    homes: homesOf(files),
    project: {
      config: path,
      blocks,
      files: files.map(({ file, url }) => ({
        name: relative(config.root, file.path).replaceAll("\\", "/"),
        source: file.source,
        sha256: createHash("sha256").update(file.source.text).digest("hex"),
        url,
      })),
    },
    weights: config.weights,
    findings: arrange(findings),
  };
}

/** Findings as much as they weigh in a project. */
export const weighed = (findings: readonly Diagnostic[], { weights }: Vocabulary): readonly Diagnostic[] =>
  weights.size === 0
    ? findings
    : findings.flatMap((finding) => {
        const severity = weights.get(finding.code) ?? finding.severity;
        return severity === "off" ? [] : [{ ...finding, severity }];
      });

async function runFiles({ source, root, entries }: Config, findings: Diagnostic[]): Promise<readonly LoadedFile[]> {
  tell(`using ${count(entries.length, "block file")} of ${printedPath(source.path)}`);
  const { loadFiles } = await import("./load.js");
  return loadFiles(entries, root, (finding) => void findings.push(finding));
}

/** The blocks that the named files export, each once; what is wrong with them is reported. */
function blocksOf(config: Config, files: readonly LoadedFile[], findings: Diagnostic[]): readonly OwnBlock[] {
  const blocks: OwnBlock[] = [];
  for (const { path } of config.entries) {
    const loaded = files.find(({ file }) => file.path === path);
    if (!loaded) continue;
    const { source } = loaded.file;
    const exported = Object.entries(loaded.exports);
    if (!exported.some(([, value]) => kindOf(value) !== undefined || looksLikeDefinition(value))) {
      const help = "export one that `defineMask`, `defineTarget` or another of their kind made";
      findings.push(configError("block/no-definition", topOf(source), "the file exports no block", { help }));
    }
    for (const [name, value] of exported) {
      const span = exportIn(source, name);
      const kind = kindOf(value);
      if (kind) addBlock({ kind, definition: value as Definition, file: path, span }, blocks, findings);
      else if (looksLikeDefinition(value)) findings.push(unmarked(name, span));
    }
  }
  return blocks;
}

const unmarked = (name: string, span: Span): Diagnostic =>
  configError("block/malformed", span, `\`${name}\` does not say which kind of block it is`, {
    help: "write the definition in `defineMask(...)`, `defineTarget(...)` or another of their kind",
  });

function addBlock(block: OwnBlock, blocks: OwnBlock[], findings: Diagnostic[]): void {
  const { kind, definition, span } = block;
  if (blocks.some((other) => other.definition === definition)) return;
  const mistakes = mistakesIn(kind, definition);
  for (const mistake of mistakes) {
    findings.push(configError("block/malformed", span, mistake, { help: `docs/add-a-block.md shows a ${kind}` }));
  }
  if (mistakes.length > 0) return;
  const other = blocks.find((one) => one.kind === kind && one.definition.name === definition.name);
  const ours = registry[kind].some(({ name }) => name === definition.name);
  if (other || ours) {
    const whose = other ? "another block file" : "maelang";
    findings.push(
      configError("block/name-taken", span, `${whose} has a ${kind} called \`${definition.name}\` already`, {
        help: "give this one another `name`",
        ...(other ? { related: [{ span: other.span, message: "the other one" }] } : {}),
      }),
    );
    return;
  }
  blocks.push(block);
}

/** Where a name is exported; the top of the file where that is not written plainly. */
function exportIn(source: Source, name: string): Span {
  const declared = `export\\s+(?:const|let|var|function|class)\\s+(${name})\\b`;
  const listed = `export\\s*\\{[^}]*?\\b(${name})\\b`;
  const pattern = name === "default" ? /\b(export\s+default)\b/ : new RegExp(`\\b(?:${declared}|${listed})`);
  const found = /^\w+$/.test(name) ? pattern.exec(source.text) : null;
  if (!found) return topOf(source);
  const end = found.index + found[0].length;
  return { source, start: end - (found[1] ?? found[2] ?? "").length, end };
}

/** Our blocks of each kind and then the project's. */
function withBlocks(blocks: readonly OwnBlock[]): Registry {
  const entries = Object.entries(registry).map(([kind, ours]) => [
    kind,
    [...ours, ...blocks.filter((block) => block.kind === kind).map(({ definition }) => definition)],
  ]);
  return Object.fromEntries(entries) as Registry;
}

/** Every object and function that a file exports, with the file and the name. */
function homesOf(files: readonly LoadedFile[]): Homes {
  const homes = new Map<object, { readonly file: string; readonly name: string }>();
  for (const { file, exports } of files) {
    for (const [name, value] of Object.entries(exports)) {
      const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
      if (isObject && !homes.has(value)) homes.set(value, { file: file.path, name });
    }
  }
  return homes;
}

/** The page of a project's block, made from its definition: Markdown, in the order of the pages of our own blocks. */
export const ownPage = ({ kind, definition, file }: OwnBlock): string => blockPage(kind, definition, printedPath(file));

/**
 * `mae lsp`: the language server on stdin and stdout. What an editor is told is said in `editor/`; here is the machine around it:
 * the working folder, the files on the disk, and the configurations whose block files are run, by the same rule as for `mae check`.
 */

import { existsSync } from "node:fs";
import { posix, resolve } from "node:path";
import { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Definition } from "../../blocks/index.js";
import { type Analysis, type Followed, follow, type Host } from "../../compiler/index.js";
import { type Findings, longestText, type Surroundings, serve, type Workspace } from "../../editor/index.js";
import { type Diagnostic, type File, parse, type Source } from "../../grammar/index.js";
import {
  blockAtFault,
  configFile,
  forgetChanged,
  namedConfig,
  ownVocabulary,
  type Vocabulary,
  vocabularyOf,
  weighed,
} from "../config/index.js";
import { packageVersion } from "../package-root.js";
import { arrange } from "../report/index.js";
import { analyzeText, certainOf, checkSpec, hostFor, type OpenTexts, projectFindings } from "../specs/analysis.js";
import { findSpecs, type Reading, readSpec, specPath } from "../specs/files.js";
import { weightsHere } from "../specs/weights-here.js";
import { grouped, tell } from "../words/terminal.js";

export interface LspOptions {
  /** false: no block file is run. */
  readonly config?: string | false;
}

/** Answers until the editor ends it; then the process ends. */
export function lsp({ config }: LspOptions): Promise<never> {
  const named = typeof config === "string" ? namedConfig(config) : config;
  if (process.stdin.isTTY) tell("mae lsp speaks with editors: docs/editors.md shows how they start it");
  serve({ input: process.stdin, output: onlyProtocol(), workspace: workspace(named), version: packageVersion() });
  return new Promise(() => {});
}

/** Stdout for the protocol alone: whatever else is printed, by a block file for example, goes to stderr from now on. */
function onlyProtocol(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return new Writable({ write: (chunk: Buffer, _encoding, done) => void write(chunk, (error) => done(error)) });
}

/** Languages of block files, and what names and imports them. */
const watched = ["**/*.mae", `**/${configFile}`, "**/*.{ts,mts,js,mjs}"];

function workspace(config: string | false | undefined): Workspace {
  const vocabularyFor = ({ path }: Source): Promise<Vocabulary> => {
    if (config === false) return Promise.resolve(ownVocabulary);
    return vocabularyOf(path.startsWith("<") ? null : path, config);
  };
  const checks = new Checks();
  return {
    enter(folder) {
      if (existsSync(folder)) process.chdir(folder);
    },
    pathOf: specPath,
    fileOf: (path) => resolve(path),
    async check(open, hasTime) {
      const found: Diagnostic[] = [];
      let isWhole = true;
      const texts = textsOf(open);
      for (const source of open) {
        const vocabulary = await vocabularyFor(source);
        const checked = await checks.settled((all) => all.findings(source, vocabulary, texts, hasTime));
        found.push(...checked.findings);
        isWhole &&= checked.isWhole;
        // Questions that came in the meantime are answered before the next text.
        await nextTurn();
      }
      checks.keepOnly(texts);
      return { findings: arrange(found), isWhole };
    },
    async surroundings(source, open) {
      return surroundings(await vocabularyFor(source), textsOf(open));
    },
    async analysis(source, open) {
      const vocabulary = await vocabularyFor(source);
      return checks.settled((all) => all.analysis(source, vocabulary, textsOf(open)));
    },
    attempt,
    async specs(open) {
      const texts = textsOf(open);
      // A folder without any is no mistake of the editor's.
      const found = await findSpecs([]).catch(() => []);
      const paths = new Set([...found, ...[...texts.keys()].filter((path) => !path.startsWith("<"))]);
      return [...paths].sort().flatMap((path) => {
        const given = texts.get(path);
        const reading = given === undefined ? readSpec(path) : ({ ok: true, text: given } as const);
        return reading.ok ? { path, text: reading.text } : [];
      });
    },
    refresh() {
      checks.keepOnly(new Map());
      return forgetChanged();
    },
    watched,
  };
}

/** What is known of a text, and what it was found with. */
interface Known<V> {
  readonly text: string;
  readonly vocabulary: Vocabulary;
  /** Files that it imports, with their texts. */
  readonly imports: ReadonlyMap<string, string | null>;
  /** Files of weights and runs that it starts from, with what is known of them. */
  readonly weights: ReadonlyMap<string, ReturnType<Required<Host>["weights"]>>;
  readonly value: V;
}

/** What is known of each open text, kept until it or what it imports changes: writing one text does not check the others again. */
class Checks {
  private readonly followed = new Map<string, Known<Followed>>();
  private readonly analyses = new Map<string, Known<Analysis>>();
  private readonly here = weightsHere();

  /** What is found when files of weights that a text starts from have been looked at: asked again where one had not been. */
  async settled<V>(ask: (checks: Checks) => V): Promise<V> {
    const first = ask(this);
    return (await this.here.settle()) ? ask(this) : first;
  }

  findings(source: Source, vocabulary: Vocabulary, open: OpenTexts, hasTime: boolean): Findings {
    const { path, text } = source;
    const file = { path, given: tooLong(text), vocabulary };
    const all = (diagnostics: readonly Diagnostic[], isWhole = true): Findings => {
      return { findings: [...projectFindings([file]), ...certainOf(diagnostics, vocabulary)], isWhole };
    };
    if (text.length > longestText) return all(checkSpec(file, this.here).diagnostics);
    // Blocks of the project are tried out with the models of the whole text.
    if (vocabulary.homes.size > 0) return all(this.analysis(source, vocabulary, open).diagnostics);
    const compute = (host: Host, before: Followed | null) => follow(source, host, vocabulary.registry, before, hasTime);
    const isEnough = ({ isWhole }: Followed): boolean => isWhole || !hasTime;
    const { value } = current(this.followed, source, { vocabulary, open, here: this.here }, compute, isEnough);
    return all(weighed(value.diagnostics, vocabulary), value.isWhole);
  }

  analysis(source: Source, vocabulary: Vocabulary, open: OpenTexts): Analysis {
    const around = { vocabulary, open, here: this.here };
    return current(this.analyses, source, around, (host) => analyzeText(source, vocabulary, host), always).value;
  }

  /** Forgets all others. */
  keepOnly(open: OpenTexts): void {
    for (const table of [this.followed, this.analyses]) {
      for (const path of table.keys()) if (!open.has(path)) table.delete(path);
    }
  }
}

const always = (): boolean => true;

/** With what a text is checked. */
interface Around {
  readonly vocabulary: Vocabulary;
  readonly open: OpenTexts;
  readonly here: Pick<Required<Host>, "weights">;
}

/** What is known of a text, computed again where it, what it imports or what it starts from has changed. `before`: of the text as it was. */
function current<V>(
  table: Map<string, Known<V>>,
  { path, text }: Source,
  { vocabulary, open, here }: Around,
  compute: (host: Host, before: V | null) => V,
  isEnough: (value: V) => boolean,
): Known<V> {
  const known = table.get(path);
  const ofVocabulary = known?.vocabulary === vocabulary ? known : undefined;
  const host = hostFor(path, open);
  const isStill = [...(ofVocabulary?.weights ?? [])].every(([name, then]) => here.weights(name) === then);
  const before = isStill ? ofVocabulary : undefined;
  const isSame = before?.text === text && [...before.imports].every(([name, then]) => host.readText(name) === then);
  if (isSame && isEnough(before.value)) return before;
  const imports = new Map<string, string | null>();
  const weights = new Map<string, ReturnType<Around["here"]["weights"]>>(before?.weights ?? []);
  const noting: Host = {
    ...host,
    readText(name) {
      const read = host.readText(name);
      imports.set(name, read);
      return read;
    },
    weights(name) {
      const found = here.weights(name);
      weights.set(name, found);
      return found;
    },
  };
  const now = { text, vocabulary, imports, weights, value: compute(noting, before?.value ?? null) };
  table.set(path, now);
  return now;
}

function tooLong(text: string): Reading & { ok: false } {
  const message = `the text has ${grouped(text.length)} characters; while it is written, at most ${grouped(longestText)} are checked`;
  return { ok: false, problem: { code: "file/too-large", message, help: "mae check reads up to 4 MiB" } };
}

const textsOf = (open: readonly Source[]): OpenTexts => new Map(open.map(({ path, text }) => [path, text]));

function surroundings({ registry, project }: Vocabulary, open: OpenTexts): Surroundings {
  // One question asks for a file again and again.
  const files = new Map<string, File | null>();
  return {
    registry,
    imported(from, path) {
      const key = `${posix.dirname(from.path)} ${path}`;
      const known = files.get(key);
      if (known !== undefined) return known;
      const file = importedFile(from.path, path, open);
      files.set(key, file);
      return file;
    },
    home: (definition: Definition) => project?.blocks.find((block) => block.definition === definition)?.span ?? null,
  };
}

/** The syntax tree of an imported file; null: it cannot be read, or lies outside of the project. */
function importedFile(from: string, name: string, open: OpenTexts): File | null {
  const path = posix.join(posix.dirname(from), name);
  const host = hostFor(from, open);
  const isInside = host.root === undefined ? !path.startsWith("../") : path.startsWith(`${host.root}/`);
  const text = isInside ? host.readText(path) : null;
  return text === null ? null : parse({ path, text }).file;
}

/** What is wrong with a block of the project is a finding already. */
function attempt<T>(compute: () => T): T | null {
  try {
    return compute();
  } catch (error) {
    if (blockAtFault(error)) return null;
    throw error;
  }
}

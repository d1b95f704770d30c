/**
 * `mae lsp`: the language server on stdin and stdout. What an editor is told is said in `editor/`; here is the machine around it:
 * the working folder, the files on the disk, and the configurations whose block files are run, by the same rule as for `mae check`.
 */

import { existsSync } from "node:fs";
import { posix, resolve } from "node:path";
import { Writable } from "node:stream";
import type { Definition } from "../../blocks/index.js";
import { costOf } from "../../compiler/index.js";
import { type Surroundings, serve, type Workspace } from "../../editor/index.js";
import { type File, parse, type Source } from "../../grammar/index.js";
import { analyzeSpecs, analyzeText, hostFor, type OpenTexts } from "../analysis.js";
import {
  blockAtFault,
  configFile,
  forgetChanged,
  namedConfig,
  ownVocabulary,
  type Vocabulary,
  vocabularyOf,
} from "../config/index.js";
import { specPath } from "../files.js";
import { packageVersion } from "../package-root.js";
import { arrange } from "../report/index.js";
import { tell } from "../terminal.js";

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
  return {
    enter(folder) {
      if (existsSync(folder)) process.chdir(folder);
    },
    pathOf: specPath,
    fileOf: (path) => resolve(path),
    async check(open) {
      const files = open.map(async (source) => ({
        path: source.path,
        given: { ok: true, text: source.text } as const,
        vocabulary: await vocabularyFor(source),
      }));
      return arrange(analyzeSpecs(await Promise.all(files), textsOf(open)));
    },
    async surroundings(source, open) {
      return surroundings(await vocabularyFor(source), textsOf(open));
    },
    async costs(source, open) {
      const vocabulary = await vocabularyFor(source);
      return (name) => costIn(source, name, vocabulary, textsOf(open));
    },
    refresh: forgetChanged,
    watched,
  };
}

const textsOf = (open: readonly Source[]): OpenTexts => new Map(open.map(({ path, text }) => [path, text]));

function surroundings({ registry, project }: Vocabulary, open: OpenTexts): Surroundings {
  return {
    registry,
    imported: (from, path) => importedFile(from.path, path, open),
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

function costIn(source: Source, name: string, vocabulary: Vocabulary, open: OpenTexts) {
  const model = analyzeText(source, vocabulary, open).models.get(name);
  try {
    return model ? costOf(model) : null;
  } catch (error) {
    // What is wrong with a block of the project is a finding already.
    if (blockAtFault(error)) return null;
    throw error;
  }
}

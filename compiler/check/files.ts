/**
 * Imports: which file a text names, reading and parsing it once, where the parser lost text, cycles. Files are read
 * through the host alone.
 */

import {
  type Declaration,
  type Diagnostic,
  type File,
  type Import,
  parse,
  type Source,
  type Span,
  type Text,
} from "../../grammar/index.js";
import type { NoWeights, WeightsFile } from "../weights-file.js";
import { fail, type Report, replacement } from "./report.js";

/** The only access to files; both paths are with "/". */
export interface Host {
  /** The text of a file, or null when there is none that can be read. */
  readText(path: string): string | null;
  /** Whether a path below the root leads out of it by way of a link; its text is not asked for then. */
  leadsOutside?(path: string): boolean;
  /** Imports stay below it. If absent, the folder that relative paths start from. */
  readonly root?: string;
  /**
   * What is known of a file of weights or a run, by the path that a text gives it. If absent, or undefined, it is not looked at, and
   * nothing is said of it.
   */
  weights?(path: string): WeightsFile | NoWeights | undefined;
  /** Sources by path, of this run or before: a text that is in them still is not read, nor checked, as if it were new. */
  readonly sources?: Pick<Map<string, Source>, "get" | "set">;
}

export interface Loaded {
  readonly file: File;
  readonly source: Source;
  /** What the parser said. */
  readonly syntax: readonly Diagnostic[];
  readonly damage: Damage;
  /** null: not found or not allowed, reported. */
  readonly imports: ReadonlyMap<Import, Loaded | null>;
}

/** Where the parser reported errors. It is asked for every finding, so that an answer takes a search and not a pass. */
export interface Damage {
  /** Whether an error lies inside a place. */
  readonly inside: (place: Pick<Span, "start" | "end">) => boolean;
  /** Whether the parser lost part of a declaration: an error lies between its start and the next one's. */
  readonly torn: (declaration: Declaration) => boolean;
}

function damageOf(file: File, diagnostics: readonly Diagnostic[]): Damage {
  const errors = diagnostics.filter(({ severity }) => severity === "error").map(({ span }) => span);
  const starts = errors.map(({ start }) => start);
  const heads = file.declarations.map(({ span }) => span.start);
  // An error of no width lies between two characters: inside a place that goes on after it, not in one that ends there.
  const ends = errors.map(({ start, end }) => (start === end ? end + 0.5 : end));
  const leastFrom = ends.slice();
  for (let i = ends.length - 2; i >= 0; i--) {
    leastFrom[i] = Math.min(leastFrom[i] as number, leastFrom[i + 1] as number);
  }
  let reach = Number.NEGATIVE_INFINITY;
  const mostUpTo = errors.map(({ end }) => {
    reach = Math.max(reach, end);
    return reach;
  });
  return {
    inside: ({ start, end }) => {
      const least = leastFrom[firstFrom(starts, start)] ?? Number.POSITIVE_INFINITY;
      return least <= (start === end ? end + 0.5 : end);
    },
    torn: ({ span }) => {
      const next = heads[firstFrom(heads, span.start + 1)] ?? Number.POSITIVE_INFINITY;
      return (mostUpTo[firstFrom(starts, next) - 1] ?? Number.NEGATIVE_INFINITY) >= span.start;
    },
  };
}

/** The index of the first of ascending numbers that is at least `wanted`. */
function firstFrom(ascending: readonly number[], wanted: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Longest chain of imports or of `extends`: deeper ones are machine-made or a mistake. */
export const deepest = 32;

interface Loading {
  readonly host: Host;
  /** Ends in "/"; "" for relative paths, which may not begin with "..". */
  readonly root: string;
  readonly report: Report;
  readonly done: Map<string, Loaded>;
  /** Files that are being read, from the first. */
  readonly open: string[];
}

/** Loads a file and all that it imports, itself first. */
export function loadFiles(source: Source, host: Host, report: Report): readonly Loaded[] {
  const root = rootFor(normal(source.path), host);
  const loading: Loading = { host, root, report, done: new Map(), open: [] };
  const main = load(source, loading);
  return [main, ...[...loading.done.values()].filter((file) => file !== main)];
}

function load(source: Source, loading: Loading): Loaded {
  const { file, diagnostics } = parse(source);
  const imports = new Map<Import, Loaded | null>();
  const path = normal(source.path);
  loading.open.push(path);
  for (const line of file.imports) imports.set(line, line.from && follow(line.from, source, loading));
  loading.open.pop();
  const loaded = { file, source, syntax: diagnostics, damage: damageOf(file, diagnostics), imports };
  loading.done.set(path, loaded);
  return loaded;
}

/** Path parts without "." and with ".." taken back; a leading ".." stays. */
function normal(path: string): string {
  const slashed = path.replaceAll("\\", "/");
  const parts: string[] = [];
  for (const part of slashed.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return (slashed.startsWith("/") ? "/" : "") + parts.join("/");
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/") + 1);

/** Whether a path starts from elsewhere than the project's folder. */
const isForeign = (path: string): boolean => path.startsWith("/") || path.startsWith("..") || /^[A-Za-z]:/.test(path);

/** The part of paths that imports may not leave. */
function rootFor(path: string, { root }: Host): string {
  const given = normal(root ?? "");
  if (given !== "") return `${given.replace(/\/$/, "")}/`;
  return isForeign(path) ? folderOf(path) : "";
}

/** Whether a path lies in the project. Paths that start from the project's folder do so unless they climb out. */
const isInside = (path: string, root: string): boolean => !isForeign(path) || (root !== "" && path.startsWith(root));

function follow(from: Text, source: Source, loading: Loading): Loaded | null {
  const { root, report, done, open } = loading;
  const { value, span } = from;
  const bad = unusable(value);
  if (bad) {
    return fail(report, "check/import-path", span, `an import ${bad}`, {
      help: 'write a path from this file, with "/" between its parts, such as `"./mae.mae"`',
    });
  }
  const self = normal(source.path);
  const path = normal(folderOf(self) + value);
  if (path === self) {
    return fail(report, "check/import-itself", span, "a file cannot import itself", {
      help: "what it declares is known in it without an import; remove the line",
    });
  }
  if (!isInside(path, root)) {
    return fail(report, "check/import-outside-root", span, `\`${value}\` lies outside the project`, {
      help: "move the file into the project, or run from a folder above both",
    });
  }
  if (open.includes(path)) return importCycle(path, span, loading);
  return done.get(path) ?? read(path, from, loading);
}

/** What makes a text no path for an import; null when it is one. */
function unusable(value: string): string | null {
  if (value.trim() === "") return "needs the path of a file";
  if (value.includes("\\")) return 'is written with "/", not with "\\"';
  if (/^[A-Za-z][A-Za-z0-9+.-]+:/.test(value)) return `loads files of the project, not \`${value}\``;
  if (value.startsWith("/") || value.startsWith("~") || /^[A-Za-z]:/.test(value)) {
    return `starts from this file, and \`${value}\` does not`;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f]/.test(value)) return "holds a control character";
  return null;
}

function read(path: string, { value, span }: Text, loading: Loading): Loaded | null {
  const { host, report, open } = loading;
  if (open.length >= deepest) {
    return fail(report, "check/too-deep", span, `this import ends a chain of more than ${deepest} files`, {
      help: "import from the file that declares the name",
    });
  }
  if (host.leadsOutside?.(path)) {
    return fail(report, "check/import-outside-root", span, `\`${value}\` is a link that leads out of the project`, {
      help: "put a copy of the file in its place",
    });
  }
  const text = host.readText(path);
  if (text !== null) return load(sourceFor(path, text, host), loading);
  const longer = value.endsWith(".mae") ? null : `${value}.mae`;
  const meant = longer !== null && host.readText(normal(`${path}.mae`)) !== null;
  return fail(report, "check/import-not-found", span, `there is no file \`${path}\``, {
    help: meant ? `did you mean \`"${longer}"\`?` : "paths start from the folder of the importing file",
    fix: meant ? replacement(span, `"${longer}"`) : undefined,
  });
}

/** A text as a source: the same for the same text, where the host keeps sources. */
export function sourceFor(path: string, text: string, { sources }: Pick<Host, "sources">): Source {
  const before = sources?.get(path);
  const source = before?.text === text ? before : { path, text };
  sources?.set(path, source);
  return source;
}

function importCycle(path: string, span: Span, { report, open }: Loading): null {
  const cycle = [...open.slice(open.indexOf(path)), path];
  return fail(report, "check/import-cycle", span, `these files import each other: ${cycle.join(" -> ")}`, {
    help: "move what both need into a file of its own",
  });
}

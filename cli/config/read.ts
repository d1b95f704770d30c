/** From the text of a `mae.config.json` to the block files that it names. `spec/mae.config.schema.json` says the same. */

import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import { lintCodes } from "../../compiler/index.js";
import type { Diagnostic, Severity, Source, Span } from "../../grammar/index.js";
import { specPath } from "../specs/files.js";
import { didYouMean } from "../words/nearest.js";
import { configError, topOf } from "./codes.js";
import { isMistake, type Json, type Member, readJson } from "./json.js";

/** A block file that a configuration names. */
export interface Entry {
  /** Absolute. */
  readonly path: string;
  /** Where it is named. */
  readonly span: Span;
}

export interface Config {
  readonly source: Source;
  /** The folder of the file: what is below it is the project. */
  readonly root: string;
  readonly entries: readonly Entry[];
  /** How much advice weighs, by its code. */
  readonly weights: AdviceWeights;
  readonly findings: readonly Diagnostic[];
}

/** What a project makes of advice, by its code; what is not named weighs as much as its page says. */
export type AdviceWeights = ReadonlyMap<string, Severity | "off">;

const weightNames: readonly (Severity | "off")[] = ["off", "info", "warning", "error"];

/** Languages that a block file is written in. */
export const blockExtensions: readonly string[] = [".ts", ".mts", ".js", ".mjs"];

const keys: readonly string[] = ["$schema", "blocks", "lint"];

const kindWords: Readonly<Record<Json["kind"], string>> = {
  object: "an object",
  array: "a list",
  string: "a text",
  number: "a number",
  boolean: "true or false",
  null: "null",
};

type Report = (finding: Diagnostic) => void;

/** Reads a configuration; `path` is absolute. Everything that is wrong with it is in the findings. */
export function readConfig(path: string, text: string): Config {
  const source = { path: specPath(path), text };
  const root = dirname(path);
  const findings: Diagnostic[] = [];
  const report: Report = (finding) => void findings.push(finding);
  const json = readJson(source);
  if (isMistake(json)) {
    report(
      configError("config/syntax", json.span, json.message, { help: "an editor that knows JSON shows the place" }),
    );
    return { source, root, entries: [], weights: new Map(), findings };
  }
  if (json.kind !== "object") {
    report(wrongType(json, "the configuration", "an object", 'write `{ "blocks": ["./blocks/my-mask.ts"] }`'));
    return { source, root, entries: [], weights: new Map(), findings };
  }
  checkKeys(json.members, report);
  return { source, root, entries: entriesOf(json, root, report), weights: weightsOf(json, report), findings };
}

type JsonObject = Extract<Json, { readonly kind: "object" }>;

function weightsOf(json: JsonObject, report: Report): AdviceWeights {
  const weights = new Map<string, Severity | "off">();
  const lint = json.members.find(({ key }) => key.value === "lint")?.value;
  if (!lint) return weights;
  if (lint.kind !== "object") {
    report(wrongType(lint, "`lint`", "an object", 'write `{ "lint/long-warmup": "off" }`'));
    return weights;
  }
  checkKeys(lint.members, report, lintCodes, "lint");
  for (const { key, value } of lint.members) {
    const weight = value.kind === "string" ? weightNames.find((name) => name === value.value) : undefined;
    if (weight) weights.set(key.value, weight);
    else {
      const wanted = weightNames.map((name) => `"${name}"`).join(", ");
      const message = `\`${key.value}\` is one of ${wanted}`;
      report(configError("config/wrong-type", value.span, message, { help: "write one of them in quotes" }));
    }
  }
  return weights;
}

function entriesOf(json: JsonObject, root: string, report: Report): readonly Entry[] {
  const schema = json.members.find(({ key }) => key.value === "$schema")?.value;
  if (schema && schema.kind !== "string") report(wrongType(schema, "`$schema`", "a text", "name the schema's file"));
  const blocks = json.members.find(({ key }) => key.value === "blocks")?.value;
  if (!blocks) return [];
  if (blocks.kind !== "array") {
    report(wrongType(blocks, "`blocks`", "a list", 'write the paths in brackets: `["./blocks/my-mask.ts"]`'));
    return [];
  }
  const entries: Entry[] = [];
  for (const item of blocks.items) {
    const entry = entryOf(item, root, report);
    const before = entries.find(({ path }) => path === entry?.path);
    if (entry && before) {
      const related = [{ span: before.span, message: "named here before" }];
      report(configError("config/duplicate", entry.span, "the file is named twice", { help: "remove one", related }));
    } else if (entry) entries.push(entry);
  }
  return entries;
}

const wrongType = (json: Json, what: string, wanted: string, help: string): Diagnostic =>
  configError("config/wrong-type", json.span, `${what} is ${wanted}, not ${kindWords[json.kind]}`, { help });

/** Reports keys that stand twice or that nothing reads. `what`: what they are the names of. */
function checkKeys(members: readonly Member[], report: Report, known = keys, what = "setting"): void {
  for (const [i, { key }] of members.entries()) {
    const before = members.slice(0, i).find((other) => other.key.value === key.value);
    if (before) {
      const related = [{ span: before.key.span, message: "written here before" }];
      const words = { help: "remove one", related };
      report(configError("config/duplicate", key.span, `\`${key.value}\` is written twice`, words));
    }
    if (known.includes(key.value)) continue;
    const named = known.map((name) => `\`${name}\``).join(", ");
    const help = didYouMean(key.value, known) ?? (known.length > 9 ? "`mae explain` lists them" : `there are ${named}`);
    report(configError("config/unknown-key", key.span, `there is no ${what} \`${key.value}\``, { help }));
  }
}

function entryOf(item: Json, root: string, report: Report): Entry | null {
  if (item.kind !== "string") {
    report(wrongType(item, "an entry of `blocks`", "a text", "name a file: `./blocks/my-mask.ts`"));
    return null;
  }
  const wrong = wrongPath(item.value);
  if (wrong) {
    const help = "write a path from the folder of this file, such as `./blocks/my-mask.ts`";
    report(configError("config/block-path", item.span, wrong, { help }));
    return null;
  }
  const path = resolve(root, item.value);
  if (!isBelow(path, root)) {
    report(outside(item.value, item.span));
    return null;
  }
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    report(missing(item.value, item.span, path, root, found?.isDirectory() ?? false));
    return null;
  }
  if (!isBelow(realpathSync(path), realpathSync(root))) {
    report(outside(item.value, item.span));
    return null;
  }
  return { path, span: item.span };
}

/** What makes a text no path of a block file; null when it is one. */
function wrongPath(value: string): string | null {
  if (value.trim() === "") return "a block file needs a path";
  if (value.includes("\\")) return 'a path is written with "/", not with "\\"';
  if (/^[A-Za-z][A-Za-z0-9+.-]+:/.test(value))
    return `a block is loaded from a file of the project, not from \`${value}\``;
  if (value.startsWith("/") || value.startsWith("~") || /^[A-Za-z]:/.test(value))
    return `a path starts from this folder, and \`${value}\` does not`;
  if (/\p{Cc}/u.test(value)) return "a path holds no control characters";
  if (blockExtensions.includes(extname(value))) return null;
  return `a block file ends in ${blockExtensions.join(", ")}`;
}

/** Whether a path lies below a folder, both absolute. */
export const isBelow = (path: string, folder: string): boolean => {
  const way = relative(folder, path).replaceAll("\\", "/");
  return way !== "" && !way.startsWith("../") && way !== ".." && resolve(folder, way) === path;
};

const outside = (value: string, span: Span): Diagnostic =>
  configError("config/outside-root", span, `\`${value}\` lies outside the folder of this file`, {
    help: "move the block file below it, or put this file into a folder above both",
  });

function missing(value: string, span: Span, path: string, root: string, isFolder: boolean): Diagnostic {
  if (isFolder) {
    const help = "name the files in it, one by one";
    return configError("config/missing-file", span, `\`${value}\` is a folder`, { help });
  }
  const known = existsSync(dirname(path))
    ? readdirSync(dirname(path))
        .filter((name) => blockExtensions.includes(extname(name)))
        .map((name) => `./${relative(root, join(dirname(path), name)).replaceAll("\\", "/")}`)
    : [];
  return configError("config/missing-file", span, `there is no file \`${value}\``, {
    help: didYouMean(value, known) ?? "paths start from the folder of this file",
  });
}

/** A configuration that has nothing but a finding. */
export const unread = (path: string, finding: (span: Span) => Diagnostic): Config => {
  const source = { path: specPath(path), text: "" };
  return { source, root: dirname(path), entries: [], weights: new Map(), findings: [finding(topOf(source))] };
};

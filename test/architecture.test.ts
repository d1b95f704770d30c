/**
 * The shape of the house, read from the imports: who may import whom, through which door, no circles, heavy packages in
 * one folder each, no block's name written outside blocks/, files short enough to read.
 */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { registry } from "../blocks/index.js";

const root = join(import.meta.dirname, "..");

/** Folder -> folders of ours that it may import. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  graph: [],
  blocks: ["graph"],
  grammar: [],
  compiler: ["grammar", "blocks", "graph"],
  runtime: ["blocks", "graph"],
  editor: ["grammar", "compiler", "blocks"],
  cli: ["grammar", "compiler", "blocks", "graph", "runtime", "editor"],
  site: ["grammar", "compiler", "blocks", "graph", "runtime", "editor"],
};

/** Package -> the only folders that may import it. Node's own modules are not packages. */
const packages: Readonly<Record<string, readonly string[]>> = {
  chevrotain: ["grammar"],
  "ts-morph": ["cli"],
  prettier: ["compiler/emit", "site/playground"],
  "@tensorflow/tfjs-core": ["runtime/executors/tfjs"],
  "@tensorflow/tfjs-backend-cpu": ["runtime/executors/tfjs"],
  "@tensorflow/tfjs-backend-wasm": ["runtime/executors/tfjs"],
  "@tensorflow/tfjs-backend-webgl": ["runtime/executors/tfjs"],
  "@tensorflow/tfjs-backend-webgpu": ["runtime/executors/tfjs"],
  "@tensorflow/tfjs-node": ["runtime/executors/tfjs"],
  "@tensorflow/tfjs-node-gpu": ["runtime/executors/tfjs"],
  webgpu: ["runtime/executors/tfjs"],
  "onnxruntime-node": ["runtime/executors/onnx"],
  sharp: ["runtime/data"],
  "@wasm-audio-decoders/flac": ["runtime/data/sound"],
  "mpg123-decoder": ["runtime/data/sound"],
  "dicom-parser": ["runtime/data/volume"],
  "@napi-rs/webcodecs": ["runtime/data/video"],
  yauzl: ["runtime/foreign", "runtime/executors/xla", "runtime/data/points"],
  koffi: ["runtime/executors/xla"],
  "@huggingface/tokenizers": ["runtime/data"],
  hyparquet: ["runtime/data/table"],
  "hyparquet-compressors": ["runtime/data/table"],
  papaparse: ["runtime/data/table"],
  commander: ["cli"],
  picocolors: ["cli"],
  tinyglobby: ["cli"],
  vscode: ["editor/vscode"],
  "vscode-languageclient": ["editor/vscode"],
  esbuild: ["site"],
  marked: ["site"],
  "@codemirror/autocomplete": ["site/playground"],
  "@codemirror/commands": ["site/playground"],
  "@codemirror/lang-javascript": ["site/playground"],
  "@codemirror/language": ["site/playground"],
  "@codemirror/lint": ["site/playground"],
  "@codemirror/state": ["site/playground"],
  "@codemirror/view": ["site/playground"],
  "@lezer/highlight": ["site/playground"],
  "vscode-languageserver": ["editor"],
  "vscode-languageserver-textdocument": ["editor"],
};

/** Folders with a second door, and what stands behind it. */
const doors = /^(?:(?:\w+|compiler\/emit)\/index|(?:runtime|editor)\/browser)\.ts$/;

interface Import {
  readonly from: string;
  /** A path from the root, or a package. */
  readonly to: string;
  readonly ours: boolean;
}

const sources = Object.keys(arrows).flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(folder, path)),
);

const parse = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(join(root, path), "utf8"), ts.ScriptTarget.ES2023, true);

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** Imports, exports from elsewhere, and `import()` of a value or of a type. */
function importsOf(path: string): readonly Import[] {
  const found: Import[] = [];
  const keep = (specifier: string): void => {
    const ours = specifier.startsWith(".");
    const to = ours
      ? relative(root, resolve(root, dirname(path), specifier.replace(/\.js$/, ".ts")))
      : packageOf(specifier);
    if (!specifier.startsWith("node:")) found.push({ from: path, to, ours });
  };
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      keep((node.moduleSpecifier as ts.StringLiteral).text);
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) keep(argument.text);
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      keep((node.argument.literal as ts.StringLiteral).text);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(path));
  return found;
}

const imports = sources.flatMap(importsOf);
const top = (path: string): string => path.split("/")[0] as string;

test("folders import only what they may", () => {
  const wrong = imports.filter(
    ({ from, to, ours }) => ours && top(from) !== top(to) && !arrows[top(from)]?.includes(top(to)),
  );
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test("a folder is entered through its door", () => {
  const wrong = imports.filter(({ from, to, ours }) => ours && top(from) !== top(to) && !doors.test(to));
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test("a package is imported in its own folder only", () => {
  const wrong = imports.filter(
    ({ from, to, ours }) => !ours && !packages[to]?.some((folder) => from.startsWith(`${folder}/`)),
  );
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test("only the emitter's door reaches the emitter, and neither checking nor an editor does", () => {
  const wrong = imports.filter(
    ({ from, to, ours }) =>
      ours &&
      to.startsWith("compiler/emit/") &&
      ["compiler", "editor"].includes(top(from)) &&
      !from.startsWith("compiler/emit/"),
  );
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

/** A tensor is an output of a node, and a node has tensors as inputs: two halves of one definition. */
const isTensorAndNode = ({ from, to }: Import): boolean => from === "graph/shape.ts" && to === "graph/graph.ts";

test("no circles among the files, of types as little as of values", () => {
  const loads = imports.filter((one) => one.ours && !isTensorAndNode(one));
  const next = new Map(sources.map((path) => [path, loads.filter(({ from }) => from === path)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (trail.includes(path) || done.has(path)) return;
    for (const { to } of next.get(path) ?? []) walk(to, [...trail, path]);
    done.add(path);
  };
  for (const path of sources) walk(path, []);
  expect(circles).toEqual([]);
});

describe("names of blocks", () => {
  // Words that also mean something else: an operation of graphs or compilers, a measure, a function of a program, a setting, a kind of file, of token, of number or of node.
  const common = new Set([
    "image",
    "random",
    "block",
    "grid",
    "linear",
    "constant",
    "step",
    "resize",
    "normalize",
    "folder",
    "pixels",
    "adamw",
    "sgd",
    "features",
    "mix",
    "text",
    "ids",
    "corrupt",
    "embedding",
    "columns",
    "table",
    "neighbours",
    "points",
    "faces",
    "vertices",
    "cosine",
    "uniformity",
    "similarity",
    "frames",
    "codes",
  ]);
  const names = new Set(
    Object.values(registry)
      .flatMap((list) => list.map(({ name }) => name))
      .filter((name) => !common.has(name)),
  );

  test("are not written outside blocks/", () => {
    const found: string[] = [];
    for (const path of sources.filter((source) => top(source) !== "blocks")) {
      const visit = (node: ts.Node): void => {
        if (ts.isStringLiteralLike(node) && names.has(node.text)) found.push(`${path}: "${node.text}"`);
        ts.forEachChild(node, visit);
      };
      visit(parse(path));
    }
    expect(found).toEqual([]);
  });
});

test("files are short enough to read", () => {
  const long = sources
    .map((path) => ({ path, lines: readFileSync(join(root, path), "utf8").split("\n").length }))
    .filter(({ lines }) => lines > 400);
  expect(long).toEqual([]);
});

test("every file says what it is for in its first line", () => {
  const silent = sources.filter((path) => !/^(#!.*\n)?\/\*\*/.test(readFileSync(join(root, path), "utf8")));
  expect(silent).toEqual([]);
});

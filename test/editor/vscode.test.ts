/**
 * The extension for VS Code, as far as it can be tried without VS Code, which no registry of packages holds: its colours by the editor's
 * own engine, its snippets by the compiler, its choice of a server, and the packed server spoken to from a folder where nothing is installed.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { openPromise } from "yauzl";
import { registry } from "../../blocks/index.js";
import { analyze, units } from "../../compiler/index.js";
import { semanticTokens } from "../../editor/index.js";
import { serverFor } from "../../editor/vscode/server.js";
import { parse } from "../../grammar/index.js";
import { folder, misspelt } from "../cli/mae.js";
import { client } from "./client.js";
import { besideExamples, examples } from "./cursor.js";
import { colours } from "./text-mate.js";

const root = join(import.meta.dirname, "../..");
const home = join(root, "editor/vscode");
const json = (path: string) => JSON.parse(readFileSync(join(home, path), "utf8"));

describe("the grammar for colours", () => {
  const grammar = "syntaxes/mae.tmLanguage.json";

  /** What the compiler and the grammar both have a word for; "": anything else. */
  const kindOf = (scope: string): string => {
    if (scope.startsWith("comment")) return "comment";
    if (/^(?:string|constant\.character)/.test(scope)) return "text";
    if (scope.startsWith("constant.numeric")) return "number";
    if (scope.startsWith("keyword.other.unit")) return "unit";
    return scope.startsWith("keyword") && scope !== "keyword.operator.mae" ? "keyword" : "";
  };

  const unusual = `/* of several
   lines */ edition 2026
import {
  A, // one
  B as from,
} from "./a.mae"
recipe of extends A { set epochs: 1 }
model set extends B { remove loss  mse
  add target of: pixels(normalize: patch) { loss mse(on: hidden) }
  let from = 0.07 -> 0.04 over all epochs // set
  mask random(ratio: 75 %) /* model */
  encoder vit(depth: 12,
    width: 768)
}
variants family of set { let r = 50% | 75 %
  mask = random(ratio: r) | block(ratio: r)
  skip when mask is block and r > 60% or r == 50%
}
pipeline all { stage for = of of set from as.encoder, as.target.of fresh head
  evaluate for: knn(k: 5)
}
`;

  it("tells keywords, texts, comments, numbers and units as the compiler does, in all examples", async () => {
    const scopesOf = await colours(join(home, grammar));
    for (const source of [...examples, { path: "unusual.mae", text: unusual }]) {
      const { text, path } = source;
      const wanted: string[] = Array.from(text, () => "");
      for (const { kind, span } of semanticTokens(source, { ...besideExamples, file: parse(source).file })) {
        const known = ["comment", "text", "number", "unit", "keyword"].includes(kind);
        if (known) wanted.fill(kind, span.start, span.end);
      }
      const found = scopesOf(text).map(kindOf);
      const wrong = Array.from(text, (sign, i) => [sign, i] as const).filter(
        ([sign, i]) => /\S/.test(sign) && found[i] !== wanted[i],
      );
      const [first] = wrong;
      const at = first && `${text.slice(0, first[1]).split("\n").length}: ${text.slice(first[1], first[1] + 20)}`;
      expect(at && { at, found: found[first[1]], wanted: wanted[first[1]] }, path).toBeUndefined();
    }
  });

  it("knows the units that there are", () => {
    const named = /\(epochs\|[^)]*\)/
      .exec(JSON.stringify(json(grammar)))?.[0]
      .slice(1, -1)
      .split("|");
    expect(named?.sort()).toEqual([...units.keys()].filter((unit) => unit !== "%").sort());
  });
});

describe("the snippets", () => {
  const snippets: Record<string, { prefix: string; body: string[] }> = json("snippets/mae.json");
  /** What stands there when nothing is filled in. */
  const plain = ({ body }: { body: string[] }): string => {
    const text = body.join("\n");
    const values = new Map(Array.from(text.matchAll(/\$\{(\d+):([^}]*)\}/g), ([, i, value]) => [i, value]));
    return text.replace(/\$\{(\d+):[^}]*\}|\$(\d+)/g, (_, i, j) => values.get(i ?? j) ?? "");
  };

  it("are lines that can be read", () => {
    for (const [name, snippet] of Object.entries(snippets)) {
      expect(parse({ path: name, text: plain(snippet) }).diagnostics, name).toEqual([]);
    }
  });

  it("make a file and models that check without a finding", () => {
    const file = plain(Object.values(snippets).find(({ prefix }) => prefix === "mae") as { body: string[] });
    const others = Object.values(snippets).filter(({ prefix }) => ["model", "recipe", "variants"].includes(prefix));
    const text = `edition 2026\n${others.map(plain).join("").replace("model Name", "model Model").replace("variants Name", "variants Names")}`;
    const host = { readText: () => null };
    for (const one of [file, text]) {
      const { diagnostics, recipes } = analyze({ path: "a.mae", text: one }, host, registry);
      expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
      expect(recipes.size).toBe(1);
    }
  });
});

describe("the server that is started", () => {
  const bundled = join(root, "bundled");
  const own = folder({
    "node_modules/maelang/package.json": '{ "bin": { "mae": "dist/cli.js" } }',
    "node_modules/maelang/dist/cli.js": "",
    "deep/er/a.mae": "",
    "bare/a.mae": "",
  });

  it("is the project's own where it is installed and trusted, else the one that comes along, which runs no block file", () => {
    const choice = { folder: join(own, "deep/er"), trusted: true, blocks: true, bundled };
    const mine = join(own, "node_modules/maelang/dist/cli.js");
    const other = { module: join(bundled, "dist/cli.js"), args: ["lsp", "--no-config"] };
    expect(serverFor(choice)).toEqual({ module: mine, args: ["lsp"] });
    expect(serverFor({ ...choice, blocks: false })).toEqual({ module: mine, args: ["lsp", "--no-config"] });
    expect(serverFor({ ...choice, trusted: false })).toEqual(other);
    expect(serverFor({ ...choice, folder: null })).toEqual(other);
    expect(serverFor({ ...choice, folder: dirname(own) })).toEqual(other);
  });
});

describe("the packed extension", () => {
  const unpacked = folder({});
  const names = new Set<string>();

  beforeAll(async () => {
    const path = join(unpacked, "mae.vsix");
    execFileSync(process.execPath, ["tools/vsix.mjs", path], { cwd: root });
    const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
    for await (const entry of zip.eachEntry()) {
      names.add(entry.fileName);
      const to = join(unpacked, entry.fileName);
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, await buffer(await zip.openReadStreamPromise(entry)));
    }
    zip.close();
  });

  const packed = (path: string): string => readFileSync(join(unpacked, path), "utf8");

  it("holds what its manifests name, and is as the compiler of TypeScript wants it", () => {
    const manifest = JSON.parse(packed("extension/package.json"));
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(manifest.version).toBe(version);
    const { languages, grammars, snippets } = manifest.contributes;
    const named = [manifest.main, languages[0].configuration, grammars[0].path, snippets[0].path] as string[];
    for (const path of named) expect(names).toContain(`extension/${path.replace("./", "")}`);
    const xml = packed("extension.vsixmanifest");
    for (const [, path] of xml.matchAll(/Path="([^"]+)"/g)) expect(names).toContain(path);
    expect(xml).toContain(`Id="maelang" Version="${version}" Publisher="maelang"`);
    const suffixes = [...packed("[Content_Types].xml").matchAll(/Extension="([^"]+)"/g)].map(([, suffix]) => suffix);
    const others = [...names].filter((name) => !suffixes.some((suffix) => name.endsWith(suffix ?? "?")));
    expect(others).toEqual(["[Content_Types].xml"]);
    // Nothing but the editor's own module is looked for at run time.
    const modules = [...packed("extension/extension.cjs").matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name);
    expect([...new Set(modules)].filter((name) => !isBuiltin(name ?? ""))).toEqual(["vscode"]);
    const tsc = ["node_modules/typescript-native/bin/tsc", "--noEmit", "-p", "editor/vscode/tsconfig.json"];
    execFileSync(process.execPath, tsc, { cwd: root });
  });

  it("serves a folder where nothing is installed", async () => {
    const { module, args } = serverFor({
      folder: unpacked,
      trusted: true,
      blocks: true,
      bundled: join(unpacked, "extension/server"),
    });
    // What the client of VS Code adds of its own accord.
    const added = ["--stdio", `--clientProcessId=${process.pid}`];
    const server = await client(folder({ "a.mae": misspelt }), [...args.slice(1), ...added], module);
    server.open("a.mae", misspelt);
    const { diagnostics } = await server.published("a.mae", (found) => found.diagnostics.length > 0);
    expect(diagnostics.map(({ code }) => code)).toEqual(["check/unknown-block"]);
    expect(await server.end()).toBe(0);
  });
});

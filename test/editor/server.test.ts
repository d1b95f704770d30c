/** The built language server as an editor meets it: started, asked over its pipes, ended. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, mae, maeAlone, misspelt, sound } from "../cli/mae.js";
import { type Client, client, type Published } from "./client.js";
import { cursorIn, examples } from "./cursor.js";

interface Item {
  readonly label: string;
  readonly textEdit: { readonly newText: string };
}

interface Edit {
  readonly range: { readonly start: Place; readonly end: Place };
  readonly newText: string;
}

interface Place {
  readonly line: number;
  readonly character: number;
}

const offsetIn = (text: string, { line, character }: Place): number =>
  text
    .split("\n")
    .slice(0, line)
    .reduce((sum, one) => sum + one.length + 1, character);

/** A text after edits, as an editor makes them. */
const edited = (text: string, edits: readonly Edit[]): string =>
  [...edits]
    .sort((a, b) => offsetIn(text, b.range.start) - offsetIn(text, a.range.start))
    .reduce(
      (now, { range, newText }) =>
        now.slice(0, offsetIn(text, range.start)) + newText + now.slice(offsetIn(text, range.end)),
      text,
    );

/** Where the mark of a text stands, for a question about a file. */
function at(marked: string, server: Client, path: string) {
  const { source, offset } = cursorIn(marked);
  const before = source.text.slice(0, offset).split("\n");
  const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
  return { text: source.text, question: { textDocument: { uri: server.uri(path) }, position } };
}

const codesOf = ({ diagnostics }: Published): readonly string[] => diagnostics.map(({ code }) => code);

describe("mae lsp", () => {
  it("says what it can do, answers, and ends as it is told", async () => {
    const server = await client(folder({ "a.mae": misspelt }));
    server.open("a.mae", misspelt);
    const found = await server.published("a.mae", ({ diagnostics }) => diagnostics.length > 0);
    expect(codesOf(found)).toEqual(["check/unknown-block"]);
    expect(found.diagnostics[0]?.message).toMatch(
      /^there is no block `vitt` for `encoder`\nwhy: .+\nhelp: did you mean `vit`\?/,
    );
    const range = found.diagnostics[0]?.range;

    const [fix] = await server.ask<{ title: string; edit: { changes: Record<string, Edit[]> } }[]>(
      "textDocument/codeAction",
      { textDocument: { uri: server.uri("a.mae") }, range, context: { diagnostics: [] } },
    );
    expect(edited(misspelt, fix?.edit.changes[server.uri("a.mae")] ?? [])).toBe(sound);
    server.change("a.mae", sound);
    expect(codesOf(await server.published("a.mae", ({ version }) => version === 2))).toEqual([]);
    expect(await server.end()).toBe(0);
  });

  it("completes, explains, leads to declarations and outlines", async () => {
    const server = await client(folder());
    const { text, question } = at(`${sound}\nmodel B extends Ti<|> {\n  replace mask spiral\n}\n`, server, "a.mae");
    server.open("a.mae", text);
    const names = await server.ask<Item[]>("textDocument/completion", question);
    expect(names.map(({ label }) => label)).toEqual(["Tiny"]);

    const mask = at(text.replace("spiral", "spi<|>ral"), server, "a.mae").question;
    const blocks = await server.ask<Item[]>("textDocument/completion", mask);
    expect(blocks.map(({ label }) => label)).toContain("hilbert");
    const { contents } = await server.ask<{ contents: { value: string } }>("textDocument/hover", mask);
    expect(contents.value).toMatch(/^### mask\/spiral\n/);
    expect(contents.value).toContain("| `ratio` |");

    server.change("a.mae", text.replace("extends Ti ", "extends Tiny "));
    const base = at(text.replace("extends Ti ", "extends Ti<|>ny "), server, "a.mae").question;
    const model = await server.ask<{ contents: { value: string } }>("textDocument/hover", base);
    expect(model.contents.value).toMatch(/A small model\.\n\n[\d,]+ parameters; 16 tokens, 4 of them visible; /);
    const place = await server.ask<{ uri: string; range: Edit["range"] }>("textDocument/definition", base);
    expect(place).toMatchObject({ uri: server.uri("a.mae"), range: { start: { line: 3, character: 6 } } });
    const outline = await server.ask<{ name: string; children: { name: string; detail: string }[] }[]>(
      "textDocument/documentSymbol",
      { textDocument: question.textDocument },
    );
    expect(outline.map(({ name }) => name)).toEqual(["Tiny", "B"]);
    expect(outline[0]?.children[3]).toMatchObject({ name: "encoder", detail: "vit" });
    expect(await server.end()).toBe(0);
  });

  it("formats as `mae fmt` does, and changes nothing where there is nothing to do", async () => {
    const server = await client(folder());
    const untidy = sound.replace("  input   image", "  input image").replace("depth: 2", "depth:2");
    server.open("a.mae", untidy);
    const request = { textDocument: { uri: server.uri("a.mae") }, options: { tabSize: 8, insertSpaces: false } };
    const edits = await server.ask<Edit[]>("textDocument/formatting", request);
    expect(edits).toHaveLength(1);
    expect(edited(untidy, edits)).toBe(sound);
    server.change("a.mae", sound);
    expect(await server.ask("textDocument/formatting", request)).toEqual([]);
    expect(await server.end()).toBe(0);
  });

  it("renames in files that are open and in those that are not, or says why not", async () => {
    const child =
      'edition 2026\n\nimport { Tiny } from "./base.mae"\n\nmodel B extends Tiny {\n  replace mask spiral\n}\n';
    const server = await client(folder({ "base.mae": sound, "child.mae": child }));
    server.open("child.mae", child);
    const { question } = at(child.replace("extends Tiny", "extends Ti<|>ny"), server, "child.mae");
    expect(await server.ask("textDocument/prepareRename", question)).toMatchObject({ placeholder: "Tiny" });
    const { changes } = await server.ask<{ changes: Record<string, Edit[]> }>("textDocument/rename", {
      ...question,
      newName: "Small",
    });
    expect(edited(child, changes[server.uri("child.mae")] ?? [])).toBe(child.replaceAll("Tiny", "Small"));
    expect(edited(sound, changes[server.uri("base.mae")] ?? [])).toBe(sound.replaceAll("Tiny", "Small"));

    const refused = (newName: string, more = {}) =>
      server.ask("textDocument/rename", { ...question, newName, ...more });
    await expect(refused("1x")).rejects.toThrow("`1x` is no name");
    await expect(refused("B")).rejects.toThrow("`child.mae` knows something named `B` already");
    await expect(refused("X", { textDocument: { uri: server.uri("none.mae") } })).rejects.toThrow("no such text open");
    await expect(refused("X", { position: { line: 99, character: 99 } })).rejects.toThrow("there is no name here");
    // What only the compiler knows: the variable would be an option too.
    const named = sound.replace("mse(on: hidden)", "mse(on: what)\n  let what = hidden");
    server.open("c.mae", named);
    const variable = at(named.replace("let what", "let wh<|>at"), server, "c.mae").question;
    await expect(server.ask("textDocument/rename", { ...variable, newName: "visible" })).rejects.toThrow(
      "`visible` does not fit: `visible` is an option of `on` of `mse` and a variable (c.mae:11)",
    );
    expect(await server.end()).toBe(0);
  });

  it("draws folds, colours, hints and signatures, and completes paths of imports", async () => {
    const server = await client(folder({ "base.mae": sound }));
    const { text, question } = at(`${sound}\nimport { Tiny as T } from "<|>"\n`, server, "a.mae");
    server.open("a.mae", text);
    const paths = await server.ask<Item[]>("textDocument/completion", question);
    expect(paths.map(({ textEdit }) => textEdit.newText)).toEqual(["./base.mae"]);
    server.change("a.mae", sound);
    const { textDocument } = question;
    const all = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
    expect(await server.ask("textDocument/foldingRange", { textDocument })).toContainEqual({
      startLine: 3,
      endLine: 10,
    });
    const hints = await server.ask<{ label: string }[]>("textDocument/inlayHint", { textDocument, range: all });
    expect(hints.map(({ label }) => label).slice(0, 3)).toEqual(["4x4 = 16 tokens", "4 of 16 visible", "5 x 32"]);
    const { data } = await server.ask<{ data: number[] }>("textDocument/semanticTokens/full", { textDocument });
    // `edition 2026`: a keyword, and a number behind it on the same line.
    expect(data.slice(0, 10)).toEqual([0, 0, 7, expect.any(Number), 0, 0, 8, 4, expect.any(Number), 0]);
    const depth = at(sound.replace("depth: 2", "depth: <|>2"), server, "a.mae").question;
    const help = await server.ask<{ signatures: { label: string }[]; activeParameter: number }>(
      "textDocument/signatureHelp",
      depth,
    );
    expect(help.signatures[0]?.label).toMatch(/^vit\(depth, /);
    expect(help.activeParameter).toBe(0);
    expect(await server.end()).toBe(0);
  });

  it("reads open texts instead of the disk, also through imports", async () => {
    const server = await client(folder({ "base.mae": sound }));
    const child =
      'edition 2026\n\nimport { Tiny } from "./base.mae"\n\nmodel B extends Tiny {\n  replace mask spiral\n}\n';
    server.open("child.mae", child);
    expect(codesOf(await server.published("child.mae", () => true))).toEqual([]);
    server.open("base.mae", sound.replace("model Tiny", "model Small"));
    const broken = await server.published("child.mae", ({ diagnostics }) => diagnostics.length > 0);
    expect(codesOf(broken)).toEqual(["check/unknown-import-name"]);
    const { question } = at(child.replace("{ Tiny", "{ <|>Tiny"), server, "child.mae");
    const names = await server.ask<Item[]>("textDocument/completion", question);
    expect(names.map(({ label }) => label)).toEqual(["Small"]);
    expect(await server.end()).toBe(0);
  });

  it("answers a change at once, and then what stands on it, however much that is", async () => {
    const server = await client(folder());
    const children = Array.from({ length: 20 }, (_, i) => `\nmodel M${i} extends Tiny {\n  set encoder.depth: 3\n}\n`);
    const text = sound + children.join("");
    server.open("a.mae", text);
    expect(codesOf(await server.published("a.mae", ({ version }) => version === 1))).toEqual([]);
    server.change("a.mae", text.replace("depth: 2", "depth: 3"));
    expect(codesOf(await server.published("a.mae", ({ version }) => version === 2))).toEqual([]);
    const all = await server.published("a.mae", ({ diagnostics }) => diagnostics.length > 0);
    expect(codesOf(all)).toEqual(children.map(() => "check/change-without-effect"));
    expect(await server.end()).toBe(0);
  });

  it("finds what `mae check` finds", async () => {
    const spoilt = examples.map(({ path, text }) => ({ path, text: text.replace(/depth: (\d+)/, "dept: $1%") }));
    const root = folder(Object.fromEntries(spoilt.map(({ path, text }) => [path, text])));
    const { stdout } = await mae(["check", "--reporter", "json"], { cwd: root });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { path: string; code: string }[] };
    expect(diagnostics.length).toBeGreaterThan(10);
    const server = await client(root);
    for (const { path, text } of spoilt) server.open(path, text);
    const last = spoilt.at(-1)?.path ?? "";
    // Findings of all open texts are published together, in the order in which they were opened.
    await server.published(last, () => true);
    for (const { path } of spoilt) {
      const wanted = diagnostics.filter((one) => one.path === path).map(({ code }) => code);
      expect(codesOf(server.latest(path)), path).toEqual(wanted);
    }
    expect(await server.end()).toBe(0);
  });
});

describe("mae lsp in a project with blocks of its own", () => {
  const block = (name: string) => `import { defineMask, int } from "maelang/blocks";

console.log("a block file may print");

export const rows = defineMask({
  name: "${name}",
  summary: "Hides whole rows.",
  source: "own definition",
  since: "1.0",
  params: { every: int({ min: 2, default: 2, doc: "One row in this many stays visible." }) },
  visible: (p, [rows, columns]) => (rows.count * columns.count) / p.every,
  sample: (_, [rows, columns]) => Int32Array.from({ length: rows.count * columns.count }, (_, i) => i),
});
`;
  const spec = sound.replace("random(ratio: 75%)", "rows(every: 4)");
  const project = () =>
    folder({ "mae.config.json": '{ "blocks": ["./rows.ts"] }\n', "rows.ts": block("rows"), "a.mae": spec });

  it("knows them as `mae check` does, says that it runs them, and runs them again when they have changed", async () => {
    const root = project();
    const server = await client(root);
    server.open("a.mae", spec);
    expect(codesOf(await server.published("a.mae", () => true))).toEqual([]);
    expect(server.stderr()).toContain("using 1 block file of mae.config.json\n");
    expect(server.stderr()).toContain("a block file may print\n");
    const { question } = at(spec.replace("rows(", "ro<|>ws("), server, "a.mae");
    const items = await server.ask<Item[]>("textDocument/completion", question);
    expect(items.map(({ label }) => label)).toEqual(expect.arrayContaining(["random", "rows"]));
    const { contents } = await server.ask<{ contents: { value: string } }>("textDocument/hover", question);
    expect(contents.value).toContain("Defined in `rows.ts`.");
    const home = await server.ask<{ uri: string }>("textDocument/definition", question);
    expect(home.uri).toBe(server.uri("rows.ts"));

    writeFileSync(join(root, "rows.ts"), block("lines"));
    server.tell("textDocument/didSave", { textDocument: question.textDocument });
    const found = await server.published("a.mae", ({ diagnostics }) => diagnostics.length > 0);
    expect(codesOf(found)).toEqual(["check/unknown-block"]);
    expect(await server.end()).toBe(0);
  });

  it("lays what is wrong with them at their files", async () => {
    const root = project();
    writeFileSync(join(root, "rows.ts"), block("rows").replace("summary", "sumary"));
    const server = await client(root);
    server.open("a.mae", spec);
    const found = await server.published("rows.ts", () => true);
    expect(codesOf(found)[0]).toBe("block/malformed");
    writeFileSync(join(root, "rows.ts"), block("rows"));
    server.tell("textDocument/didSave", { textDocument: { uri: server.uri("a.mae") } });
    expect(codesOf(await server.published("rows.ts", ({ diagnostics }) => diagnostics.length === 0))).toEqual([]);
    expect(await server.end()).toBe(0);
  });

  it("runs none of them with --no-config", async () => {
    const server = await client(project(), ["--no-config"]);
    server.open("a.mae", spec);
    const found = await server.published("a.mae", ({ diagnostics }) => diagnostics.length > 0);
    expect(codesOf(found)).toEqual(["check/unknown-block"]);
    expect(server.stderr()).toBe("");
    expect(await server.end()).toBe(0);
  });

  it("runs those that --config names", async () => {
    const root = project();
    const other = folder({
      "mae.config.json": readFileSync(join(root, "mae.config.json"), "utf8"),
      "rows.ts": block("rows"),
    });
    writeFileSync(join(root, "mae.config.json"), "{}\n");
    const server = await client(root, ["--config", join(other, "mae.config.json"), "--stdio", "--clientProcessId=1"]);
    server.open("a.mae", spec);
    expect(codesOf(await server.published("a.mae", () => true))).toEqual([]);
    expect(await server.end()).toBe(0);
  });
});

it("ends when its editor is gone", async () => {
  const { code } = await maeAlone(["lsp"], { cwd: folder() });
  expect(code).toBe(1);
});

/** The built plugin in the real Prettier, called from code and as a command: the same bytes as `mae fmt`, every comment, a second time too. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { format as prettier } from "prettier";
import { describe, expect, it } from "vitest";
import { format, parse } from "../../grammar/index.js";
import { folder } from "../cli/mae.js";
import { examples } from "../editor/cursor.js";

const root = join(import.meta.dirname, "../..");
const plugins = [join(root, "dist/prettier.js")];
const asMae = { plugins, parser: "mae" };

/** As it comes from a hand that does not care. */
const untidy = (text: string): string =>
  text
    .replace(/^( +)(\w+) +/gm, "$1$2 ")
    .replaceAll(", ", " ,")
    .replaceAll(": ", ":   ")
    .replace(/\n\n/g, "\n\n\n\n");

describe("maelang/prettier", () => {
  it("writes what mae fmt writes, of tidy and untidy text, once and again, with every comment", async () => {
    for (const { path, text } of examples) {
      expect(await prettier(text, { plugins, filepath: path }), path).toBe(format({ path, text }).text);
      const given = untidy(text);
      const written = await prettier(given, asMae);
      expect(written, path).toBe(format({ path, text: given }).text);
      expect(await prettier(written, asMae), path).toBe(written);
      const comments = (source: string) => parse({ path, text: source }).comments.map((comment) => comment.text);
      expect(comments(written), path).toEqual(comments(given));
    }
  });

  it("obeys the ends of lines, and no width", async () => {
    const text = "edition 2026\r\n\r\n/* a  \r\n  b */\r\nmodel  A {}\r\n";
    expect(await prettier(text, asMae)).toBe("edition 2026\n\n/* a  \n  b */\nmodel A {}\n");
    const crlf = await prettier(text, { ...asMae, endOfLine: "crlf", printWidth: 20, tabWidth: 8, useTabs: true });
    expect(crlf).toBe("edition 2026\r\n\r\n/* a  \r\n  b */\r\nmodel A {}\r\n");
    expect(await prettier("", asMae)).toBe("");
  });

  it("formats blocks in Markdown, and refuses what cannot be read at its place", async () => {
    const page = "```mae\nmodel A  {}\n```\n";
    expect(await prettier(page, { plugins, parser: "markdown" })).toBe("```mae\nmodel A {}\n```\n");
    await expect(prettier("model A {\n  mask random(\n}\n", asMae)).rejects.toMatchObject({
      name: "SyntaxError",
      loc: { start: { line: 2 } },
    });
  });

  it("works as a command, by the package's name", () => {
    const { text } = examples[0] as { text: string };
    const at = folder({
      "a.mae": untidy(text),
      "node_modules/maelang/package.json": readFileSync(join(root, "package.json"), "utf8"),
      "node_modules/maelang/dist/prettier.js": `export * from ${JSON.stringify(plugins[0])};\n`,
      ".prettierrc": '{ "plugins": ["maelang/prettier"] }',
    });
    const command = [join(root, "node_modules/prettier/bin/prettier.cjs"), "--write", "."];
    execFileSync(process.execPath, command, { cwd: at, stdio: "ignore" });
    expect(readFileSync(join(at, "a.mae"), "utf8")).toBe(format({ path: "a.mae", text: untidy(text) }).text);
  });
});

/** `mae check` as a user and a CI job run it: files, findings, exit codes, reports, fixes. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, mae, misspelt, sound } from "./mae.js";
import { sarifValidator } from "./sarif-schema.js";

const json = async (args: readonly string[], cwd: string, input?: string | Uint8Array) => {
  const result = await mae(["check", "--json", ...args], {
    cwd,
    ...(input === undefined ? {} : { input }),
  });
  return { ...result, document: JSON.parse(result.stdout) };
};

const codesOf = (document: { diagnostics: { code: string }[] }): string[] => document.diagnostics.map((d) => d.code);

describe("which files", () => {
  it("takes every spec below the folder, except in node_modules and dist, in a fixed order", async () => {
    const cwd = folder({
      "b.mae": sound,
      "a/z.mae": sound,
      "a/y.txt": "no spec",
      "node_modules/x/m.mae": misspelt,
      "dist/d.mae": misspelt,
    });
    const { code, document } = await json([], cwd);
    expect(document.files).toEqual(["a/z.mae", "b.mae"]);
    expect(code).toBe(0);
  });

  it("takes folders, globs and files of any name, each once", async () => {
    const cwd = folder({ "models/a.mae": sound, "models/deep/b.mae": sound, "c.txt": sound, "we[ir]d.mae": sound });
    const { document } = await json(["models", "models/*.mae", "c.txt", "we[ir]d.mae"], cwd);
    expect(document.files).toEqual(["c.txt", "models/a.mae", "models/deep/b.mae", "we[ir]d.mae"]);
  });

  it("prints paths relative to where it runs, also outside of it", async () => {
    const cwd = folder({ "here/x.txt": "", "there/a.mae": misspelt });
    const { document } = await json(["../there/a.mae"], join(cwd, "here"));
    expect(document.files).toEqual(["../there/a.mae"]);
    expect(document.diagnostics[0].path).toBe("../there/a.mae");
  });

  it("follows imports and reports a shared mistake once", async () => {
    const cwd = folder({
      "base.mae": misspelt,
      "one.mae":
        'edition 2026\n\nimport { Tiny } from "./base.mae"\n\nmodel One extends Tiny {\n  set mask.ratio: 50%\n}\n',
      "two.mae":
        'edition 2026\n\nimport { Tiny } from "./base.mae"\n\nmodel Two extends Tiny {\n  set mask.ratio: 60%\n}\n',
    });
    const { document } = await json([], cwd);
    expect(document.diagnostics.filter((d: { code: string }) => d.code === "check/unknown-block")).toHaveLength(1);
  });

  it("reads stdin under the name it is given", async () => {
    const cwd = folder({ "models/base.mae": sound });
    const text =
      'edition 2026\n\nimport { Tiny } from "./base.mae"\n\nmodel B extends Tiny {\n  set mask.ratio: 50%\n}\n';
    const named = await json(["-", "--stdin-path", "models/new.mae"], cwd, text);
    expect(named.document).toMatchObject({ valid: true, files: ["models/new.mae"] });
    const nameless = await json(["-"], cwd, misspelt);
    expect(nameless.document.diagnostics[0].path).toBe("<stdin>");
    expect(nameless.code).toBe(1);
  });
});

describe("files that cannot be read", () => {
  const utf16 = Buffer.from(`\ufeff${sound}`, "utf16le");

  it("are findings of their own and do not hide the others'", async () => {
    const cwd = folder({ "a.mae": misspelt, "latin.mae": Buffer.from([0x2f, 0x2f, 0xe9, 0x0a]), "utf16.mae": utf16 });
    const { code, document } = await json([], cwd);
    expect(code).toBe(1);
    expect(codesOf(document)).toEqual(["check/unknown-block", "file/not-utf8", "file/not-utf8"]);
    expect(document.diagnostics[2].message).toContain("UTF-16");
  });

  it("a byte order mark is no mistake, a file of five megabytes is refused at once, a link may lead back to itself", async () => {
    const cwd = folder({ "a.mae": `\ufeff${sound}`, "big.mae": "x".repeat(5 * 2 ** 20), "folder.mae/b.mae": sound });
    symlinkSync("loop.mae", join(cwd, "loop.mae"));
    // A folder that is called like a spec is looked into.
    const { document } = await json(["a.mae", "big.mae", "folder.mae", "loop.mae"], cwd);
    expect(document.files).toEqual(["a.mae", "big.mae", "folder.mae/b.mae", "loop.mae"]);
    expect(document.diagnostics.map((one: { code: string; path: string }) => [one.path, one.code])).toEqual([
      ["big.mae", "file/too-large"],
      ["loop.mae", "file/unreadable"],
    ]);
  });

  // Root may read everything.
  it.skipIf(process.getuid?.() === 0)("a file without permission to read", async () => {
    const cwd = folder({ "a.mae": sound });
    chmodSync(join(cwd, "a.mae"), 0);
    expect(codesOf((await json(["a.mae"], cwd)).document)).toEqual(["file/unreadable"]);
  });

  it("text that is no spec is a finding, or nothing, in each file", async () => {
    const texts = {
      "binary.mae": "\u0001\u0002 model \u0003 {",
      "brace.mae": "{",
      "braces.mae": "{".repeat(100_000),
      "empty.mae": "",
      "long.mae": `model A { ${"encoder vit(depth: 12) ".repeat(4_000)} }`,
      "zeros.mae": "\0\0\0\0",
    };
    const { code, stderr, document } = await json(["--max-diagnostics", "100000"], folder(texts));
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(document.files).toEqual(Object.keys(texts));
    const found = new Set(document.diagnostics.map(({ path }: { path: string }) => path));
    for (const name of ["binary.mae", "brace.mae", "braces.mae", "long.mae", "zeros.mae"])
      expect(found).toContain(name);
  });
});

describe("exit codes and reports", () => {
  const cwd = folder({
    "ok/a.mae": sound,
    "bad/a.mae": misspelt,
    "warn/a.mae": sound.replace("edition 2026\n\n", ""),
  });

  it("0 with nothing to say", async () => {
    expect((await mae(["check", "ok"], { cwd })).code).toBe(0);
  });

  it("warnings pass, unless they count as errors", async () => {
    const lenient = await json(["warn"], cwd);
    expect(lenient.document).toMatchObject({ valid: true, error_count: 0, warning_count: 1 });
    expect(lenient.code).toBe(0);
    const strict = await json(["warn", "--error-on-warnings"], cwd);
    expect(strict.document).toMatchObject({ valid: false, warning_count: 1 });
    expect(strict.code).toBe(1);
  });

  it("pretty is what a person gets", async () => {
    const { code, stdout, stderr } = await mae(["check", "bad"], { cwd });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain("error[check/unknown-block]");
    expect(stdout).toContain("--> bad/a.mae:8:11");
    expect(stdout).toMatch(/\^\^\^\^/);
    expect(stdout).toContain("mae explain check/unknown-block");
    expect(stdout).toMatch(/✗ 1 file checked in \d+ ms: 1 error\n$/);
  });

  it("writes several reports at once, those with files to their files", async () => {
    const there = folder({ "a.mae": misspelt });
    const args = ["check", "--reporter", "github", "--reporter", "sarif", "--reporter-file", "out.sarif"];
    const { code, stdout, stderr } = await mae([...args, "--reporter", "json", "--reporter-file", "out.json"], {
      cwd: there,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::error file=a\.mae,line=8,endLine=8,col=11,endColumn=15,title=check\/unknown-block::/);
    expect(stderr).toContain("1 finding written to out.sarif");
    const log = JSON.parse(readFileSync(join(there, "out.sarif"), "utf8"));
    expect(sarifValidator()(log)).toBe(true);
    expect(log.runs[0].results[0].fixes[0].artifactChanges[0].artifactLocation.uri).toBe("a.mae");
    expect(JSON.parse(readFileSync(join(there, "out.json"), "utf8")).error_count).toBe(1);
  });

  it("limits what is written, not what is counted", async () => {
    const there = folder(Object.fromEntries(["a", "b", "c"].map((name) => [`${name}.mae`, misspelt])));
    const { document } = await json(["--max-diagnostics", "2"], there);
    expect(document.diagnostics).toHaveLength(2);
    expect(document).toMatchObject({ error_count: 3, omitted_count: 1 });
  });
});

describe("--fix", () => {
  it("mends what is safe, keeps the rest and the file's mode, and leaves nothing behind", async () => {
    const cwd = folder({
      "a.mae": misspelt
        .replace("normalize: patch", "normalize: pach")
        .replace("heads: 4)\n  decoder", "heads: 5)\n  decoder"),
    });
    chmodSync(join(cwd, "a.mae"), 0o640);
    const { code, stdout } = await mae(["check", "--fix"], { cwd });
    const after = readFileSync(join(cwd, "a.mae"), "utf8");
    expect(after).toContain("encoder vit(depth: 2");
    expect(after).toContain("normalize: patch");
    expect(after).toContain("heads: 5");
    expect(stdout).toContain("2 fixed");
    expect(stdout).toContain("heads-divide-width");
    expect(code).toBe(1);
    expect(statSync(join(cwd, "a.mae")).mode & 0o777).toBe(0o640);
    expect(readdirSync(cwd)).toEqual(["a.mae"]);
  });

  it("touches no file that has nothing to fix", async () => {
    const cwd = folder({ "a.mae": sound });
    const before = statSync(join(cwd, "a.mae")).mtimeMs;
    expect((await mae(["check", "--fix"], { cwd })).code).toBe(0);
    expect(statSync(join(cwd, "a.mae")).mtimeMs).toBe(before);
  });

  it("writes through a link to the file it stands for", async () => {
    const cwd = folder({ "real/a.mae": misspelt });
    mkdirSync(join(cwd, "links"));
    symlinkSync("../real/a.mae", join(cwd, "links/b.mae"));
    await mae(["check", "--fix", "links/b.mae"], { cwd });
    expect(readFileSync(join(cwd, "real/a.mae"), "utf8")).toBe(sound);
    expect(readdirSync(join(cwd, "links"))).toEqual(["b.mae"]);
  });

  // Root may write everything.
  it.skipIf(process.getuid?.() === 0)("says so when the file may not be written", async () => {
    const cwd = folder();
    mkdirSync(join(cwd, "locked"));
    writeFileSync(join(cwd, "locked/a.mae"), misspelt);
    chmodSync(join(cwd, "locked"), 0o555);
    const { code, stderr } = await mae(["check", "--fix", "locked"], { cwd });
    chmodSync(join(cwd, "locked"), 0o755);
    expect(stderr).toMatch(/cannot be written/);
    expect(code).toBe(1);
  });
});

describe("--data", () => {
  const idx = (count: number): Uint8Array => {
    const bytes = new Uint8Array(16 + count * 28 * 28);
    new DataView(bytes.buffer).setUint32(0, 0x803);
    for (const [i, side] of [count, 28, 28].entries()) new DataView(bytes.buffer).setUint32(4 + 4 * i, side);
    return bytes;
  };
  const recipe = (batch: string): string => `
recipe Train for Tiny {
  data      idx(images: "images.idx")
  augment   normalize(mnist)
${batch}
  epochs    10
  optimizer adamw(lr: 1e-3 per 256)
  schedule  cosine(warmup: 1 epochs)
}
`;

  it("looks at the data when it is asked to, judges ignores then, and tells of data that is not there", async () => {
    const cwd = folder({ "a.mae": sound + recipe("  batch 64"), "images.idx": "" });
    writeFileSync(join(cwd, "images.idx"), idx(100));
    const without = await json(["a.mae"], cwd);
    expect(codesOf(without.document)).not.toContain("lint/batch-above-data");
    const looked = await json(["--data", "a.mae"], cwd);
    expect(codesOf(looked.document)).toContain("lint/batch-above-data");
    writeFileSync(join(cwd, "a.mae"), sound + recipe("  batch 64 // mae-ignore lint/batch-above-data: a toy"));
    expect(codesOf((await json(["--data", "a.mae"], cwd)).document)).not.toContain("lint/batch-above-data");
    writeFileSync(join(cwd, "images.idx"), idx(1000));
    expect(codesOf((await json(["--data", "a.mae"], cwd)).document)).toContain("lint/unused-ignore");
    rmSync(join(cwd, "images.idx"));
    expect((await json(["--data", "a.mae"], cwd)).stderr).toContain("Train: the data was not looked at: ");
  });
});

/** A folder of a stranger: links that lead elsewhere, characters that a terminal obeys, outputs of runs, a broken recipe. */

import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, mae, misspelt, sound } from "./mae.js";

const secret = "root:x:0:0:a secret";
const child = `edition 2026\n\nimport { A } from "./link.mae"\n\nmodel B extends A {\n  set encoder.depth: 3\n}\n`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const obeyed = /[\u001b\u0007\u009b\u2028\u202e]/;

describe("links", () => {
  it("are not followed out of the project: nothing of the other file is printed", async () => {
    const outside = folder({ secret });
    const cwd = folder({ "main.mae": child, "own.mae": sound });
    symlinkSync(join(outside, "secret"), join(cwd, "link.mae"));
    const { code, stdout } = await mae(["check", "--json", "main.mae"], { cwd });
    expect(code).toBe(1);
    expect(JSON.parse(stdout).diagnostics).toMatchObject([
      { code: "check/import-outside-root", message: "`./link.mae` is a link that leads out of the project" },
    ]);
    const all = await mae(["check"], { cwd });
    expect(`${all.stdout}${all.stderr}${stdout}`).not.toContain("root:");
  });

  it("within the project are files like others", async () => {
    const cwd = folder({ "main.mae": child, "a/own.mae": sound.replace(/model \w+/, "model A") });
    symlinkSync(join(cwd, "a/own.mae"), join(cwd, "link.mae"));
    expect((await mae(["check", "main.mae"], { cwd })).code).toBe(0);
  });

  it("in the place of what is built are replaced, and folders that are links are refused", async () => {
    const family = "variants F of A {\n  decoder.depth = 1 | 2\n}\n";
    const outside = folder({ precious: "precious" });
    const cwd = folder({ "m.mae": sound.replace(/model \w+/, "model A"), "f.mae": "" });
    writeFileSync(join(cwd, "f.mae"), `${readFileSync(join(cwd, "m.mae"), "utf8")}\n${family}`);
    mkdirSync(join(cwd, "build"));
    symlinkSync(join(outside, "precious"), join(cwd, "build/a.ts"));
    expect((await mae(["build", "m.mae", "A"], { cwd })).code).toBe(0);
    expect(readFileSync(join(outside, "precious"), "utf8")).toBe("precious");
    expect(lstatSync(join(cwd, "build/a.ts")).isSymbolicLink()).toBe(false);
    symlinkSync(outside, join(cwd, "build/f"));
    const { code, stderr } = await mae(["build", "f.mae", "F"], { cwd });
    expect([code, stderr.includes("build/f is a link out of build")]).toEqual([1, true]);
    expect(existsSync(join(outside, "decoder-depth-1.ts"))).toBe(false);
  });
});

describe("characters that a terminal obeys", () => {
  const evil = "x\u001b]0;title\u0007\u202e\u2028\u009b31m";
  const recipe = (data: string) => `
/// ${evil.replaceAll("\u2028", "")}
recipe R for A {
  data      folder("${data}")
  augment   normalize(mnist)
  batch     8
  epochs    1
  optimizer adamw(lr: 1e-3)
  schedule  constant
  seed      0
}
`;
  const model = sound.replace(/model \w+/, "model A");

  it("reach none by names of files, findings, documents or rendered text, and strings keep their meaning", async () => {
    const named = `a\u001b[2J\u202e.mae`;
    const cwd = folder({ [named]: misspelt, "r.mae": `${model}${recipe(evil)}` });
    for (const reporter of ["pretty", "github", "json", "sarif"]) {
      const { stdout, stderr } = await mae(["check", named, "--reporter", reporter], { cwd });
      expect(stdout).not.toBe("");
      expect(`${stdout}${stderr}`).not.toMatch(obeyed);
      if (reporter === "json") expect(JSON.parse(stdout).files).toEqual([named]);
    }
    const rendered = await mae(["render", "r.mae"], { cwd });
    expect([rendered.code, rendered.stderr]).toEqual([0, ""]);
    expect(rendered.stdout).not.toMatch(obeyed);
    expect(rendered.stdout).toContain(String.raw`"x\u{1b}]0;title\u{7}\u{202e}\u{2028}\u{9b}31m"`);
    const formatted = await mae(["fmt", "-"], { cwd, input: `${model}${recipe(evil)}` });
    expect(formatted.stdout).toContain(String.raw`"x\u{1b}]0;title\u{7}\u{202e}\u{2028}\u{9b}31m"`);
  });
});

describe("what stands beside the models in question", () => {
  it("is not checked where a run keeps it", async () => {
    const cwd = folder({ "m.mae": sound, "runs/m/spec.mae": misspelt, "runs/m/run.json": "{}", "x/spec.mae": sound });
    const { stdout } = await mae(["check", "--json"], { cwd });
    expect(JSON.parse(stdout).files).toEqual(["m.mae", "x/spec.mae"]);
    expect((await mae(["check", "runs/m/spec.mae"], { cwd })).code).toBe(1);
  });

  it("does not stop a command about models, and is told", async () => {
    const model = sound.replace(/model \w+/, "model A");
    const family = "variants F of A {\n  decoder.depth = 1 | 2\n}\n";
    const cwd = folder({ "m.mae": `${model}\nrecipe R for A {\n  batsh 8\n}\nmodel B extends A {}\n${family}` });
    for (const args of [
      ["build", "m.mae"],
      ["variants", "m.mae"],
      ["diff", "m.mae:A", "m.mae:A"],
      ["plan", "m.mae", "B"],
      ["render", "m.mae", "B"],
    ]) {
      const { code, stderr } = await mae(args, { cwd });
      expect([code, stderr.includes("check/unknown-slot")]).toEqual([0, true]);
    }
    for (const name of ["A", "R"]) expect((await mae(["plan", "m.mae", name], { cwd })).code).toBe(1);
  });
});

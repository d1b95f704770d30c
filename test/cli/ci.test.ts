/** The action, the hooks of pre-commit and the hook on `docs/ci.md`, run as programs in a repository that is broken and one that is clean. */

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runAction } from "../support/github-runner.js";
import { command, folder, misspelt, sound } from "./mae.js";
import { sarifValidator } from "./sarif-schema.js";

/** A repository with these files staged, and maelang where npm puts it. */
function repository(files: Readonly<Record<string, string>>): string {
  const root = folder({ ".gitignore": "node_modules/\n", ...files });
  mkdirSync(join(root, "node_modules/.bin"), { recursive: true });
  symlinkSync(command, join(root, "node_modules/.bin/mae"));
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
  ])
    execFileSync("git", args, { cwd: root });
  return root;
}

const action = (workspace: string, inputs: Readonly<Record<string, string>> = {}) =>
  runAction("action.yml", { workspace, inputs });

describe("the action", () => {
  it("annotates the lines of findings, sums up in Markdown, and writes a SARIF file if asked", () => {
    const workspace = repository({ "models/a.mae": misspelt, "b.mae": sound.replace("input   image", "input  image") });
    const { code, log, summary } = action(workspace, { sarif: "found.sarif" });
    expect(code).toBe(1);
    expect(log.split("\n").filter((line) => line.startsWith("::"))).toEqual([
      expect.stringMatching(
        /^::error file=models\/a\.mae,line=8,endLine=8,col=11,endColumn=15,title=check\/unknown-block::there is no block `vitt`/,
      ),
      "::error file=b.mae,title=format::This spec is not in the one format: mae fmt --write",
    ]);
    expect(summary).toMatch(/^### ❌ mae check: 1 error in 2 files\n/);
    expect(summary).toContain("| error | `models/a.mae:8:11` |");
    expect(summary).toContain("\n❌ `b.mae` is not in the one format");
    const found = JSON.parse(readFileSync(join(workspace, "found.sarif"), "utf8"));
    expect(sarifValidator()(found)).toBe(true);
    expect(found.runs[0].results.map(({ ruleId }: { ruleId: string }) => ruleId)).toEqual(["check/unknown-block"]);
  });

  it("passes what is clean, and fails on warnings where it is asked to", () => {
    const workspace = repository({ "a.mae": sound, "odd name.mae": sound.replace("ratio: 75%", "ratio: 5%") });
    const { code, log, summary } = action(workspace, { paths: "a.mae\n\n" });
    expect([code, log.includes("::"), summary]).toEqual([0, false, "### ✅ mae check: no errors in 1 file\n"]);
    const strict = { "error-on-warnings": "true", format: "false" };
    expect(action(workspace, { paths: "odd name.mae\na.mae", ...strict })).toMatchObject({
      code: 1,
      log: expect.stringContaining("::warning file=odd name.mae,"),
    });
  });

  it("installs the package that it is told of, where npm has installed none", () => {
    const manifest = JSON.stringify({ name: "maelang", version: "0.0.0", type: "module", bin: { mae: "cli.js" } });
    const cli = `#!/usr/bin/env node\nawait import(${JSON.stringify(pathToFileURL(command).href)});\n`;
    const files = { "vendor/maelang/package.json": manifest, "vendor/maelang/cli.js": cli };
    const workspace = folder({ ...files, "a.mae": misspelt });
    const { code, log } = action(workspace, { package: "vendor/maelang" });
    expect([code, log]).toEqual([1, expect.stringContaining("::error file=a.mae,line=8,")]);
  });

  it("runs nothing of what its inputs say, and tells of a path that is not there and of no maelang", () => {
    const workspace = repository({ "a.mae": sound });
    const hostile = '"; touch stolen; $(touch stolen) `touch stolen`';
    expect(action(workspace, { paths: hostile, against: hostile, sarif: hostile }).code).toBe(2);
    expect(existsSync(join(workspace, "stolen"))).toBe(false);
    expect(action(workspace, { paths: "nowhere" })).toMatchObject({
      code: 2,
      log: expect.stringContaining('error: there is no file "nowhere"'),
    });
    const bare = folder({ "a.mae": sound });
    expect(action(bare)).toMatchObject({
      code: 2,
      log: expect.stringContaining("::error title=maelang is not installed::Run npm ci before this step"),
    });
  });
});

describe("the hooks of pre-commit", () => {
  const hooks: readonly { id: string; entry: string; language: string; files: string }[] = parse(
    readFileSync(".pre-commit-hooks.yaml", "utf8"),
  );
  /** As pre-commit runs a hook: its entry, split into words, with the staged files that it is for. */
  function runHook(id: string, cwd: string) {
    const hook = hooks.find((one) => one.id === id);
    if (!hook) throw new Error(`no hook ${id}`);
    const staged = execFileSync("git", ["diff", "--cached", "--name-only"], { cwd, encoding: "utf8" }).split("\n");
    const [program = "", ...words] = hook.entry.split(" ");
    const files = staged.filter((path) => new RegExp(hook.files).test(path));
    return spawnSync(program, [...words, ...files], { cwd, encoding: "utf8" });
  }

  it("check and format the specs that are staged, and those alone", () => {
    const root = repository({ "a.mae": misspelt, "b.mae": sound.replace("  tokens  ", "  tokens ") });
    writeFileSync(join(root, "not-staged.mae"), "broken");
    const checked = runHook("mae-check", root);
    expect(checked.status).toBe(1);
    expect(checked.stdout).toContain("a.mae:8:11");
    expect(checked.stdout).not.toContain("not-staged");
    expect(runHook("mae-fmt", root)).toMatchObject({ status: 0, stdout: "b.mae\n" });
    expect(readFileSync(join(root, "b.mae"), "utf8")).toBe(sound);
  });
});

it("the hook on the page stops a commit by what is staged, whatever the folder holds", () => {
  const root = repository({ "a.mae": misspelt, "b c.mae": sound });
  const [, hook = ""] = /```sh\n(#!\/bin\/sh\n[\s\S]*?)```/.exec(readFileSync("docs/ci.md", "utf8")) ?? [];
  const path = join(root, ".git/hooks/pre-commit");
  mkdirSync(join(root, ".git/hooks"), { recursive: true });
  writeFileSync(path, hook);
  chmodSync(path, 0o755);
  const commit = () =>
    spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "one"], {
      cwd: root,
      encoding: "utf8",
    });
  // Mended in the folder, and not yet staged.
  writeFileSync(join(root, "a.mae"), sound);
  const stopped = commit();
  expect([stopped.status, stopped.stdout + stopped.stderr]).toEqual([1, expect.stringContaining("a.mae:8:11")]);
  execFileSync("git", ["add", "a.mae"], { cwd: root });
  writeFileSync(join(root, "a.mae"), misspelt);
  expect(commit().status).toBe(0);
});

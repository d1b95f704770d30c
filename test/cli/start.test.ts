/** Light commands stay light: what they load. How long they take, `npm run bench -- --commands` measures. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { command, folder, sound } from "./mae.js";

/** Addresses of all scripts that a call of the command loads, as V8 lists them. */
function scriptsOf(args: readonly string[], cwd: string): string[] {
  const coverage = folder();
  execFileSync(process.execPath, [command, ...args], {
    cwd,
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
    stdio: "ignore",
  });
  return readdirSync(coverage).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(coverage, name), "utf8")) as { result: { url: string }[] };
    return result.map((script) => script.url).filter((url) => url.startsWith("file:"));
  });
}

const bytesOf = (scripts: readonly string[]): number =>
  scripts.reduce((sum, url) => sum + statSync(fileURLToPath(url)).size, 0);

describe("mae check", () => {
  const cwd = folder({ "a.mae": sound });

  it("loads nothing that only training, emission, pictures or editors need", () => {
    const scripts = scriptsOf(["check", "a.mae"], cwd);
    expect(scripts.length).toBeGreaterThan(2);
    const heavy = /node_modules\/(@tensorflow|onnxruntime-node|ts-morph|typescript|prettier|sharp|@img|webgpu)\//;
    expect(scripts.filter((url) => heavy.test(url))).toEqual([]);
    expect(
      scripts.map((url) => url.split("/").at(-1)).filter((name) => /runtime|emit|train|lsp/.test(name ?? "")),
    ).toEqual([]);
  });

  // All blocks are read, so that each method adds a little.
  it("reads less than 2.5 MiB of scripts", () => {
    expect(bytesOf(scriptsOf(["check", "a.mae"], cwd))).toBeLessThan(2.5 * 2 ** 20);
  });
});

describe("mae --version", () => {
  it("loads what reads the command line, and no more", () => {
    expect(bytesOf(scriptsOf(["--version"], folder()))).toBeLessThan(2 ** 18);
  });
});

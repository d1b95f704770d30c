/** A real editor at the built server: Neovim without a screen, where it is installed. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folder, misspelt, sound } from "../cli/mae.js";

const isInstalled = spawnSync("nvim", ["--version"]).status === 0;

it.skipIf(!isInstalled)("Neovim shows findings, takes a fix, formats, completes and renames in two files", () => {
  const child =
    'edition 2026\n\nimport { Tiny } from "./base.mae"\n\nmodel B extends Tiny {\n  replace mask spiral\n}\n';
  const at = folder({ "base.mae": misspelt.replace("  input   image", "  input image"), "child.mae": child });
  const args = ["--headless", "--clean", "-n", "-S", join(import.meta.dirname, "neovim.lua")];
  const env = { ...process.env, NODE: process.execPath, MAE: join(import.meta.dirname, "../../dist/cli.js") };
  spawnSync("nvim", args, { cwd: at, env, timeout: 120_000, stdio: "ignore" });
  const read = (path: string): string => readFileSync(join(at, path), "utf8");
  const seen = JSON.parse(read("seen.json"));
  expect(seen.problem).toBeUndefined();
  expect(seen.found).toEqual([{ message: expect.stringContaining("there is no block `vitt`"), line: 8 }]);
  expect(seen.formatted).toBe(sound);
  expect(seen.completed).toEqual(expect.arrayContaining(["random", "hilbert", "spiral"]));
  expect(read("base.mae")).toBe(sound.replaceAll("Tiny", "Small"));
  expect(read("child.mae")).toBe(child.replaceAll("Tiny", "Small"));
});

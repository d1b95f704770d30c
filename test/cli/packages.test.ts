/** The command where a package that it can do without, or not, is not installed or does not load. */

import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { command, folder, jsonLines, mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

const packages = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** The command, installed beside all packages but one, in whose place is `instead` where that is given. */
function installedWithout(name: string, instead?: string): string {
  const root = folder();
  const dist = dirname(command);
  cpSync(dist, join(root, "dist"), { recursive: true, filter: (path) => path !== join(dist, "types") });
  cpSync(join(dist, "..", "package.json"), join(root, "package.json"));
  mkdirSync(join(root, "node_modules"));
  const others = readdirSync(packages).filter((one) => one !== name && !one.startsWith(".maelang-test-"));
  for (const one of others) symlinkSync(join(packages, one), join(root, "node_modules", one), "junction");
  if (instead !== undefined) {
    mkdirSync(join(root, "node_modules", name));
    writeFileSync(join(root, "node_modules", name, "index.js"), instead);
  }
  return join(root, "dist", "cli.js");
}

const env = { XDG_CACHE_HOME: folder() };
const spec = { "small.mae": `edition 2026\n\n${smallModel}\n${smallRecipe(16, 1)}` };

it("says that images cannot be read where their library does not load", { timeout: 240_000 }, async () => {
  const without = installedWithout("sharp", 'throw new Error("no library for this platform\\nPossible solutions:");');
  const cwd = await project(spec);
  const doctor = await mae(["doctor", "--json"], { command: without });
  expect(doctor.code).toBe(0);
  const { decoder } = JSON.parse(doctor.stdout);
  expect(decoder).toMatchObject({ present: false, why: expect.stringContaining("no library for this platform") });
  const trained = await mae(["train", "small.mae", "--backend", "cpu"], { cwd, env, command: without });
  expect(trained.code).toBe(1);
  expect(trained.stderr).toContain("error[run/decoder-missing]");
  expect(trained.stderr).toContain("why: no library for this platform\n");
  expect(trained.stderr).toContain("npm install --include=optional sharp");
});

it("trains on wasm where onnxruntime is not installed, and says so", { timeout: 240_000 }, async () => {
  const without = installedWithout("onnxruntime-node");
  const cwd = await project(spec);
  const { code, stdout } = await mae(["train", "small.mae", "--json"], { cwd, env, command: without });
  expect(code).toBe(0);
  const [chosen] = jsonLines(stdout);
  // A machine with a graphics card takes that.
  if (!String(chosen?.text).startsWith("backend wasm")) return;
  expect(chosen?.text).toContain("the faster onnx is not here: the optional package onnxruntime-node is not installed");
  expect(chosen?.text).toContain("npm install --ignore-scripts onnxruntime-node");
});

/** Runs the built command as a user does: a process of its own, in a folder of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The built command. */
export const command = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** Variables that change colours are not inherited from whoever runs the tests. */
function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, NODE_OPTIONS: _options, ...rest } = process.env;
  return { ...rest, ...more };
}

export function start(args: readonly string[], { cwd, env }: Surroundings = {}): ChildProcess {
  return spawn(process.execPath, [command, ...args], { cwd, env: environment(env), stdio: "pipe" });
}

/** Runs `mae` to its end. */
export function mae(args: readonly string[], surroundings: Surroundings = {}): Promise<Result> {
  const child = start(args, surroundings);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  // A command that does not read its stdin may close it first.
  child.stdin?.on("error", () => {});
  child.stdin?.end(surroundings.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") }),
    );
  });
}

const made: string[] = [];

/** A new folder with these files, removed after the tests of the file that calls it. */
export function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "mae-"));
  made.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

afterAll(() => {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** A sound spec, in the one format. */
export const sound = `edition 2026

/// A small model.
model Tiny {
  input   image(size: 28x28, channels: 1)
  tokens  patch(size: 7x7)
  mask    random(ratio: 75%)
  encoder vit(depth: 2, width: 32, heads: 4)
  decoder vit(depth: 1, width: 32, heads: 4)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}
`;

/** One misspelt block: an error with a safe fix. */
export const misspelt = sound.replace("encoder vit(", "encoder vitt(");

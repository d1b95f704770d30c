/**
 * Runs the built command as a user does, in a folder of its own: `mae` in a process that many calls share, since most of them are not
 * about processes, the others in one of their own.
 */

import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterFile } from "../support/after-file.js";

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
  /** Absent: the built command. Another one gets a process of its own, and so does a call with options for Node. */
  readonly command?: string;
}

/** Variables that change colours are not inherited from whoever runs the tests. */
function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, NODE_OPTIONS: _options, ...rest } = process.env;
  return { ...rest, ...more };
}

/** The process has a pipe more than it knows of, with the number 3. */
export function start(args: readonly string[], { cwd, env, command: other }: Surroundings = {}): ChildProcess {
  const stdio = ["pipe", "pipe", "pipe", "pipe"] as const;
  return spawn(process.execPath, [other ?? command, ...args], { cwd, env: environment(env), stdio: [...stdio] });
}

/** As a shell tells it. */
const codeOf = (signal: NodeJS.Signals | null): number => 128 + constants.signals[signal ?? "SIGKILL"];

/** Waits for the end of a command; `watch` is shown all of stdout so far whenever there is more. */
function resultOf(child: ChildProcess, watch: (stdout: string) => void): Promise<Result> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => {
    out.push(chunk);
    watch(Buffer.concat(out).toString("utf8"));
  });
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  // A command that does not read its stdin may close it first.
  child.stdin?.on("error", () => {});
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        code: code ?? codeOf(signal),
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: Buffer.concat(err).toString("utf8"),
      }),
    );
  });
}

/** The process that calls share. */
let shared: ChildProcess | null = null;
/** Calls take turns, as they work in the folder of that process. */
let before: Promise<unknown> = Promise.resolve();

function sharedProcess(): ChildProcess {
  if (shared?.connected) return shared;
  const script = fileURLToPath(new URL("calls.mjs", import.meta.url));
  shared = fork(script, {
    env: environment(),
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  // The tests end without waiting for it, and it ends with them.
  shared.unref();
  shared.channel?.unref();
  return shared;
}

function answerOf(call: Readonly<Record<string, unknown>>): Promise<Result> {
  const child = sharedProcess();
  child.channel?.ref();
  return new Promise<Result>((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`the process of all calls ended with ${code}`));
    child.once("exit", died);
    child.once("message", (answer) => {
      child.off("exit", died);
      child.channel?.unref();
      resolve(answer as Result);
    });
    child.send(call);
  });
}

/** Runs `mae` to its end. */
export function mae(args: readonly string[], surroundings: Surroundings = {}): Promise<Result> {
  const { cwd = process.cwd(), env = {}, input = "", command: other } = surroundings;
  if (other !== undefined || "NODE_OPTIONS" in env) return maeAlone(args, surroundings);
  const answer = before.then(() => answerOf({ args, cwd, env: { ...environment(env) }, input }));
  before = answer.catch(() => undefined);
  return answer;
}

/** Runs `mae` to its end in a process of its own. */
export function maeAlone(args: readonly string[], surroundings: Surroundings = {}): Promise<Result> {
  const child = start(args, surroundings);
  child.stdin?.end(surroundings.input ?? "");
  return resultOf(child, () => {});
}

/** A module that lets a process wait, until its fourth pipe ends, where it has written what a pattern matches. */
const waitingAt = (pattern: RegExp): string => `
import { readSync } from "node:fs";
const write = process.stdout.write.bind(process.stdout);
let written = "";
let isThere = false;
process.stdout.write = (text, ...more) => {
  const result = write(text, ...more);
  written += text;
  if (!isThere && ${pattern}.test(written)) {
    isThere = true;
    readSync(3, Buffer.alloc(1));
  }
  return result;
};
`;

/** Runs `mae` and presses Ctrl-C, or sends another signal, where it has written what a pattern matches: there it waits for it, so that no machine is too busy. */
export function interrupted(
  args: readonly string[],
  { cwd, env }: Required<Pick<Surroundings, "cwd" | "env">>,
  pattern: RegExp,
  signal: NodeJS.Signals = "SIGINT",
): Promise<Result> {
  const module = `data:text/javascript,${encodeURIComponent(waitingAt(pattern))}`;
  const child = start(args, { cwd, env: { ...env, NODE_OPTIONS: `--import=${module}` } });
  const pipe = child.stdio[3] as Writable;
  return resultOf(child, (stdout) => {
    if (pipe.writableEnded || !pattern.test(stdout)) return;
    child.kill(signal);
    pipe.end();
  });
}

/** What a command that prints JSON lines has told. */
export const jsonLines = (text: string): readonly Record<string, unknown>[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A new folder with these files, removed after the tests of the file that calls it. */
export function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "mae-"));
  afterFile(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

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

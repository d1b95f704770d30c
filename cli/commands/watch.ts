/** `mae watch`: a live page of runs on this machine. */

import { spawn } from "node:child_process";
import { checkPaths, createReader, mostRuns, runFolders } from "../watch/find-runs.js";
import type { ShownRun } from "../watch/page.js";
import { type Live, serve } from "../watch/server.js";
import { usageFailure } from "../words/failure.js";
import { count, print, tell } from "../words/terminal.js";

export interface WatchOptions {
  readonly port: number;
  readonly open?: boolean;
}

export async function watch(paths: readonly string[], { port, open }: WatchOptions): Promise<void> {
  // A training that starts in a moment may make the usual folder.
  const watched = paths.length > 0 ? paths : ["runs"];
  if (paths.length > 0) checkPaths(paths);
  const { left } = runFolders(watched);
  if (left > 0) tell(`${count(left, "run")} left out: the page shows ${mostRuns} at most; name fewer folders`);
  const live = await listening(reading(watched), port);
  print(`${live.address}\n`);
  tell("the page is live; Ctrl-C ends it, and no training with it");
  if (open) openInBrowser(live.address);
  await ended();
  await live.close();
}

/** Several questions at once, of several windows, are answered by one look at the files. */
function reading(paths: readonly string[]): () => Promise<readonly ShownRun[]> {
  const read = createReader();
  let current: Promise<readonly ShownRun[]> | null = null;
  return () => {
    current ??= read(runFolders(paths).folders).finally(() => {
      current = null;
    });
    return current;
  };
}

async function listening(runs: () => Promise<readonly ShownRun[]>, port: number): Promise<Live> {
  try {
    return await serve(runs, port);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const why = code === "EACCES" ? "may not be used by you" : "is taken";
    throw usageFailure(`port ${port} ${why}`, { help: "choose another (--port), or 0 for any that is free" });
  }
}

/** Ends with Ctrl-C, or when it is told to. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}

function openInBrowser(address: string): void {
  const [command, ...words] =
    process.platform === "darwin" ? ["open"] : process.platform === "win32" ? ["cmd", "/c", "start", ""] : ["xdg-open"];
  spawn(command as string, [...words, address], { stdio: "ignore", detached: true })
    .on("error", () => tell(`no browser could be opened: visit ${address}`))
    .unref();
}

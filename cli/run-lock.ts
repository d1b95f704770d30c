/** Keeps a second training out of the folder of one that goes on: a file that says which process is at work, gone when it ends. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { runFailure } from "./failure.js";
import { printedPath, unwritable } from "./files.js";

const lockFile = "training.lock";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system tells it: another one may get its number. Null where the system does not tell. */
  readonly born: string | null;
}

/** Makes the folder this process's own to train in, and gives how to leave it. Throws a `Failure` where another trains there. */
export function lockRun(directory: string): () => void {
  const path = join(directory, lockFile);
  const own: Holder = { pid: process.pid, host: hostname(), born: birthOf(process.pid) };
  try {
    mkdirSync(directory, { recursive: true });
    if (!written(path, own)) {
      const holder = holderOf(path);
      if (holder !== null && isAtWork(holder)) throw busy(directory, path, holder);
      rmSync(path, { force: true });
      written(path, own);
    }
  } catch (error) {
    throw unwritable(directory, error);
  }
  return () => rmSync(path, { force: true });
}

/** Whether a training in the folder was ended before it could leave it: something may be left to do there. */
export function isAbandoned(directory: string): boolean {
  const path = join(directory, lockFile);
  if (!existsSync(path)) return false;
  const holder = holderOf(path);
  return holder === null || !isAtWork(holder);
}

/** Whether the file could be made: false where there is one. */
function written(path: string, own: Holder): boolean {
  try {
    writeFileSync(path, `${JSON.stringify(own)}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Null for a file that a process was killed over. */
function holderOf(path: string): Holder | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return null;
  }
}

/** Of another machine nothing can be told, and containers that are started again have other names: it counts as ended. */
function isAtWork({ pid, host, born }: Holder): boolean {
  if (host !== hostname() || pid === process.pid || !Number.isSafeInteger(pid) || birthOf(pid) !== born) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user may not be asked, but it is there.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Linux: ticks of the clock from the start of the system to that of the process, after its name, which may hold spaces. */
function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

const busy = (directory: string, path: string, { pid }: Holder) =>
  runFailure(`process ${pid} is training in ${printedPath(directory)}`, {
    reason: "Two trainings in one folder would write over each other.",
    help: `wait for it or stop it, or choose another folder (--out); if there is no such training, delete ${printedPath(path)}`,
  });

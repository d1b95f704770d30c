/** Keeps a second training out of the folder of one that goes on: a file that says which process is at work, gone when it ends. */

import { randomInt } from "node:crypto";
import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { printedPath, unwritable } from "../specs/files.js";
import { runFailure } from "../words/failure.js";

const lockFile = "training.lock";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system tells it: another one may get its number. Null where the system does not tell. */
  readonly born: string | null;
}

/** Of which process a claim is, and when that began. */
const claimName = /^training\.lock\.(\d+)-(\d*)$/;

/** Larger than any lock. */
const mostBytes = 4096;

/** Milliseconds after which one who cannot take a lock over, since others are at it as well, gives up. */
const patience = 10_000;

/**
 * Makes the folder this process's own to train in, and gives how to leave it. Throws a `Failure` where another trains there.
 *
 * The lock appears whole and only where none is: it is written beside, as a claim, and linked. One that was left is deleted only by who
 * has made its claim and then finds no other beside it: of two at most one does, so that nobody deletes a lock that another has just taken.
 */
export function lockRun(directory: string): () => void {
  const path = join(directory, lockFile);
  const own: Holder = { pid: process.pid, host: hostname(), born: birthOf(process.pid) };
  const end = performance.now() + patience;
  try {
    mkdirSync(directory, { recursive: true });
    while (!taken(directory, path, own)) {
      if (performance.now() > end) throw crowded(directory, path);
      wait(1 + randomInt(20));
    }
  } catch (error) {
    throw unwritable(directory, error);
  }
  return () => {
    const holder = lookAt(path)?.holder;
    if (holder?.pid === own.pid && holder.host === own.host && holder.born === own.born) rmSync(path, { force: true });
  };
}

/** Whether a training in the folder was ended before it could leave it: something may be left to do there. */
export function isAbandoned(directory: string): boolean {
  const look = lookAt(join(directory, lockFile));
  return look !== null && (look.holder === null || !isAtWork(look.holder));
}

/** Whether the lock is this process's now; false: others are at it as well, so try again. */
function taken(directory: string, path: string, own: Holder): boolean {
  const claim = `${path}.${own.pid}-${own.born ?? ""}`;
  try {
    rmSync(claim, { force: true });
    writeFileSync(claim, `${JSON.stringify(own)}\n`, { flag: "wx" });
    if (linked(claim, path)) return true;
    const before = lookAt(path);
    if (before?.holder && isAtWork(before.holder)) throw busy(directory, path, before.holder);
    const isAlone = otherClaims(directory, claim).length === 0;
    const after = lookAt(path);
    const isLeft = before !== null && after?.file === before.file && after.text === before.text;
    if (isAlone && isLeft) rmSync(path);
    return isAlone && linked(claim, path);
  } finally {
    rmSync(claim, { force: true });
  }
}

/** Whether the lock could be made: false where there is one. */
function linked(claim: string, path: string): boolean {
  try {
    linkSync(claim, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== undefined && withoutLinks.includes(code)) return written(claim, path);
    throw error;
  }
}

/** What file systems without hard links say. */
const withoutLinks: readonly string[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** The same where there are no links: the claim keeps others from a lock that is not yet whole. */
function written(claim: string, path: string): boolean {
  try {
    writeFileSync(path, readFileSync(claim), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Claims of other processes; those of processes that have ended are deleted. */
const otherClaims = (directory: string, claim: string): readonly string[] =>
  readdirSync(directory).filter((name) => {
    const [, pid, born] = claimName.exec(name) ?? [];
    if (pid === undefined || join(directory, name) === claim) return false;
    const alive = isAtWork({ pid: Number(pid), host: hostname(), born: born || null });
    if (!alive) rmSync(join(directory, name), { force: true, recursive: true });
    return alive;
  });

const wait = (milliseconds: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/** What stands in a lock. */
interface Look {
  /** Tells a file from one that was there before. */
  readonly file: bigint;
  readonly text: string;
  /** Null for what says of no process: one was killed over it. */
  readonly holder: Holder | null;
}

/** Null where there is none. Throws a `Failure` for what is no file. */
function lookAt(path: string): Look | null {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (!found) return null;
  if (!found.isFile()) {
    throw runFailure(`${printedPath(path)} is not a file`, {
      reason: "A training keeps there which process is at work.",
      help: "remove it, or choose another folder (--out)",
    });
  }
  try {
    const text = found.size > mostBytes ? "" : readFileSync(path, "utf8");
    return { file: found.ino, text, holder: holderIn(text) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function holderIn(text: string): Holder | null {
  try {
    const { pid, host, born } = JSON.parse(text) as Holder;
    return { pid, host, born };
  } catch {
    return null;
  }
}

/** Of another machine nothing can be told, and containers that are started again have other names: it counts as ended. */
function isAtWork({ pid, host, born }: Holder): boolean {
  if (host !== hostname() || pid === process.pid || !Number.isSafeInteger(pid) || pid <= 0) return false;
  if (birthOf(pid) !== born) return false;
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

const crowded = (directory: string, path: string) =>
  runFailure(`several processes are about to train in ${printedPath(directory)}`, {
    help: `choose another folder (--out), or delete ${printedPath(path)} and try again`,
  });

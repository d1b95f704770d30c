/**
 * Executables that were compiled before, in the user's cache, since XLA compiles a step for seconds or minutes. What is kept may be thrown
 * away at any time: whatever cannot be read, or is not whole, is compiled anew.
 *
 * An executable is machine code. So it is read only from a folder that is the user's alone, and nothing that a spec or a run folder brings
 * is ever there.
 */

import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { arch, cpus, homedir, platform } from "node:os";
import { join } from "node:path";

/** Where executables are kept, each under the name of what it was compiled from. */
export interface KeptExecutables {
  /** @param parts what an executable depends on: program, options ... */
  nameOf(...parts: readonly (string | Uint8Array)[]): string;
  /** Null where there is none, or none that is whole. */
  read(name: string): Buffer | null;
  write(name: string, executable: Uint8Array): void;
}

/** Bytes of all that is kept; what was not used for longest is removed first. */
const mostBytes = 2 * 2 ** 30;

const bytesOfChecksum = 32;
/** Of the name too: a file under another name is another program. */
const checksum = (name: string, executable: Uint8Array): Buffer =>
  createHash("sha256").update(name).update(executable).digest();

export const executablesFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "maelang", "executables");

/** Whether nobody else can have written into a folder. Windows has no such owners, and keeps a home to its user. */
function isOwn(folder: string): boolean {
  const { uid, mode } = statSync(folder);
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}

/** @param plugin the library that compiles: another one, or another processor, has executables of its own */
export function keptExecutables(plugin: string, folder = executablesFolder()): KeptExecutables {
  const { size, mtimeMs } = statSync(plugin);
  const { XLA_FLAGS: flags = "" } = process.env;
  const machine = [plugin, size, mtimeMs, platform(), arch(), cpus()[0]?.model, cpus().length, flags].join("\n");
  return {
    nameOf(...parts) {
      const hash = createHash("sha256").update(machine);
      for (const part of parts) hash.update("\0").update(part);
      return hash.digest("hex");
    },
    read(name) {
      try {
        const path = join(folder, name);
        if (!isOwn(folder) || !statSync(path).isFile()) return null;
        const bytes = readFileSync(path);
        const executable = bytes.subarray(bytesOfChecksum);
        if (!checksum(name, executable).equals(bytes.subarray(0, bytesOfChecksum))) return null;
        utimesSync(path, new Date(), new Date());
        return executable;
      } catch {
        return null;
      }
    },
    write(name, executable) {
      // A full disk or a home that cannot be written only costs the next start its time.
      try {
        mkdirSync(folder, { recursive: true });
        chmodSync(folder, 0o700);
      } catch {
        return;
      }
      const partial = join(folder, `.${name}.${randomBytes(4).toString("hex")}`);
      try {
        writeFileSync(partial, Buffer.concat([checksum(name, executable), executable]), { mode: 0o600 });
        renameSync(partial, join(folder, name));
        makeRoom(folder);
      } catch {
        rmSync(partial, { force: true });
      }
    },
  };
}

function makeRoom(folder: string): void {
  const files = readdirSync(folder)
    .flatMap((name) => sizeAndUse(join(folder, name)))
    .sort((a, b) => b.used - a.used);
  let total = 0;
  for (const { path, bytes } of files) {
    total += bytes;
    if (total > mostBytes) rmSync(path, { force: true });
  }
}

interface KeptFile {
  readonly path: string;
  readonly bytes: number;
  readonly used: number;
}

/** Nothing of a file that another process has just renamed or removed. */
function sizeAndUse(path: string): readonly KeptFile[] {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts ? [{ path, bytes: facts.size, used: facts.mtimeMs }] : [];
}

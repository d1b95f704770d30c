/**
 * Executables that were compiled before, in the user's cache, since XLA compiles a step for seconds or minutes. What is kept may be thrown
 * away at any time: whatever cannot be read, or is not whole, is compiled anew.
 *
 * An executable is machine code. So the folder is the user's alone, and nothing that a spec or a run folder brings is ever read from it.
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
  /** @param parts all that an executable hangs on: program, options ... */
  nameOf(...parts: readonly (string | Uint8Array)[]): string;
  /** Null where there is none, or none that is whole. */
  read(name: string): Buffer | null;
  write(name: string, executable: Uint8Array): void;
}

/** Bytes of all that is kept; what was not used for longest goes first. */
const most = 2 * 2 ** 30;

const bytesOfChecksum = 32;
const checksum = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

export const executablesFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "maelang", "executables");

/** @param plugin the library that compiles: another one, or another processor, has executables of its own */
export function keptExecutables(plugin: string, folder = executablesFolder()): KeptExecutables {
  const { size, mtimeMs } = statSync(plugin);
  const machine = [plugin, size, mtimeMs, platform(), arch(), cpus()[0]?.model, cpus().length].join("\n");
  return {
    nameOf(...parts) {
      const hash = createHash("sha256").update(machine);
      for (const part of parts) hash.update("\0").update(part);
      return hash.digest("hex");
    },
    read(name) {
      try {
        const path = join(folder, name);
        const bytes = readFileSync(path);
        const executable = bytes.subarray(bytesOfChecksum);
        if (!checksum(executable).equals(bytes.subarray(0, bytesOfChecksum))) return null;
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
        writeFileSync(partial, Buffer.concat([checksum(executable), executable]), { mode: 0o600 });
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
    .map((name) => ({ path: join(folder, name), ...sizeAndUse(join(folder, name)) }))
    .sort((a, b) => b.used - a.used);
  let total = 0;
  for (const { path, bytes } of files) {
    total += bytes;
    if (total > most) rmSync(path, { force: true });
  }
}

function sizeAndUse(path: string): { readonly bytes: number; readonly used: number } {
  const { size, mtimeMs } = statSync(path);
  return { bytes: size, used: mtimeMs };
}

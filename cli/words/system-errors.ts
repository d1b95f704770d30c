/** What errors of the operating system mean to the user: whatever a command was doing, they are told in words. */

import { type Failure, runFailure } from "./failure.js";

interface SystemError extends Error {
  readonly code: string;
  readonly syscall?: string;
  readonly path?: string;
}

/** By code: what is the matter, and what to do. */
const words: Readonly<Record<string, readonly [what: string, help: string]>> = {
  EACCES: ["you may not do that there", "change the permissions, or choose another place"],
  EAGAIN: [
    "the system has no room for another process or thread",
    "end other programs, or raise the limit (ulimit -u)",
  ],
  EDQUOT: ["your share of the disk is used up", "make room, or choose another disk"],
  EEXIST: ["it is there already", "choose another name"],
  EFBIG: ["the file would be larger than it may be", "raise the limit (ulimit -f), or choose another disk"],
  EIO: ["the device does not answer as it should", "look after the disk or the connection to it"],
  EISDIR: ["it is a folder", "name a file"],
  ELOOP: ["it is a link that leads back to itself", "mend the link"],
  EMFILE: ["this process may not open more files at once", "raise the limit: ulimit -n 1024"],
  ENAMETOOLONG: ["its name is too long", "choose a shorter one"],
  ENFILE: ["the system has too many files open", "end other programs, or raise the system's limit"],
  ENOENT: ["it does not exist", "check the name"],
  ENOMEM: ["the system has no memory left", "end other programs, or give this one less to do"],
  ENOSPC: ["the disk is full", "make room, or choose another disk"],
  ENOTDIR: ["a part of its path is a file, not a folder", "check the path"],
  EPERM: ["you may not do that there", "change the permissions, or choose another place"],
  EROFS: ["the disk is read-only", "choose another place"],
  ESTALE: ["it is no longer there, on another machine", "mount the disk again"],
};

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && "code" in error && typeof error.code === "string" && Object.hasOwn(words, error.code);

/** What the system's code of an error means; null for another error. */
export const systemWords = (error: unknown): string | null =>
  isSystemError(error) ? (words[error.code]?.[0] as string) : null;

/** A failure of the system as one of the user's to mend; null for another error. */
export function systemFailure(error: unknown): Failure | null {
  if (!isSystemError(error)) return null;
  const { code, syscall, path } = error;
  if (syscall === "uv_cwd") {
    return runFailure("the working folder does not exist any more", { help: "go to one that does: cd" });
  }
  const [what, help] = words[code] as readonly [string, string];
  if (syscall === "mkdtemp") {
    return runFailure(`the folder for temporary files cannot be used: ${what}`, {
      reason: error.message,
      help: "name one that you may write to in the variable TMPDIR",
    });
  }
  return runFailure(`${path ?? syscall ?? "the system"}: ${what}`, { reason: error.message, help });
}

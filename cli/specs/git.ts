/** What git knows of the specs: their texts at a revision, and which of them have changed since. Nothing is written. */

import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { usageFailure } from "../words/failure.js";
import { decode } from "./files.js";

/** A commit, and what it is compared with. */
export interface Revision {
  /** As the user writes it. */
  readonly name: string;
  /** The text of a file at the commit, by its path from the working folder; null: it was not there, or was no text. */
  readonly textAt: (path: string) => string | null;
  /** Whether a file is another now than at the commit, or new. */
  readonly changed: (path: string) => boolean;
}

const largestOutput = 2 ** 28;

/** The answer of git; null: it fails. */
function git(args: readonly string[], cwd = "."): Buffer | null {
  try {
    return execFileSync("git", args, { cwd, maxBuffer: largestOutput, stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw usageFailure("git is not installed", {
        help: "a revision is read by git; install it, or leave the option out",
      });
    }
    return null;
  }
}

/** A revision of the repository that the working folder belongs to. Throws a `Failure` where there is none. */
export function openRevision(name: string): Revision {
  const root = git(["rev-parse", "--show-toplevel"])
    ?.toString()
    .replace(/\r?\n$/, "");
  if (root === undefined) throw usageFailure("this folder belongs to no git repository", { help: "run in a clone" });
  const commit = git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`])
    ?.toString()
    .trim();
  if (!commit) {
    throw usageFailure(`git knows no revision ${name}`, {
      help: "name a branch, a tag or a commit; in CI fetch it first: a shallow clone has one commit alone",
    });
  }
  const top = realpathSync(root);
  const lists = [
    ["diff", "--name-only", "--no-ext-diff", "--no-textconv", "--no-renames", "-z", commit, "--"],
    ["ls-files", "--others", "--exclude-standard", "-z"],
  ];
  const changed = new Set(lists.flatMap((args) => git(args, top)?.toString().split("\0") ?? []));
  const nameOf = (path: string): string => relative(top, realPath(resolve(path))).replaceAll("\\", "/");
  const texts = new Map<string, string | null>();
  return {
    name,
    changed: (path) => changed.has(nameOf(path)),
    textAt(path) {
      const file = nameOf(path);
      if (!texts.has(file)) texts.set(file, textOf(git(["cat-file", "blob", `${commit}:${file}`], top)));
      return texts.get(file) ?? null;
    },
  };
}

/** The path without links in its folders; the file itself may be gone. */
const realPath = (path: string): string =>
  existsSync(path)
    ? realpathSync(path)
    : join(existsSync(dirname(path)) ? realpathSync(dirname(path)) : dirname(path), path.slice(dirname(path).length));

function textOf(bytes: Buffer | null): string | null {
  const reading = bytes && decode(bytes);
  return reading?.ok ? reading.text : null;
}

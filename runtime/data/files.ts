/**
 * `Files` on disk for the dataset blocks: paths relative to the project's root, gzip undone, failures in words. What a
 * file says of its own length bounds what is unpacked; large files stay on disk and are read in pieces.
 */

import { closeSync, constants, type Dirent, openSync, readSync } from "node:fs";
import { type FileHandle, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DataError, type Files, type SizedHeader, type StoredFile } from "../../blocks/index.js";
import { openPlainFile, type PlainFile, readBytes } from "../plain-file.js";
import { RunError, reasonOf, systemCode, unreadable } from "../run-error.js";
import { nearest } from "./nearest.js";
import { isParquet, readCsv, readParquet } from "./table/open-table.js";
import { readTokenizer } from "./text/tokenizer.js";

/** Of a file that tells its length, so much is read first: the headers of all formats are shorter. */
const beginningBytes = 2 ** 17;
/** Files up to this size are held in memory, larger ones are read in pieces. */
const heldBytes = 2 ** 28;
/** What is packed cannot be read in pieces, so it may not unpack to more. */
const unpackedBytes = 3 * 2 ** 28;
/** The longest text: a table of labels. */
const textBytes = 2 ** 28;

/**
 * Reads below `root`; absolute paths are taken as they are. Gzipped contents are
 * inflated, whatever the file's name. Throws `run/data` with the nearest names that exist,
 * `run/unreadable` for anything else, and `run/data` for a link that leads back to where it is.
 */
export function nodeFiles(root: string): Files {
  const files: Files = {
    read: (path) => withFile(root, path, (opened) => textBytesOf(opened, path)),
    open: (path, headerOf) =>
      withFile(root, path, async (opened) => {
        if (await isPacked(opened)) return unpackArray(opened.file, path, headerOf);
        const header = headerOf(await readBytes(opened.file, 0, Math.min(beginningBytes, opened.size)));
        const isHeld = opened.size <= heldBytes;
        const bytes = isHeld
          ? inMemory(await readBytes(opened.file, 0, opened.size))
          : onDisk(resolve(root, path), path);
        return { header, size: opened.size, bytes };
      }),
    async list(path) {
      const full = resolve(root, path);
      const entries = await readdir(full, { withFileTypes: true }).catch(async (error: unknown) => {
        throw await failure(root, path, error);
      });
      const names = await Promise.all(entries.map((entry) => listedName(full, entry)));
      // By code unit: the same on every machine, whatever its language.
      return names.filter((name) => name !== null).sort();
    },
    table: (path, names, asking) =>
      withFile(root, path, async (opened) => {
        if (await isParquet(opened)) {
          if (names === null) return readParquet(opened, path, asking);
          throw new DataError(`${path} names its columns itself`, "Remove `names` from the recipe's data.");
        }
        return readCsv(await textBytesOf(opened, path), path, names, asking);
      }),
    tokenizer: async (path) => readTokenizer(await files.read(path).catch(lacksVocabulary(path)), path),
    exists: (path) =>
      stat(resolve(root, path)).then(
        () => true,
        () => false,
      ),
  };
  return files;
}

/** Says how a vocabulary is made, where there is none. */
const lacksVocabulary =
  (path: string) =>
  (error: unknown): never => {
    if (!(error instanceof RunError) || systemCode(error.cause) !== "ENOENT") throw error;
    const help = `Make it of the training texts: mae tokenizer TEXTS --size N --out ${path}. Or correct the path.`;
    throw new RunError("run/data", { what: error.what, help }, { cause: error.cause });
  };

/** A text, whole and unpacked. Throws `run/data` for one that is too long. */
async function textBytesOf(opened: PlainFile, path: string): Promise<Uint8Array> {
  const bytes = await ((await isPacked(opened))
    ? unpack(opened.file, path, () => textBytes)
    : readBytes(opened.file, 0, Math.min(opened.size, textBytes + 1)));
  if (bytes.length > textBytes) throw tooLarge(path, textBytes, "Check that it is the file that you mean.");
  return bytes;
}

/** With a slash behind a folder; null for a pipe or a device, which nobody wants to wait for. Throws for a link to where it is in. */
async function listedName(folder: string, entry: Dirent): Promise<string | null> {
  const { name } = entry;
  if (entry.isDirectory()) return `${name}/`;
  if (entry.isFile()) return name;
  if (!entry.isSymbolicLink()) return null;
  const path = join(folder, name);
  if (!(await isFolder(path))) return name;
  const [here, there] = await Promise.all([realpath(folder), realpath(path)]);
  if (here === there || here.startsWith(there.endsWith(sep) ? there : there + sep)) {
    throw new RunError("run/data", {
      what: `${path} is a link to a folder that it is in itself`,
      why: "what is there would be found again and again",
      help: "Remove the link.",
    });
  }
  return `${name}/`;
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );

/** Opens the file for as long as `use` takes; what goes wrong comes in words. */
async function withFile<T>(root: string, path: string, use: (opened: PlainFile) => Promise<T>): Promise<T> {
  const told = async (error: unknown): Promise<never> => {
    throw error instanceof RunError || error instanceof DataError ? error : await failure(root, path, error);
  };
  const opened = await openPlainFile(resolve(root, path), path).catch(told);
  return use(opened)
    .catch(told)
    .finally(() => opened.file.close());
}

type Pieces = StoredFile["bytes"];

const inMemory =
  (bytes: Uint8Array): Pieces =>
  (begin, end) =>
    bytes.subarray(begin, end);

/** Opened anew for each piece: a data set may be kept for as long as the process lives, and nobody closes it. */
const onDisk =
  (full: string, path: string): Pieces =>
  (begin, end) => {
    try {
      return readPiece(full, begin, end);
    } catch (error) {
      throw unreadable(path, "It was there when the run began: bring it back, and resume the run.", error);
    }
  };

function readPiece(full: string, begin: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  const file = openSync(full, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(file, bytes, done, bytes.length - done, begin + done);
      if (read === 0) throw new Error("it has become shorter");
      done += read;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

async function isPacked({ file, size }: PlainFile): Promise<boolean> {
  if (size < 2) return false;
  const [first, second] = await readBytes(file, 0, 2);
  return first === 0x1f && second === 0x8b;
}

/** Of a file that says more than memory has, or less than follows, nothing is unpacked beyond that. */
async function unpackArray<H extends SizedHeader>(
  file: FileHandle,
  path: string,
  headerOf: (beginning: Uint8Array) => H,
): Promise<StoredFile<H>> {
  let header: H | null = null;
  const bytes = await unpack(file, path, (beginning) => {
    header = headerOf(beginning);
    return header.size;
  });
  return { header: header ?? headerOf(bytes), size: bytes.length, bytes: inMemory(bytes) };
}

/**
 * Unpacks a file: as many bytes as `sizeOf` says when it is given the beginning, and one more where there is more.
 * `sizeOf` is not asked of a file that ends before. Throws `run/data` when the file is damaged or says that it is too large.
 */
async function unpack(file: FileHandle, path: string, sizeOf: (beginning: Uint8Array) => number): Promise<Uint8Array> {
  const gunzip = createGunzip();
  // What fails here fails below, where the pieces are taken.
  pipeline(file.createReadStream({ start: 0, autoClose: false }), gunzip).catch(() => undefined);
  let bytes = new Uint8Array(2 * beginningBytes);
  let length = 0;
  let isSized = false;
  try {
    for await (const piece of gunzip as AsyncIterable<Uint8Array>) {
      const taken = piece.subarray(0, bytes.length - length);
      bytes.set(taken, length);
      length += taken.length;
      if (!isSized && length >= beginningBytes) {
        isSized = true;
        bytes = grown(bytes.subarray(0, length), sizeOf(bytes.subarray(0, length)), path);
        length = Math.min(length, bytes.length);
      }
      if (length === bytes.length) break;
    }
  } catch (error) {
    throw systemCode(error).startsWith("Z_") ? damaged(path, error) : error;
  }
  return bytes.subarray(0, length);
}

/** Memory for `size` bytes and one more, beginning with `beginning`. */
function grown(beginning: Uint8Array, size: number, path: string): Uint8Array<ArrayBuffer> {
  if (size > unpackedBytes) throw tooLarge(path, unpackedBytes, "Unpack it: large files are then read in pieces.");
  const bytes = new Uint8Array(size + 1);
  bytes.set(beginning.subarray(0, bytes.length));
  return bytes;
}

const tooLarge = (path: string, most: number, help: string): RunError =>
  new RunError("run/data", {
    what: `${path} holds more than ${most.toLocaleString("en-US")} bytes, too many for memory`,
    help,
  });

const damaged = (path: string, error: unknown): RunError =>
  new RunError(
    "run/data",
    {
      what: `${path} cannot be decompressed`,
      why: reasonOf(error),
      help: "The file seems cut off or damaged: fetch it again.",
    },
    { cause: error },
  );

/** What a failed access means to the user. */
export async function failure(root: string, path: string, error: unknown): Promise<RunError> {
  const full = resolve(root, path);
  if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") {
    return new RunError(
      "run/data",
      { what: `${path} does not exist`, why: `looked for ${full}`, help: await whatIsThere(full) },
      { cause: error },
    );
  }
  return unreadable(
    path,
    "Check that you may read it, and that it is a file where a file is meant and a folder where a folder is.",
    error,
  );
}

/** The names nearest to the first part of a path that does not exist. */
async function whatIsThere(path: string): Promise<string> {
  let missing = path;
  while (dirname(missing) !== missing && !(await isFolder(dirname(missing)))) missing = dirname(missing);
  const folder = dirname(missing);
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0) return `${folder} is empty. Put the data there or correct the path.`;
  const close = nearest(basename(missing), names);
  if (close.length > 0) return `Did you mean ${close.map((name) => join(folder, name)).join(" or ")}?`;
  const [shown, rest] = [names.sort().slice(0, 5).join(", "), names.length - 5];
  return `${folder} has ${shown}${rest > 0 ? ` and ${rest} more` : ""}. Correct the path.`;
}

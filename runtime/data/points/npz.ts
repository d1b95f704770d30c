/** Arrays in NumPy's archives, `.npz`: zip files of `.npy` files, stored as they are or compressed. */

import { type Entry, fromBufferPromise, type ZipFile } from "yauzl";
import { BrokenShape, mostBytes, type NotSaid } from "./shape.js";

/** Arrays of an archive. */
const mostArrays = 1000;
/** Names that a message repeats. */
const shown = 5;

/** The bytes of the first array of an archive that has one of these names. Throws `BrokenShape`, or for an archive without any what `Lacking` makes. */
export async function arrayInArchive(
  bytes: Uint8Array,
  names: readonly string[],
  Lacking: typeof BrokenShape | typeof NotSaid = BrokenShape,
): Promise<Uint8Array> {
  const entries = new Map<string, Entry>();
  const zip = await opened(bytes, async (archive) => {
    for await (const entry of archive.eachEntry()) {
      if (entries.size >= mostArrays) throw new BrokenShape(`it has more than ${mostArrays} arrays`);
      entries.set(entry.fileName.replace(/\.npy$/, ""), entry);
    }
  });
  const entry = names.map((name) => entries.get(name)).find((found) => found !== undefined);
  if (!entry) {
    const there = [...entries.keys()].slice(0, shown).map((name) => `\`${name.slice(0, 40)}\``);
    const more = entries.size > shown ? ` and ${entries.size - shown} more` : "";
    throw new Lacking(
      `it has no array ${names.map((name) => `\`${name}\``).join(" or ")}; it has ${there.join(", ") || "none"}${more}`,
    );
  }
  if (entry.uncompressedSize > mostBytes) {
    throw new BrokenShape(`its array \`${entry.fileName.slice(0, 40)}\` has more than ${mostBytes / 2 ** 20} MiB`);
  }
  return read(zip, entry);
}

async function opened(bytes: Uint8Array, use: (zip: ZipFile) => Promise<void>): Promise<ZipFile> {
  try {
    const zip = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      lazyEntries: true,
    });
    await use(zip);
    return zip;
  } catch (error) {
    if (error instanceof BrokenShape) throw error;
    throw new BrokenShape("it is no whole .npz archive; numpy.savez writes such");
  }
}

/** As many bytes as the archive says: more or fewer are an error of the library. */
async function read(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of await zip.openReadStreamPromise(entry)) parts.push(part as Uint8Array);
  } catch {
    throw new BrokenShape(`its array \`${entry.fileName.slice(0, 40)}\` is cut off, damaged or encrypted`);
  }
  return Buffer.concat(parts);
}

/**
 * A block file as JavaScript: types taken away, and the places of its imports, so that whoever loads it can point them
 * elsewhere. What was once made is kept, since TypeScript takes longer to load than everything else together.
 */

import { createHash } from "node:crypto";
import { readCache, writeCache } from "../cache.js";
import { packageVersion } from "../package-root.js";

/** A place in a text, half open, in UTF-16 code units. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export interface Import {
  readonly specifier: string;
  /** The literal in the JavaScript, quotes included. */
  readonly inCode: Place;
  /** The literal in the text. */
  readonly inText: Place;
}

export interface Transpiled {
  /** JavaScript with a source map to the address that was given. */
  readonly code: string;
  /** In the order of the code. */
  readonly imports: readonly Import[];
  /** What TypeScript cannot read. */
  readonly mistakes: readonly (Place & { readonly message: string })[];
}

/** `url`: the file's address, which stack traces show. */
export async function transpile(url: string, text: string): Promise<Transpiled> {
  const key = createHash("sha256")
    .update(JSON.stringify([packageVersion(), url, text]))
    .digest("hex");
  const name = `blocks/${key}`;
  const known = readCache(name) as Transpiled | null;
  if (known) return known;
  const { strip } = await import("./strip.js");
  const made = strip(url, text);
  if (made.mistakes.length === 0) writeCache(name, made);
  return made;
}

/**
 * A block file as JavaScript: types taken away, and the places of its imports, so that whoever loads it can point them
 * elsewhere. What was once made is kept, since TypeScript takes longer to load than everything else together.
 */

import { createHash } from "node:crypto";
import { readCache, writeCache } from "../machine/cache.js";
import { packageVersion } from "../package-root.js";
import type { Transpiled } from "./strip.js";

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

/** Where this package lies and which version it is: the same answer from `dist/` and from the sources. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

let found: { readonly root: string; readonly manifest: Manifest } | null = null;

function locate() {
  if (found) return found;
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const path = join(folder, "package.json");
    if (existsSync(path)) {
      const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
      found = { root: folder, manifest };
      return found;
    }
    const parent = dirname(folder);
    if (parent === folder) throw new Error("invariant: the command is not inside its package");
    folder = parent;
  }
}

export const packageRoot = (): string => locate().root;

export const packageVersion = (): string => locate().manifest.version;

/** Where this package is and which version it has, found from this file, bundled into `dist/` or not. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Name and version in the nearest package.json above this file. */
function findPackage(): { readonly root: string; readonly version: string } {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) return { root: folder, version: "unknown" };
    folder = parent;
  }
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version?: string };
  return { root: folder, version: version ?? "unknown" };
}

const found = findPackage();

export const packageRoot: string = found.root;
export const version: string = found.version;

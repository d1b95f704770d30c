/** Doors of this package that emitted modules and block files import, as addresses of this very installation. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../package-root.js";

const doors: Readonly<Record<string, string>> = {
  "maelang/blocks": "dist/blocks.js",
  "maelang/graph": "dist/graph.js",
};

export const doorNames: readonly string[] = Object.keys(doors);

/** The address behind a name; undefined where it is no door. */
export function doorUrl(name: string): string | undefined {
  const path = doors[name];
  return path === undefined ? undefined : pathToFileURL(join(packageRoot(), path)).href;
}

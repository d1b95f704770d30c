/** How modules that lie somewhere speak of a project's files, and which file such a name means. */

import { relative, resolve } from "node:path";
import type { Elsewhere } from "../../compiler/emit/index.js";
import type { Vocabulary } from "./vocabulary.js";

/** TypeScript speaks of the JavaScript that a file becomes: `./checker-mask.js` is `checker-mask.ts`. */
const asImported = (path: string): string => path.replace(/\.(m?)ts$/, ".$1js");

/** `../blocks/checker-mask.js`, for a module in a folder. */
function specifierFor(file: string, folder: string): string {
  const way = asImported(relative(resolve(folder), file).replaceAll("\\", "/"));
  return way.startsWith("../") ? way : `./${way}`;
}

/** What modules in a folder may import from the project. */
export const elsewhere = ({ homes }: Vocabulary, folder: string): Elsewhere => ({
  homes,
  specifier: (file) => specifierFor(file, folder),
});

/** Addresses of a project's files by what modules in a folder call them. */
export const addressesOf = ({ project }: Vocabulary, folder: string): ReadonlyMap<string, string> =>
  new Map(project?.files.map(({ source, url }) => [specifierFor(resolve(source.path), folder), url]));

/** What an emitted module imports, and the names by which it then speaks of it. */

import { invariant } from "../../graph/index.js";
import { distinct } from "../assemble/names.js";
import { type Home, type Homes, homeOf, ourNames } from "../homes.js";

/** Files of a project that a module may import from. */
export interface Elsewhere {
  readonly homes: Homes;
  /** How the module names a file: its path from the folder of the module. */
  readonly specifier: (file: string) => string;
}

export interface Imports {
  /** Imports a layer or a declaration of weights that was made under a name; gives the name to write. */
  readonly use: (value: object, name: string) => string;
  /** Imports what this package exports under a name; gives the name. */
  readonly ours: (name: string) => string;
  /** Imports a block of a project; gives the name to write, or null for a block of this package. */
  readonly block: (definition: object) => string | null;
  /** Names from this package, sorted. */
  readonly own: () => readonly string[];
  /** Import declarations of a project's files, as text. */
  readonly declarations: () => readonly string[];
}

/** `taken`: names that mean something else in the module. */
export function createImports({ homes, specifier }: Elsewhere, taken: readonly string[]): Imports {
  const own = new Set<string>();
  const locals = new Map<object, { readonly home: Home; readonly local: string }>();
  const used = new Set([...taken, ...ourNames]);
  const localOf = (value: object, home: Home, wanted: string): string => {
    const before = locals.get(value);
    if (before) return before.local;
    const local = distinct(wanted, (name) => used.has(name));
    used.add(local);
    locals.set(value, { home, local });
    return local;
  };
  const ours = (name: string): string => {
    own.add(name);
    return name;
  };
  return {
    use(value, name) {
      const home = homeOf(value, name, homes);
      invariant(home !== null, `the layer ${name} is exported nowhere`);
      if (home !== "ours") return localOf(value, home, home.name === "default" ? name : home.name);
      return ours(name);
    },
    ours,
    block(definition) {
      const home = homes.get(definition);
      return home ? localOf(definition, home, home.name === "default" ? "block" : home.name) : null;
    },
    own: () => [...own].sort(),
    declarations() {
      const files = [...new Set([...locals.values()].map(({ home }) => home.file))];
      return files.sort().map((file) => {
        const names = [...locals.values()].filter(({ home }) => home.file === file).map(importedName);
        return `import { ${names.sort().join(", ")} } from ${JSON.stringify(specifier(file))};`;
      });
    },
  };
}

const importedName = ({ home, local }: { readonly home: Home; readonly local: string }): string =>
  home.name === local ? local : `${home.name} as ${local}`;

/** Looking things up in a registry by kind and name. */

import type { Definition, Registry } from "../../blocks/index.js";

/** The blocks of a kind; none where the language has a slot but the registry no such kind. */
export const blocksOf = (registry: Registry, kind: string): readonly Definition[] =>
  (registry as Readonly<Record<string, readonly Definition[] | undefined>>)[kind] ?? [];

export const blockNamed = (registry: Registry, kind: string, name: string): Definition | undefined =>
  blocksOf(registry, kind).find((definition) => definition.name === name);

/** The kinds that have a block of this name. */
export const kindsWith = (registry: Registry, name: string): readonly string[] =>
  Object.keys(registry).filter((kind) => blockNamed(registry, kind, name));

/** The block that stands in a slot left empty. */
export const defaultBlock = (registry: Registry, kind: string): Definition | undefined =>
  blocksOf(registry, kind).find((definition) => definition.isDefault);

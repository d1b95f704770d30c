/** Where a model's program finds what it is made of: in this package, or in a file of a project. */

import * as vocabulary from "../blocks/index.js";

/** An export of a file of a project. */
export interface Home {
  /** Absolute path. */
  readonly file: string;
  readonly name: string;
}

/** Blocks, layers and declarations of weights that files of a project export. */
export type Homes = ReadonlyMap<object, Home>;

export const noHomes: Homes = new Map();

/** Whether this package exports a value under a name. */
const isOurs = (value: object, name: string): boolean =>
  Object.hasOwn(vocabulary, name) && (vocabulary as Readonly<Record<string, unknown>>)[name] === value;

/**
 * Where a layer, or a declaration of weights, is exported. `name`: the name that it was given when it was made.
 * "ours": by this package, under that name; null: nowhere.
 */
export const homeOf = (value: object, name: string, homes: Homes): Home | "ours" | null =>
  isOurs(value, name) ? "ours" : (homes.get(value) ?? null);

/** Names that mean something of this package in an emitted module. */
export const ourNames: readonly string[] = Object.keys(vocabulary);

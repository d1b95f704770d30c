/** Blocks and their values in an emitted module: ours by name from `maelang/blocks`, a project's imported from its file. */

import { isBlockValue, type Kind, kindOf } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { camel } from "../assemble/names.js";
import type { Imports } from "./imports.js";
import { dataText } from "./text.js";

/** Where the blocks of a kind are found in `maelang/blocks`. */
const spaces: { readonly [K in Kind]: string } = {
  input: "inputs",
  view: "views",
  tokens: "tokens",
  positions: "positions",
  mask: "masks",
  encoder: "encoders",
  latents: "latents",
  decoder: "decoders",
  target: "targets",
  regions: "regionSources",
  loss: "losses",
  head: "heads",
  teacher: "teachers",
  adversary: "adversaries",
  dataset: "datasets",
  augment: "augments",
  optimizer: "optimizers",
  schedule: "schedules",
  probe: "probes",
};

export interface Named {
  readonly name: string;
}

/** `masks.random` */
export function blockText(definition: Named, imports: Imports): string {
  const kind = kindOf(definition);
  invariant(kind, `${definition.name} was defined as a block of some kind`);
  return imports.block(definition) ?? `${imports.ours(spaces[kind])}.${camel(definition.name)}`;
}

/** `{ ratio: 0.75 }`, without what is absent; a block among the values is `{ block, values }`. */
export function valuesText(values: object, imports: Imports): string {
  const written = Object.entries(values).filter(([, value]) => value !== null);
  const fields = written.map(([name, value]: [string, unknown]) => {
    const text = isBlockValue(value)
      ? `{ block: ${blockText(value.block, imports)}, values: ${valuesText(value.values, imports)} }`
      : dataText(value);
    return `${name}: ${text}`;
  });
  return `{ ${fields.join(", ")} }`;
}

/**
 * What a definition of each kind must have beside what all blocks share: how a definition that TypeScript never saw is
 * checked. Derived from the contracts by type, so that a member which is forgotten here does not compile.
 */

import type { Definition } from "./block.js";
import type { Kind } from "./kinds.js";
import type { Kinds } from "./registry.js";

/** Members that no definition of the kind may leave out. */
type Own<K extends Kind> = {
  [M in Exclude<keyof Kinds[K], keyof Definition>]: undefined extends Kinds[K][M] ? never : M;
}[Exclude<keyof Kinds[K], keyof Definition>];

export type Member = "function" | "flag" | "names";

type MemberOf<V> = V extends (...args: never[]) => unknown
  ? "function"
  : V extends boolean
    ? "flag"
    : V extends readonly string[]
      ? "names"
      : never;

export const members: { readonly [K in Kind]: { readonly [M in Own<K>]: MemberOf<Kinds[K][M]> } } = {
  input: { shape: "function" },
  view: { streams: "function", shared: "function" },
  tokens: { grid: "function", parameters: "function", embed: "function" },
  positions: { table: "function" },
  mask: { visible: "function", sample: "function" },
  encoder: {
    width: "function",
    layers: "function",
    extraTokens: "function",
    parameters: "function",
    encode: "function",
  },
  latents: { count: "function", width: "function", parameters: "function", enter: "function", leave: "function" },
  decoder: { width: "function", parameters: "function", decode: "function" },
  target: { outputs: "function", build: "function" },
  loss: { weight: "function", build: "function" },
  head: { classes: "function", parameters: "function", classify: "function" },
  teacher: { momentum: "function" },
  adversary: {
    backbone: "function",
    update: "function",
    weight: "function",
    parameters: "function",
    judge: "function",
    ownLoss: "function",
    modelLoss: "function",
  },
  regions: { maps: "function" },
  dataset: { open: "function" },
  augment: { plan: "function", random: "flag" },
  optimizer: { lr: "function", state: "names", update: "function" },
  schedule: { factor: "function" },
  probe: { run: "function" },
};

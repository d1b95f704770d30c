/** The kinds of block there are: a closed set. What a block of each kind is, says `registry.ts`. */

export type Kind =
  | "input"
  | "view"
  | "tokens"
  | "positions"
  | "mask"
  | "encoder"
  | "latents"
  | "decoder"
  | "target"
  | "regions"
  | "loss"
  | "head"
  | "teacher"
  | "adversary"
  | "dataset"
  | "augment"
  | "optimizer"
  | "schedule"
  | "probe";

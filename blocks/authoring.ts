/** What a project's own blocks are written with, and what their definitions are checked by. */

import { type BlockValue, blockParam } from "./block-values.js";
import type { Kind } from "./kinds.js";
import type { Param, Words } from "./params.js";
import type { Kinds } from "./registry.js";

export { defineAdversary } from "./adversary/index.js";
export { defineAugment } from "./augment/index.js";
export { kindOf } from "./block.js";
export { defineDataset } from "./dataset/index.js";
export { defineDecoder } from "./decoder/index.js";
export { defineEncoder } from "./encoder/index.js";
export { defineHead } from "./head/index.js";
export { defineInput } from "./input/index.js";
export { defineLatents } from "./latents/index.js";
export { chosenPatches, comparisonParams, defineLoss } from "./loss/contract.js";
export { defineMask, visibleTokens } from "./mask/index.js";
export { type Member, members } from "./members.js";
export { claim, declarer, layer } from "./nn/layer.js";
export { defineOptimizer } from "./optimizer/index.js";
export { hasFittingDefault, isParamKind } from "./param-values.js";
export {
  axes,
  choice,
  duration,
  flag,
  int,
  interval,
  labels,
  optional,
  rate,
  ratio,
  real,
  reals,
  sides,
  size,
  text,
} from "./params.js";
export { definePositions } from "./positions/index.js";
export { defineProbe } from "./probe/index.js";
export { defineRegionSource } from "./regions/index.js";
export { defineSchedule } from "./schedule/index.js";
export { patchesOf } from "./sequence.js";
export { defineTarget } from "./target/index.js";
export { defineTeacher } from "./teacher/index.js";
export { defineTokens } from "./tokens/index.js";

/** A parameter that takes a block: `p.first.block` is then a block of that kind, with its values beside it. */
export const block: <const K extends Kind>(
  o: Words<BlockValue<Kinds[K]>> & { readonly of: K },
) => Param<BlockValue<Kinds[K]>> = blockParam;
export { defineView } from "./view/contract.js";

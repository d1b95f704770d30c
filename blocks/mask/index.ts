/** The masks, sorted by name. */

import { attentionGuided } from "./attention-guided.js";
import { ball } from "./ball.js";
import { block } from "./block.js";
import { classAttentionMask as classAttention } from "./class-attention.js";
import { corrupt } from "./corrupt.js";
import { dirichlet } from "./dirichlet.js";
import { future } from "./future.js";
import { grid } from "./grid.js";
import { hilbert } from "./hilbert.js";
import { latentGuided } from "./latent-guided.js";
import { multiBlock } from "./multi-block.js";
import { peano } from "./peano.js";
import { random } from "./random.js";
import { regions } from "./regions.js";
import { selfGuided } from "./self-guided.js";
import { semanticParts } from "./semantic-parts.js";
import { semanticWhole } from "./semantic-whole.js";
import { spiral } from "./spiral.js";
import { stripes } from "./stripes.js";
import { zigzag } from "./zigzag.js";

export {
  defineMask,
  type Guide,
  type GuideInputs,
  type Hiding,
  type JointMask,
  type Mask,
  visibleTokens,
} from "./contract.js";
export {
  attentionGuided,
  ball,
  block,
  classAttention,
  corrupt,
  dirichlet,
  future,
  grid,
  hilbert,
  latentGuided,
  multiBlock,
  peano,
  random,
  regions,
  selfGuided,
  semanticParts,
  semanticWhole,
  spiral,
  stripes,
  zigzag,
};

export const masks = [
  attentionGuided,
  ball,
  block,
  classAttention,
  corrupt,
  dirichlet,
  future,
  grid,
  hilbert,
  latentGuided,
  multiBlock,
  peano,
  random,
  regions,
  selfGuided,
  semanticParts,
  semanticWhole,
  spiral,
  stripes,
  zigzag,
] as const;

/** Fixed two-dimensional sine-cosine positions, as in official MAE. */

import type { ModelContext } from "../block.js";
import { sinCosPositions } from "../nn/index.js";
import { definePositions } from "./contract.js";

/**
 * The encoder's or decoder's width where sine and cosine of row and column cannot have a quarter of it each. The decoder's
 * is looked at only when the encoder's is fine: what a condition reads is what its finding points at.
 */
function oddWidth(context: ModelContext): number | null {
  const odd = (width: number | null): boolean => width !== null && width % 4 !== 0;
  if (odd(context.width)) return context.width;
  return odd(context.decoderWidth) ? context.decoderWidth : null;
}

export const sinCos = definePositions({
  name: "sin_cos",
  summary: "Fixed two-dimensional sine-cosine positions; stored with the weights, not trained.",
  source:
    "He et al., CVPR 2022; Chen, Xie and He, An Empirical Study of Training Self-Supervised Vision Transformers, ICCV 2021",
  since: "0.1",
  isDefault: true,
  params: {},
  requires: [
    {
      name: "width-in-quarters",
      at: null,
      doc: "Encoder and decoder widths are divisible by 4.",
      holds: (_, c) => oddWidth(c) === null,
      say: (_, c) => `sine-cosine positions need a width divisible by 4, and ${oddWidth(c)} is not`,
      help: (_, c) => {
        const width = oddWidth(c) as number;
        return `${width - (width % 4)} and ${width + 4 - (width % 4)} are; or use \`positions learned\``;
      },
    },
  ],
  table: (_, { grid, extra, width }) => sinCosPositions({ rows: grid.rows, columns: grid.columns, extra, width }),
});

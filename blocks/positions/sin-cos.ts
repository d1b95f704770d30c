/** Fixed sine-cosine positions: of each axis a part, as in official MAE, or of the place in the sequence, as in VideoMAE. */

import type { ModelContext } from "../block.js";
import { sinCosPositions } from "../nn/index.js";
import { choice, optional } from "../params.js";
import { countsOf } from "../sets.js";
import { definePositions } from "./contract.js";

interface Values {
  readonly order: "axes" | "flat" | null;
}

/** What a width is divided into: a sine and a cosine for each axis. */
const partsOf = ({ order }: Values, { grid }: ModelContext): number => (order === "flat" ? 2 : 2 * grid.length);

/**
 * The encoder's or decoder's width where that has not a whole part for each sine and cosine. The decoder's is looked at only when
 * the encoder's is fine: what a condition reads is what its finding points at.
 */
function oddWidth(p: Values, context: ModelContext): number | null {
  const odd = (width: number | null): boolean => width !== null && width % partsOf(p, context) !== 0;
  if (odd(context.width)) return context.width;
  return odd(context.decoderWidth) ? context.decoderWidth : null;
}

export const sinCos = definePositions({
  name: "sin_cos",
  summary: "Fixed sine-cosine positions; stored with the weights, not trained.",
  source:
    "He et al., CVPR 2022; Chen, Xie and He, An Empirical Study of Training Self-Supervised Vision Transformers, ICCV 2021",
  since: "0.1",
  isDefault: true,
  params: {
    order: optional(
      choice({
        options: {
          axes: "Each axis has its part of the features, the last one first; sines and cosines apart.",
          flat: "The place in the sequence, as of words; sines and cosines by turns.",
        },
        doc: "What is encoded: the place along each axis, or the place in the sequence. Absent: as `axes`.",
      }),
    ),
  },
  requires: [
    {
      name: "width-in-quarters",
      at: null,
      doc: "Encoder and decoder widths are divisible into a sine and a cosine for each axis: of two axes, by 4.",
      holds: (p, c) => oddWidth(p, c) === null,
      say: (p, c) => `sine-cosine positions need a width divisible by ${partsOf(p, c)}, and ${oddWidth(p, c)} is not`,
      help(p, c) {
        const [width, parts] = [oddWidth(p, c) as number, partsOf(p, c)];
        return `${width - (width % parts)} and ${width + parts - (width % parts)} are; or use \`positions learned\``;
      },
    },
  ],
  table: (p, { grid, extra, width }) =>
    sinCosPositions({ counts: countsOf(grid), ...(p.order === "flat" ? { order: p.order } : {}), extra, width }),
});

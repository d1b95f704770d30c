/** Fixed two-dimensional sine-cosine positions, as in official MAE. */

import { sinCosPositions } from "../nn/index.js";
import { definePositions } from "./contract.js";

/** Sine and cosine of row and column need a quarter of the width each. */
const oddWidth = (widths: readonly (number | null)[]): number | undefined =>
  widths.find((width) => width !== null && width % 4 !== 0) ?? undefined;

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
      holds: (_, c) => oddWidth([c.width, c.decoderWidth]) === undefined,
      say: (_, c) =>
        `sine-cosine positions need a width divisible by 4, and ${oddWidth([c.width, c.decoderWidth])} is not`,
      help: (_, c) => {
        const width = oddWidth([c.width, c.decoderWidth]) as number;
        return `${width - (width % 4)} and ${width + 4 - (width % 4)} are; or use learned positions`;
      },
    },
  ],
  table: (_, { grid, extra, width }) => sinCosPositions({ rows: grid.rows, columns: grid.columns, extra, width }),
});

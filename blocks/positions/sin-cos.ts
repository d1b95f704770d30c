/** Fixed sine-cosine positions: of each axis a part, as in official MAE, or of the place in the sequence, as in VideoMAE. */

import type { AxisName } from "../arrays.js";
import type { ModelContext } from "../block.js";
import { sinCosPositions } from "../nn/index.js";
import { axes, choice, optional } from "../params.js";
import { axesText, countsOf, type Lattice } from "../sets.js";
import { andInput, definePositions, severalInputs } from "./contract.js";

interface Values {
  readonly order: "axes" | "flat" | null;
  readonly along: readonly AxisName[] | null;
}

/** Numbers of the axes that have a part of the features. */
const encoded = ({ along }: Values, grid: Lattice): readonly number[] =>
  grid.flatMap(({ name }, i) => ((along?.includes(name) ?? true) ? [i] : []));

/** The first name that is no axis of the tokens. */
const unknownAxis = ({ along }: Values, grid: Lattice): AxisName | undefined =>
  along?.find((name) => grid.every((axis) => axis.name !== name));

/** What a width is divided into: a sine and a cosine for each axis that is encoded. */
const partsOf = (p: Values, { grid }: ModelContext): number =>
  p.order === "flat" ? 2 : 2 * Math.max(1, encoded(p, grid).length);

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
        doc: "What is encoded: the place along each axis, or the place in the sequence. If absent, as `axes`.",
      }),
    ),
    along: optional(axes({ doc: "Axes whose places are encoded, such as `[time]`. If absent, all." })),
    and: andInput,
  },
  requires: [
    severalInputs,
    {
      name: "axes-there",
      at: "along",
      doc: "The axes in `along` are axes of the tokens, at least one.",
      holds: (p, { grid }) => unknownAxis(p, grid) === undefined && p.along?.length !== 0,
      say: (p, { grid }) =>
        p.along?.length === 0 ? "`along` names no axis" : `the tokens have no axis \`${unknownAxis(p, grid)}\``,
      help: (_, { grid }) => `they have ${axesText(grid)}`,
    },
    {
      name: "along-or-flat",
      at: "along",
      doc: "`along` stands beside `order: axes` only: the place in the sequence counts all axes.",
      holds: (p) => p.order !== "flat" || p.along === null,
      say: () => "`order: flat` encodes the place in the sequence, which has no axes",
      help: () => "remove one of `order: flat` and `along`",
    },
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
  marksInput: (p) => p.and === "input",
  table(p, { grid, extra, width }) {
    const order = p.order === "flat" ? { order: p.order } : {};
    const along = p.along === null ? {} : { along: encoded(p, grid) };
    return sinCosPositions({ counts: countsOf(grid), ...order, ...along, extra, width });
  },
});

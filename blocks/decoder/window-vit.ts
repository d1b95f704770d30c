/** The decoder of Audio-MAE: that of MAE over the grid of patches, each of which attends to those of its window alone. */

import { liesInSpace } from "../arrays.js";
import type { ModelContext, Requirement } from "../block.js";
import {
  cosineWindowBlockParameters,
  cosineWindowBlocks,
  layerNorm,
  linear,
  linearParameters,
  placesApart,
  placesInRow,
  repeat,
} from "../nn/index.js";
import { axes, int, optional, type Params, type ValuesOf } from "../params.js";
import { axesText, countsOf } from "../sets.js";
import { latentFrom } from "../sources.js";
import { normEpsilon, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { wholeWindows } from "../windows.js";
import { defineDecoder, ofTokens } from "./contract.js";
import { narrowed, ownPatches, trunkParameters, wholeSequence } from "./trunk.js";

const params = {
  ...transformerParams("decoder"),
  window: int({
    min: 1,
    max: 1024,
    default: 4,
    doc: "Places of a window along each axis; along an axis with fewer, all.",
  }),
  shift: optional(
    axes({
      doc: "Axes along which the windows of every second block are moved by half a window, such as `[time]`; if absent, all.",
    }),
  ),
  norm_epsilon: normEpsilon,
  of: latentFrom,
};

type Values = ValuesOf<typeof params>;

const unknownAxis = ({ shift }: Values, { grid }: ModelContext): string | undefined =>
  shift?.find((name) => grid.every((axis) => axis.name !== name));

const onGrid: Requirement<Params, ModelContext> = {
  name: "on-a-grid",
  at: null,
  doc: "Tokens lie in order along axes.",
  holds: (_, { array }) => !liesInSpace(array) && !array.table,
  say: (_, { array }) =>
    array.table
      ? "windows are of neighbours, and columns of a table have none"
      : "windows are cut along axes, and the tokens lie in space, in no order",
  help: () => "use `vit`, which attends to every token",
};

const axesThere: Requirement<typeof params, ModelContext> = {
  name: "axes-there",
  at: "shift",
  doc: "The axes in `shift` are axes of the tokens, at least one.",
  holds: (p, context) => p.shift?.length !== 0 && unknownAxis(p, context) === undefined,
  say: (p, context) =>
    p.shift?.length === 0 ? "`shift` names no axis" : `the tokens have no axis \`${unknownAxis(p, context)}\``,
  help: (_, { grid }) => `they have ${axesText(grid)}`,
};

export const windowVit = defineDecoder({
  name: "window_vit",
  summary:
    "A light transformer over all patches, each of which attends within a window; those of every second block are moved.",
  source:
    "Huang et al., Masked Autoencoders that Listen, NeurIPS 2022; Liu et al., Swin Transformer V2: Scaling Up Capacity and Resolution, CVPR 2022",
  since: "0.2",
  params,
  requires: [
    ...transformerRequirements,
    ofTokens,
    onGrid,
    axesThere,
    wholeWindows<typeof params>((_, { grid }) => [{ counts: countsOf(grid) }]),
  ],
  width: (p) => p.width,
  reads: "either",
  parameters: (p, { encoderWidth, outputs, whole, grid }) => ({
    ...trunkParameters(p, encoderWidth, whole),
    decoder_blocks: repeat(
      p.depth,
      cosineWindowBlockParameters({
        width: p.width,
        hidden: p.width * p.mlp_ratio,
        heads: p.heads,
        axes: grid.length,
      }),
    ),
    decoder_pred: linearParameters(p.width, outputs),
  }),
  decode(code, p, w, inputs) {
    const epsilon = p.norm_epsilon === null ? {} : { epsilon: p.norm_epsilon };
    const whole = wholeSequence(code, narrowed(code, w, inputs), w.mask_token, inputs); // [B, extra + N, Dd]
    const patches = ownPatches(code, whole, inputs);
    const map = code.let("map", placesApart, patches, { counts: countsOf(inputs.grid) });
    const moved = p.shift === null ? {} : { moved: inputs.grid.map(({ name }) => p.shift?.includes(name) ?? false) };
    const x = code.let("x", cosineWindowBlocks, map, w.decoder_blocks, { window: p.window, ...moved, ...epsilon });
    const normed = code.let("normed", layerNorm, code.let("places", placesInRow, x), w.decoder_norm, ...given(epsilon));
    return code.let("prediction", linear, normed, w.decoder_pred);
  },
});

/** Options of a layer, which are left out where there are none. */
const given = <O extends object>(options: O): readonly O[] => (Object.keys(options).length > 0 ? [options] : []);

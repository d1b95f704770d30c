/** The decoder of Swin MAE: the encoder's stages in a mirror, from the deepest map up to the finest, and a linear layer at each place. */

import type { Tensor } from "../../graph/index.js";
import {
  expandParameters,
  expandPlaces,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
  patchify,
  placesInRow,
  repeat,
  series,
  spreadPlaces,
  windowBlockParameters,
  windowBlocks,
} from "../nn/index.js";
import type { ParameterTree } from "../parameters.js";
import { reals, type ValuesOf } from "../params.js";
import { windowParams, windowsFit } from "../windows.js";
import { type DecoderContext, defineDecoder, ofMaps } from "./contract.js";

const params = {
  depths: reals({ min: 1, max: 1024, doc: "Blocks of each stage, the first of which is the deepest." }),
  ...windowParams,
};

type Values = ValuesOf<typeof params>;

type Levels = NonNullable<DecoderContext["maps"]>["levels"];

/** Maps that the stages give, coarsest first: those of the encoder above its deepest. */
const above = (levels: Levels): Levels => levels.slice(0, -1).reverse();

interface Weights {
  readonly first_patch_expanding: unknown;
  readonly layers_up: readonly { readonly blocks: readonly unknown[]; readonly upsample?: unknown }[];
  readonly norm_up: unknown;
  readonly decoder_pred: unknown;
}

export const swin = defineDecoder({
  name: "swin",
  summary:
    "Stages of Swin blocks in a mirror, each at twice the rows and columns of the one before, and a linear layer.",
  source: "Xu et al., Swin MAE: Masked autoencoders for small datasets, Computers in Biology and Medicine 161, 2023",
  since: "0.2",
  params,
  requires: [
    ofMaps,
    {
      name: "stage-of-each-map",
      at: "depths",
      doc: "There is a stage for each map of the encoder but the deepest, and each map has twice the places of the next along every axis.",
      holds: ({ depths }, { maps }) =>
        maps === null ||
        (depths.length === maps.levels.length - 1 &&
          maps.levels.every(({ stride }, i) => i === 0 || stride === 2 * (maps.levels[i - 1]?.stride ?? 0))),
      say: ({ depths }, { maps }) =>
        `there are ${depths.length} depths, and maps of strides ${maps?.levels.map(({ stride }) => stride).join(", ")}`,
      help: (_, { maps }) => `write ${(maps?.levels.length ?? 1) - 1} depths`,
    },
    ...windowsFit<typeof params>((_, { array, maps }) =>
      above(maps?.levels ?? []).map(({ stride, width }) => ({
        counts: array.axes.map(({ size }) => size / stride),
        width,
      })),
    ),
  ],
  width: () => null,
  reads: "maps",
  parameters(p, { maps, outputs, encoderWidth }): ParameterTree {
    const levels = above(maps?.levels ?? []);
    const [sizes, axes] = [maps?.sizes ?? [], maps?.sizes.length ?? 2];
    const stage = (depth: number, i: number): object => {
      const { width, stride } = levels[i] as Levels[number];
      const window = sizes.map((size) => Math.min(p.window, size / stride));
      const size = { width, hidden: width * p.mlp_ratio, heads: p.heads[i] as number, window };
      const blocks = repeat(depth, windowBlockParameters(size));
      const next = levels[i + 1];
      return next ? { blocks, upsample: expandParameters({ inputs: width, outputs: next.width, axes }) } : { blocks };
    };
    const [first, last] = [levels[0], levels.at(-1)] as readonly Levels[number][];
    const share = ((maps?.cell ?? 1) / (last?.stride ?? 1)) ** axes;
    return {
      first_patch_expanding: expandParameters({ inputs: encoderWidth, outputs: first?.width ?? 1, axes }),
      layers_up: series(...p.depths.map(stage)),
      norm_up: layerNormParameters(last?.width ?? 1),
      decoder_pred: linearParameters(last?.width ?? 1, outputs / share),
    } as ParameterTree;
  },
  decode(code, p: Values, w, { maps, grid }) {
    const { first_patch_expanding, layers_up, norm_up, decoder_pred } = w as unknown as Weights;
    const epsilon = p.norm_epsilon;
    const expanded = code.let("expanded", expandPlaces, maps.at(-1), first_patch_expanding, { epsilon });
    const x = layers_up.reduce<Tensor>((below, { blocks, upsample }) => {
      const stage = code.let("stage", windowBlocks, below, blocks, { window: p.window, epsilon });
      return upsample ? code.let("expanded", expandPlaces, stage, upsample, { epsilon }) : stage;
    }, expanded);
    const normed = code.let("normed", layerNorm, x, norm_up, { epsilon });
    const drawn = code.let("drawn", linear, normed, decoder_pred); // [B, ...S, P] of the finest map
    if (drawn.shape[1] === grid[0]?.count) return code.let("prediction", placesInRow, drawn);
    const factor = ((grid[0]?.size ?? 1) * (grid[0]?.count ?? 1)) / (drawn.shape[1] as number);
    const width = (drawn.shape.at(-1) as number) / factor ** grid.length;
    const array = code.let("array", spreadPlaces, drawn, { factor, width });
    return code.let("prediction", patchify, array, grid);
  },
});

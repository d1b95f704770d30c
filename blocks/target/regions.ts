/** Binary maps of regions as target, the target of R-MAE. */

import { invariant } from "../../graph/index.js";
import { pictured } from "../arrays.js";
import {
  addVisiblePositions,
  embedMaps,
  patchEmbedParameters,
  patchify,
  splitRegions,
  takeTokens,
} from "../nn/index.js";
import { choice, int } from "../params.js";
import { boundSource, ofPictures, regionMaps, sourceParam } from "../regions/index.js";
import { boxLength, tokenCount } from "../sets.js";
import { madeOf } from "../sources.js";
import { defineTarget, type TargetContext } from "./contract.js";

interface Values {
  readonly count: number;
  readonly sequences: "regions" | "channels";
}

/** What one sequence has of a patch: a region's pixels, or those of all regions. */
const sequenceValues = ({ count, sequences }: Values, { grid }: TargetContext): number =>
  boxLength(grid) * (sequences === "channels" ? count : 1);

export const regions = defineTarget({
  name: "regions",
  summary: "Binary maps of a few regions of each image, drawn at random: one where a pixel belongs to the region.",
  source: "Nguyen et al., R-MAE: Regions Meet Masked Autoencoders, ICLR 2024, section 3",
  since: "0.1",
  params: {
    of: madeOf,
    source: sourceParam,
    count: int({ min: 1, max: 1024, default: 8, doc: "Regions drawn of each image." }),
    touching: int({ min: 1, default: 1, doc: "Patches that a region touches at least; others are not drawn." }),
    sequences: choice({
      default: "regions",
      options: {
        regions: "Each region's patches are a sequence of their own.",
        channels: "The regions are the channels of one sequence, so that their order matters.",
      },
      doc: "What the encoder in the target's braces sees.",
    }),
  },
  requires: [ofPictures],
  logits: "each",
  outputs: (p, { grid }) => boxLength(grid) * p.count,
  field(p, { array, grid }) {
    const shape = pictured(array);
    const source = boundSource(p.source);
    const choice = { count: p.count, touching: p.touching, ignored: source.ignored };
    return {
      shape: [shape.height, shape.width, p.count],
      dtype: "float32",
      ...source.files,
      compute: ({ random, array: image, ...sample }) =>
        regionMaps(source.maps({ shape, image, ...sample }), grid, choice, random),
    };
  },
  build(code, _, { field }, { grid }) {
    invariant(field, "the field of the regions is fed");
    return code.let("target", patchify, field, grid);
  },
  sequences: (p) => (p.sequences === "channels" ? 1 : p.count),
  parameters: (p, context) => ({ region_embed: patchEmbedParameters(sequenceValues(p, context), context.width) }),
  tokens(code, p, w, { target, positions, visible }, context) {
    const seen = code.let("seen_maps", takeTokens, target, visible); // [B, V, P]
    const parts = { values: boxLength(context.grid), regions: p.count };
    const maps = p.sequences === "channels" ? seen : code.let("maps", splitRegions, seen, parts);
    const tokens = code.let("region_tokens", embedMaps, maps, w.region_embed.proj); // [B', V, De]
    const sizes = { extra: context.extra, count: tokenCount(context.grid) };
    return code.let("placed_tokens", addVisiblePositions, tokens, positions, visible, sizes);
  },
});

/** One linear layer as decoder, as in SimMIM: hidden tokens already pass through the encoder. */

import type { Tensor } from "../../graph/index.js";
import type { Code } from "../code.js";
import { linear as linearLayer, linearParameters, placesApart, placesInRow, spreadPlaces } from "../nn/index.js";
import { latentFrom } from "../sources.js";
import { type DecoderContext, type DecoderInputs, defineDecoder } from "./contract.js";
import { ownPatches } from "./trunk.js";

export const linear = defineDecoder({
  name: "linear",
  summary: "One linear layer; hidden patches enter the encoder as copies of one learned token.",
  source: "Xie et al., SimMIM: A Simple Framework for Masked Image Modeling, CVPR 2022, section 3",
  since: "0.1",
  params: { of: latentFrom },
  width: () => null,
  reads: "every",
  staged: () => ({ method: "SimMIM" }),
  padding: true,
  readsCoordinates: true,
  headWidth: () => 0,
  parameters: (_, { encoderWidth, outputs, maps }) => ({
    decoder_pred: linearParameters(encoderWidth, outputs * cellsOfPlace(maps)),
  }),
  decode(code, _, w, inputs) {
    if (inputs.maps.length > 0)
      return cellsApart(code, code.let("drawn", linearLayer, inputs.latent, w.decoder_pred), inputs);
    const patches = ownPatches(code, inputs.latent, inputs);
    return code.let("prediction", linearLayer, patches, w.decoder_pred);
  },
});

/** Cells that a place of the deepest map has; of tokens one, itself. */
function cellsOfPlace(maps: DecoderContext["maps"]): number {
  const deepest = maps?.levels.at(-1);
  return maps && deepest ? (deepest.stride / maps.cell) ** maps.sizes.length : 1;
}

/** What is drawn at each place of the deepest map, [B, places, cells P] -> [B, N, P]: SimMIM's shuffle of pixels. */
function cellsApart(code: Code, drawn: Tensor, { maps, grid, count }: DecoderInputs): Tensor {
  const deepest = (maps.at(-1) as Tensor).shape.slice(1, -1) as readonly number[];
  const factor = (grid[0]?.count ?? 1) / (deepest[0] as number);
  if (factor === 1) return drawn;
  const apart = code.let("apart", placesApart, drawn, { counts: deepest });
  const width = ((drawn.shape[2] as number) * (drawn.shape[1] as number)) / count;
  const spread = code.let("spread", spreadPlaces, apart, { factor, width });
  return code.let("prediction", placesInRow, spread);
}

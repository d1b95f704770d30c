/** How a mask is decided in the graph: by what the encoder makes of the whole image. */

import type { Bound, Guide, Mask } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { arrayIn, type Placed, placedTokens, placesIn } from "./backbone.js";
import type { ModelFunction } from "./function.js";
import { layoutOf } from "./layout.js";
import { type MaskPart, onlyInput } from "./parts.js";
import { encoderPositions } from "./weights.js";

/** The names of the scalars that the mask is fed. */
export const movingNames = ({ definition, values }: Bound<Mask>): readonly string[] =>
  Object.keys(definition.guide?.moving(values) ?? {});

/** null: the mask is drawn on the host alone. */
export function guideFunction(parts: Placed): ModelFunction | null {
  const [mask] = parts.masks;
  const guide = mask?.block.definition.guide;
  return mask && guide ? guiding(parts, mask, guide) : null;
}

const guiding = (parts: Placed, mask: MaskPart, guide: Guide): ModelFunction => ({
  name: "guide",
  doc: "The order of the patches, visible ones first, by what the model itself makes of the whole image.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const { extra } = layoutOf(parts);
    const input = onlyInput(parts);
    const { hidden, restore } = placesIn(parts, mask, batch);
    return guide.order(code, mask.block.values, {
      attention(layer) {
        const { definition, values } = parts.encoder.block;
        invariant(definition.attention, "the checker lets through only encoders whose attention can be read");
        const placed = placedTokens(code, parts, input, w, arrayIn(input, batch));
        const seen = { positions: w[encoderPositions] as Tensor, input: null, padding: null };
        return definition.attention(code, values, w, placed, seen, layer);
      },
      drawn: restore,
      draws: batch.draws as Tensor,
      moving: Object.fromEntries(movingNames(mask.block).map((name) => [name, batch[name] as Tensor])),
      extra,
      hidden,
    });
  },
});

/** How a mask is decided in the graph: by what the encoder makes of the whole image. */

import type { Bound, Guide, Mask } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { arrayIn, placedTokens } from "./backbone.js";
import type { ModelFunction } from "./function.js";
import { layoutOf } from "./layout.js";
import type { Parts } from "./parts.js";
import { encoderPositions } from "./weights.js";

/** The names of the scalars that the mask is fed. */
export const movingNames = ({ definition, values }: Bound<Mask>): readonly string[] =>
  Object.keys(definition.guide?.moving(values) ?? {});

/** null: the mask is drawn on the host alone. */
export function guideFunction(parts: Parts): ModelFunction | null {
  const { mask } = parts;
  const guide = mask?.definition.guide;
  return mask && guide ? guiding(parts, mask, guide) : null;
}

const guiding = (parts: Parts, mask: Bound<Mask>, guide: Guide): ModelFunction => ({
  name: "guide",
  doc: "The order of the patches, visible ones first, by what the model itself makes of the whole image.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const { encoder } = parts;
    const { extra } = layoutOf(parts);
    return guide.order(code, mask.values, {
      attention(layer) {
        const { definition, values } = encoder;
        invariant(definition.attention, "the checker lets through only encoders whose attention can be read");
        const placed = placedTokens(code, parts, w, arrayIn(parts, batch));
        return definition.attention(code, values, w, placed, w[encoderPositions] as Tensor, layer);
      },
      drawn: batch.restore,
      draws: batch.draws as Tensor,
      moving: Object.fromEntries(movingNames(mask).map((name) => [name, batch[name] as Tensor])),
      extra,
      hidden: batch.hidden,
    });
  },
});

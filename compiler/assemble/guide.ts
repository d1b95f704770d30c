/** How masks are decided in the graph: by what the model's encoders make of whole arrays. */

import { type Guide, guideNames, patchesOf, tokenCount } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { seenBy, tokensFor, toldOf } from "./backbone.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import { movingNames } from "./fields.js";
import type { ModelFunction } from "./function.js";
import { type Placed, placesIn } from "./input-tokens.js";
import { extraTokensOf } from "./layout.js";
import { pascal } from "./names.js";
import { paddingBehindFront } from "./padding.js";
import type { EncoderPart, MaskPart, Parts } from "./parts.js";
import { teacherBranch } from "./weights.js";

/** The masks that the model decides itself, each with what does. */
export const guidedMasks = (parts: Pick<Parts, "masks">): readonly { readonly mask: string; readonly f: string }[] =>
  parts.masks.flatMap((mask) => (mask.guide ? [{ mask: mask.name, f: functionName(mask) }] : []));

const functionName = ({ label }: MaskPart): string => `guide${pascal(label ?? "")}`;

/** None: masks are drawn on the host alone. */
export const guideFunctions = (parts: Placed): readonly ModelFunction[] =>
  parts.masks.flatMap((mask) => {
    const { guide } = mask.block.definition;
    return guide && mask.guide ? [guiding(parts, mask, guide, mask.guide)] : [];
  });

const guiding = (parts: Placed, mask: MaskPart, guide: Guide, encoder: EncoderPart): ModelFunction => ({
  name: functionName(mask),
  doc: "The order of the patches, visible ones first, by what the model itself makes of the whole image.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const [input] = mask.over;
    invariant(input, "a mask lies over an input");
    // Of an encoder of several inputs, what it makes of this one alone.
    const only = encoder.inputs.length === 1 ? null : input;
    const { hidden, restore } = placesIn(mask, batch);
    const names = guideNames(mask.label);
    const { definition, values } = encoder.block;
    const looking = guide.by?.(mask.block.values) === "teacher" ? (w[teacherBranch] as WeightTree) : w;
    const own = weightsUnder(looking, parts.branchOf(encoder.label));
    const seen = () => {
      const tokens = tokensFor(code, parts, encoder, looking, batch, "whole", only);
      const told = toldOf(code, parts, encoder, looking, batch, "whole", only);
      return { tokens, origin: { ...seenBy(parts, encoder, looking, only), ...told } };
    };
    const extra = extraTokensOf(encoder, only);
    return guide.order(code, mask.block.values, {
      attention(layer) {
        const { tokens, origin } = seen();
        if (guide.asks === "latents") {
          const { latents } = encoder;
          invariant(latents?.definition.attention, "the checker lets through only latents that ask");
          const encoded = definition.encode(code, values, own, tokens, origin);
          const behind = paddingBehindFront(code, encoder, origin.padding);
          return latents.definition.attention(code, latents.values, own, encoded, behind);
        }
        invariant(definition.attention, "the checker lets through only encoders whose attention can be read");
        return definition.attention(code, values, own, tokens, origin, layer);
      },
      features(fromLast) {
        invariant(definition.outputs, "the checker lets through only encoders whose layers can be read");
        const { tokens, origin } = seen();
        const [wanted] = definition.outputs(code, values, own, tokens, origin, fromLast);
        return patchesOf(code, "features", wanted as Tensor, { extra, count: tokenCount(input.grid) });
      },
      layers: definition.layers(values),
      grid: input.grid,
      drawn: restore,
      draws: batch[names.draws] as Tensor,
      moving: Object.fromEntries(movingNames(mask.block).map((name) => [name, batch[names.moving(name)] as Tensor])),
      extra,
      hidden,
    });
  },
});

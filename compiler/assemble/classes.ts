/** The functions of a model with a head: everything is seen, and a logit for each class is predicted. */

import { type LossInputs, placesOfText } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import {
  arrayIn,
  deepestPlaces,
  droppedIn,
  encodeWhole,
  lastLayer,
  normalization,
  type Placed,
  paddingOf,
  placedTokens,
  wholeMaps,
} from "./backbone.js";
import { labelsField } from "./fields.js";
import type { ModelFunction } from "./function.js";
import { layoutOf } from "./layout.js";
import { losses as lossesOf, nothingBetween, termsOf } from "./losses.js";
import { type Classes, onlyInput } from "./parts.js";
import type { ModelWeights } from "./weights.js";

export function classFunctions(parts: Placed, classes: Classes, weights: ModelWeights): readonly ModelFunction[] {
  const encode: ModelFunction = {
    name: "encode",
    doc: "The latent of every token: nothing is hidden.",
    inputs: ["batch"],
    body(code, w, { batch }) {
      const input = onlyInput(parts);
      return encodeWhole(code, parts, input, w, arrayIn(input, batch), droppedIn(parts, batch, "encoder"));
    },
  };
  const predict: ModelFunction = {
    name: "predict",
    doc: "A logit for each class.",
    inputs: ["batch"],
    body(code, w, { batch }) {
      const { definition, values } = classes.head;
      const { extra, count } = layoutOf(parts);
      const input = onlyInput(parts);
      const array = arrayIn(input, batch);
      const { block } = parts.encoder;
      const seen = { padding: paddingOf(code, input, array), ...droppedIn(parts, batch, "encoder") };
      const last = block.definition.maps
        ? {
            tokens: deepestPlaces(code, wholeMaps(code, parts, w, array)),
            normalize: normalization(code, block, w),
          }
        : lastLayer(code, block, w, placedTokens(code, parts, input, w, array), seen);
      const places = input.array.ids ? code.let("places", placesOfText, array) : null;
      const own = { extra, count, places, ...droppedIn(parts, batch, "head") };
      return definition.classify(code, values, w, { ...last, ...own });
    },
  };
  return [encode, predict, lossFunction(parts, classes, weights, encode, predict)];
}

const lossFunction = (
  parts: Placed,
  { losses }: Classes,
  weights: ModelWeights,
  encode: ModelFunction,
  predict: ModelFunction,
): ModelFunction => ({
  name: "loss",
  doc: "The training loss: the weighted sum, and each term before its weight.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const inputs: LossInputs = {
      prediction: code.call("prediction", predict, batch),
      target: batch[labelsField] as Tensor,
      flags: null,
      channels: 0,
      get between() {
        return nothingBetween();
      },
      get visible(): Tensor {
        return notMasked();
      },
      get hidden(): Tensor {
        return notMasked();
      },
      get latent() {
        return code.call("latent", encode, batch);
      },
      extra: layoutOf(parts).extra,
      normalize: normalization(code, parts.encoder.block, w),
    };
    return lossesOf(code, termsOf(code, losses, inputs, w, weights.losses));
  },
});

function notMasked(): never {
  invariant(false, "a loss of classes reads no mask");
}

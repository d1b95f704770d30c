/** The functions of a model with a head: everything is seen, and a logit for each class is predicted. */

import type { Batch, Code, LossInputs } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { embed, encodeWhole, place } from "./backbone.js";
import { labelsField } from "./fields.js";
import type { ModelFunction } from "./functions.js";
import { layoutOf } from "./layout.js";
import { losses as lossesOf, type Term, termNames } from "./losses.js";
import type { Classes, Parts } from "./parts.js";
import { encoderPositions, type ModelWeights, type WeightTree, weightsUnder } from "./weights.js";

export function classFunctions(parts: Parts, classes: Classes, weights: ModelWeights): readonly ModelFunction[] {
  const encode: ModelFunction = {
    name: "encode",
    doc: "The latent of every token: nothing is hidden.",
    inputs: ["batch"],
    body: (code, w, { batch }) => encodeWhole(code, parts, w, batch.image),
  };
  const predict: ModelFunction = {
    name: "predict",
    doc: "A logit for each class.",
    inputs: ["batch"],
    body(code, w, { batch }) {
      const { definition, values } = classes.head;
      const { extra, count } = layoutOf(parts);
      return definition.classify(code, values, w, { ...lastTokens(code, parts, w, batch), extra, count });
    },
  };
  return [encode, predict, lossFunction(parts, classes, weights, encode, predict)];
}

/** What the encoder's last layer gives, and its final normalisation, which a head may want elsewhere. */
function lastTokens(
  code: Code,
  parts: Parts,
  w: WeightTree,
  { image }: Batch,
): { readonly tokens: Tensor; readonly normalize: (tokens: Tensor) => Tensor } {
  const { definition, values } = parts.encoder;
  if (!definition.outputs) return { tokens: encodeWhole(code, parts, w, image), normalize: (tokens) => tokens };
  const placed = place(code, parts, w, embed(code, parts, w, image));
  const [tokens] = definition.outputs(code, values, w, placed, w[encoderPositions] as Tensor, 1);
  invariant(tokens, "an encoder gives the outputs that it is asked for");
  return { tokens, normalize: (x) => definition.normalize?.(code, values, w, x) ?? x };
}

const lossFunction = (
  parts: Parts,
  { losses }: Classes,
  weights: ModelWeights,
  encode: ModelFunction,
  predict: ModelFunction,
): ModelFunction => ({
  name: "loss",
  doc: "The training loss: the weighted sum, and each term before its weight.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const { encoder } = parts;
    const inputs: LossInputs = {
      prediction: code.call("prediction", predict, batch),
      target: batch[labelsField] as Tensor,
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
      normalize: (tokens) => encoder.definition.normalize?.(code, encoder.values, w, tokens) ?? tokens,
    };
    const names = termNames(losses);
    const terms = losses.map(
      ({ definition, values }, i): Term => ({
        name: names[i] as string,
        weight: definition.weight(values),
        value: definition.build(code, values, inputs, weightsUnder(w, weights.losses[i] ?? null)),
      }),
    );
    return lossesOf(code, terms);
  },
});

function notMasked(): never {
  throw new Error("invariant: a loss of classes reads no mask");
}

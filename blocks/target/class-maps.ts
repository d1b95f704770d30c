/** Classes of places as target: the channels of the array are classes, and what is predicted are logits of them. */

import type { Builder, Dims, Tensor } from "../../graph/index.js";
import type { Picture } from "../program.js";
import { madeOf } from "../sources.js";
import { defineTarget, type TargetContext } from "./contract.js";
import { patchLength, patchPicture, patchValues } from "./patches.js";

/** logits [B, N, P], P = places x classes with the class fastest -> the share of each class. */
function sharesInGraph(g: Builder, logits: Tensor, classes: number): Tensor {
  const [batch, tokens, values] = logits.shape as [number, number, number];
  return g.reshape(g.softmax(g.reshape(logits, [batch, tokens, values / classes, classes])), logits.shape as Dims);
}

function shares(logits: Float32Array, classes: number): Float32Array {
  const result = new Float32Array(logits.length);
  for (let place = 0; place < logits.length; place += classes) {
    const own = logits.subarray(place, place + classes);
    const largest = Math.max(...own);
    const weights = own.map((logit) => Math.exp(logit - largest));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const [i, weight] of weights.entries()) result[place + i] = weight / sum;
  }
  return result;
}

/** Logits as the shares of the classes, which is what the array holds. */
function sharesPicture(context: TargetContext): Picture {
  const { channels } = context.array;
  const { pixels, inGraph } = patchPicture("none", context);
  return {
    curved: true,
    pixels: (prediction, seen) => pixels(shares(prediction, channels), seen),
    ...(inGraph ? { inGraph: (g, prediction, seen) => inGraph(g, sharesInGraph(g, prediction, channels), seen) } : {}),
  };
}

export const classMaps = defineTarget({
  name: "class_maps",
  summary: "What stands at each place: the channels of the input are classes, a plane of zeros and ones for each.",
  source: "Bachmann et al., MultiMAE: Multi-modal Multi-task Masked Autoencoders, ECCV 2022, section 3.3",
  since: "0.1",
  params: { of: madeOf },
  requires: [
    {
      name: "several-classes",
      at: null,
      doc: "The input has a channel for each class, two at least.",
      holds: (_, { array }) => array.channels > 1,
      say: () => "an input of one channel has one class, and nothing to tell apart",
      help: () =>
        "save a plane for each class, as numpy.eye(count)[numbers] makes them, and write `channels` in the input",
    },
  ],
  logits: "one",
  outputs: patchLength,
  build: (code, _, { array }, { grid }) => patchValues(code, "none", array, grid),
  picture: (_, context) => sharesPicture(context),
});

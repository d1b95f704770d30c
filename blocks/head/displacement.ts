/** Says where each place of one array lies in another: registration, by a field that is integrated so that nothing folds. */

import { integrated, saidOfPlaces, velocityParameters } from "../nn/index.js";
import { int } from "../params.js";
import { tokenCount } from "../sets.js";
import { defineHead } from "./contract.js";
import { featuresOf, layersRead, neckParameters, neckParams, neckRequirements, throughNeck } from "./necks.js";

export const displacement = defineHead({
  name: "displacement",
  summary:
    "Where each place of the second input lies in the first: a velocity at each place, integrated by scaling and squaring.",
  source:
    "Dalca et al., Unsupervised Learning for Fast Probabilistic Diffeomorphic Registration, MICCAI 2018; Xiao et al., MAE-TransRNet, Frontiers in Medicine 2023",
  since: "0.2",
  params: {
    steps: int({
      min: 0,
      max: 16,
      default: 7,
      doc: "Squarings by which the velocity is integrated over one unit of time; 0: it is the displacement itself.",
    }),
    ...neckParams,
  },
  requires: [
    ...neckRequirements,
    {
      name: "pair",
      at: null,
      doc: "The model reads two inputs that are cut alike; the first is moved onto the second.",
      holds: (_, { inputs, tokens, grid, maps }) => inputs === 2 && maps === null && tokens === 2 * tokenCount(grid),
      say: (_, { inputs }) =>
        inputs === 2
          ? "the two inputs have different numbers of tokens"
          : `the model reads ${inputs} ${inputs === 1 ? "input" : "inputs"}`,
      help: () =>
        "write `input moving: volume(...)` and `input fixed: volume(...)` of one size, with the same `tokens`, and one encoder `vit`",
    },
  ],
  says: "moves",
  classes: () => 0,
  layers: (p, layers) => layersRead(p, layers),
  parameters: (p, context) => ({
    head: {
      ...neckParameters(p, context),
      said: velocityParameters(featuresOf(p, context), context.inputs[0]?.grid.length ?? 0),
    },
  }),
  classify(code, p, w, inputs) {
    const features = throughNeck(code, p, w.head, inputs);
    const places = inputs.grid.map(({ count, size }) => count * size);
    const velocity = code.let("velocity", saidOfPlaces, features, w.head.said, { places });
    return p.steps === 0 ? velocity : code.let("displacement", integrated, velocity, { steps: p.steps });
  },
});

/** Says a number of each place of an image or a volume, such as how far away what is seen there is. */

import { DataError } from "../dataset/contract.js";
import { exponentials, saidOfPlaces, saidParameters } from "../nn/index.js";
import { flag, optional, real } from "../params.js";
import { axesText } from "../sets.js";
import { defineHead } from "./contract.js";
import { featuresOf, layersRead, neckParameters, neckParams, neckRequirements, throughNeck } from "./necks.js";

export const placeValues = defineHead({
  name: "place_values",
  summary:
    "A number of each place, such as its depth: a linear layer over maps of the encoder, or over what a neck makes of them.",
  source:
    "Eigen et al., Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, NeurIPS 2014; Ranftl et al., Vision Transformers for Dense Prediction, ICCV 2021",
  since: "0.2",
  params: {
    scale: real({
      min: 0,
      openMin: true,
      default: 1,
      doc: "What 1 in the maps stands for, such as 0.001 where files hold millimetres and metres are said.",
    }),
    missing: optional(
      real({
        doc: "Number in the maps that is no value: places with it are neither trained on nor judged, such as 0 of a depth camera.",
      }),
    ),
    positive: flag({
      default: false,
      doc: "Whether all values are above zero: the layer then says their logarithms.",
    }),
    ...neckParams,
  },
  requires: [
    ...neckRequirements,
    {
      name: "one-input",
      at: null,
      doc: "Values are those of the places of one array.",
      holds: (_, { inputs }) => inputs === 1,
      say: (_, { inputs }) => `the model reads ${inputs} inputs`,
      help: () => "let a model of one input say the values of its places",
    },
  ],
  says: "values",
  classes: () => 0,
  layers: (p, layers) => layersRead(p, layers),
  parameters: (p, context) => ({
    head: { ...neckParameters(p, context), said: saidParameters(featuresOf(p, context), 1) },
  }),
  classify(code, p, w, inputs) {
    const features = throughNeck(code, p, w.head, inputs);
    const places = inputs.grid.map(({ count, size }) => count * size);
    const said = code.let("said", saidOfPlaces, features, w.head.said, { places });
    return p.positive ? code.let("values", exponentials, said) : said;
  },
  // Beside each value whether it is one: nothing that is none enters the graph.
  field: (p, { array }) => ({
    shape: [...array.axes.map(({ size }) => size), 2],
    dtype: "float32",
    measured: true,
    compute({ measured = new Float32Array() }) {
      const pairs = new Float32Array(2 * measured.length);
      for (const [i, number] of measured.entries()) {
        if (Number.isNaN(number) || number === p.missing) continue;
        const value = number * p.scale;
        if (!Number.isFinite(value) || (p.positive && value <= 0)) {
          throw new DataError(
            `A map (${axesText(array.axes)}) holds ${number}, and values of its places are ${p.positive ? "above zero" : "finite"}`,
            `Write \`missing: ${number}\` in the head where it marks places that have none, or save NaN there.`,
          );
        }
        pairs.set([value, 1], 2 * i);
      }
      return pairs;
    },
  }),
});

/** Says of each place of an image or a volume which class stands there. */

import type { ArrayShape } from "../arrays.js";
import { DataError } from "../dataset/contract.js";
import { saidOfPlaces, saidParameters } from "../nn/index.js";
import { int, optional } from "../params.js";
import { axesText } from "../sets.js";
import { defineHead } from "./contract.js";
import { featuresOf, layersRead, neckParameters, neckParams, neckRequirements, throughNeck } from "./necks.js";

/** The class of each place; below zero where nothing is said of it. Throws `DataError` for a number that is no class. */
function classesOf(map: Int32Array, classes: number, ignore: number | null, { axes }: ArrayShape): Int32Array {
  const known = map.map((number) => (number === ignore || number < 0 ? -1 : number));
  const odd = known.find((number) => number >= classes);
  if (odd === undefined) return known;
  throw new DataError(
    `A map (${axesText(axes)}) holds ${odd}, and the model tells classes 0 to ${classes - 1} apart`,
    `Write \`classes: ${odd + 1}\` in the head, or \`ignore: ${odd}\` where it marks places that have none.`,
  );
}

export const segmentation = defineHead({
  name: "segmentation",
  summary: "The class of each place: a linear layer over maps of the encoder, or over what a neck makes of them.",
  source:
    "Long et al., Fully Convolutional Networks, CVPR 2015; Xiao et al., Unified Perceptual Parsing (UPerNet), ECCV 2018; Hatamizadeh et al., UNETR, WACV 2022; Roy et al., scSE, MICCAI 2018",
  since: "0.2",
  params: {
    classes: int({ min: 2, max: 10_000, doc: "Classes of places; class 0 is what has no other." }),
    ignore: optional(
      int({
        doc: "Number in the maps that is no class: places with it are neither trained on nor judged, such as 255.",
      }),
    ),
    ...neckParams,
  },
  requires: [
    ...neckRequirements,
    {
      name: "one-input",
      at: null,
      doc: "Classes are those of the places of one array.",
      holds: (_, { inputs }) => inputs === 1,
      say: (_, { inputs }) => `the model reads ${inputs} inputs`,
      help: () => "let a model of one input say what stands at its places",
    },
  ],
  says: "places",
  classes: (p) => p.classes,
  layers: (p, layers) => layersRead(p, layers),
  parameters: (p, context) => ({
    head: { ...neckParameters(p, context), said: saidParameters(featuresOf(p, context), p.classes) },
  }),
  classify(code, p, w, inputs) {
    const features = throughNeck(code, p, w.head, inputs);
    const places = inputs.grid.map(({ count, size }) => count * size);
    return code.let("logits", saidOfPlaces, features, w.head.said, { places });
  },
  field: (p, { array }) => ({
    shape: array.axes.map(({ size }) => size),
    dtype: "int32",
    map: true,
    compute: ({ map = new Int32Array() }) => classesOf(map, p.classes, p.ignore, array),
  }),
});

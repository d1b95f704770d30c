/** Says of each point of a cloud which part of its object it belongs to, as Point-MAE is judged on ShapeNetPart. */

import { DataError, type Label } from "../dataset/contract.js";
import {
  besideEach,
  besideEachOther,
  classOfCloud,
  classUnit,
  classUnitParameters,
  droppedOfPoints,
  featuresOfPoints,
  groupCentres,
  groupsIn,
  largestAndMean,
  linear,
  linearParameters,
  pointsBehind,
  pointUnit,
  pointUnitParameters,
} from "../nn/index.js";
import { int, optional, ratio, reals, type ValuesOf } from "../params.js";
import { featuresFrom } from "../sources.js";
import { defineHead, type HeadContext } from "./contract.js";

const params = {
  parts: reals({
    min: 1,
    max: 1000,
    doc: "How many parts the objects of each class have, in the order of the classes: those of the first have the lowest numbers. One number: classes make no difference.",
  }),
  layers: optional(
    reals({
      min: 1,
      max: 4096,
      doc: "Layers of the encoder that are read, from 1. If absent: at 1/3, 2/3 and the end.",
    }),
  ),
  propagated: reals({
    min: 1,
    max: 65_536,
    default: [1536, 1024],
    doc: "Features of a point in the layers that follow what the nearest groups tell.",
  }),
  hidden: reals({
    min: 1,
    max: 65_536,
    default: [512, 256],
    doc: "Features of a point in the layers that follow what the whole cloud tells.",
  }),
  class_features: int({
    min: 1,
    max: 65_536,
    default: 64,
    doc: "Features that are made of the class of a cloud, where the input is told it.",
  }),
  dropout: optional(
    ratio({
      max: 0.99,
      doc: "Share of the numbers behind the first of the `hidden` layers that is left out at random in training; if absent, nothing.",
    }),
  ),
  of: featuresFrom,
};

type Values = ValuesOf<typeof params>;

const layersOf = ({ layers }: Pick<Values, "layers">, depth: number): readonly number[] =>
  layers ?? [1 / 3, 2 / 3, 1].map((share) => Math.max(1, Math.round(share * depth)));

const partsOf = ({ parts }: Pick<Values, "parts">): number => parts.reduce((sum, count) => sum + count, 0);

/** What the layers are wide, from what they read. */
function widthsOf(p: Values, { encoderWidth, layers, inputs }: HeadContext) {
  const cloud = inputs[0]?.array.cloud;
  const features = layersOf(p, layers).length * encoderWidth;
  const classes = cloud?.classes ?? 0;
  const whole = 2 * features + (classes > 0 ? p.class_features : 0);
  const propagated = [3 + features, ...p.propagated];
  return { features, classes, points: cloud?.points ?? 0, whole, propagated };
}

/** The units between widths that follow each other. */
const unitsOf = (widths: readonly number[]) =>
  widths.slice(1).map((width, i) => pointUnitParameters(widths[i] as number, width));

/** The part of each point. Throws `DataError` for one that the class of the cloud does not have. */
function checkedParts(map: Int32Array, parts: readonly number[], label: Label | null): Int32Array {
  const kind = parts.length === 1 ? 0 : label;
  const count = typeof kind === "number" ? parts[kind] : undefined;
  if (typeof kind !== "number" || count === undefined) {
    throw new DataError(
      "A cloud has no class of those whose parts the model knows",
      "Use data with a label of each cloud, or write one number in the head's `parts`.",
    );
  }
  const first = parts.slice(0, kind).reduce((sum, own) => sum + own, 0);
  const odd = map.find((part) => part >= first + count || (part >= 0 && part < first));
  if (odd === undefined) return map;
  throw new DataError(
    `A cloud${parts.length === 1 ? "" : ` of class ${kind}`} has a point of part ${odd}, and its parts are ${first} to ${first + count - 1}`,
    "Number the parts from 0 through all classes in their order, and write in the head's `parts` how many each class has.",
  );
}

export const partSegmentation = defineHead({
  name: "part_segmentation",
  summary:
    "The part of each point of a cloud: what the nearest groups tell, beside what the whole cloud does and its class.",
  source:
    "Pang et al., Masked Autoencoders for Point Cloud Self-supervised Learning, ECCV 2022, section 4.2 and `segmentation` of its code; Qi et al., PointNet++, NeurIPS 2017",
  since: "0.2",
  params,
  requires: [
    {
      name: "all-points",
      at: null,
      doc: "The model reads all points of a cloud behind its groups.",
      holds: (_, { array }) => array.cloud?.neighbours !== undefined,
      say: (_, { array }) =>
        array.cloud ? "the model reads the groups of a cloud and no other points" : "the model reads no clouds",
      help: (_, { array }) =>
        array.cloud
          ? "write `all_points: true` in `tokens groups(...)`"
          : "write `input points(...)` and `tokens groups(all_points: true, ...)`",
    },
    {
      name: "whole",
      at: null,
      doc: "One input is read, and no mask hides any of it while parts are judged.",
      holds: (_, { masked, inputs, maps }) => !masked && inputs === 1 && maps === null,
      say: (_, { masked, inputs }) =>
        masked
          ? "a mask hides groups of the cloud"
          : inputs > 1
            ? `the model reads ${inputs} inputs`
            : "the encoder gives maps",
      help: () => "let a model of one cloud, an encoder such as `vit` and no mask start from the weights of this one",
    },
    {
      name: "whole-numbers",
      at: "parts",
      doc: "`parts`, `propagated` and `hidden` are whole numbers, at least one of each, and there are two parts at least.",
      holds: (p) =>
        [p.parts, p.propagated, p.hidden].every((list) => list.length > 0 && list.every(Number.isInteger)) &&
        partsOf(p) > 1,
      say: (p) => `(${p.parts.join(", ")}), (${p.propagated.join(", ")}) and (${p.hidden.join(", ")}) are not`,
      help: () => "write such as `parts: (4, 2)`: the objects of the first class have four parts, of the second two",
    },
    {
      name: "parts-of-classes",
      at: "parts",
      doc: "Where the input is told classes, there are as many numbers of parts.",
      holds: (p, { array }) => array.cloud?.classes === undefined || p.parts.length === array.cloud.classes,
      say: (p, { array }) =>
        `\`parts\` has ${p.parts.length}, and the input tells ${array.cloud?.classes} classes apart`,
      help: () => "write how many parts the objects of each class have, in the order of the classes",
    },
    {
      name: "layers-in-order",
      at: "layers",
      doc: "`layers` are whole numbers in their order, and the encoder has them.",
      holds: (p, { layers }) =>
        p.layers === null ||
        layers === null ||
        p.layers.every((one, i) => Number.isInteger(one) && one <= layers && one > (p.layers?.[i - 1] ?? 0)),
      say: (p, { layers }) => `(${p.layers?.join(", ")}) are not layers in their order, out of ${layers}`,
      help: () => "leave `layers` out",
    },
  ],
  says: "places",
  classes: partsOf,
  parts: (p) => p.parts,
  layers: layersOf,
  normalizesAll: true,
  parameters(p, context) {
    const { classes, whole, propagated } = widthsOf(p, context);
    return {
      head: {
        ...(classes > 0 ? { kind: classUnitParameters(classes, p.class_features) } : {}),
        propagate: unitsOf(propagated),
        hidden: unitsOf([(propagated.at(-1) as number) + whole, ...p.hidden]),
        said: linearParameters(p.hidden.at(-1) as number, partsOf(p)),
      },
    };
  },
  drops(p, context) {
    const { points } = widthsOf(p, context);
    return p.dropout ? [{ rate: p.dropout, numbers: points * (p.hidden[0] as number) }] : [];
  },
  classify(code, p, { head: w }, { maps, arrays: [array], shape, drops }) {
    const { points, neighbours, classes } = shape.cloud as Required<NonNullable<typeof shape.cloud>>;
    const width = maps.reduce((sum, map) => sum + (map.shape.at(-1) as number), 0);
    const centres = code.let("centres", groupCentres, code.let("groups", groupsIn, array, { neighbours }));
    const cloud = code.let("cloud", pointsBehind, array, { neighbours, points }); // [B, P, 3]
    const features = code.let("features", besideEachOther, maps, { features: width }); // [B, N, F]
    let x = code.let("propagated", featuresOfPoints, features, centres, cloud, { features: 3 + width });
    for (const unit of w.propagate) x = code.let("propagated", pointUnit, x, unit);
    const whole = [code.let("whole", largestAndMean, features, { features: 2 * width })];
    if (w.kind) whole.push(code.let("kind", classUnit, code.let("told", classOfCloud, array, { classes }), w.kind));
    const joined = [x, ...whole].reduce((sum, one) => sum + (one.shape.at(-1) as number), 0);
    x = code.let("joined", besideEach, x, whole, { features: joined });
    for (const [i, unit] of w.hidden.entries()) {
      x = code.let("hidden", pointUnit, x, unit);
      if (i === 0 && drops && p.dropout) x = code.let("kept", droppedOfPoints, x, drops.values, { first: drops.first });
    }
    return code.let("logits", linear, x, w.said);
  },
  field: (p, { array }) => ({
    shape: [array.cloud?.points ?? 0],
    dtype: "int32",
    map: true,
    compute: ({ map = new Int32Array(), label }) => checkedParts(map, p.parts, label),
  }),
});

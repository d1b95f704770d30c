/** How near predicted volumes come to those that are there, of which no encoder sees anything. */

import { isVolume } from "../arrays.js";
import { DataError } from "../dataset/contract.js";
import { real } from "../params.js";
import { defineShapeProbe } from "./contract.js";
import { meanOf } from "./overlaps.js";
import type { ShapeErrors } from "./shapes.js";

const scoresOf = (samples: readonly ShapeErrors[]) => ({
  iou: meanOf(samples.map(({ iou }) => iou)),
  chamfer: meanOf(samples.map(({ chamfer }) => chamfer)),
  f_score: meanOf(samples.map(({ fScore }) => fScore)),
  missed: samples.filter(({ missed }) => missed).length,
});

export const shapeOverlap = defineShapeProbe({
  name: "shape_overlap",
  summary: "How much predicted volumes overlap with those that are there, and how far their surfaces lie apart.",
  source:
    "Choy et al., 3D-R2N2, ECCV 2016; Fan et al., A Point Set Generation Network, CVPR 2017; Tatarchenko et al., What Do Single-view 3D Reconstruction Networks Learn?, CVPR 2019",
  since: "0.2",
  params: {
    threshold: real({ min: 0, max: 1, openMin: true, default: 0.5, doc: "A place is filled from this number on." }),
    near: real({
      min: 0,
      max: 1024,
      default: 1,
      doc: "Distance in voxels within which a place of a surface counts as found.",
    }),
  },
  requires: [
    {
      name: "volumes",
      at: null,
      doc: "The model has a volume of one channel.",
      holds: (_, { arrays }) => arrays.some((array) => isVolume(array) && array.channels === 1),
      say: () => "the model has no volume of one channel",
      help: () => "give it an input such as `volume(size: 32x32x32)` that no encoder sees, and a target of it",
    },
  ],
  shapes: ({ threshold, near }) => ({ threshold, near }),
  async judgeShapes({ threshold, near }, samples) {
    if (samples.length === 0) throw new DataError("There are no volumes", "Name test data.");
    const kinds = [...new Set(samples.map((one) => one.class))].filter((k) => k >= 0).sort((a, b) => a - b);
    const each = kinds.map((kind) => {
      const own = samples.filter((one) => one.class === kind);
      const { chamfer, ...scores } = scoresOf(own);
      return { class: kind, ...scores, chamfer: Number.isNaN(chamfer) ? null : chamfer, samples: own.length };
    });
    return {
      scores: Object.fromEntries(Object.entries(scoresOf(samples)).filter(([, score]) => !Number.isNaN(score))),
      protocol:
        `places are filled from ${threshold} on; iou: intersection over union of filled places; chamfer: the mean distance from one surface to the other and back, halved, in voxels; ` +
        `f_score: harmonic mean of the shares of both surfaces within ${near} of the other; means over ${samples.length} test samples; missed: samples of which nothing is said to be filled, ` +
        "which have no distance",
      details: { per_class: each },
    };
  },
});

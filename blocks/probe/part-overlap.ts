/** Overlap of the parts that a head says of the points of clouds with those that are there, as ShapeNetPart is judged. */

import { DataError } from "../dataset/contract.js";
import { definePlaceProbe, saysPlaces } from "./contract.js";
import { type JudgedPlaces, meanOf, sharesOf, together } from "./overlaps.js";

/** The mean overlap of the parts that the class of a cloud has. One that is neither said nor there counts as found. */
function overlapOf({ overlaps, parts }: JudgedPlaces): number {
  const { first, count } = parts as NonNullable<typeof parts>;
  const own = sharesOf(overlaps).iou.slice(first, first + count);
  return own.reduce((sum, share) => sum + (Number.isNaN(share) ? 1 : share), 0) / count;
}

export const partOverlap = definePlaceProbe({
  name: "part_overlap",
  summary: "Mean intersection over union of the parts of clouds: over all clouds, and over the classes of these.",
  source:
    "Yi et al., A Scalable Active Framework for Region Annotation in 3D Shape Collections, SIGGRAPH Asia 2016; Qi et al., PointNet, CVPR 2017, section 5.1",
  since: "0.2",
  params: {},
  requires: [
    saysPlaces,
    {
      name: "parts",
      at: null,
      doc: "The model has a head that says parts of clouds.",
      holds: (_, { parts }) => parts,
      say: () => "the model says classes of places, and no parts of clouds",
      help: () => "use `segmentation`, or a head such as `part_segmentation`",
    },
  ],
  ofParts: true,
  async judgePlaces(_, samples, { classes }) {
    const judged = samples.map((sample) => ({ class: sample.parts?.class ?? 0, iou: overlapOf(sample) }));
    if (judged.length === 0) throw new DataError("There are no clouds", "Name test data.");
    const known = [...new Set(judged.map((one) => one.class))].sort((a, b) => a - b);
    const each = known.map((kind) => {
      const own = judged.filter((one) => one.class === kind).map(({ iou }) => iou);
      return { class: kind, iou: meanOf(own), samples: own.length };
    });
    const all = together(
      samples.map(({ overlaps }) => overlaps),
      classes,
    );
    const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
    return {
      scores: {
        instance_iou: meanOf(judged.map(({ iou }) => iou)),
        class_iou: meanOf(each.map(({ iou }) => iou)),
        right: total(all.common) / total(all.there),
      },
      protocol:
        "of each cloud the part that is likeliest among those of its class at each point; intersection over union of each of these parts, 1 of one that is neither said nor there, their " +
        `mean; instance: its mean over ${samples.length} test clouds, class: over those of each class, and over ${known.length} classes; right: share of all points`,
      details: { per_class: each },
    };
  },
});

/** How well the features of frames carry the regions of a first frame along: the protocol of DAVIS, without any training. */

import { hasPictures } from "../arrays.js";
import { int, real, text } from "../params.js";
import type { JudgedObject } from "./contours.js";
import { defineSequenceProbe } from "./contract.js";

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Share of frames in which more than half fits. */
const recall = (values: readonly number[]): number => meanOf(values.map((value) => (value > 0.5 ? 1 : 0)));

/** What is lost from the first to the last quarter of the frames, whose borders are rounded as the evaluation of DAVIS rounds them. */
export function decay(values: readonly number[]): number {
  const borders = Array.from({ length: 5 }, (_, i) => Math.round(1 + (i / 4) * (values.length - 1) + 1e-10) - 1);
  const part = (i: number): number => meanOf(values.slice(borders[i], (borders[i + 1] as number) + 1));
  return part(0) - part(3);
}

export const labelPropagation = defineSequenceProbe({
  name: "label_propagation",
  summary:
    "J and F of regions that features carry from a first frame through a sequence: the protocol of DAVIS, nothing is trained.",
  source:
    "Pont-Tuset et al., The 2017 DAVIS Challenge on Video Object Segmentation, 2017; Jabri et al., Space-Time Correspondence as a Contrastive Random Walk, NeurIPS 2020; Caron et al., DINO, ICCV 2021",
  since: "0.2",
  params: {
    frames: text({ doc: "Folder with a folder of frames for each sequence, in the order of their names." }),
    maps: text({
      doc: "Folder with the maps of the same sequences and names: PNG files of a palette or of grey levels; those of first frames are needed, frames with others are judged.",
    }),
    queue: int({ min: 0, max: 1000, default: 7, doc: "Frames before that labels come from, besides the first one." }),
    top: int({ min: 1, max: 10_000, default: 5, doc: "Most alike places that a place takes its label from." }),
    radius: int({ min: 0, max: 10_000, default: 12, doc: "Rows and columns of the grid that they may lie away." }),
    temperature: real({
      min: 0,
      openMin: true,
      default: 0.1,
      doc: "Divides how alike places are, before the exponential.",
    }),
  },
  requires: [
    {
      name: "images",
      at: null,
      doc: "The model reads one image: frames are seen one by one.",
      holds: (_, { arrays: [array, another] }) =>
        array !== undefined && another === undefined && hasPictures(array) && array.axes.length === 2,
      say: (_, { arrays }) =>
        arrays.length === 1 ? "the model reads no images" : `the model reads ${arrays.length} arrays`,
      help: () => "judge a model with one `input image`",
    },
  ],
  sequences: ({ frames, maps, queue, top, radius, temperature }) => ({
    frames,
    maps,
    how: { queue, top, radius, temperature },
  }),
  async judgeSequences(p, objects) {
    const mean = (of: (one: JudgedObject) => number): number => meanOf(objects.map(of));
    const [j, f] = [mean(({ area }) => meanOf(area)), mean(({ contour }) => meanOf(contour))];
    return {
      scores: {
        j_and_f: (j + f) / 2,
        j,
        j_recall: mean(({ area }) => recall(area)),
        j_decay: mean(({ area }) => decay(area)),
        f,
        f_recall: mean(({ contour }) => recall(contour)),
        f_decay: mean(({ contour }) => decay(contour)),
      },
      protocol:
        `each place takes the label of the ${p.top} most alike places of the first frame and the ${p.queue} before, at most ${p.radius} rows and columns away, weighed by exp(cosine / ${p.temperature}); ` +
        `${objects.length} objects, the frames between the first and the last of their sequence, the mean over frames and then over objects; contours may lie 0.8 % of the diagonal apart`,
    };
  },
});

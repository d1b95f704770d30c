/** The views, sorted by name. */

import { isPicture, liesInSpace } from "../arrays.js";
import { flag, int, interval, sides } from "../params.js";
import { defineView } from "./contract.js";

export {
  arrayOfStream,
  defineView,
  namesOfStream,
  onViews,
  type Stream,
  type ViewContext,
  type Views,
  viewName,
} from "./contract.js";

const manyViews = 64;

/** Several views of one kind, as SimCLR has them. */
export const crops = defineView({
  name: "crops",
  summary: "Several views of a sample that are made alike, each with draws of its own; they pass together.",
  source: "Chen et al., A Simple Framework for Contrastive Learning of Visual Representations (SimCLR), ICML 2020",
  since: "0.2",
  params: { count: int({ min: 1, max: manyViews, default: 2, doc: "Views of a sample." }) },
  positional: "count",
  streams: (p) => [{ name: "crop", count: p.count, size: null }],
  shared: () => false,
});

/** Few large views and many small ones, as DINO has them. */
export const multiCrop = defineView({
  name: "multi_crop",
  summary: "Large views of a sample and small ones; the large ones pass together, and so do the small ones.",
  source: "Caron et al., Unsupervised Learning of Visual Features by Contrasting Cluster Assignments, NeurIPS 2020",
  since: "0.2",
  params: {
    global: int({ min: 1, max: manyViews, default: 2, doc: "Views of the input's size." }),
    local: int({ min: 1, max: manyViews, default: 8, doc: "Small views." }),
    local_size: sides({ doc: "Sides of a small view, such as `96x96`." }),
  },
  requires: [
    {
      name: "axes-in-order",
      at: "local_size",
      doc: "Small views are cut from an array along its axes: nothing of it lies in space, in no order.",
      holds: (_, { array }) => !liesInSpace(array),
      say: () => "the model reads what lies in space, in no order, and a small view has sides",
      help: () => "use `crops`, whose views are of the input's size",
    },
    {
      name: "sides",
      at: "local_size",
      doc: "A small view has the axes of the input, and none of its sides is longer.",
      holds: (p, { array }) =>
        p.local_size.length === array.axes.length &&
        p.local_size.every((side, i) => side <= (array.axes[i]?.size ?? 0)),
      say: (p, { array }) =>
        `a small view of ${p.local_size.join("x")}, and the input is ${array.axes.map(({ size }) => size).join("x")}`,
      help: (_, { array }) => `write sides of at most ${array.axes.map(({ size }) => size).join("x")}`,
    },
  ],
  streams: (p) => [
    { name: "global", count: p.global, size: null },
    { name: "local", count: p.local, size: p.local_size },
  ],
  shared: () => false,
});

/** One view several times, so that several masks of it are learned from. */
export const copies = defineView({
  name: "copies",
  summary: "One view of a sample several times: each time it is masked anew.",
  source:
    "Feichtenhofer et al., Masked Autoencoders As Spatiotemporal Learners, NeurIPS 2022; Baevski et al., data2vec 2.0, ICML 2023",
  since: "0.2",
  params: { count: int({ min: 2, max: manyViews, default: 4, doc: "How often a view passes." }) },
  positional: "count",
  streams: (p) => [{ name: "copy", count: p.count, size: null }],
  shared: () => true,
});

/** Most frames that two views may lie apart. */
const widestGap = 65_536;

/** Two frames of a video, as SiamMAE and VideoMAC have them. */
export const frames = defineView({
  name: "frames",
  summary:
    "Two frames of a video, `first` and `second`, that are cropped and flipped alike and pass one after the other.",
  source:
    "Gupta et al., Siamese Masked Autoencoders, NeurIPS 2023; Pei et al., VideoMAC: Video Masked Autoencoders Meet ConvNets, CVPR 2024",
  since: "0.2",
  params: {
    gap: interval({
      of: "real",
      min: 1,
      max: widestGap,
      default: [4, 48],
      doc: "How many frames the second is after the first, drawn anew each time; of a shorter video, as many as it allows.",
    }),
    shared: flag({
      default: true,
      doc: "Whether augmentations without a label draw once for both; if not, each is cropped and flipped by itself.",
    }),
  },
  positional: "gap",
  requires: [
    {
      name: "of-pictures",
      at: null,
      doc: "A frame is a picture.",
      holds: (_, { array }) => isPicture(array),
      say: () => "a frame of a video is a picture, and the model does not read one picture alone",
      help: () => "write `input image`: its samples are then videos",
    },
    {
      name: "whole-frames",
      at: "gap",
      doc: "Frames are counted.",
      holds: ({ gap }) => gap.every(Number.isInteger),
      say: ({ gap }) => `${gap.join("..")} are no whole numbers of frames`,
      help: ({ gap }) => `write \`${gap.map((end) => Math.max(1, Math.round(end))).join("..")}\``,
    },
  ],
  streams: () => [
    { name: "first", count: 1, size: null },
    { name: "second", count: 1, size: null },
  ],
  shared: (p) => p.shared,
  gap: ({ gap: [least, most] }) => ({ least, most }),
});

/** Two views that are made apart, as MoCo v3 and CMAE have them. */
export const two = defineView({
  name: "two",
  summary: "Two views of a sample, `first` and `second`, that are made apart and pass one after the other.",
  source: "Chen, Xie and He, An Empirical Study of Training Self-Supervised Vision Transformers (MoCo v3), ICCV 2021",
  since: "0.2",
  params: {
    shared: flag({
      default: false,
      doc: "Whether augmentations without a label draw once for both: what stands under the label of a view then makes the difference.",
    }),
  },
  streams: () => [
    { name: "first", count: 1, size: null },
    { name: "second", count: 1, size: null },
  ],
  shared: (p) => p.shared,
});

export const views = [copies, crops, frames, multiCrop, two] as const;

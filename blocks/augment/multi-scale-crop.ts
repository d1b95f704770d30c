/** The crop of a random part of a few sizes at a few places, as recipes for videos have it. */

import type { Random } from "../../graph/index.js";
import { flag, int, reals } from "../params.js";
import { defineAugment, type PixelSize } from "./contract.js";
import { filter } from "./filter.js";
import { type Crop, covering, partOf } from "./place.js";

/** Quarters of what is left beside the part, down and to the right: corners, middle, middles of the sides, and between. */
const places: readonly (readonly [down: number, right: number])[] = [
  ...[0, 4].flatMap((down) => [0, 4].map((right) => [down, right] as const)),
  ...([
    [2, 2],
    [2, 0],
    [2, 4],
    [4, 2],
    [0, 2],
  ] as const),
  ...[1, 3].flatMap((down) => [1, 3].map((right) => [down, right] as const)),
];

/** A side that is this close to the input's is taken for it. */
const nearly = 3;

interface Choice {
  readonly scales: readonly number[];
  readonly distortion: number;
  readonly anywhere: boolean;
}

function drawCrop(
  { scales, distortion, anywhere }: Choice,
  current: PixelSize,
  wanted: PixelSize,
  random: Random,
): Crop {
  const shorter = Math.min(current.height, current.width);
  const sides = scales.map((scale) => Math.trunc(shorter * scale));
  const snapped = (side: number, to: number): number => (Math.abs(side - to) < nearly && to <= shorter ? to : side);
  const pairs = sides.flatMap((height, i) =>
    sides.flatMap((width, k) =>
      Math.abs(i - k) <= distortion
        ? [{ height: snapped(height, wanted.height), width: snapped(width, wanted.width) }]
        : [],
    ),
  );
  const part = pairs[random.integer(pairs.length)] as PixelSize;
  const [down, right] = [current.height - part.height, current.width - part.width];
  if (anywhere) return { kind: "crop", top: random.integer(down + 1), left: random.integer(right + 1), ...part };
  const [rows, columns] = places[random.integer(places.length)] as (typeof places)[number];
  return { kind: "crop", top: rows * Math.floor(down / 4), left: columns * Math.floor(right / 4), ...part };
}

export const multiScaleCrop = defineAugment({
  name: "multi_scale_crop",
  summary: "Cuts out a part of one of a few sizes, at one of thirteen places, and resizes it to the input's size.",
  source:
    "Wang et al., Temporal Segment Networks, ECCV 2016, section 3.2; in the form of VideoMAE's GroupMultiScaleCrop",
  since: "0.2",
  params: {
    scales: reals({
      min: 0.01,
      max: 1,
      default: [1, 0.875, 0.75, 0.66],
      doc: "Sides of parts, as shares of the shorter side of the picture.",
    }),
    distortion: int({ min: 0, max: 100, default: 1, doc: "How far apart in that list height and width may be." }),
    anywhere: flag({ default: false, doc: "Whether parts lie at any place instead of thirteen." }),
    filter,
  },
  requires: [
    {
      name: "scales",
      at: "scales",
      doc: "At least one scale is written.",
      holds: (p) => p.scales.length > 0,
      say: () => "no size of a part is written",
      help: () => "write `scales: (1, 0.875, 0.75, 0.66)`",
    },
  ],
  random: true,
  plan: (p, current, { image: { height, width } }, random) => [
    drawCrop(p, current, { height, width }, random),
    { kind: "resize", height, width, filter: p.filter },
  ],
  evaluationPlan(p, current, { image, view }) {
    const large = covering(current, image);
    return [{ kind: "resize", ...large, filter: p.filter }, partOf(large, image, view)];
  },
});

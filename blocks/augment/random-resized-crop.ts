/** The crop of a random part, brought to the input's size: the augmentation of MAE. */

import type { Random } from "../../graph/index.js";
import { choice, interval, optional, size } from "../params.js";
import { defineAugment, type PixelSize } from "./contract.js";
import { filter } from "./filter.js";
import { type Crop, covering, partOf } from "./place.js";

interface Part {
  readonly scale: readonly [number, number];
  readonly ratio: readonly [number, number];
  readonly overhang: "redraw" | "clip";
}

const attempts = 10;

const between = (low: number, high: number, random: Random): number => low + (high - low) * random.uniform();

/** A part with area and aspect as drawn, or null when it does not fit into the image and is not cut to it. */
function drawPart(p: Part, current: PixelSize, random: Random): PixelSize | null {
  const area = current.height * current.width * between(p.scale[0], p.scale[1], random);
  const aspect = Math.exp(between(Math.log(p.ratio[0]), Math.log(p.ratio[1]), random));
  const width = Math.round(Math.sqrt(area * aspect));
  const height = Math.round(Math.sqrt(area / aspect));
  if (p.overhang === "clip") {
    return { height: clipped(height, current.height), width: clipped(width, current.width) };
  }
  const fits = width > 0 && width <= current.width && height > 0 && height <= current.height;
  return fits ? { height, width } : null;
}

const clipped = (length: number, most: number): number => Math.min(Math.max(1, length), most);

/** The largest part of allowed aspect. */
function largestPart(p: Part, { height, width }: PixelSize): PixelSize {
  if (width / height < p.ratio[0]) return { height: Math.max(1, Math.round(width / p.ratio[0])), width };
  if (width / height > p.ratio[1]) return { height, width: Math.max(1, Math.round(height * p.ratio[1])) };
  return { height, width };
}

function drawCrop(p: Part, current: PixelSize, random: Random): Crop {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const part = drawPart(p, current, random);
    if (part === null) continue;
    const top = random.integer(current.height - part.height + 1);
    const left = random.integer(current.width - part.width + 1);
    return { kind: "crop", top, left, ...part };
  }
  return partOf(current, largestPart(p, current));
}

/** The crop's share of the resized side in evaluation: 224 of 256; large inputs are not cropped further. */
const evaluationShare = ({ height, width }: PixelSize): number => (Math.max(height, width) <= 224 ? 224 / 256 : 1);

export const randomResizedCrop = defineAugment({
  name: "random_resized_crop",
  summary: "Cuts out a random part of random area and aspect, and resizes it to the input's size.",
  source:
    "Szegedy et al., Going Deeper with Convolutions, CVPR 2015, section 6; in the form of torchvision's RandomResizedCrop",
  since: "0.1",
  params: {
    scale: interval({ of: "ratio", default: [0.2, 1], doc: "Area of the part, as a share of the image." }),
    ratio: interval({
      of: "real",
      min: 0.01,
      max: 100,
      default: [0.75, 1.3333],
      doc: "Width / height of the part, drawn log-uniformly.",
    }),
    overhang: choice({
      default: "redraw",
      options: {
        redraw: "It is drawn again, ten times at most, as in torchvision.",
        clip: "It is cut to the image, as in official MAE's linear probe.",
      },
      doc: "What becomes of a part that is higher or wider than the image.",
    }),
    size: optional(
      size({ doc: "Height x width of what is left, for what cuts it further; the input's size if absent." }),
    ),
    filter,
  },
  random: true,
  plan: (p, current, { image: { height, width } }, random) => [
    drawCrop(p, current, random),
    { kind: "resize", height: p.size?.[0] ?? height, width: p.size?.[1] ?? width, filter: p.filter },
  ],
  evaluationPlan(p, current, { image, view }) {
    const share = evaluationShare(image);
    const large = covering(current, {
      height: Math.round(image.height / share),
      width: Math.round(image.width / share),
    });
    return [{ kind: "resize", ...large, filter: p.filter }, partOf(large, image, view)];
  },
});

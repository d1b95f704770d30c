/** A rectangle of a picture overwritten: random erasing. */

import type { Random } from "../../graph/index.js";
import { choice, int, interval, ratio } from "../params.js";
import { type Box, defineAugment, type ImageStep, type PixelSize } from "./contract.js";

const attempts = 10;

interface Part {
  readonly area: readonly [number, number];
  readonly aspect: readonly [number, number];
  readonly count: number;
}

const between = ([low, high]: readonly [number, number], random: Random): number =>
  low + (high - low) * random.uniform();

/** Smaller than the picture in both directions; null: none was drawn that is. */
function drawBox(p: Part, { height, width }: PixelSize, random: Random): Box | null {
  const logs = [Math.log(p.aspect[0]), Math.log(p.aspect[1])] as const;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = (between(p.area, random) * height * width) / p.count;
    const aspect = Math.exp(between(logs, random));
    const box = { height: Math.round(Math.sqrt(area * aspect)), width: Math.round(Math.sqrt(area / aspect)) };
    if (box.height >= height || box.width >= width) continue;
    const top = random.integer(height - box.height + 1);
    return { ...box, top, left: random.integer(width - box.width + 1) };
  }
  return null;
}

export const randomErasing = defineAugment({
  name: "random_erasing",
  summary: "Overwrites rectangles of some of the samples, usually with noise.",
  source: "Zhong et al., Random Erasing Data Augmentation, AAAI 2020; in the form of timm's RandomErasing",
  since: "0.2",
  params: {
    probability: ratio({ default: 0.25, doc: "Share of the samples." }),
    area: interval({ of: "ratio", default: [0.02, 0.3333], doc: "Area of all rectangles, as a share of the picture." }),
    aspect: interval({
      of: "real",
      min: 0.01,
      max: 100,
      default: [0.3, 3.3333],
      doc: "Height / width of a rectangle, drawn log-uniformly.",
    }),
    count: int({ min: 1, max: 100, default: 1, doc: "Rectangles of a sample." }),
    with: choice({
      default: "noise",
      options: {
        noise: "A normal number for each pixel and channel.",
        colour: "A normal number for each channel of a rectangle.",
        zeros: "Zeros: after normalisation, the mean colour.",
      },
      doc: "What stands there afterwards.",
    }),
  },
  positional: "probability",
  random: true,
  plan(p, current, { image: { channels } }, random) {
    if (random.uniform() >= p.probability) return [];
    const steps: ImageStep[] = [];
    for (let i = 0; i < p.count; i++) {
      const box = drawBox(p, current, random);
      if (box === null) continue;
      const length = { noise: box.height * box.width * channels, colour: channels, zeros: 1 }[p.with];
      const values = Float32Array.from({ length }, () => (p.with === "zeros" ? 0 : random.normal()));
      steps.push({ kind: "erase", ...box, values });
    }
    return steps;
  },
});

/** Changes of colours that are drawn evenly, and what all changes of colours ask of pictures. */

import { shuffled } from "../../graph/index.js";
import type { Requirement } from "../block.js";
import { type Params, ratio, real } from "../params.js";
import { type AugmentContext, defineAugment, type ImageStep } from "./contract.js";

export const colourChannels: Requirement<Params, AugmentContext> = {
  name: "colours",
  at: null,
  doc: "Pictures are grey, or red, green and blue.",
  holds: (_, { image }) => image.channels === 1 || image.channels === 3,
  say: (_, { image }) => `this changes colours, and pictures of ${image.channels} channels have none`,
  help: () => "remove it: crops and flips are for pictures of any channels",
};

const strength = (what: string) =>
  real({ min: 0, max: 10, default: 0.4, doc: `${what} is multiplied by 1 minus up to 1 plus so much; 0: it stays.` });

export const colorJitter = defineAugment({
  name: "color_jitter",
  summary: "Changes brightness, contrast, saturation and hue, each by a number drawn evenly, in a random order.",
  source: "own definition; in the form of torchvision's ColorJitter on images of 8 bits",
  since: "0.2",
  params: {
    brightness: strength("Brightness"),
    contrast: strength("Contrast, the distance to the mean of the picture's grey values,"),
    saturation: strength("Saturation, the distance to grey,"),
    hue: real({ min: 0, max: 0.5, default: 0, doc: "Hues are turned by up to this share of the circle, either way." }),
    probability: ratio({ default: 1, doc: "How often an image is changed." }),
  },
  requires: [
    colourChannels,
    {
      name: "some-change",
      at: null,
      doc: "Something is changed.",
      holds: (p) => p.brightness + p.contrast + p.saturation + p.hue > 0,
      say: () => "all its strengths are 0, so that it changes nothing",
      help: () => "write one above 0, such as `brightness: 0.4`, or remove it",
    },
  ],
  random: true,
  plan(p, _current, _context, random) {
    if (random.uniform() >= p.probability) return [];
    const order = shuffled(4, random);
    const factor = (spread: number): number => {
      const low = Math.max(0, 1 - spread);
      return low + (1 + spread - low) * random.uniform();
    };
    const made: readonly (ImageStep | null)[] = [
      p.brightness === 0 ? null : { kind: "blend", towards: "black", factor: factor(p.brightness) },
      p.contrast === 0 ? null : { kind: "blend", towards: "mean", factor: factor(p.contrast) },
      p.saturation === 0 ? null : { kind: "blend", towards: "grey", factor: factor(p.saturation) },
      p.hue === 0 ? null : { kind: "hue", turn: p.hue * (2 * random.uniform() - 1) },
    ];
    return Array.from(order).flatMap((i) => made[i] ?? []);
  },
});

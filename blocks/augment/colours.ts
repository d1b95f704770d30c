/** Changes of colours as views of a sample have them, each with its probability, and what all changes of colours ask of pictures. */

import { shuffled } from "../../graph/index.js";
import type { Requirement } from "../block.js";
import { int, interval, optional, type Params, ratio, real } from "../params.js";
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

const often = (share: number) => ratio({ default: share, doc: "How often an image is changed." });

export const grayscale = defineAugment({
  name: "grayscale",
  summary: "Takes the colours from a random share of the samples: every channel becomes their grey value.",
  source: "Chen et al., A Simple Framework for Contrastive Learning of Visual Representations (SimCLR), ICML 2020",
  since: "0.2",
  params: { probability: often(0.2) },
  positional: "probability",
  requires: [colourChannels],
  random: true,
  plan: (p, _current, _context, random) =>
    random.uniform() < p.probability ? [{ kind: "blend", towards: "grey", factor: 0 }] : [],
});

export const solarize = defineAugment({
  name: "solarize",
  summary: "Inverts the bright pixels of a random share of the samples.",
  source: "Grill et al., Bootstrap Your Own Latent (BYOL), NeurIPS 2020",
  since: "0.2",
  params: {
    threshold: int({ min: 0, max: 256, default: 128, doc: "The lowest of the 256 levels that is inverted." }),
    probability: often(0.2),
  },
  requires: [colourChannels],
  random: true,
  plan(p, _current, _context, random) {
    if (random.uniform() >= p.probability) return [];
    return [{ kind: "levels", table: Uint8Array.from({ length: 256 }, (_, v) => (v < p.threshold ? v : 255 - v)) }];
  },
});

/** A tenth of a side, made odd: SimCLR's. */
const kernelFor = ({ height }: { readonly height: number }): number => 2 * Math.floor(Math.floor(height / 10) / 2) + 1;

export const gaussianBlur = defineAugment({
  name: "gaussian_blur",
  summary: "Blurs a random share of the samples by a Gaussian whose width is drawn evenly.",
  source: "Chen et al., A Simple Framework for Contrastive Learning of Visual Representations (SimCLR), ICML 2020",
  since: "0.2",
  params: {
    sigma: interval({ of: "real", default: [0.1, 2], doc: "The deviation of the Gaussian, in pixels." }),
    kernel: optional(
      int({ min: 3, max: 255, doc: "Pixels along a side of the Gaussian, odd; if absent, a tenth of the height." }),
    ),
    probability: often(0.5),
  },
  requires: [
    colourChannels,
    {
      name: "odd-kernel",
      at: "kernel",
      doc: "A kernel has a pixel in its middle.",
      holds: (p) => p.kernel === null || p.kernel % 2 === 1,
      say: (p) => `a kernel of ${p.kernel} pixels has no middle`,
      help: (p) => `write ${(p.kernel ?? 0) + 1}`,
    },
    {
      name: "some-width",
      at: "sigma",
      doc: "A Gaussian has some width.",
      holds: (p) => p.sigma[0] > 0,
      say: () => "a Gaussian of deviation 0 is a point",
      help: () => "write `sigma: 0.1..2`; how often nothing is blurred is said by `probability`",
    },
  ],
  random: true,
  plan(p, current, _context, random) {
    if (random.uniform() >= p.probability) return [];
    const [least, most] = p.sigma;
    const sigma = least + (most - least) * random.uniform();
    return [{ kind: "blur", sigma, kernel: Math.max(3, p.kernel ?? kernelFor(current)) }];
  },
});

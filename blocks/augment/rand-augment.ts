/** A few changes of colours and geometry, drawn from many: RandAugment, and the changes that it draws from. */

import { int, optional, ratio, real, reals } from "../params.js";
import { counted } from "../wording.js";
import { colourChannels } from "./colours.js";
import { type AugmentContext, defineAugment, type Filter, type ImageStep, type PixelSize } from "./contract.js";
import { filter } from "./filter.js";

/** ImageNet's mean, which stands where an image was moved away from. */
const usualFill = [0.485, 0.456, 0.406] as const;
const usualGrey = 0.449;

/** Magnitudes go up to it. */
const most = 10;

interface Drawing {
  /** How strong, from 0 to 1. */
  readonly level: number;
  readonly size: PixelSize;
  readonly fill: readonly number[];
  readonly filter: Filter;
  /** Half the time the same, half the time its negative. */
  readonly signed: (value: number) => number;
}

type Change = (drawing: Drawing) => ImageStep;

const looked = (levelOf: (value: number) => number): ImageStep => ({
  kind: "levels",
  table: Uint8Array.from({ length: 256 }, (_, value) => levelOf(value)),
});

const blended =
  (towards: "black" | "grey" | "mean" | "smooth"): Change =>
  ({ level, signed }) => ({ kind: "blend", towards, factor: Math.max(0.1, 1 + signed(level * 0.9)) });

const moved =
  (matrixOf: (drawing: Drawing) => Extract<ImageStep, { kind: "affine" }>["matrix"]): Change =>
  (drawing) => ({ kind: "affine", matrix: matrixOf(drawing), fill: drawing.fill, filter: drawing.filter });

/** About the middle of a picture, by degrees. */
function turned(degrees: number, { height, width }: PixelSize): Extract<ImageStep, { kind: "affine" }>["matrix"] {
  const angle = (-degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y];
}

/** The fifteen changes whose strength grows with the magnitude, as timm has them under `inc1`. */
export const changes: Readonly<Record<string, Change>> = {
  auto_contrast: () => ({ kind: "stretch", by: "range" }),
  equalize: () => ({ kind: "stretch", by: "rank" }),
  invert: () => looked((value) => 255 - value),
  rotate: moved(({ level, size, signed }) => turned(signed(level * 30), size)),
  posterize({ level }) {
    const dropped = 4 + Math.trunc(level * 4);
    return looked((value) => (value >> dropped) << dropped);
  },
  solarize({ level }) {
    const threshold = 256 - Math.min(256, Math.trunc(level * 256));
    return looked((value) => (value < threshold ? value : 255 - value));
  },
  solarize_add({ level }) {
    const added = Math.min(128, Math.trunc(level * 110));
    return looked((value) => (value < 128 ? Math.min(255, value + added) : value));
  },
  color: blended("grey"),
  contrast: blended("mean"),
  brightness: blended("black"),
  sharpness: blended("smooth"),
  shear_x: moved(({ level, signed }) => [1, signed(level * 0.3), 0, 0, 1, 0]),
  shear_y: moved(({ level, signed }) => [1, 0, 0, signed(level * 0.3), 1, 0]),
  translate_x: moved(({ level, signed, size }) => [1, 0, signed(level * 0.45) * size.width, 0, 1, 0]),
  translate_y: moved(({ level, signed, size }) => [1, 0, 0, 0, 1, signed(level * 0.45) * size.height]),
};

const all = Object.values(changes);

const fillOf = (fill: readonly number[] | null, { image: { channels } }: AugmentContext): readonly number[] =>
  fill ?? (channels === 1 ? [usualGrey] : usualFill);

export const randAugment = defineAugment({
  name: "rand_augment",
  summary: "Makes a few changes of colours and geometry, drawn from fifteen.",
  source:
    "Cubuk et al., RandAugment: Practical Automated Data Augmentation with a Reduced Search Space, NeurIPS 2020; in the form of timm's `inc1`",
  since: "0.2",
  params: {
    magnitude: real({ min: 0, max: most, default: 9, doc: "How strong the changes are, up to 10." }),
    deviation: real({
      min: 0,
      max: 100,
      default: 0.5,
      doc: "Deviation of the magnitude, which is drawn anew for each change and kept from 0 to 10.",
    }),
    changes: int({ min: 1, max: 15, default: 2, doc: "How many are drawn for an image; the same may come twice." }),
    probability: ratio({ default: 0.5, doc: "How often one that is drawn is made." }),
    fill: optional(
      reals({
        min: 0,
        max: 1,
        doc: "What stands where a picture was moved away from, a number a channel; if absent, ImageNet's mean.",
      }),
    ),
    filter,
  },
  positional: "magnitude",
  requires: [
    colourChannels,
    {
      name: "one-number-a-channel",
      at: "fill",
      doc: "`fill` has a number for each channel.",
      holds: (p, { image }) => p.fill === null || p.fill.length === image.channels,
      say: (p, { image }) =>
        `\`fill\` has ${counted(p.fill?.length ?? 0, "number")} for ${counted(image.channels, "channel")}`,
      help: () => "write one for each channel, or leave it out",
    },
  ],
  random: true,
  plan(p, current, context, random) {
    const steps: ImageStep[] = [];
    for (let i = 0; i < p.changes; i++) {
      const change = all[random.integer(all.length)] as Change;
      if (random.uniform() >= p.probability) continue;
      const magnitude = p.magnitude + p.deviation * random.normal();
      const level = Math.max(0, Math.min(most, magnitude)) / most;
      const signed = (value: number): number => (random.uniform() > 0.5 ? -value : value);
      steps.push(change({ level, size: current, fill: fillOf(p.fill, context), filter: p.filter, signed }));
    }
    return steps;
  },
});

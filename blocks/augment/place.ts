/** Sizes and places that several augmentations compute. */

import type { ImageStep, PixelSize } from "./contract.js";

export type Crop = Extract<ImageStep, { readonly kind: "crop" }>;

/** The size with its shorter side at `shorter`, the other in proportion and rounded down. */
export function withShorterSide({ height, width }: PixelSize, shorter: number): PixelSize {
  const scaled = (side: number, other: number): number =>
    side <= other ? shorter : Math.floor((shorter * side) / other);
  return { height: scaled(height, width), width: scaled(width, height) };
}

/** The smallest size in the same proportion that covers `wanted`. */
export function covering({ height, width }: PixelSize, wanted: PixelSize): PixelSize {
  const scale = Math.max(wanted.height / height, wanted.width / width);
  const scaled = (side: number, least: number): number => Math.max(least, Math.round(side * scale));
  return { height: scaled(height, wanted.height), width: scaled(width, wanted.width) };
}

/** The middle of an image; where it cannot be met exactly, half a pixel up and left. */
export const middleOf = (current: PixelSize, { height, width }: PixelSize): Crop => ({
  kind: "crop",
  top: Math.floor((current.height - height) / 2),
  left: Math.floor((current.width - width) / 2),
  height,
  width,
});

/** `224x192` */
export const sizeText = ({ height, width }: PixelSize): string => `${height}x${width}`;

/** Sizes and places that several augmentations compute. */

import { beginningOf, type ImageStep, middleView, type PixelSize, type View } from "./contract.js";

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

/**
 * The part of an image that evaluation looks at: of several one along the longer of the sides that are left, otherwise the middle; where that
 * cannot be met exactly, half a pixel up and left.
 */
export function partOf(current: PixelSize, { height, width }: PixelSize, { crop }: View = middleView): Crop {
  const [down, right] = [current.height - height, current.width - width];
  const isTall = down > right;
  return {
    kind: "crop",
    top: isTall ? beginningOf(crop, down) : Math.floor(down / 2),
    left: isTall ? Math.floor(right / 2) : beginningOf(crop, right),
    height,
    width,
  };
}

/** `224x192` */
export const sizeText = ({ height, width }: PixelSize): string => `${height}x${width}`;

/** How images go into an exported model: normalised as in training, or as pixels that the model normalises itself. */

import { type ArrayShape, hasPictures, isPicture } from "../../blocks/index.js";
import type { Builder, Dims, Tensor } from "../../graph/index.js";
import type { ColourScale } from "../evaluate/colours.js";

/** `normalized`: as the model sees them; `pixels`: values from 0 to 255. */
export type ImageScale = "normalized" | "pixels";

export interface Colours {
  /** An image as it goes in -> as the model sees it, [B, H, W, C]. */
  readonly inward: <S extends Dims>(g: Builder, image: Tensor<S>) => Tensor<S>;
  /** And back. */
  readonly outward: (g: Builder, image: Tensor) => Tensor;
  readonly doc: string;
}

/** `batch, height, width, channels`: the axes of what goes in. */
export const layoutOf = (array: ArrayShape): string =>
  ["batch", ...(isPicture(array) ? ["height", "width"] : array.axes.map(({ name }) => name)), "channels"].join(", ");

/** @param scale the recipe's normalisation; null: the model sees values in [0, 1]. */
export function coloursOf(into: ImageScale, scale: ColourScale | null, array: ArrayShape): Colours {
  const what = `${isPicture(array) ? "Images" : "Arrays"}, [${layoutOf(array)}]`;
  if (into === "normalized") {
    const then = scale === null ? "" : `, minus mean ${list(scale.mean)} and divided by ${list(scale.std)} by channel`;
    const units = hasPictures(array) ? "values from 0 to 1 (pixels divided by 255)" : "values as the data has them";
    const doc = `${what}: ${units}${then}`;
    return { inward: (_, image) => image, outward: (_, image) => image, doc };
  }
  const row = (g: Builder, values: readonly number[]): Tensor => g.constant(Float32Array.from(values), [values.length]);
  return {
    inward(g, image) {
      const units = g.div(image, 255);
      return scale === null ? units : g.div(g.sub(units, row(g, scale.mean)), row(g, scale.std));
    },
    outward(g, image) {
      const units = scale === null ? image : g.add(g.mul(image, row(g, scale.std)), row(g, scale.mean));
      return g.mul(units, 255);
    },
    doc: `${what}: pixels from 0 to 255`,
  };
}

const list = (values: readonly number[]): string => `[${values.join(", ")}]`;

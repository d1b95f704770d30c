/** Sizes that blocks tell each other: the image, and the grid of patches cut from it. */

export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Patches in raster order: index = row * columns + column. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** Pixels of one patch: height, width. */
  readonly patch: readonly [number, number];
}

export const tokenCount = (grid: Grid): number => grid.rows * grid.columns;

/** Numbers of one image. */
export const imageLength = ({ height, width, channels }: ImageShape): number => height * width * channels;

/** Pixels of one patch. */
export const patchArea = ({ patch: [height, width] }: Grid): number => height * width;

/** Where the values of one patch are in an image [H, W, C], in the order of `patchify`. */
export function patchPlaces({ columns, patch: [height, width] }: Grid, token: number, channels = 1): Int32Array {
  const run = width * channels;
  const row = columns * run;
  const first = Math.floor(token / columns) * height * row + (token % columns) * run;
  const places = new Int32Array(height * run);
  for (let i = 0; i < places.length; i++) places[i] = first + Math.floor(i / run) * row + (i % run);
  return places;
}

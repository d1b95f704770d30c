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

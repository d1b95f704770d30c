/** Pictures of files, as they are opened and as they are decoded. */

import type { FileChannels, Remark } from "./channels.js";
import type { Raster } from "./raster.js";
import type { PixelStep } from "./steps.js";

export interface OpenImage extends FileChannels {
  readonly bytes: Uint8Array;
  /** After the file's orientation was applied. */
  readonly height: number;
  readonly width: number;
  /** Of 16 bits; otherwise of 8. */
  readonly deep: boolean;
}

export interface Decoded {
  readonly raster: Raster;
  readonly remarks: readonly Remark[];
  /** What is left of the plan. */
  readonly rest: readonly PixelStep[];
}

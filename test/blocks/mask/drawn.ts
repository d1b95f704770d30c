/** What the tests of masks share: grids, and one mask drawn from a seed. */

import type { Grid } from "../../../blocks/index.js";
import type { Mask } from "../../../blocks/mask/index.js";
import type { Params, ValuesOf } from "../../../blocks/params.js";
import { randomStream } from "../../../graph/index.js";

export const gridOf = (rows: number, columns: number): Grid => ({ rows, columns, patch: [1, 1] });

/** What a requirement is told of a model with this grid. */
export const contextOf = (grid: Grid) => ({
  image: { height: grid.rows, width: grid.columns, channels: 1 },
  grid,
  width: null,
  decoderWidth: null,
  layers: null,
  extraTokens: null,
});

/** Values of a mask that are told of one sample. */
type Alone<P extends Params> = Omit<ValuesOf<P>, "share">;

export interface Drawn {
  readonly order: readonly number[];
  /** Raster indices, ascending. */
  readonly visible: readonly number[];
}

export function draw<P extends Params>(mask: Mask<P>, values: Alone<P>, grid: Grid, sample: number): Drawn {
  const whole = { share: "sample", ...values } as unknown as ValuesOf<P>;
  const order = [...mask.sample(whole, grid, randomStream(7, "mask", sample))];
  return { order, visible: order.slice(0, mask.visible(whole, grid)).sort((a, b) => a - b) };
}

/** How often each patch is visible in `samples` draws. */
export function timesVisible<P extends Params>(
  mask: Mask<P>,
  values: Alone<P>,
  grid: Grid,
  samples: number,
): readonly number[] {
  const counts = new Array<number>(grid.rows * grid.columns).fill(0);
  for (let sample = 0; sample < samples; sample++) {
    for (const token of draw(mask, values, grid, sample).visible) counts[token] = (counts[token] as number) + 1;
  }
  return counts;
}

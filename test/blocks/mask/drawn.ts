/** What the tests of masks share: grids, and one mask drawn from a seed. */

import { type Lattice, tokenCount } from "../../../blocks/index.js";
import type { Mask } from "../../../blocks/mask/index.js";
import type { Params, ValuesOf } from "../../../blocks/params.js";
import { randomStream } from "../../../graph/index.js";

export const gridOf = (
  rows: number,
  columns: number,
  [height, width] = [1, 1] as readonly [number, number],
): Lattice => [
  { name: "row", count: rows, size: height },
  { name: "column", count: columns, size: width },
];

/** Of a mask whose dials are as they are. */
export const plain = {
  share: "sample",
  along: null,
  each: null,
  cell: null,
  hidden: null,
  on: null,
  round: null,
} as const;

/** What a requirement is told of a model with this grid. `inSpace`: whether its tokens lie in space, as some masks ask. */
export const contextOf = (grid: Lattice, inSpace = false) => ({
  array: {
    axes: grid.map(({ name, count, size }) => ({ name, size: count * size })),
    channels: 1,
    ...(inSpace ? { cloud: { points: tokenCount(grid) } } : {}),
  },
  grid,
  width: null,
  decoderWidth: null,
  layers: null,
  extraTokens: null,
  maps: null,
  behind: null,
  tokens: tokenCount(grid),
  inputs: 1,
  inner: false,
});

/** Values of a mask that are told of one sample; what may be absent may be left out. */
type Alone<P extends Params> = Omit<ValuesOf<P>, "share" | "along" | "each" | "cell" | "hidden" | "on" | "round"> &
  Partial<Pick<ValuesOf<P>, Extract<keyof P, "along" | "each" | "cell" | "hidden" | "round">>>;

export interface Drawn {
  readonly order: readonly number[];
  /** Raster indices, ascending. */
  readonly visible: readonly number[];
}

export function draw<P extends Params>(mask: Mask<P>, values: Alone<P>, grid: Lattice, sample: number): Drawn {
  const whole = { ...plain, ...values } as unknown as ValuesOf<P>;
  const order = [...mask.sample(whole, grid, randomStream(7, "mask", sample))];
  return { order, visible: order.slice(0, mask.visible(whole, grid)).sort((a, b) => a - b) };
}

/** How often each patch is visible in `samples` draws. */
export function timesVisible<P extends Params>(
  mask: Mask<P>,
  values: Alone<P>,
  grid: Lattice,
  samples: number,
): readonly number[] {
  const counts = new Array<number>(tokenCount(grid)).fill(0);
  for (let sample = 0; sample < samples; sample++) {
    for (const token of draw(mask, values, grid, sample).visible) counts[token] = (counts[token] as number) + 1;
  }
  return counts;
}

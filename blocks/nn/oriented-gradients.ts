/** Histograms of oriented gradients: which way edges run in each cell of an image, and how strong they are. */

import type { Builder, Mul, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** Below it a histogram is not divided by its length; as torch.nn.functional.normalize. */
const shortest = 1e-12;

/**
 * A slope up to it is none: pixels that are equal are no longer when they have been divided by 255, and the last bit of a
 * number would choose the direction. One step of 8 bits is 4e-3.
 */
const flat = 1e-5;

/** A part of [B, H, W, C] along one axis. */
function part(g: Builder, x: Tensor, axis: 1 | 2, from: number, length: number): Tensor {
  const begin = [0, 0, 0, 0];
  const size = [...(x.shape as readonly number[])];
  begin[axis] = from;
  size[axis] = length;
  return g.slice(x, begin, size);
}

/** The value before and the value after each one along an axis; beyond the border the image is mirrored at its last pixel. */
function neighbours(g: Builder, x: Tensor, axis: 1 | 2): readonly [before: Tensor, after: Tensor] {
  const length = x.shape[axis] as number;
  const before = g.concat([part(g, x, axis, 1, 1), part(g, x, axis, 0, length - 1)], axis);
  const after = g.concat([part(g, x, axis, 1, length - 1), part(g, x, axis, length - 2, 1)], axis);
  return [before, after];
}

/** Sobel: weights 1, 2, 1 across, then the value before less the value after; exactly 0 where that is nearly so. */
function slope(g: Builder, image: Tensor, axis: 1 | 2): Tensor {
  const [beside, beyond] = neighbours(g, image, axis === 1 ? 2 : 1);
  const smooth = g.add(g.add(beside, beyond), g.mul(image, 2));
  const [before, after] = neighbours(g, smooth, axis);
  const difference = g.sub(before, after);
  return g.mul(difference, g.cast(g.less(g.constant(flat), g.abs(difference)), "float32"));
}

/**
 * Whether each gradient points at or past the direction pi k / bins, for k = 0 .. bins, 1 or 0: a half-turn is divided into
 * `bins`, opposite directions being one. No arc tangent: the sign of a cross product tells the side.
 */
function directions(g: Builder, x: Tensor, y: Tensor, bins: number): readonly Tensor[] {
  // Turned into the half-plane x >= 0 in which the angle from the y axis runs from 0 to pi; on its border y >= 0.
  const half = g.select(g.equal(x, 0), g.abs(y), g.mul(y, g.sign(x)));
  const ahead = g.abs(x);
  return Array.from({ length: bins + 1 }, (_, k) => {
    if (k === 0) return g.constant(1);
    if (k === bins) return g.constant(0);
    const angle = (Math.PI * k) / bins;
    const cross = g.sub(g.mul(ahead, Math.cos(angle)), g.mul(half, Math.sin(angle)));
    // Only multiples of an eighth of a turn are met exactly by whole slopes, and those are at the border.
    const slack = (4 * k) % bins === 0 ? flat : 0;
    return g.cast(g.lessEqual(g.constant(-slack), cross), "float32");
  });
}

/** Sums of [B, H, W, C] over cells, [B, H / h, W / w, C]. */
function cellSums(g: Builder, x: Tensor, [height, width]: readonly [number, number]): Tensor {
  const [batch, rows, columns, channels] = x.shape as [number, number, number, number];
  const cut = g.reshape(x, [batch, rows / height, height, columns / width, width, channels]);
  return g.sum(cut, [2, 4]);
}

/**
 * image [B, rows * h, columns * w, C] -> [B, rows * columns, P]: for each channel and cell the gradients' lengths summed by
 * direction, every histogram divided by its length. A patch's values are ordered by channel, bin, row and column of the cell.
 */
export const orientedGradients = layer(
  "orientedGradients",
  <
    const R extends number,
    const K extends number,
    const H extends number,
    const W extends number,
    C extends number,
    const P extends number,
  >(
    g: Builder,
    image: Tensor<["B", Mul<R, H>, Mul<K, W>, C]>,
    grid: readonly [{ readonly count: R; readonly size: H }, { readonly count: K; readonly size: W }],
    o: { readonly bins: number; readonly cell: readonly [number, number]; readonly values: P },
  ): Tensor<["B", Mul<R, K>, P]> => {
    const [batch, , , channels] = image.shape as [number, number, number, number];
    const [x, y] = [slope(g, image, 2), slope(g, image, 1)];
    const strength = g.sqrt(g.add(g.mul(x, x), g.mul(y, y)));
    const past = directions(g, x, y, o.bins);
    const sums = past.slice(1).map((next, k) => {
      const inBin = g.mul(strength, g.sub(past[k] as Tensor, next)); // [B, H, W, C]
      return cellSums(g, inBin, o.cell);
    });
    const [, down, across] = (sums[0] as Tensor).shape as [number, number, number, number];
    const histograms = g.concat(
      sums.map((sum) => g.reshape(sum, [batch, down, across, channels, 1])),
      4,
    ); // [B, cell rows, cell columns, C, bins]
    const length = g.sqrt(g.sum(g.mul(histograms, histograms), [4], "keep"));
    const unit = g.div(histograms, g.maximum(length, shortest));
    const [rows, columns] = [grid[0].count, grid[1].count];
    const inPatch = [down / rows, across / columns] as const;
    const cut = g.reshape(unit, [batch, rows, inPatch[0], columns, inPatch[1], channels * o.bins]);
    const sorted = g.transpose(cut, [0, 1, 3, 5, 2, 4]);
    return claim(g.reshape(sorted, [batch, rows * columns, o.values]));
  },
);

/** Images without their fine detail. */

import type { Builder, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";
import { passed, waves } from "./waves.js";

/**
 * image [B, H, W, C] -> the same without the frequencies (u, v), in cycles across the image, of u^2 + v^2 > radius^2: an ideal
 * filter in the discrete Fourier transform, channel by channel.
 */
export const lowPass = layer(
  "lowPass",
  <H extends number, W extends number, C extends number>(
    g: Builder,
    image: Tensor<["B", H, W, C]>,
    o: { readonly radius: number },
  ): Tensor<["B", H, W, C]> => {
    const [, height, width] = image.shape as [number, number, number, number];
    const [down, across] = [waves(height, o.radius), waves(width, o.radius)];
    const [u, v] = [down.frequencies.length, across.frequencies.length];
    const rows = g.constant(down.matrix, [u, height]);
    const columns = g.constant(across.matrix, [v, width]);
    const planes = g.transpose(image, [0, 3, 1, 2]); // [B, C, H, W]
    const turned = g.transpose(g.matmul(planes, columns, { b: true }), [0, 1, 3, 2]); // [B, C, v, H]
    const spectrum = g.transpose(g.matmul(turned, rows, { b: true }), [0, 1, 3, 2]); // [B, C, u, v]
    const kept = g.mul(spectrum, g.constant(passed(down, across, o.radius), [u, v]));
    const wide = g.transpose(g.matmul(kept, columns), [0, 1, 3, 2]); // [B, C, W, u]
    return claim(g.transpose(g.matmul(wide, rows), [0, 3, 2, 1])); // [B, C, W, H] turned back
  },
);

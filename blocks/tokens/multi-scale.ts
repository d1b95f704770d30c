/** Windows of signals seen at several scales: convolutions over time of several widths, then a token of each window by one linear layer. */

import { convolutionParameters, convolveScales, linear, patchEmbedParameters, patchify } from "../nn/index.js";
import { int, reals } from "../params.js";
import { boxLength } from "../sets.js";
import { defineTokens } from "./contract.js";
import { dividesAxes, latticeOf, sideForEachAxis, sizeParam } from "./patch.js";

/** A width without a middle. */
const evenOf = ({ kernels }: { readonly kernels: readonly number[] }): number | undefined =>
  kernels.find((kernel) => kernel % 2 !== 1);

/** What the weights of a window are called. */
const scaleName = (kernel: number): string => `width_${kernel}`;

export const multiScale = defineTokens({
  name: "multi_scale",
  summary:
    "Convolves each lead over time by windows of several widths, cuts what comes of it and maps each part to a token.",
  source:
    "after the multi-view CNN-transformer of Li et al., ACM Multimedia 2022, doi 10.1145/3503161.3548243; sizes: own definition",
  since: "0.2",
  params: {
    size: sizeParam,
    kernels: reals({ min: 1, max: 1023, default: [1, 3, 5], doc: "Widths of the windows in samples, odd." }),
    features: int({ min: 1, max: 4096, default: 8, doc: "Features that each window gives at each time." }),
  },
  requires: [
    sideForEachAxis,
    ...dividesAxes,
    {
      name: "of-signals",
      at: null,
      doc: "The input is a signal.",
      holds: (_, { array }) => array.axes[0]?.name === "lead" && array.axes[1]?.name === "time",
      say: () => "it convolves leads over time, and the input has none",
      help: () => "use `patch`, or read a `signal`",
    },
    {
      name: "odd-kernels",
      at: "kernels",
      doc: "There is at least one window, each has an odd width, and no two have the same.",
      holds: (p) => p.kernels.length > 0 && evenOf(p) === undefined && new Set(p.kernels).size === p.kernels.length,
      say: (p) =>
        p.kernels.length === 0
          ? "no width is given"
          : evenOf(p) === undefined
            ? "two windows have the same width"
            : `a window of ${evenOf(p)} samples has no middle`,
      help: () => "write odd numbers, such as `kernels: (1, 3, 5)`",
    },
  ],
  grid: latticeOf,
  parameters(p, { array, width }) {
    const sizes = { inputs: array.channels, outputs: p.features };
    const scales = p.kernels.map(
      (kernel) => [scaleName(kernel), convolutionParameters({ ...sizes, kernel: [1, kernel] })] as const,
    );
    const values = boxLength(latticeOf(p, array)) * p.features * p.kernels.length;
    return { scales: Object.fromEntries(scales), patch_embed: patchEmbedParameters(values, width) };
  },
  embed(code, p, w, array, grid) {
    const scales = p.kernels.map((kernel) => w.scales[scaleName(kernel)]);
    const seen = code.let("scales", convolveScales, array, scales); // [B, leads, times, F]
    const windows = code.let("windows", patchify, seen, grid); // [B, N, values]
    return code.let("tokens", linear, windows, w.patch_embed.proj);
  },
});

/** What is predicted from pixels, and how far a prediction is from it. */

import type { Builder, Dims, Tensor } from "../../graph/index.js";
import { claim, layer } from "./layer.js";

/** Added to a patch's variance before the root, as in official MAE. */
export const patchVarianceEpsilon = 1e-6;

/** Of each patch its mean [B, N, 1], its values less that [B, N, P], and its variance, divided by P - 1, [B, N, 1]. */
function statistics<N extends number, P extends number>(g: Builder, patches: Tensor<["B", N, P]>) {
  const values = patches.shape[2] as number;
  const mean = g.mean(patches, [2], "keep");
  const centred = g.sub(patches, mean);
  const variance = g.mul(g.sum(g.mul(centred, centred), [2], "keep"), 1 / (values - 1));
  return { mean, centred, variance };
}

/** patches [B, N, P] -> (x - mean) / sqrt(variance + 1e-6) of each patch; variance divided by P - 1. */
export const normalizePatches = layer(
  "normalizePatches",
  <N extends number, P extends number>(g: Builder, patches: Tensor<["B", N, P]>): Tensor<["B", N, P]> => {
    const { centred, variance } = statistics(g, patches);
    return g.mul(centred, g.rsqrt(g.add(variance, patchVarianceEpsilon)));
  },
);

/** prediction [B, N, P] in the scale of `normalizePatches` -> in that of patches [B, N, P], by their mean and deviation. */
export const denormalizePatches = layer(
  "denormalizePatches",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    patches: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
  ): Tensor<["B", N, P]> => {
    const { mean, variance } = statistics(g, patches);
    return g.add(g.mul(prediction, g.sqrt(g.add(variance, patchVarianceEpsilon))), mean);
  },
);

/** Added to the deviation of a channel, as in official VideoMAE. */
export const channelDeviationEpsilon = 1e-6;

/** patches [B, N, P] as [B, N, P / C, C]: of each channel its mean, the values less that, and the deviation plus 1e-6, of n - 1. */
function channelStatistics(g: Builder, patches: Tensor, channels: number) {
  const [batch, tokens, values] = patches.shape as readonly [number, number, number];
  const apart = g.reshape(patches, [batch, tokens, values / channels, channels]);
  const mean = g.mean(apart, [2], "keep");
  const centred = g.sub(apart, mean);
  const variance = g.mul(g.sum(g.mul(centred, centred), [2], "keep"), 1 / (values / channels - 1));
  return { mean, centred, deviation: g.add(g.sqrt(variance), channelDeviationEpsilon) };
}

/** patches [B, N, P] -> (x - mean) / (deviation + 1e-6) of each channel of each patch; the channel is the fastest. */
export const normalizeChannels = layer(
  "normalizeChannels",
  <N extends number, P extends number>(
    g: Builder,
    patches: Tensor<["B", N, P]>,
    o: { readonly channels: number },
  ): Tensor<["B", N, P]> => {
    const { centred, deviation } = channelStatistics(g, patches, o.channels);
    return claim(g.reshape(g.div(centred, deviation), patches.shape as Dims));
  },
);

/** prediction [B, N, P] in the scale of `normalizeChannels` -> in that of patches [B, N, P]. */
export const denormalizeChannels = layer(
  "denormalizeChannels",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    patches: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
    o: { readonly channels: number },
  ): Tensor<["B", N, P]> => {
    const { mean, centred, deviation } = channelStatistics(g, patches, o.channels);
    return claim(
      g.reshape(g.add(g.mul(g.reshape(prediction, centred.shape as Dims), deviation), mean), patches.shape as Dims),
    );
  },
);

/** Mean of (prediction - target)^2 over everything. */
export const meanSquaredError = layer(
  "meanSquaredError",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
  ): Tensor<[]> => {
    const error = g.sub(prediction, target);
    return claim(g.mean(g.mul(error, error)));
  },
);

/** Mean of |prediction - target| over everything. */
export const meanAbsoluteError = layer(
  "meanAbsoluteError",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
  ): Tensor<[]> => claim(g.mean(g.abs(g.sub(prediction, target)))),
);

/** Mean of e^2 / (2 beta) where |e| < beta, |e| - beta / 2 elsewhere; as torch.nn.SmoothL1Loss. */
export const smoothAbsoluteError = layer(
  "smoothAbsoluteError",
  <N extends number, P extends number>(
    g: Builder,
    prediction: Tensor<["B", N, P]>,
    target: Tensor<["B", NoInfer<N>, NoInfer<P>]>,
    o: { readonly beta: number },
  ): Tensor<[]> => claim(g.mean(smoothed(g, prediction, target, o.beta))),
);

/** e^2 / (2 beta) where |e| < beta, |e| - beta / 2 elsewhere. */
export function smoothed(g: Builder, prediction: Tensor, target: Tensor, beta: number): Tensor {
  const error = g.abs(g.sub(prediction, target));
  const near = g.mul(g.mul(error, error), 0.5 / beta);
  return g.select(g.less(error, beta), near, g.sub(error, 0.5 * beta));
}

/** The weighted sum of scalar losses. */
export const weightedSum = layer(
  "weightedSum",
  (g: Builder, terms: readonly (readonly [weight: number, term: Tensor<[]>])[]): Tensor<[]> =>
    terms.map(([weight, term]) => (weight === 1 ? term : g.mul(term, weight))).reduce((sum, term) => g.add(sum, term)),
);

/**
 * What goes on inside a trained model, measured on samples of its data: attention by layer and head, tokens by layer, features, what its decoder
 * uses, and how its patches fall into groups. Probes say what features are worth; this says why.
 */

import { effectiveRank, hasPictures } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import type { Trained } from "../evaluate/frozen.js";
import type { DiagnoseOptions, Diagnosis, FeatureFacts, GroupedSample } from "./diagnosis.js";
import {
  alignment,
  centredProducts,
  clustersOf,
  kernelAlignment,
  meanVariance,
  normalizedCut,
  participationRatio,
  type Rows,
  sharedInformation,
  someRows,
  spectrumOf,
  uniformity,
} from "./features.js";
import { type Inside, lookInside } from "./inside.js";
import { lookMasked } from "./masked.js";
import { meanOf, onlyGrid } from "./reading.js";

/** Clusters of patches, and rows of which every pair is compared. */
const groups = 6;
const mostRows = 2000;

/** @throws RunError `run/weights-not-finite`, or `run/data` where a sample is to blame. */
export async function diagnose(model: Trained, options: DiagnoseOptions): Promise<Diagnosis> {
  const { samples, seed, classes } = options;
  const inside = await lookInside(model, options);
  const masked = await lookMasked(model, options);
  const random = randomStream(seed, "probe", 0);
  // Samples that have no class, or any number of them, have -1.
  const isNamed = classes > 1 && inside.labels.every((label) => label >= 0) && new Set(inside.labels).size > 1;
  const features = inside.pools.map(({ pool, rows }): FeatureFacts => {
    const some = someRows(rows, mostRows, random);
    const spectrum = spectrumOf(some);
    const first = masked?.latents[pool];
    return {
      pool,
      width: rows.width,
      effective_rank: effectiveRank(spectrumOf(rows, { centred: false })),
      participation_ratio: participationRatio(spectrum),
      variance: meanVariance(spectrum, some),
      uniformity: uniformity(some),
      alignment: first ? alignment(first[0], first[1]) : null,
      spectrum: [...spectrum].map((value) => value / Math.sqrt(some.count)),
      clusters: isNamed ? sharedInformation(clustersOf(rows, classes, random), inside.labels) : null,
    };
  });
  const { grouped, gap } = groupedSamples(inside.shown, seed);
  return {
    samples,
    attention: inside.attention,
    tokens: inside.tokens,
    features,
    artifacts:
      inside.artifacts?.map((whole, i) => ({ layer: i + 1, whole, masked: masked?.artifacts?.[i] ?? null })) ?? null,
    decoder: masked?.decoder ?? null,
    gap,
    grouped,
    likeness: options.against ? await likenessOf(inside.layers, options.against, options) : null,
  };
}

/** Clusters over the patches of all samples, and the cut of each. */
function groupedSamples(
  shown: Inside["shown"],
  seed: number,
): { readonly grouped: readonly GroupedSample[]; readonly gap: number | null } {
  const [first] = shown;
  if (!first) return { grouped: [], gap: null };
  const { count, width } = first.tokens;
  const values = new Float32Array(shown.length * count * width);
  for (const [i, { tokens }] of shown.entries()) values.set(tokens.values, i * count * width);
  const clusters = clustersOf({ values, count: shown.length * count, width }, groups, randomStream(seed, "probe", 1));
  const cuts = shown.map(({ tokens }, i) => normalizedCut(tokens, randomStream(seed, "probe", 2, i)));
  return {
    gap: meanOf(cuts.map(({ gap }) => gap)),
    grouped: shown.map(({ array }, i) => ({
      array,
      clusters: clusters.slice(i * count, (i + 1) * count),
      sides: cuts[i]?.sides ?? new Uint8Array(count),
    })),
  };
}

async function likenessOf(
  layers: readonly Rows[],
  against: Trained,
  options: DiagnoseOptions,
): Promise<readonly (readonly number[])[]> {
  const other = await lookInside(against, options);
  // The same samples of all layers, each looked at once.
  const kernelsOf = (all: readonly Rows[]): readonly Float64Array[] =>
    all.map((rows) => centredProducts(someRows(rows, mostRows, randomStream(options.seed, "probe", 3))));
  const others = kernelsOf(other.layers);
  return kernelsOf(layers).map((own) => others.map((one) => kernelAlignment(own, one)));
}

/** Whether the patches of a model are drawn over pictures. */
export const drawsGroups = ({ program }: Pick<Trained, "program">): boolean => {
  const only = onlyGrid({ program });
  return only !== null && hasPictures(only.shape) && only.grid.length === 2;
};

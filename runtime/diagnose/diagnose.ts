/**
 * What goes on inside a trained model, measured on samples of its data: attention by layer and head, tokens by layer, features, what its decoder
 * uses, and how its patches fall into groups. Probes say what features are worth; this says why.
 */

import {
  type ArrayShape,
  afterTraining,
  arrayInputs,
  arrayOf,
  effectiveRank,
  hasPictures,
  type Lattice,
  maskedBatch,
  masksOf,
  tokenCount,
} from "../../blocks/index.js";
import { type Builder, randomStream, type Tensor } from "../../graph/index.js";
import type { ColourScale } from "../evaluate/colours.js";
import { checkedValues, type LabelledBatch, pooled } from "../evaluate/features.js";
import { type Frozen, openFrozen, type Trained } from "../evaluate/frozen.js";
import { maskField } from "../evaluate/mask-field.js";
import type { Executor } from "../executors/executor.js";
import { movingFeeds, sampleMasks } from "../train/inputs.js";
import {
  alignment,
  clustersOf,
  kernelAlignment,
  normalizedCut,
  participationRatio,
  type Rows,
  sharedInformation,
  someRows,
  spectrumOf,
  uniformity,
} from "./features.js";
import {
  attentionMeasures,
  attentionNames,
  distancesIn,
  exploitation,
  tokenMeasures,
  tokenNames,
  watchAttention,
  wavesOver,
} from "./in-graph.js";

/** Attention between patches in a layer, a number for each head. */
export interface AttentionLayer {
  readonly layer: number;
  readonly distance: readonly number[];
  readonly entropy: readonly number[];
  readonly mutual_information: readonly number[];
}

/** Tokens of a sample after a layer, means over samples. */
export interface TokenLayer {
  readonly layer: number;
  readonly similarity: number;
  readonly similarity_variance: number;
  readonly feature_variance: number;
  /** Mean log amplitude of the shortest wave, less that of none; null: the tokens are no square. */
  readonly high_frequency: number | null;
}

export interface FeatureFacts {
  readonly pool: "cls" | "mean";
  readonly width: number;
  readonly effective_rank: number;
  readonly participation_ratio: number;
  readonly uniformity: number;
  /** Of features of one sample under two masks, without a class token the mean of visible patches; null: nothing is masked. */
  readonly alignment: number | null;
  /** Singular values of centred features, the largest first, over the root of the number of samples. */
  readonly spectrum: readonly number[];
  /** Shared information of as many clusters as there are classes and of the classes; null: there are no classes. */
  readonly clusters: number | null;
}

/** The largest of a class token's attention to patches over the median, means over heads and samples, in the first layers. */
export interface ArtifactLayer {
  readonly layer: number;
  readonly whole: number;
  /** Where a mask hides patches; null: none does. */
  readonly masked: number | null;
}

/** What a decoder's layers have let through to hidden places by then: of one visible token, and of one hidden. */
export interface DecoderLayer {
  readonly layer: number;
  readonly visible: number;
  readonly hidden: number;
}

/** One sample whose patches are grouped. */
export interface GroupedSample {
  readonly array: Float32Array;
  /** By k-means over the patches of all shown samples. */
  readonly clusters: Int32Array;
  /** By the normalised cut of its own patches. */
  readonly sides: Uint8Array;
}

export interface Diagnosis {
  readonly samples: number;
  /** Null: a model of several inputs, or one whose layers attend to nothing. */
  readonly attention: readonly AttentionLayer[] | null;
  /** Null: a model of several inputs. */
  readonly tokens: readonly TokenLayer[] | null;
  readonly features: readonly FeatureFacts[];
  readonly artifacts: readonly ArtifactLayer[] | null;
  readonly decoder: readonly DecoderLayer[] | null;
  /** Mean over the shown samples of what lies between the two sides of a cut; null where tokens are null. */
  readonly gap: number | null;
  readonly grouped: readonly GroupedSample[];
  /** Of pooled features after each layer (rows) and each of another model (columns); null: there is none. */
  readonly likeness: readonly (readonly number[])[] | null;
}

export interface DiagnoseOptions {
  readonly executor: Executor;
  /** Read from the beginning at each call. */
  readonly batches: () => AsyncIterable<LabelledBatch>;
  /** Samples of a batch. */
  readonly batch: number;
  /** All samples. */
  readonly samples: number;
  /** How many classes the data have; 0: none. */
  readonly classes: number;
  readonly colours: (array: string) => ColourScale | null;
  readonly seed: number;
  /** Another model that reads the same arrays. */
  readonly against?: Trained;
  readonly report?: (done: number) => void;
}

/** Layers whose class token is looked at for artifacts, clusters of patches, samples whose patches are grouped, rows of a spectrum. */
const shallow = 4;
const groups = 6;
const mostGrouped = 8;
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

/** Means of rows of numbers, fed batch by batch. */
function createMeans() {
  const sums = new Map<string, Float64Array>();
  let count = 0;
  return {
    /** `values`: of `rows` samples, of which the first `some` count. */
    add(name: string, values: Float32Array, rows: number, some: number): void {
      const width = values.length / rows;
      const sum = sums.get(name) ?? new Float64Array(width);
      for (let at = 0; at < some * width; at++) sum[at % width] = (sum[at % width] as number) + (values[at] as number);
      sums.set(name, sum);
    },
    counted(some: number): void {
      count += some;
    },
    of: (name: string): number[] => [...(sums.get(name) ?? [])].map((sum) => sum / count),
  };
}

interface Inside {
  readonly attention: readonly AttentionLayer[] | null;
  readonly tokens: readonly TokenLayer[] | null;
  readonly artifacts: readonly number[] | null;
  readonly pools: readonly { readonly pool: "cls" | "mean"; readonly rows: Rows }[];
  /** Means of patches after each layer. */
  readonly layers: readonly Rows[];
  readonly labels: Int32Array;
  readonly shown: readonly { readonly array: Float32Array; readonly tokens: Rows }[];
}

/** The only array of a model and how it is cut; null: it reads several. */
const onlyGrid = ({
  program,
}: Trained): { readonly grid: Lattice; readonly shape: ArrayShape; readonly name: string } | null => {
  const [first, another] = Object.keys(program.arrays);
  if (first === undefined || another !== undefined) return null;
  return { grid: program.grids[first] as Lattice, ...arrayOf(program) };
};

/** Attention between all patches of a model, layer by layer: those of which every token of a sample attends to every one. */
const wholeMaps = (maps: readonly Tensor[], tokens: number): readonly Tensor[] =>
  maps.filter(({ shape }) => shape[2] === tokens && shape[3] === tokens);

async function lookInside(model: Trained, options: DiagnoseOptions): Promise<Inside> {
  const { program } = model;
  const only = onlyGrid(model);
  const depth = only ? program.layers : 1;
  const extra = program.extraTokens;
  const waves = only && wavesOver(only.grid);
  const [heads, shallowMaps]: [number[], number[]] = [[], []];
  const frozen = await openFrozen(model, options.executor, options.batch, (g, w) => {
    const watched = watchAttention(g);
    const arrays = arrayInputs(g, program);
    const whole = program.features(watched.g, w, arrays);
    const outputs: Record<string, Tensor> = { mean: pooled(g, program, whole, { pool: "mean" }) };
    if (extra > 0) outputs.cls = pooled(g, program, whole, { pool: "cls" });
    if (!only) return outputs;
    const count = tokenCount(only.grid);
    const distances = g.constant(distancesIn(only.grid), [count, count]);
    for (const [i, map] of wholeMaps(watched.attention, extra + count)
      .slice(0, depth)
      .entries()) {
      heads.push(map.shape[1] as number);
      outputs[`attention ${i}`] = attentionMeasures(g, map, extra, distances);
      if (extra > 0 && i < shallow) {
        shallowMaps.push(i);
        outputs[`first ${i}`] = rowOfFirst(g, map, extra);
      }
    }
    const over = waves && g.constant(waves.waves, [2 * waves.count, count]);
    for (let layer = 1; layer <= depth; layer++) {
      const tokens = layer === depth ? whole : program.features(g, w, arrays, layer);
      const patches = pooled(g, program, tokens, { pool: "tokens" });
      outputs[`tokens ${layer}`] = tokenMeasures(g, patches, over || null);
      outputs[`layer ${layer}`] = pooled(g, program, tokens, { pool: "mean" });
      if (layer === depth) outputs.patches = patches;
    }
    return outputs;
  });
  const means = createMeans();
  const parts = new Map<string, Float32Array[]>();
  const keep = (name: string, values: Float32Array): unknown => parts.set(name, [...(parts.get(name) ?? []), values]);
  const labels: number[] = [];
  const artifacts: number[][] = shallowMaps.map(() => []);
  const shown: { array: Float32Array; tokens: Rows }[] = [];
  const every = Math.max(1, Math.floor(options.samples / mostGrouped));
  await forEachBatch(frozen, options, async (given, run) => {
    const outputs = await run(given.arrays);
    const rowsIn = (name: string): Float32Array => outputs[name] as Float32Array;
    const widthOf = (name: string): number => rowsIn(name).length / options.batch;
    checkedValues(rowsIn("mean").slice(0, given.count * widthOf("mean")), given, program.arrays);
    for (const name of Object.keys(outputs)) {
      if (/^(attention|tokens) /.test(name)) means.add(name, rowsIn(name), options.batch, given.count);
      else if (/^(mean|cls|layer \d+)$/.test(name)) keep(name, rowsIn(name).slice(0, given.count * widthOf(name)));
    }
    for (const [at, i] of shallowMaps.entries()) {
      const size = widthOf(`first ${i}`) / (heads[i] as number);
      artifacts[at]?.push(
        ...excesses(rowsIn(`first ${i}`).subarray(0, given.count * (heads[i] as number) * size), size),
      );
    }
    for (let row = 0; only && row < given.count; row++) {
      if ((labels.length + row) % every !== 0 || shown.length >= mostGrouped) continue;
      const length = widthOf("patches");
      const values = rowsIn("patches").slice(row * length, (row + 1) * length);
      const array = given.arrays[only.name] as Float32Array;
      const size = array.length / options.batch;
      const count = tokenCount(only.grid);
      shown.push({
        array: array.slice(row * size, (row + 1) * size),
        tokens: { values, count, width: values.length / count },
      });
    }
    labels.push(...given.labels.subarray(0, given.count));
    means.counted(given.count);
  });
  const rowsOf = (name: string): Rows => {
    const all = parts.get(name) ?? [];
    const values = new Float32Array(all.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of all) {
      values.set(part, at);
      at += part.length;
    }
    return { values, count: labels.length, width: values.length / labels.length };
  };
  return {
    attention: heads.length === 0 ? null : heads.map((_, i) => attentionLayer(i + 1, means.of(`attention ${i}`))),
    tokens: only && Array.from({ length: depth }, (_, i) => tokenLayer(i + 1, means.of(`tokens ${i + 1}`))),
    artifacts: shallowMaps.length === 0 ? null : artifacts.map((all) => meanOf(all)),
    pools: (["cls", "mean"] as const).flatMap((pool) => (parts.has(pool) ? [{ pool, rows: rowsOf(pool) }] : [])),
    layers: only ? Array.from({ length: depth }, (_, i) => rowsOf(`layer ${i + 1}`)) : [rowsOf("mean")],
    labels: Int32Array.from(labels),
    shown,
  };
}

/** Reads all batches by a model that is closed when they are over. */
async function forEachBatch(
  frozen: Frozen,
  { batches, report }: DiagnoseOptions,
  use: (given: LabelledBatch, run: Frozen["run"], first: number) => Promise<void>,
): Promise<void> {
  let done = 0;
  try {
    for await (const given of batches()) {
      await use(given, frozen.run, done);
      done += given.count;
      report?.(done);
    }
  } finally {
    await frozen.close();
  }
}

/** What the first token attends to, [B, H, N]. */
function rowOfFirst(g: Builder, map: Tensor, extra: number): Tensor {
  const [batch, heads, all] = map.shape as readonly [number, number, number];
  return g.reshape(g.slice(map, [0, 0, 0, extra], [batch, heads, 1, all - extra]), [batch, heads, all - extra]);
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The largest of each `size` numbers over their median. */
function excesses(values: Float32Array, size: number): readonly number[] {
  return Array.from({ length: values.length / size }, (_, i) => {
    const sorted = values.slice(i * size, (i + 1) * size).sort();
    const half = Math.floor(size / 2);
    const median =
      size % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
    return (sorted[size - 1] as number) / Math.max(median, 1e-12);
  });
}

function attentionLayer(layer: number, means: readonly number[]): AttentionLayer {
  const [distance, entropy, information] = attentionNames.map((_, at) =>
    means.filter((_, i) => i % attentionNames.length === at),
  ) as [number[], number[], number[]];
  return { layer, distance, entropy, mutual_information: information };
}

function tokenLayer(layer: number, means: readonly number[]): TokenLayer {
  const [similarity = 0, similarityVariance = 0, featureVariance = 0] = means;
  const waves = means.slice(tokenNames.length);
  return {
    layer,
    similarity,
    similarity_variance: similarityVariance,
    feature_variance: featureVariance,
    high_frequency: waves.length === 0 ? null : (waves.at(-1) as number) - (waves[0] as number),
  };
}

interface Masked {
  /** Of two masks, by pool. */
  readonly latents: Partial<Record<"cls" | "mean", readonly [Rows, Rows]>>;
  readonly artifacts: readonly number[] | null;
  readonly decoder: readonly DecoderLayer[] | null;
}

/**
 * The model as it is trained: with masks, of which it draws two for each sample. Null: nothing is masked, or by more than an order that is drawn
 * beforehand, as words of a text are.
 */
async function lookMasked(model: Trained, options: DiagnoseOptions): Promise<Masked | null> {
  const { program } = model;
  const only = onlyGrid(model);
  const [own] = masksOf(program);
  if (!only || !own || program.guides || only.shape.ids !== undefined) return null;
  const { extraTokens: extra, layers } = program;
  const count = tokenCount(only.grid);
  const { visible } = own.mask;
  let [shallowMaps, decoders, heads] = [0, 0, 1];
  const frozen = await openFrozen(model, options.executor, options.batch, (g, w) => {
    const batch = maskedBatch(g, program, w);
    const latent = program.encode(g, w, batch);
    const outputs: Record<string, Tensor> = { mean: pooled(g, program, latent, { pool: "mean" }) };
    if (extra > 0) outputs.cls = pooled(g, program, latent, { pool: "cls" });
    if (program.classes !== undefined || !program.predict) return outputs;
    const watched = watchAttention(g);
    program.predict(watched.g, w, batch);
    const ofEncoder = watched.attention.slice(0, layers);
    for (const map of extra > 0 ? wholeMaps(ofEncoder, extra + visible).slice(0, shallow) : []) {
      heads = map.shape[1] as number;
      outputs[`first ${shallowMaps++}`] = rowOfFirst(g, map, extra);
    }
    const ofDecoder = watched.attention.slice(layers);
    const isWhole = ofDecoder.every(
      ({ shape }) => shape[2] === shape[3] && (shape[2] as number) - count >= 0 && (shape[2] as number) - count <= 1,
    );
    if (ofDecoder.length > 0 && isWhole) {
      decoders = ofDecoder.length;
      outputs.decoder = exploitation(g, ofDecoder, g.input("is_visible", ["B", count]));
    }
    return outputs;
  });
  const means = createMeans();
  const artifacts: number[][] = Array.from({ length: shallowMaps }, () => []);
  const latents = { cls: [[], []] as Float32Array[][], mean: [[], []] as Float32Array[][] };
  let rows = 0;
  await forEachBatch(frozen, options, async (given, run, first) => {
    const samples = Int32Array.from({ length: options.batch }, (_, i) => first + i);
    rows += given.count;
    for (const epoch of [0, 1]) {
      const fields = maskField(program, given.arrays, options.colours, options.seed, samples);
      const masks = sampleMasks(program, options.seed, epoch, samples, { fields });
      const feeds = { ...given.arrays, ...masks, ...movingFeeds(program, afterTraining) };
      const outputs = await run({
        ...feeds,
        is_visible: visiblePlaces(masks[own.feeds.visible] as Int32Array, options.batch, count),
      });
      for (const pool of ["cls", "mean"] as const) {
        const values = outputs[pool] as Float32Array | undefined;
        if (values) latents[pool][epoch]?.push(values.slice(0, (values.length / options.batch) * given.count));
      }
      if (epoch === 1) continue;
      if (outputs.decoder) means.add("decoder", outputs.decoder as Float32Array, options.batch, given.count);
      for (const [i, all] of artifacts.entries()) {
        const row = outputs[`first ${i}`] as Float32Array;
        all.push(
          ...excesses(row.subarray(0, (row.length / options.batch) * given.count), row.length / options.batch / heads),
        );
      }
    }
    means.counted(given.count);
  });
  const rowsOf = (parts: readonly Float32Array[]): Rows => {
    const values = Float32Array.from(parts.flatMap((part) => [...part]));
    return { values, count: rows, width: values.length / rows };
  };
  const shares = means.of("decoder");
  return {
    latents: Object.fromEntries(
      (["cls", "mean"] as const).flatMap((pool) => {
        const [a = [], b = []] = latents[pool];
        return a.length === 0 ? [] : [[pool, [rowsOf(a), rowsOf(b)] as const]];
      }),
    ),
    artifacts: shallowMaps === 0 ? null : artifacts.map((all) => meanOf(all)),
    decoder:
      decoders === 0
        ? null
        : Array.from({ length: decoders }, (_, i) => ({
            layer: i + 1,
            visible: shares[2 * i] as number,
            hidden: shares[2 * i + 1] as number,
          })),
  };
}

/** [B, N]: 1 where a token is visible. */
function visiblePlaces(visible: Int32Array, batch: number, count: number): Float32Array {
  const places = new Float32Array(batch * count);
  const each = visible.length / batch;
  for (const [at, token] of visible.entries()) places[Math.floor(at / each) * count + token] = 1;
  return places;
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
  const random = () => randomStream(options.seed, "probe", 3);
  // The same rows of all.
  const some = (rows: Rows): Rows => someRows(rows, mostRows, random());
  return layers.map((own) => other.layers.map((one) => kernelAlignment(some(own), some(one))));
}

/** Whether the patches of a model are drawn over pictures. */
export const drawsGroups = ({ program }: Trained): boolean => {
  const only = onlyGrid({ program, weights: {} });
  return only !== null && hasPictures(only.shape) && only.grid.length === 2;
};

/** A model that sees whole samples: its attention, its tokens after each layer, and their pooled features. */

import { arrayInputs, tokenCount } from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { checkedValues, pooled } from "../evaluate/features.js";
import { openFrozen, type Trained } from "../evaluate/frozen.js";
import type { AttentionLayer, DiagnoseOptions, TokenLayer } from "./diagnosis.js";
import type { Rows } from "./features.js";
import {
  attentionMeasures,
  attentionNames,
  distancesIn,
  tokenMeasures,
  tokenNames,
  watchAttention,
  wavesOver,
} from "./in-graph.js";
import {
  artifactsOf,
  createTally,
  excesses,
  forEachBatch,
  onlyGrid,
  pools,
  rowOfFirst,
  shallow,
  wholeMaps,
} from "./reading.js";

/** Samples whose patches are grouped. */
const mostGrouped = 8;

export interface Inside {
  readonly attention: readonly AttentionLayer[] | null;
  readonly tokens: readonly TokenLayer[] | null;
  readonly artifacts: readonly number[] | null;
  readonly pools: readonly { readonly pool: "cls" | "mean"; readonly rows: Rows }[];
  /** Means of patches after each layer. */
  readonly layers: readonly Rows[];
  readonly labels: Int32Array;
  readonly shown: readonly { readonly array: Float32Array; readonly tokens: Rows }[];
}

export async function lookInside(model: Trained, options: DiagnoseOptions): Promise<Inside> {
  const { program } = model;
  const only = onlyGrid(model);
  const depth = only ? program.layers : 1;
  const extra = program.extraTokens;
  const waves = only && wavesOver(only.grid);
  const frozen = await openFrozen(model, options.executor, options.batch, (g, w) => {
    const watched = watchAttention(g);
    const arrays = arrayInputs(g, program);
    const whole = program.features(watched.g, w, arrays);
    const outputs: Record<string, Tensor> = { mean: pooled(g, program, whole, { pool: "mean" }) };
    if (extra > 0) outputs.cls = pooled(g, program, whole, { pool: "cls" });
    if (!only) return outputs;
    const count = tokenCount(only.grid);
    const distances = g.constant(distancesIn(only.grid), [count, count]);
    const maps = wholeMaps(watched.attention, extra + count).slice(0, depth);
    for (const [i, map] of maps.entries()) {
      outputs[`attention ${i + 1}`] = attentionMeasures(g, map, extra, distances);
      if (extra > 0 && i < shallow) outputs[`first ${i + 1}`] = rowOfFirst(g, map, extra);
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
  const tally = createTally(options.batch);
  const labels: number[] = [];
  const shown: { array: Float32Array; tokens: Rows }[] = [];
  const every = Math.max(1, Math.floor(options.samples / mostGrouped));
  await forEachBatch(frozen, options, async (given, run) => {
    const outputs = await run(given.arrays);
    const rowsIn = (name: string): Float32Array => outputs[name] as Float32Array;
    const widthOf = (name: string): number => rowsIn(name).length / options.batch;
    checkedValues(rowsIn("mean").slice(0, given.count * widthOf("mean")), given, program.arrays);
    for (const name of Object.keys(outputs)) {
      if (/^(attention|tokens) /.test(name)) tally.mean(name, rowsIn(name), given.count);
      else if (name.startsWith("first ")) tally.mean(name, excesses(rowsIn(name), frozen.shapes[name]), given.count);
      else if (name !== "patches") tally.keep(name, rowsIn(name), given.count);
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
    tally.counted(given.count);
  });
  const layers = Array.from({ length: depth }, (_, i) => i + 1);
  const attending = layers.filter((layer) => tally.has(`attention ${layer}`));
  return {
    attention:
      attending.length === 0
        ? null
        : attending.map((layer) => attentionLayer(layer, tally.meansOf(`attention ${layer}`))),
    tokens: only && layers.map((layer) => tokenLayer(layer, tally.meansOf(`tokens ${layer}`))),
    artifacts: artifactsOf(tally),
    pools: pools.flatMap((pool) => (tally.has(pool) ? [{ pool, rows: tally.rowsOf(pool) }] : [])),
    layers: only ? layers.map((layer) => tally.rowsOf(`layer ${layer}`)) : [tally.rowsOf("mean")],
    labels: Int32Array.from(labels),
    shown,
  };
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

/** A model as it is trained, with masks: the features of one sample under two of them, and what its decoder uses. */

import { afterTraining, maskedBatch, masksOf, tokenCount } from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { pooled } from "../evaluate/features.js";
import { openFrozen, type Trained } from "../evaluate/frozen.js";
import { maskField } from "../evaluate/mask-field.js";
import { movingFeeds, sampleMasks } from "../train/inputs.js";
import type { DecoderLayer, DiagnoseOptions } from "./diagnosis.js";
import type { Rows } from "./features.js";
import { exploitation, watchAttention } from "./in-graph.js";
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

export interface Masked {
  /** Of two masks, by pool. */
  readonly latents: Partial<Record<"cls" | "mean", readonly [Rows, Rows]>>;
  readonly artifacts: readonly number[] | null;
  readonly decoder: readonly DecoderLayer[] | null;
}

/**
 * The model as it is trained: with masks, of which it draws two for each sample. Null: nothing is masked, or by more than an order that is drawn
 * beforehand, as words of a text are.
 */
export async function lookMasked(model: Trained, options: DiagnoseOptions): Promise<Masked | null> {
  const { program } = model;
  const only = onlyGrid(model);
  const [own] = masksOf(program);
  if (!only || !own || program.guides || only.shape.ids !== undefined) return null;
  const { extraTokens: extra, layers } = program;
  const count = tokenCount(only.grid);
  const { visible } = own.mask;
  const frozen = await openFrozen(model, options.executor, options.batch, (g, w) => {
    const batch = maskedBatch(g, program, w);
    const latent = program.encode(g, w, batch);
    const outputs: Record<string, Tensor> = { mean: pooled(g, program, latent, { pool: "mean" }) };
    if (extra > 0) outputs.cls = pooled(g, program, latent, { pool: "cls" });
    if (program.classes !== undefined || !program.predict) return outputs;
    const watched = watchAttention(g);
    program.predict(watched.g, w, batch);
    const ofEncoder = watched.attention.slice(0, layers);
    const maps = extra > 0 ? wholeMaps(ofEncoder, extra + visible).slice(0, shallow) : [];
    for (const [i, map] of maps.entries()) outputs[`first ${i + 1}`] = rowOfFirst(g, map, extra);
    const ofDecoder = watched.attention.slice(layers);
    const isWhole = ofDecoder.every(
      ({ shape }) => shape[2] === shape[3] && (shape[2] as number) - count >= 0 && (shape[2] as number) - count <= 1,
    );
    if (ofDecoder.length > 0 && isWhole) {
      outputs.decoder = exploitation(g, ofDecoder, g.input("is_visible", ["B", count]));
    }
    return outputs;
  });
  const tally = createTally(options.batch);
  await forEachBatch(frozen, options, async (given, run, first) => {
    const samples = Int32Array.from({ length: options.batch }, (_, i) => first + i);
    const fields = maskField(program, given.arrays, options.colours, options.seed, samples);
    for (const epoch of [0, 1]) {
      const masks = sampleMasks(program, options.seed, epoch, samples, { fields });
      const feeds = { ...given.arrays, ...masks, ...movingFeeds(program, afterTraining) };
      const outputs = await run({
        ...feeds,
        is_visible: visiblePlaces(masks[own.feeds.visible] as Int32Array, options.batch, count),
      });
      for (const [name, values] of Object.entries(outputs)) {
        if (name === "cls" || name === "mean") tally.keep(`${name} ${epoch}`, values as Float32Array, given.count);
        else if (epoch === 0) {
          tally.mean(name, name === "decoder" ? values : excesses(values, frozen.shapes[name]), given.count);
        }
      }
    }
    tally.counted(given.count);
  });
  const shares = tally.meansOf("decoder");
  return {
    latents: Object.fromEntries(
      pools
        .filter((pool) => tally.has(`${pool} 0`))
        .map((pool) => [pool, [tally.rowsOf(`${pool} 0`), tally.rowsOf(`${pool} 1`)] as const]),
    ),
    artifacts: artifactsOf(tally),
    decoder: tally.has("decoder")
      ? Array.from({ length: shares.length / 2 }, (_, i) => ({
          layer: i + 1,
          visible: shares[2 * i] as number,
          hidden: shares[2 * i + 1] as number,
        }))
      : null,
  };
}

/** [B, N]: 1 where a token is visible. */
function visiblePlaces(visible: Int32Array, batch: number, count: number): Float32Array {
  const places = new Float32Array(batch * count);
  const each = visible.length / batch;
  for (const [at, token] of visible.entries()) places[Math.floor(at / each) * count + token] = 1;
  return places;
}

/**
 * What a model makes of samples of which it sees only a part: masks are drawn, predictions run, and those that can be shown are handed to
 * `reconstruction.ts`, which makes pictures and errors of them.
 */

import {
  type ArrayShape,
  afterTraining,
  arrayLength,
  type Batch,
  boxLength,
  type Lattice,
  type ModelProgram,
  maskedBatch,
  masksOf,
  type Prediction,
  patchPlaces,
  predictOf,
  tokenCount,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import type { BatchArrays } from "../data/batches.js";
import type { Executor } from "../executors/executor.js";
import { RunError } from "../run-error.js";
import { type MaskFeeds, movingFeeds, sampleMasks } from "../train/inputs.js";
import type { ColourScale } from "./colours.js";
import { openFrozen, type Trained } from "./frozen.js";
import { maskField } from "./mask-field.js";
import { pictured, type Reconstruction, type Shown } from "./reconstruction.js";

export interface ReconstructOptions {
  readonly executor: Executor;
  /** Of an array; null: the model sees values in [0, 1]. */
  readonly colours: (array: string) => ColourScale | null;
  /** Seed of the masks. */
  readonly seed: number;
}

/** The predictions of a model that can be shown as numbers of an array. */
export function shownBy(program: ModelProgram): readonly Shown[] {
  const { arrays, picture, predictions } = program;
  const [only = ""] = Object.keys(arrays);
  return withPictures(
    program,
    predictions ?? {
      [only]: { array: only, predict: (...args) => predictOf(program)(...args), picture } satisfies Prediction,
    },
  );
}

/** What imitates the model's own prediction, and can be shown as that can. */
export const imitatedBy = (program: ModelProgram): readonly Shown[] => withPictures(program, program.imitations ?? {});

function withPictures(
  { arrays, grids }: Pick<ModelProgram, "arrays" | "grids">,
  all: Readonly<Record<string, Prediction>>,
): readonly Shown[] {
  return Object.entries(all).flatMap(([name, { array, picture: own, predict, unseen = false }]) => {
    const [shape, grid] = [arrays[array] as ArrayShape, grids[array] as Lattice];
    return own ? [{ name, array, shape, grid, predict, picture: own, unseen }] : [];
  });
}

/** The reconstructions of one prediction, one for each sample. */
export interface Reconstructed {
  readonly shown: Shown;
  readonly reconstructions: readonly Reconstruction[];
}

/** A model opened to reconstruct batches of one size. */
export interface Reconstructor {
  /** arrays [B, ...axes, C] as the model sees them; `samples` [B]: what their masks are drawn by. */
  readonly run: (arrays: BatchArrays, samples: Int32Array) => Promise<readonly Reconstructed[]>;
  readonly close: () => Promise<void>;
}

/** What a model predicts of a sample, as it sees it. */
export interface Predicted {
  /** [...axes, C] */
  readonly values: Float32Array;
  readonly prediction: Float32Array;
  /** [...axes]: 1 where the place is hidden. */
  readonly hidden: Uint8Array;
}

/** A model opened to predict what it does not see of batches of one size. */
export interface Predictor {
  readonly shown: readonly Shown[];
  /** As of a reconstructor: of each that can be shown, a prediction for each sample. */
  readonly run: (arrays: BatchArrays, samples: Int32Array) => Promise<readonly (readonly Predicted[])[]>;
  readonly close: () => Promise<void>;
}

/**
 * @param beside predictions besides those of what the model reads, which stand behind them
 * @throws RunError `run/features` for a model whose target is not pixels.
 */
export async function openPredictor(
  model: Trained,
  batch: number,
  { executor, colours, seed }: ReconstructOptions,
  beside: readonly Shown[] = [],
): Promise<Predictor> {
  const { program } = model;
  const own = shownBy(program);
  const all = [...own, ...beside];
  if (own.length === 0) {
    throw new RunError("run/features", {
      what: `${program.name} does not predict pixels`,
      help: "Only models with a target of pixels can be shown as pictures.",
    });
  }
  const frozen = await openFrozen(model, executor, batch, (g, w) => {
    const seen = maskedBatch(g, program, w);
    const predicted = all.map(({ predict }, i) => [String(i), predict(g, w, seen)] as const);
    return { ...Object.fromEntries(predicted), ...decidedPlaces(program, seen) };
  });
  const rowOf = <A extends Float32Array | Int32Array>(values: A, i: number): A =>
    values.slice((values.length / batch) * i, (values.length / batch) * (i + 1)) as A;
  return {
    shown: all,
    async run(arrays, samples) {
      const fields = maskField(program, arrays, colours, seed, samples);
      const masks = sampleMasks(program, seed, 0, samples, { fields });
      const outputs = await frozen.run({ ...arrays, ...masks, ...movingFeeds(program, afterTraining) });
      const seen = { ...masks, ...(outputs as MaskFeeds) };
      return all.map((shown, k) => {
        const [values, prediction] = [arrays[shown.array] as Float32Array, outputs[k] as Float32Array];
        return Array.from({ length: batch }, (_, i) => {
          const hidden = hiddenPlaces(
            shown.grid,
            shown.unseen
              ? Int32Array.from({ length: tokenCount(shown.grid) }, (_, token) => token)
              : hiddenTokens(program, shown.array, seen, (all) => rowOf(all, i)),
          );
          return { values: rowOf(values, i), prediction: rowOf(prediction, i), hidden };
        });
      });
    },
    close: frozen.close,
  };
}

/** @throws RunError `run/features` for a model whose target is not pixels. */
export async function openReconstructor(
  model: Trained,
  batch: number,
  options: ReconstructOptions,
): Promise<Reconstructor> {
  const { shown, run, close } = await openPredictor(model, batch, options);
  return {
    async run(arrays, samples) {
      const predicted = await run(arrays, samples);
      return shown.map((one, k) => ({
        shown: one,
        reconstructions: (predicted[k] as readonly Predicted[]).map(({ values, prediction, hidden }) =>
          pictured(one, values, prediction, hidden, options.colours(one.array)),
        ),
      }));
    },
    close,
  };
}

/**
 * Reconstructs samples in one batch: of each prediction that can be shown.
 * @param arrays [B, ...axes, C] as the model sees them, by name.
 * @throws RunError `run/features` for a model whose target is not pixels.
 */
export async function reconstruct(
  model: Trained,
  arrays: BatchArrays,
  options: ReconstructOptions,
): Promise<readonly Reconstructed[]> {
  const counts = Object.entries(model.program.arrays).map(
    ([name, shape]) => (arrays[name]?.length ?? 0) / arrayLength(shape),
  );
  const [count = 0] = counts;
  const isWhole = Number.isInteger(count) && count > 0 && counts.every((other) => other === count);
  invariant(isWhole, "arrays of as many whole samples each are reconstructed");
  const reconstructor = await openReconstructor(model, count, options);
  try {
    return await reconstructor.run(
      arrays,
      Int32Array.from({ length: count }, (_, i) => i),
    );
  } finally {
    await reconstructor.close();
  }
}

/** The places of hidden tokens that the model itself decides on, by the names of their feeds. */
export const decidedPlaces = (program: ModelProgram, batch: Batch): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(
    masksOf(program).flatMap(({ name, feeds }) =>
      program.guides?.[name] ? [[feeds.hidden, batch[feeds.hidden] as Tensor] as const] : [],
    ),
  );

/** The hidden tokens of an array, of one sample; a mask over several arrays counts theirs one after the other. */
function hiddenTokens(
  program: ModelProgram,
  array: string,
  feeds: MaskFeeds,
  rowOf: (all: Int32Array) => Int32Array,
): Int32Array {
  const { grids } = program;
  const masks = masksOf(program);
  const isOf = (name: string, tokens: number): boolean =>
    grids[name] !== undefined && tokens === tokenCount(grids[name]);
  const own = masks.find(({ name, mask }) => name === array && isOf(name, mask.tokens));
  const joint = masks.find(({ name, mask }) => !isOf(name, mask.tokens));
  const mask = own ?? joint;
  if (mask === undefined) return new Int32Array();
  const hidden = rowOf(feeds[mask.feeds.hidden] as Int32Array);
  if (own) return hidden;
  const names = Object.keys(grids);
  const before = names
    .slice(0, names.indexOf(array))
    .reduce((sum, name) => sum + tokenCount(grids[name] as Lattice), 0);
  const count = tokenCount(grids[array] as Lattice);
  return hidden.map((token) => token - before).filter((token) => token >= 0 && token < count);
}

/** [...axes]: 1 where the place is in one of `tokens`. */
export function hiddenPlaces(grid: Lattice, tokens: Int32Array): Uint8Array {
  const hidden = new Uint8Array(tokenCount(grid) * boxLength(grid));
  for (const token of tokens) for (const place of patchPlaces(grid, token)) hidden[place] = 1;
  return hidden;
}

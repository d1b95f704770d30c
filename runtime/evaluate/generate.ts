/**
 * What a model that predicts codes makes of samples of which it is given the first tokens: codes are guessed round by round, the surest stay, and
 * all are drawn in the end. MaskGIT's decoding, as MaskViT has it.
 */

import {
  type ArrayShape,
  afterTraining,
  arrayInputs,
  arrayLength,
  type CodesProgram,
  codeInputs,
  codesInput,
  type ModelProgram,
  maskedBatch,
  masksOf,
  placeNames,
  predictOf,
  tokenCount,
} from "../../blocks/index.js";
import { invariant, type Random, randomStream, type Tensor } from "../../graph/index.js";
import type { BatchArrays } from "../data/batches.js";
import type { Executor } from "../executors/executor.js";
import { movingFeeds } from "../train/inputs.js";
import { openFrozen, type Trained } from "./frozen.js";
import { hiddenPlaces, type Reconstructed, type ReconstructOptions } from "./reconstruct.js";
import { pictured, type Reconstruction, type Shown } from "./reconstruction.js";

/** How what is left to guess becomes less from round to round: as a share of all that is to be guessed. */
export const generationCurves = {
  cosine: (share: number): number => Math.cos((Math.PI / 2) * share),
  linear: (share: number): number => 1 - share,
} as const;

export interface Rounds {
  readonly rounds: number;
  /** How much chance decides which codes stay, besides how sure they are; it falls to nothing in the last round. */
  readonly temperature: number;
  readonly curve: keyof typeof generationCurves;
}

/** Draws of Gumbel's distribution, of one sample in one round. */
export interface GumbelDraws {
  readonly code: (token: number, code: number) => number;
  readonly token: (token: number) => number;
}

export interface GenerateOptions extends Rounds {
  readonly executor: Executor;
  /** Of a sample, by its place in the batch, in a round from 0. */
  readonly draws: (sample: number, round: number) => GumbelDraws;
}

/** What was generated of a batch. */
export interface Generation {
  /** Tokens that were given, the first of each sample. */
  readonly given: number;
  /** int32 [B, N]: the codes of the samples, and those that were generated. */
  readonly codes: Int32Array;
  readonly generated: Int32Array;
  /** [B, ...axes, C], as the model sees arrays: what these look like. */
  readonly drawn: Float32Array;
}

/** Whether a model can generate what comes after the first tokens of a sample. */
export const canGenerate = (program: ModelProgram): boolean =>
  program.codes !== undefined && masksOf(program)[0]?.mask.given !== undefined;

const gumbel = (random: Random): number => -Math.log(-Math.log(Math.max(random.uniform(), 1e-12)));

/** Draws that follow from a seed. */
export const drawsFrom =
  (seed: number): GenerateOptions["draws"] =>
  (sample, round) => {
    const [codes, tokens] = [0, 1].map((which) => randomStream(seed, "generate", sample, round, which)) as [
      Random,
      Random,
    ];
    // Each is asked for once, in order.
    return { code: () => gumbel(codes), token: () => gumbel(tokens) };
  };

/** Codes of one sample while they are guessed. */
interface Guessing {
  readonly codes: Int32Array;
  /** 1 where a code stays. */
  readonly known: Uint8Array;
}

/**
 * One round of one sample: draws a code at each token that is not known, by logits [N, K], and lets all but the `left` least sure of them stay.
 */
export function guessRound(
  { codes, known }: Guessing,
  logits: Float32Array,
  { left, heat, draws }: { readonly left: number; readonly heat: number; readonly draws: GumbelDraws },
): Guessing {
  const count = logits.length / codes.length;
  const guessed = Int32Array.from(codes);
  const open = [...known.keys()].filter((token) => known[token] === 0);
  const sure = open.map((token) => {
    const own = logits.subarray(token * count, (token + 1) * count);
    let [best, most, largest] = [0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [code, logit] of own.entries()) {
      const value = logit + draws.code(token, code);
      if (value > most) [best, most] = [code, value];
      largest = Math.max(largest, logit);
    }
    guessed[token] = best;
    const all = own.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    return { token, value: (own[best] as number) - largest - Math.log(all) + heat * draws.token(token) };
  });
  sure.sort((a, b) => a.value - b.value);
  const stays = new Uint8Array(known.length).fill(1);
  for (const { token } of sure.slice(0, left)) stays[token] = 0;
  return { codes: guessed, known: stays };
}

/** How many tokens are still to be guessed after each round, of so many; none after the last. */
export const leftAfter = (later: number, { rounds, curve }: Rounds): readonly number[] => {
  let unknown = later;
  return Array.from({ length: rounds }, (_, round) => {
    const wanted = Math.floor(later * generationCurves[curve]((round + 1) / rounds));
    unknown = round === rounds - 1 ? 0 : Math.max(1, Math.min(unknown - 1, wanted));
    return unknown;
  });
};

/** Of each sample the tokens that are known, then the others: what the mask is fed. */
function placesOf(known: readonly Uint8Array[]): {
  readonly visible: Int32Array;
  readonly hidden: Int32Array;
  readonly restore: Int32Array;
} {
  const orders = known.map((flags) => {
    const tokens = [...flags.keys()];
    return [tokens.filter((token) => flags[token] === 1), tokens.filter((token) => flags[token] === 0)] as const;
  });
  return {
    visible: Int32Array.from(orders.flatMap(([seen]) => seen)),
    hidden: Int32Array.from(orders.flatMap(([, hidden]) => hidden)),
    restore: Int32Array.from(
      orders.flatMap(([seen, hidden]) => {
        const restore = new Array<number>(seen.length + hidden.length);
        for (const [place, token] of [...seen, ...hidden].entries()) restore[token] = place;
        return restore;
      }),
    ),
  };
}

/** Generates what comes after the given tokens of each sample of a batch. arrays [B, ...axes, C] as the model sees them. */
export async function generate(model: Trained, arrays: BatchArrays, options: GenerateOptions): Promise<Generation> {
  const { program } = model;
  const [own] = masksOf(program);
  const [[name, grid] = ["", []]] = Object.entries(program.grids);
  const { given } = own?.mask ?? {};
  invariant(program.codes && given !== undefined, "only models that generate codes are asked to");
  const tokens = tokenCount(grid);
  const batch = (arrays[name]?.length ?? 0) / arrayLength(program.arrays[name] as ArrayShape);
  const rowOf = <A extends Int32Array | Float32Array>(all: A, i: number): A =>
    all.subarray((all.length / batch) * i, (all.length / batch) * (i + 1)) as A;
  const codes = await codesOf(model, arrays, batch, options.executor);
  let guessing = Array.from(
    { length: batch },
    (_, i): Guessing => ({
      codes: Int32Array.from(rowOf(codes, i)),
      known: Uint8Array.from({ length: tokens }, (_, token) => (token < given ? 1 : 0)),
    }),
  );
  for (const [round, left] of leftAfter(tokens - given, options).entries()) {
    const logits = await logitsOf(model, arrays, guessing, options.executor);
    const heat = options.temperature * (1 - (round + 1) / options.rounds);
    guessing = guessing.map((one, i) =>
      guessRound(one, rowOf(logits, i), { left, heat, draws: options.draws(i, round) }),
    );
  }
  const generated = joined(guessing);
  return { given, codes, generated, drawn: await drawnOf(model, generated, batch, options.executor) };
}

const joined = (guessing: readonly Guessing[]): Int32Array =>
  Int32Array.from(guessing.flatMap(({ codes }) => [...codes]));

/** The codes of arrays, [B, N]. */
async function codesOf(model: Trained, arrays: BatchArrays, batch: number, executor: Executor): Promise<Int32Array> {
  const { program } = model;
  const frozen = await openFrozen(model, executor, batch, (g, w) => ({
    codes: (program.codes as CodesProgram).of(g, w, arrayInputs(g, program)),
  }));
  try {
    return (await frozen.run(arrays)).codes as Int32Array;
  } finally {
    await frozen.close();
  }
}

/** What codes look like, [B, ...axes, C]. */
export async function drawnOf(
  model: Trained,
  codes: Int32Array,
  batch: number,
  executor: Executor,
): Promise<Float32Array> {
  const { program } = model;
  const frozen = await openFrozen(model, executor, batch, (g, w) => ({
    drawn: (program.codes as CodesProgram).draw(g, w, codeInputs(g, program)[codesInput] as Tensor),
  }));
  try {
    return (await frozen.run({ [codesInput]: codes })).drawn as Float32Array;
  } finally {
    await frozen.close();
  }
}

/** A logit of each code at each token, [B, N, K], by the codes that are known. All samples know as many. */
async function logitsOf(
  model: Trained,
  arrays: BatchArrays,
  guessing: readonly Guessing[],
  executor: Executor,
): Promise<Float32Array> {
  const visible = guessing[0]?.known.reduce((sum, flag) => sum + flag, 0) ?? 0;
  const masks = Object.entries(model.program.masks).map(([name, mask]) => [name, { ...mask, visible }] as const);
  const program = { ...model.program, masks: Object.fromEntries(masks) };
  const [{ feeds } = { feeds: placeNames(null) }] = masksOf(program);
  const frozen = await openFrozen(model, executor, guessing.length, (g, w) => ({
    logits: predictOf(program)(g, w, { ...maskedBatch(g, program, w), ...codeInputs(g, program) }),
  }));
  const places = placesOf(guessing.map(({ known }) => known));
  const fed = {
    [feeds.visible]: places.visible,
    [feeds.hidden]: places.hidden,
    [feeds.restore]: places.restore,
    [codesInput]: joined(guessing),
  };
  try {
    return (await frozen.run({ ...arrays, ...fed, ...movingFeeds(program, afterTraining) })).logits as Float32Array;
  } finally {
    await frozen.close();
  }
}

/** What a model that generates is shown by: what comes after the given tokens is hidden. `drawn` are pixels as the model sees them. */
export function laterPictured(
  program: ModelProgram,
  given: number,
  colours: ReconstructOptions["colours"],
): {
  readonly shown: Shown;
  readonly pictures: (arrays: BatchArrays, drawn: Float32Array) => Reconstruction[];
} {
  const [[name, shape] = ["", null]] = Object.entries(program.arrays);
  const grid = program.grids[name] ?? [];
  invariant(shape, "a model reads something");
  const shown: Shown = {
    name,
    array: name,
    shape,
    grid,
    predict: predictOf(program),
    picture: { pixels: (prediction) => prediction },
  };
  const length = arrayLength(shape);
  const later = Int32Array.from({ length: tokenCount(grid) - given }, (_, i) => given + i);
  const hidden = hiddenPlaces(grid, later);
  return {
    shown,
    pictures(arrays, drawn) {
      const all = arrays[name] as Float32Array;
      return Array.from({ length: all.length / length }, (_, i) => {
        const of = (values: Float32Array): Float32Array => values.slice(i * length, (i + 1) * length);
        return pictured(shown, of(all), of(drawn), hidden, colours(name));
      });
    },
  };
}

/** What is generated of a batch beside the samples themselves, as reconstructions are. */
export async function generatedPictures(
  model: Trained,
  arrays: BatchArrays,
  { colours, seed, ...options }: ReconstructOptions & Rounds,
): Promise<readonly Reconstructed[]> {
  const { given, drawn } = await generate(model, arrays, { ...options, draws: drawsFrom(seed) });
  const { shown, pictures } = laterPictured(model.program, given, colours);
  return [{ shown, reconstructions: pictures(arrays, drawn) }];
}

/** What a model of text or of codes makes of the tokens that its mask chose: which id it would write there, and how sure it is of the true one. */

import {
  type ArrayShape,
  afterTraining,
  type CodesProgram,
  idsOf,
  type ModelProgram,
  maskedBatch,
  masksOf,
  type Prediction,
  predictOf,
  textChannels,
  tokenCount,
} from "../../blocks/index.js";
import type { Builder, Dims, Tensor } from "../../graph/index.js";
import type { BatchArrays } from "../data/batches.js";
import type { Executor } from "../executors/executor.js";
import { movingFeeds, sampleMasks } from "../train/inputs.js";
import type { EvaluateOptions } from "./contract.js";
import { openFrozen, type Trained } from "./frozen.js";
import { maskField } from "./mask-field.js";
import { decidedPlaces } from "./reconstruct.js";

/** A place of a text whose id was chosen. */
export interface Guess {
  readonly place: number;
  /** What stands there, what entered the model, and what it would write. */
  readonly id: number;
  readonly entered: number;
  readonly guessed: number;
  /** Of the id that stands there. */
  readonly logProbability: number;
}

/** A text and what was guessed of it. */
export interface Guessed {
  /** Its ids up to its end. */
  readonly ids: readonly number[];
  readonly guesses: readonly Guess[];
}

export interface Guesser {
  /** arrays [B, ...axes, C] as the model sees them; `samples` [B]: what their masks are drawn by. */
  readonly run: (arrays: BatchArrays, samples: Int32Array) => Promise<readonly Guessed[]>;
  readonly close: () => Promise<void>;
}

/** A text of which a model predicts ids. */
interface PredictedText {
  readonly name: string;
  readonly shape: ArrayShape;
  readonly predict: Prediction["predict"];
  /** The feed of the places that are asked for. */
  readonly hidden: string;
  /** The field of the ids that enter there; null: nothing does, and all words among them are asked for. */
  readonly entered: string | null;
}

/** null: the model predicts no ids. */
function textOf(program: ModelProgram): PredictedText | null {
  const { arrays, fields, classes, predictions } = program;
  const [[only] = [""]] = Object.entries(arrays);
  const all: readonly Pick<Prediction, "array" | "predict">[] = predictions
    ? Object.values(predictions)
    : [{ array: only, predict: (...args) => predictOf(program)(...args) }];
  const found = all.find(({ array }) => arrays[array]?.ids);
  const mask = found && masksOf(program).find(({ name }) => name === found.array);
  if (!found || !mask || (classes !== undefined && !predictions)) return null;
  const name = found.array;
  const isOf = (input: string | undefined): boolean => (input ?? only) === name;
  const [entered] =
    Object.entries(fields ?? {}).find(([, { kind, fed, input }]) => kind === "mask" && fed && isOf(input)) ?? [];
  const { predict } = found;
  return { name, shape: arrays[name] as ArrayShape, predict, hidden: mask.feeds.hidden, entered: entered ?? null };
}

/** Of the chosen places [B, U] of ids [B, N, 1]: the one that is most likely, and the logarithm of the true one's share. */
function judged(g: Builder, prediction: Tensor, of: Tensor, hidden: Tensor): Readonly<Record<string, Tensor>> {
  const logits = g.takeTokens(prediction as never, hidden as never);
  const ids = g.takeTokens(of as never, hidden as never);
  const vocabulary = logits.shape.at(-1) as unknown as number;
  const shifted = g.sub(logits, g.reduceMax(logits, [2], "keep"));
  const all = g.log(g.sum(g.exp(shifted), [2]));
  const numbers = g.constant(
    Float32Array.from({ length: vocabulary }, (_, id) => id),
    [vocabulary],
  );
  const own = g.sum(g.select(g.equal(ids, numbers) as Tensor<Dims, "bool">, shifted, 0), [2]);
  return { guessed: g.argMax(logits), share: g.sub(own, all) };
}

/** null: the model predicts no ids. */
export async function openGuesser(
  model: Trained,
  batch: number,
  { executor, seed }: { readonly executor: Executor; readonly seed: number },
): Promise<Guesser | null> {
  const { program } = model;
  if (program.codes) return openCodeGuesser(model, program.codes, batch, { executor, seed });
  const text = textOf(program);
  if (!text) return null;
  const { name, shape, predict, hidden: asked, entered } = text;
  const places = tokenCount(program.grids[name] ?? []);
  const frozen = await openFrozen(model, executor, batch, (g, w) => {
    const seen = maskedBatch(g, program, w);
    return {
      ...judged(g, predict(g, w, seen), idsIn(g, seen[name] as Tensor), seen[asked] as Tensor),
      ...decidedPlaces(program, seen),
    };
  });
  return {
    async run(arrays, samples) {
      const fields = maskField(program, arrays, () => null, seed, samples);
      const masks = sampleMasks(program, seed, 0, samples, { fields });
      const moving = movingFeeds(program, afterTraining);
      const outputs = await frozen.run({ ...arrays, ...fields, ...masks, ...moving });
      const { guessed = [], share = [] } = outputs;
      const hidden = (outputs[asked] ?? masks[asked]) as Int32Array;
      const ids = entered === null ? null : (fields[entered] as Int32Array);
      const room = hidden.length / batch;
      const values = arrays[name] as Float32Array;
      return Array.from(samples, (_, i) => {
        const at = (place: number, channel: keyof typeof textChannels): number =>
          values[(i * places + place) * shape.channels + textChannels[channel]] as number;
        const own = Array.from({ length: places }, (_, place) => place).filter((place) => at(place, "word") >= 0);
        const guesses = Array.from({ length: room }, (_, k) => i * room + k).flatMap((k): Guess[] => {
          const place = hidden[k] as number;
          // What a mask hides and lets nothing enter for is asked for where it is a word.
          const id = ids ? (ids[i * places + place] as number) : at(place, "word") > 0 ? (shape.ids?.mask ?? 0) : -1;
          if (id < 0) return [];
          return [
            {
              place,
              id: at(place, "id"),
              entered: id,
              guessed: guessed[k] as number,
              logProbability: share[k] as number,
            },
          ];
        });
        return { ids: own.map((place) => at(place, "id")), guesses };
      });
    },
    close: frozen.close,
  };
}

const idsIn = (g: Builder, text: Tensor): Tensor => idsOf(g, text as Tensor<["B", number, 3]>) as Tensor;

/** Of a model of codes: all that its mask hides is asked for. */
async function openCodeGuesser(
  model: Trained,
  codes: CodesProgram,
  batch: number,
  { executor, seed }: { readonly executor: Executor; readonly seed: number },
): Promise<Guesser | null> {
  const { program } = model;
  const [mask] = masksOf(program);
  if (!mask) return null;
  const asked = mask.feeds.hidden;
  const frozen = await openFrozen(model, executor, batch, (g, w) => {
    const seen = maskedBatch(g, program, w);
    const own = codes.of(g, w, seen);
    const ids = g.cast(g.reshape(own, [...own.shape, 1]), "float32");
    const told = judged(g, predictOf(program)(g, w, seen), ids, seen[asked] as Tensor);
    return { ...told, own, ...decidedPlaces(program, seen) };
  });
  return {
    async run(arrays, samples) {
      const fields = maskField(program, arrays, () => null, seed, samples);
      const masks = sampleMasks(program, seed, 0, samples, { fields });
      const outputs = await frozen.run({ ...arrays, ...fields, ...masks, ...movingFeeds(program, afterTraining) });
      const { guessed = [], share = [], own = [] } = outputs;
      const hidden = (outputs[asked] ?? masks[asked]) as Int32Array;
      const [room, places] = [hidden.length / batch, own.length / batch];
      return Array.from(samples, (_, i) => {
        const ids = Array.from(own.slice(i * places, (i + 1) * places));
        const guesses = Array.from({ length: room }, (_, k): Guess => {
          const place = hidden[i * room + k] as number;
          const [id, at] = [ids[place] as number, i * room + k];
          // A learned token enters there, which is no code.
          return { place, id, entered: -1, guessed: guessed[at] as number, logProbability: share[at] as number };
        });
        return { ids, guesses };
      });
    },
    close: frozen.close,
  };
}

/** How well a model guesses. */
export interface GuessErrors {
  /** Texts, or samples of codes, looked at, and tokens that were guessed. */
  readonly samples: number;
  readonly tokens: number;
  /** Share of the guesses that are right. */
  readonly accuracy: number;
  /** exp of the mean of -log of the share that the true id is given. */
  readonly perplexity: number;
  /** The same of whoever knows nothing but how frequent each id is among those that were asked for. */
  readonly frequency: { readonly accuracy: number; readonly perplexity: number };
}

export function errorsOfGuesses(samples: number, guesses: readonly Guess[]): GuessErrors {
  const tokens = guesses.length;
  const counts = new Map<number, number>();
  for (const { id } of guesses) counts.set(id, (counts.get(id) ?? 0) + 1);
  const mean = (part: (guess: Guess) => number): number =>
    guesses.reduce((sum, guess) => sum + part(guess), 0) / Math.max(1, tokens);
  const shareOf = ({ id }: Guess): number => (counts.get(id) as number) / tokens;
  return {
    samples,
    tokens,
    accuracy: mean(({ id, guessed }) => (id === guessed ? 1 : 0)),
    perplexity: Math.exp(-mean(({ logProbability }) => logProbability)),
    frequency: {
      accuracy: Math.max(0, ...counts.values()) / Math.max(1, tokens),
      perplexity: Math.exp(-mean((guess) => Math.log(shareOf(guess)))),
    },
  };
}

/** Has the model guess tokens of the test texts, each under a mask of its own; null for a model that predicts no ids. Throws what reading data throws. */
export async function guessErrors(
  model: Trained,
  { data, batch, executor, seed, report }: Pick<EvaluateOptions, "data" | "batch" | "executor" | "seed" | "report">,
): Promise<GuessErrors | null> {
  const guesser = await openGuesser(model, batch, { executor, seed });
  if (!guesser) return null;
  const guesses: Guess[] = [];
  let samples = 0;
  try {
    for await (const { arrays, count } of data.test()) {
      const drawn = Int32Array.from({ length: batch }, (_, i) => samples + i);
      const texts = await guesser.run(arrays, drawn);
      guesses.push(...texts.slice(0, count).flatMap((text) => text.guesses));
      samples += count;
      report?.({ stage: "masked tokens", done: samples, total: null });
    }
  } finally {
    await guesser.close();
  }
  return errorsOfGuesses(samples, guesses);
}

/** The arrays that a program is fed. */

import {
  dropFeeds,
  type FedMask,
  guideNames,
  type ModelProgram,
  masksOf,
  type Progress,
  trainedMasksOf,
  type VisibleOf,
  varyingMasks,
} from "../../blocks/index.js";
import { type Graph, type Random, randomStream, type TypedArray, type Values } from "../../graph/index.js";

/**
 * What masks are fed, by name (see `placeNames`): `visible` [B, V], the tokens seen, in mask order; `hidden` [B, N - V], the others;
 * `restore` [B, N], the place of each token in [visible, hidden]; and of a guided mask `draws` [B, numbers].
 */
export type MaskFeeds = Readonly<Record<string, Int32Array | Float32Array>>;

/** What a batch's masks depend on besides seed, epoch and samples. */
export interface MaskOptions {
  /** Of the batch, by name: some of them may be masks'. */
  readonly fields?: Readonly<Record<string, TypedArray>>;
  /** Numbers of visible tokens, of the masks in which they vary; if absent, the largest. */
  readonly visible?: VisibleOf;
  /** Whether a model is trained: it may then see views of samples. */
  readonly training?: true;
}

/**
 * One mask for each sample; a sample has the same mask whenever it is seen in the same epoch. Where samples share one, that of the
 * first of them.
 */
export const sampleMasks = (
  program: Pick<ModelProgram, "masks" | "fields" | "views">,
  seed: number,
  epoch: number,
  samples: Int32Array,
  options: MaskOptions = {},
): MaskFeeds =>
  Object.assign(
    {},
    ...(options.training ? trainedMasksOf(program) : masksOf(program)).map((mask, i) => {
      // Each of several masks has a stream of its own, and so has each of several views under one.
      const streamOf = (sample: number, view: number): Random =>
        randomStream(seed, "mask", epoch, sample, ...(mask.mask.alike ? [] : ownKey(i, view)));
      return maskFeeds(program, mask, samples, streamOf, options);
    }),
  );

/** More masks, and more streams of views, than a model has. */
const manyMasks = 2 ** 16;

/** The last key of what is drawn for one of several masks or streams, and one of the views under it; the first has none. */
const ownKey = (which: number, view: number): readonly number[] =>
  which === 0 && view === 0 ? [] : [which + view * manyMasks];

function maskFeeds(
  program: Pick<ModelProgram, "fields">,
  { name: own, mask, label, feeds: names, rows }: FedMask,
  samples: Int32Array,
  streamOf: (sample: number, view: number) => Random,
  { fields = {}, visible: wanted = {} }: MaskOptions,
): MaskFeeds {
  const { guide, shared, tokens, sample: orderOf } = mask;
  const seen = mask.varies ? (wanted[own] ?? mask.visible) : mask.visible;
  const count = samples.length * rows;
  const visible = new Int32Array(count * seen);
  const hidden = new Int32Array(count * (tokens - seen));
  const restore = new Int32Array(count * tokens);
  const draws = new Float32Array(count * (guide?.numbers ?? 0));
  const name = Object.entries(program.fields ?? {}).find(
    ([, { kind, input = own }]) => kind === "mask" && input === own,
  )?.[0];
  const field = name === undefined ? undefined : fields[name];
  const length = (field?.length ?? 0) / samples.length;
  for (let i = 0; i < count; i++) {
    const at = shared ? 0 : Math.floor(i / rows);
    const numbers = field?.subarray(at * length, (at + 1) * length);
    const random = streamOf(samples[at] as number, i % rows);
    const order = orderOf(random, numbers, seen);
    if (guide) draws.set(guide.draw(random), i * guide.numbers);
    visible.set(order.subarray(0, seen), i * seen);
    hidden.set(order.subarray(seen), i * (tokens - seen));
    for (const [place, token] of order.entries()) restore[i * tokens + token] = place;
  }
  return {
    [names.visible]: visible,
    [names.hidden]: hidden,
    [names.restore]: restore,
    ...(guide ? { [guideNames(label).draws]: draws } : {}),
  };
}

/**
 * By what parts of a model are multiplied for each sample, [B, numbers]: 0 at a part's rate, and otherwise so much that the mean is 1. A
 * sample has the same numbers whenever it is seen in the same epoch.
 */
export function sampleDrops(
  program: Pick<ModelProgram, "drops" | "views">,
  seed: number,
  epoch: number,
  samples: Int32Array,
): Values {
  const rates = (program.drops ?? []).flatMap(({ rate, numbers }) => new Array<number>(numbers).fill(rate));
  const drawn = dropFeeds(program).map(({ name, rows }, stream): readonly [string, TypedArray] => {
    const values = new Float32Array(samples.length * rows * rates.length);
    for (let i = 0; i < samples.length * rows; i++) {
      const sample = samples[Math.floor(i / rows)] as number;
      const random = randomStream(seed, "dropout", epoch, sample, ...ownKey(stream, i % rows));
      for (const [k, rate] of rates.entries()) {
        values[i * rates.length + k] = random.uniform() < rate ? 0 : 1 / (1 - rate);
      }
    }
    return [name, values];
  });
  return Object.fromEntries(drawn);
}

/**
 * The numbers of visible tokens in a step, of the masks in which they vary. All of them are drawn from one stream: they stand at the same
 * place of their ranges, so that a step has as many graphs as the widest range has numbers, and not one for each pair.
 */
export const visibleAt = (
  program: Pick<ModelProgram, "masks" | "views">,
  seed: number,
  progress: Progress,
): VisibleOf =>
  Object.fromEntries(
    varyingMasks(program).map(({ name, varies }) => [
      name,
      varies.count(progress, randomStream(seed, "mask", progress.step)),
    ]),
  );

/** The scalars of guided masks, and of losses, where training stands. */
export const movingFeeds = (
  { masks, moving = {} }: Pick<ModelProgram, "masks" | "moving">,
  progress: Progress,
): Values =>
  Object.fromEntries([
    ...masksOf({ masks }).flatMap(({ mask: { guide }, label }) =>
      Object.entries(guide?.moving ?? {}).map(
        ([name, at]) => [guideNames(label).moving(name), scalar(at(progress))] as const,
      ),
    ),
    ...Object.entries(moving).map(([name, at]) => [name, scalar(at(progress))] as const),
  ]);

/** A scalar feed. */
export const scalar = (value: number): TypedArray => Float32Array.of(value);

/** What a graph is fed, out of all that there is. */
export const feedsFor = (graph: Graph, feeds: Values): Values =>
  Object.fromEntries([...graph.feeds.keys()].map((name) => [name, feeds[name] as TypedArray]));

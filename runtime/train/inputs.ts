/** The arrays that a program is fed. */

import {
  dropsInput,
  guideNames,
  type ModelProgram,
  masksOf,
  type Progress,
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
}

/**
 * One mask for each sample; a sample has the same mask whenever it is seen in the same epoch. Where samples share one, that of the
 * first of them.
 */
export const sampleMasks = (
  program: Pick<ModelProgram, "masks" | "fields">,
  seed: number,
  epoch: number,
  samples: Int32Array,
  options: MaskOptions = {},
): MaskFeeds =>
  Object.assign(
    {},
    ...masksOf(program).map((mask, i) => {
      // Each of several masks has a stream of its own.
      const streamOf = (sample: number): Random =>
        i === 0 ? randomStream(seed, "mask", epoch, sample) : randomStream(seed, "mask", epoch, sample, i);
      return maskFeeds(program, mask, samples, streamOf, options);
    }),
  );

function maskFeeds(
  program: Pick<ModelProgram, "fields">,
  { name: own, mask, label, feeds: names }: ReturnType<typeof masksOf>[number],
  samples: Int32Array,
  streamOf: (sample: number) => Random,
  { fields = {}, visible: wanted = {} }: MaskOptions,
): MaskFeeds {
  const { guide, shared, tokens, sample: orderOf } = mask;
  const seen = mask.varies ? (wanted[own] ?? mask.visible) : mask.visible;
  const visible = new Int32Array(samples.length * seen);
  const hidden = new Int32Array(samples.length * (tokens - seen));
  const restore = new Int32Array(samples.length * tokens);
  const draws = new Float32Array(samples.length * (guide?.numbers ?? 0));
  const name = Object.entries(program.fields ?? {}).find(
    ([, { kind, input = own }]) => kind === "mask" && input === own,
  )?.[0];
  const field = name === undefined ? undefined : fields[name];
  const length = (field?.length ?? 0) / samples.length;
  for (const [i, sample] of samples.entries()) {
    const [at, drawn] = shared ? [0, samples[0] as number] : [i, sample];
    const numbers = field?.subarray(at * length, (at + 1) * length);
    const random = streamOf(drawn);
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
  { drops = [] }: Pick<ModelProgram, "drops">,
  seed: number,
  epoch: number,
  samples: Int32Array,
): Values {
  if (drops.length === 0) return {};
  const rates = drops.flatMap(({ rate, numbers }) => new Array<number>(numbers).fill(rate));
  const values = new Float32Array(samples.length * rates.length);
  for (const [i, sample] of samples.entries()) {
    const random = randomStream(seed, "dropout", epoch, sample);
    for (const [k, rate] of rates.entries()) {
      values[i * rates.length + k] = random.uniform() < rate ? 0 : 1 / (1 - rate);
    }
  }
  return { [dropsInput]: values };
}

/**
 * The numbers of visible tokens in a step, of the masks in which they vary. All of them are drawn from one stream: they stand at the same
 * place of their ranges, so that a step has as many graphs as the widest range has numbers, and not one for each pair.
 */
export const visibleAt = (program: Pick<ModelProgram, "masks">, seed: number, progress: Progress): VisibleOf =>
  Object.fromEntries(
    varyingMasks(program).map(({ name, varies }) => [
      name,
      varies.count(progress, randomStream(seed, "mask", progress.step)),
    ]),
  );

/** The scalars of guided masks where training stands. */
export const movingFeeds = (program: Pick<ModelProgram, "masks">, progress: Progress): Values =>
  Object.fromEntries(
    masksOf(program).flatMap(({ mask: { guide }, label }) =>
      Object.entries(guide?.moving ?? {}).map(([name, at]) => [guideNames(label).moving(name), scalar(at(progress))]),
    ),
  );

/** A scalar feed. */
export const scalar = (value: number): TypedArray => Float32Array.of(value);

/** What a graph is fed, out of all that there is. */
export const feedsFor = (graph: Graph, feeds: Values): Values =>
  Object.fromEntries([...graph.feeds.keys()].map((name) => [name, feeds[name] as TypedArray]));

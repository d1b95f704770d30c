/**
 * What is asked of a model of text: its guesses are those of its logits, features and guesses do not depend on what is behind the end of a
 * text, and shares of right guesses and perplexities are what they are called.
 */

import { expect, test } from "vitest";
import { assemble, programOf } from "../../../compiler/assemble/assemble.js";
import { encoderReader, errorsOfGuesses, openGuesser, pixelReader } from "../../../runtime/evaluate/index.js";
import { recorded } from "../../support/recorded.js";
import { referenceExecutor } from "../../support/reference-executor.js";

interface Header {
  readonly spec: string;
  readonly batch: number;
}

const { fixture, model, weights } = recorded<Header>("bert");
const program = programOf(assemble(model));
const { batch } = fixture.header;
const [places, channels, vocabulary] = [12, 3, 20];
const text = Float32Array.from(fixture.values("text"));
const samples = Int32Array.of(0, 1, 2);
/** The same texts with other ids behind their ends. */
const others = text.map((value, at) => (text[at - (at % channels) + 1] === -1 && at % channels === 0 ? 17 : value));

const guessesOf = async (arrays: Float32Array) => {
  const guesser = await openGuesser({ program, weights }, batch, { executor: referenceExecutor, seed: 5 });
  const guessed = await guesser?.run({ text: arrays }, samples);
  await guesser?.close();
  return guessed ?? [];
};

test("guesses are what the logits of the same text say, where tokens were chosen", async () => {
  const all = await guessesOf(text);
  expect(all.map(({ ids }) => ids.length)).toEqual([12, 9, 6]);
  // 15 % of 12, 9 and 6 tokens.
  expect(all.map(({ guesses }) => guesses.length)).toEqual([2, 1, 1]);
  for (const [i, { guesses }] of all.entries()) {
    for (const { place, id, entered, guessed, logProbability } of guesses) {
      expect(id).toBe(text[(i * places + place) * channels]);
      expect(text[(i * places + place) * channels + 1]).toBeGreaterThan(0);
      expect(entered).toBeGreaterThanOrEqual(0);
      expect(guessed).toBeLessThan(vocabulary);
      expect(Math.exp(logProbability)).toBeLessThan(1);
      if (guessed !== id) expect(logProbability).toBeLessThan(Math.log(0.5));
    }
  }
});

test("where the model itself decides what is hidden, those places are asked for", async () => {
  const own = recorded<Header>("sma-text");
  const model = { program: programOf(assemble(own.model)), weights: own.weights };
  const { batch: count } = own.fixture.header;
  const arrays = { text: Float32Array.from(own.fixture.values("text")) };
  const guesser = await openGuesser(model, count, { executor: referenceExecutor, seed: 5 });
  const all = await guesser?.run(
    arrays,
    Int32Array.from({ length: count }, (_, i) => i),
  );
  await guesser?.close();
  expect(all).toHaveLength(count);
  for (const { ids, guesses } of all ?? []) {
    expect(guesses.length).toBeGreaterThan(0);
    expect(new Set(guesses.map(({ place }) => place)).size).toBe(guesses.length);
    for (const { place, id } of guesses) expect(id).toBe(ids[place]);
  }
});

test("nothing depends on what is behind the end of a text", async () => {
  expect(others).not.toEqual(text);
  expect(await guessesOf(others)).toEqual(await guessesOf(text));
  const selections = (["cls", "mean"] as const).map((pool) => ({ pool, layer: "last" as const }));
  const reader = await encoderReader({ program, weights }, referenceExecutor, selections, batch);
  const read = (arrays: Float32Array) => reader.read({ arrays: { text: arrays }, labels: samples, count: batch });
  expect(await read(others)).toEqual(await read(text));
  await reader.close();
  const [bag] = await pixelReader(program).read({ arrays: { text: others }, labels: samples, count: batch });
  // The share of each id: of the third text six tokens.
  expect(
    Array.from(bag?.slice(2 * vocabulary, 3 * vocabulary) ?? []).reduce<number>((sum, share) => sum + share, 0),
  ).toBeCloseTo(1, 6);
  const seventeens = text.filter((id, at) => at >= 72 && at < 90 && at % 3 === 0 && id === 17).length / 6;
  expect(bag?.[2 * vocabulary + 17]).toBeCloseTo(seventeens, 6);
});

test("shares and perplexities of guesses, beside what frequencies tell", () => {
  const guess = (id: number, guessed: number, share: number) => ({
    ...{ place: 0, id, entered: 4, guessed },
    logProbability: Math.log(share),
  });
  const found = errorsOfGuesses(2, [guess(7, 7, 0.5), guess(7, 8, 0.25), guess(7, 7, 0.5), guess(9, 9, 1)]);
  expect(found).toMatchObject({ samples: 2, tokens: 4, accuracy: 0.75 });
  expect(found.perplexity).toBeCloseTo(2, 12);
  expect(found.frequency.accuracy).toBe(0.75);
  expect(found.frequency.perplexity).toBeCloseTo((4 / 3) ** 0.75 * 4 ** 0.25, 12);
});

/** The mask of texts: how many tokens it chooses, which never, what enters, words and spans as wholes, and the order that follows. */

import { describe, expect, test } from "vitest";
import type { ArrayShape, Lattice } from "../../../blocks/index.js";
import { corrupt } from "../../../blocks/mask/corrupt.js";
import { defaultsOf } from "../../../blocks/params.js";
import { randomStream } from "../../../graph/index.js";

const [vocabulary, mask, places] = [1000, 4, 64];
const array: ArrayShape = { axes: [{ name: "place", size: places }], channels: 3, ids: { vocabulary, mask } };
const grid: Lattice = [{ name: "place", count: places, size: 1 }];

/** A text of `length` tokens: [CLS], words of one to three tokens with ids from 500 on, [SEP], and nothing. */
const text = (length: number): Float32Array =>
  Float32Array.from({ length: 3 * places }, (_, at) => {
    const [place, channel] = [Math.floor(at / 3), at % 3];
    const isEnd = place === 0 || place === length - 1;
    const word = place >= length ? -1 : isEnd ? 0 : 1 + Math.floor((place * 2) / 3);
    return [place >= length ? 0 : isEnd ? 2 : 500 + place, word, 0][channel] as number;
  });

const wordAt = (array: Float32Array, place: number): number => array[3 * place + 1] as number;

type Values = Parameters<NonNullable<typeof corrupt.field>>[0];
const valuesOf = (written: object): Values => ({ ...defaultsOf(corrupt.params), ...written }) as Values;

function drawn(written: object, array_: Float32Array, sample: number): Int32Array {
  const field = corrupt.field?.(valuesOf(written), { array, grid });
  return field?.compute({ array: array_, label: null, random: randomStream(3, "probe", sample) }) as Int32Array;
}

const chosenIn = (entered: Int32Array): number[] => [...entered.keys()].filter((place) => entered[place] !== -1);
const samples = Array.from({ length: 400 }, (_, i) => i);

test.each([
  [64, 10],
  [20, 3],
  [3, 1],
])("of %d tokens %d are chosen: the nearest number, one at least", (length, count) => {
  for (const sample of samples.slice(0, 50)) expect(chosenIn(drawn({}, text(length), sample))).toHaveLength(count);
});

test("a drawn number is right in the mean, and never more than there is room for", () => {
  const counts = samples.map((sample) => chosenIn(drawn({ round: "drawn" }, text(50), sample)).length);
  expect(new Set(counts)).toEqual(new Set([7, 8]));
  expect(Math.abs(counts.reduce((sum, n) => sum + n) / counts.length - 7.5)).toBeLessThan(0.1);
  const room = places - corrupt.visible(valuesOf({ round: "drawn" }), grid);
  expect(Math.max(...samples.map((sample) => chosenIn(drawn({ round: "drawn" }, text(64), sample)).length))).toBe(room);
});

test("any word is as likely; [CLS], [SEP] and what is behind the end are never chosen; 80, 10 and 10 % enter", () => {
  const length = 40;
  const often = new Map<number, number>();
  let [masked, kept, other] = [0, 0, 0];
  for (const sample of Array.from({ length: 4000 }, (_, i) => i)) {
    const entered = drawn({}, text(length), sample);
    for (const place of chosenIn(entered)) {
      often.set(place, (often.get(place) ?? 0) + 1);
      if (entered[place] === mask) masked++;
      else if (entered[place] === 500 + place) kept++;
      else other++;
    }
  }
  const all = masked + kept + other;
  expect([...often.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: length - 2 }, (_, i) => i + 1));
  for (const count of often.values()) expect(Math.abs(count / (all / (length - 2)) - 1)).toBeLessThan(0.2);
  for (const [count, share] of [
    [masked, 0.8],
    [kept, 0.1],
    [other, 0.1],
  ] as const) {
    expect(Math.abs(count / all - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / all));
  }
});

describe("words and spans", () => {
  const whole = text(64);

  test("the tokens of a word are chosen together", () => {
    for (const sample of samples) {
      const chosen = new Set(chosenIn(drawn({ unit: "word" }, whole, sample)));
      const words = new Set([...chosen].map((place) => wordAt(whole, place)));
      for (let place = 1; place < 63; place++) expect(chosen.has(place)).toBe(words.has(wordAt(whole, place)));
      expect(chosen.size).toBeLessThanOrEqual(10);
      expect(chosen.size).toBeGreaterThan(8);
    }
  });

  test("spans are words in a row: fewer and longer than single words", () => {
    const runs = (written: object): number => {
      const all = samples.map((sample) => chosenIn(drawn(written, whole, sample)));
      const begins = all.flatMap((places) => places.filter((place) => !places.includes(place - 1)));
      return all.flat().length / begins.length;
    };
    expect(runs({ unit: "span", span: 4 })).toBeGreaterThan(1.8 * runs({ unit: "word" }));
  });
});

test("the order has every token once, the chosen ones last, of a short text others before them", () => {
  for (const length of [64, 12, 2]) {
    const entered = drawn({}, text(length), 1);
    const order = corrupt.sample(valuesOf({}), grid, randomStream(0, "mask"), entered);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: places }, (_, i) => i));
    expect([...order.subarray(places - chosenIn(entered).length)]).toEqual(chosenIn(entered));
  }
});

test("the same sample has the same choice, another epoch another", () => {
  expect(drawn({}, text(50), 7)).toEqual(drawn({}, text(50), 7));
  expect(drawn({}, text(50), 7)).not.toEqual(drawn({}, text(50), 8));
});

/** What attention hides: exact counts, the ends of chance, who is asked, and how chance moves during training. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attentionReceived, bindMask, masks, mostAttendedLast } from "../../../blocks/index.js";
import { createBuilder, evaluate, randomStream, shuffled, type Tensor } from "../../../graph/index.js";
import { runs } from "../../support/fuzz.js";
import { gridOf } from "./drawn.js";

type Mix = "pool" | "share";

/** The order of patches that receive this much attention; `drawn`: the place of each in a random order. */
function orderOf(received: readonly number[], drawn: Int32Array, chance: number, hidden: number, mix: Mix): number[] {
  const g = createBuilder({ batch: 1 });
  const [scores, places] = [
    g.input("received", ["B", received.length]),
    g.input("drawn", ["B", received.length], "int32"),
  ];
  const concealed = g.constant(new Int32Array(hidden), [1, hidden], "int32") as never;
  const order: Tensor = mostAttendedLast(g, scores as never, places as never, g.input("chance", []), {
    hidden: concealed,
    mix,
  });
  const feeds = { received: Float32Array.from(received), drawn, chance: Float32Array.of(chance) };
  return Array.from(evaluate(g.finish({ outputs: { order } }), feeds).outputs.order as Int32Array);
}

const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);

const cases = fc
  .record({
    count: fc.integer({ min: 2, max: 40 }),
    seed: fc.nat(1000),
    chance: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
    share: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    mix: fc.constantFrom<Mix>("pool", "share"),
  })
  .map(({ count, seed, share, ...rest }) => {
    const random = randomStream(seed, "mask", 0);
    const hidden = Math.min(count - 1, Math.max(1, Math.round(count * share)));
    const received = Array.from(shuffled(count, random), (rank) => rank / count);
    return { ...rest, hidden, received, drawn: shuffled(count, random) };
  });

describe("the order", () => {
  test("has every patch once, and is the drawn one's where chance is 1", () => {
    fc.assert(
      fc.property(cases, ({ received, drawn, chance, hidden, mix }) => {
        const order = orderOf(received, drawn, chance, hidden, mix);
        expect(sorted(order)).toEqual([...received.keys()]);
        const byChance = orderOf(received, drawn, 1, hidden, mix);
        expect(byChance.map((patch) => drawn[patch])).toEqual([...received.keys()]);
      }),
      { numRuns: runs(100) },
    );
  });

  test("hides the most attended patches where chance is 0", () => {
    fc.assert(
      fc.property(cases, ({ received, drawn, hidden, mix }) => {
        const order = orderOf(received, drawn, 0, hidden, mix);
        const most = [...received.keys()].sort((a, b) => (received[b] as number) - (received[a] as number));
        expect(sorted(order.slice(received.length - hidden))).toEqual(sorted(most.slice(0, hidden)));
      }),
      { numRuns: runs(100) },
    );
  });

  test("draws from a pool of the most attended, or keeps a share of them", () => {
    fc.assert(
      fc.property(cases, ({ received, drawn, chance, hidden, mix }) => {
        const count = received.length;
        const concealed = orderOf(received, drawn, chance, hidden, mix).slice(count - hidden);
        const rank = (patch: number) => received.filter((value) => value > (received[patch] as number)).length;
        const exact = mix === "pool" ? hidden + chance * (count - hidden) : (1 - chance) * hidden;
        if (mix === "pool") expect(Math.max(...concealed.map(rank))).toBeLessThan(exact + 0.51);
        else expect(concealed.filter((patch) => rank(patch) < exact + 0.51).length).toBeGreaterThan(exact - 0.51);
      }),
      { numRuns: runs(100) },
    );
  });
});

test("only patches that are asked count, each in its head, without the tokens in front", () => {
  const g = createBuilder({ batch: 1 });
  // Two heads, one token in front, two patches; rows are those who attend.
  const head = (tens: number) => [0, 0, 0, 9, tens + 1, tens + 2, 9, tens + 3, tens + 4];
  const attention = g.constant(Float32Array.from([...head(10), ...head(20)]), [1, 2, 3, 3]);
  const ask = (queries: readonly number[], heads: "random" | "mean") =>
    attentionReceived(g, attention as never, g.constant(Float32Array.from(queries), [1, 2]) as never, {
      extra: 1,
      heads,
    }) as Tensor;
  const outputs = {
    first: ask([0.2, -1], "random"),
    second: ask([-1, 0.5], "random"),
    both: ask([0.999999, 0], "random"),
    mean: ask([0.1, 0.9], "mean"),
    none: ask([-1, -1], "mean"),
  };
  const found = evaluate(g.finish({ outputs }), {}).outputs;
  expect(Object.fromEntries(Object.entries(found).map(([name, values]) => [name, Array.from(values)]))).toEqual({
    first: [11, 12],
    second: [23, 24],
    both: [21 + 13, 22 + 14],
    mean: [16 + 18, 17 + 19],
    none: [0, 0],
  });
});

describe("bound to a grid", () => {
  const values = {
    ratio: 0.75,
    round: null,
    layer: 1,
    queries: 0.3,
    heads: "random",
    mix: "pool",
    curve: "linear",
    random: { from: 1, to: 0.2, over: { amount: 2, unit: "epochs" } },
    warmup: { amount: 3, unit: "steps" },
  } as const;
  const { guide } = bindMask(masks.attentionGuided, values, gridOf(4, 5));

  test("asks the same number of patches of every sample, others of each", () => {
    const draws = [0, 1, 2].map((sample) => guide?.draw(randomStream(1, "mask", sample)) ?? new Float32Array());
    for (const drawn of draws) {
      expect(drawn).toHaveLength(guide?.numbers as number);
      expect(drawn.filter((query) => query >= 0 && query < 1)).toHaveLength(6);
      expect(drawn.filter((query) => query === -1)).toHaveLength(14);
    }
    expect(draws[0]).not.toEqual(draws[1]);
    expect(draws[0]).toEqual(guide?.draw(randomStream(1, "mask", 0)));
  });

  test("leaves less to chance from the end of the warm-up on", () => {
    const chance = (step: number) => guide?.moving.chance?.({ step, totalSteps: 40, stepsPerEpoch: 4 });
    const expected = [1, 1, 1, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.2];
    for (const [step, value] of expected.entries()) expect(chance(step)).toBeCloseTo(value, 12);
  });
});

/** The optimizers against torch.optim, step by step; `test/reference/optimizers.py` recorded the numbers. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { adamw, lars, lion, type Optimizer, sgd } from "../../../blocks/optimizer/index.js";
import { createBuilder, evaluate } from "../../../graph/index.js";

interface Fixture {
  readonly start: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly rates: readonly number[];
  readonly cases: Readonly<Record<string, { readonly after: readonly (readonly number[])[] }>>;
}

const fixture = JSON.parse(
  readFileSync(new URL("../../reference/optimizers.json", import.meta.url), "utf8"),
) as Fixture;

/** One update of a parameter of `size` elements, with the names that `run` feeds. */
function updateGraph(optimizer: Optimizer, values: Readonly<Record<string, unknown>>, decay: boolean, size: number) {
  const g = createBuilder({ batch: 1 });
  const state = optimizer.state.map((name) => g.state(name, [size]));
  const inputs = {
    parameter: g.state("parameter", [size]),
    gradient: g.input("gradient", [size]),
    state,
    lr: g.input("lr", []),
    step: g.input("step", []),
    decay,
    token: false,
  };
  const result = optimizer.update(g, values, inputs);
  const moments = Object.fromEntries(
    optimizer.state.map((name, i) => [name, result.state[i] as typeof result.parameter]),
  );
  return g.finish({ outputs: {}, updates: { parameter: result.parameter, ...moments } });
}

/** The parameter after each step of the fixture. */
function run(optimizer: Optimizer, values: Readonly<Record<string, unknown>>, decay = true): readonly number[][] {
  const graph = updateGraph(optimizer, values, decay, fixture.start.length);
  const zeros = optimizer.state.map((name) => [name, new Float64Array(fixture.start.length)]);
  let state = { ...Object.fromEntries(zeros), parameter: Float64Array.from(fixture.start) };
  return fixture.gradients.map((gradient, i) => {
    const feeds = {
      gradient: Float64Array.from(gradient),
      lr: Float64Array.of(fixture.rates[i] as number),
      step: Float64Array.of(i + 1),
    };
    state = evaluate(graph, feeds, state).updates as typeof state;
    return [...state.parameter];
  });
}

/** `tolerance`: constants of a graph have 32 bits, those of one operation for all 64. */
function expectAsTorch(after: readonly number[][], name: string, tolerance = 1e-12): void {
  const expected = fixture.cases[name]?.after ?? [];
  expect(after.length).toBe(expected.length);
  for (const [step, row] of after.entries()) {
    for (const [i, value] of row.entries()) {
      const wanted = expected[step]?.[i] as number;
      expect(Math.abs(value - wanted)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted)));
    }
  }
}

const lr = { value: 1, per: null };

describe("adamw", () => {
  const values = { lr, betas: [0.9, 0.95], weight_decay: 0.05, epsilon: 1e-8 };
  test("is torch's", () => expectAsTorch(run(adamw, values), "adamw"));
  test("is torch's with other settings", () =>
    expectAsTorch(run(adamw, { lr, betas: [0.5, 0.75], weight_decay: 0.3, epsilon: 1e-2 }), "adamw-other"));
  test("leaves parameters without decay undecayed", () => expectAsTorch(run(adamw, values, false), "adamw-no-decay"));
  test("refuses a mean that never moves", () => {
    const wrong = { ...values, betas: [0.9, 1] };
    expect((adamw.requires ?? []).filter((r) => !r.holds(wrong as never, { classes: 10 })).map((r) => r.name)).toEqual([
      "betas-below-one",
    ]);
  });
});

describe("lars", () => {
  const values = { lr, momentum: 0.9, weight_decay: 0.1, trust: 0.01, decay_tokens: true, sum: "gradients" };
  test("is what its description says, of matrices and of vectors", () => {
    expectAsTorch(run(lars, values), "lars", 1e-8);
    expectAsTorch(run(lars, values, false), "lars-vector");
    expectAsTorch(run(lars, { ...values, sum: "steps" }), "lars-steps", 1e-8);
  });
  test("moves nothing by a gradient of zero, and a weight of zero as momentum does", () => {
    const graph = updateGraph(lars, { ...values, weight_decay: 0 }, true, 2);
    const moved = (parameter: number, gradient: number) =>
      evaluate(
        graph,
        { gradient: Float64Array.of(gradient, gradient), lr: Float64Array.of(0.1), step: Float64Array.of(1) },
        { parameter: Float64Array.of(parameter, parameter), m: new Float64Array(2) },
      ).updates.parameter?.[0];
    expect(moved(3, 0)).toBe(3);
    expect(moved(0, 2)).toBeCloseTo(-0.2, 12);
  });
});

describe("lion", () => {
  test("is timm's", () =>
    expectAsTorch(run(lion, { lr, betas: [0.9, 0.99], weight_decay: 0.3, decay_tokens: true }), "lion", 1e-8));
});

describe("sgd", () => {
  const values = { lr, momentum: 0.9, weight_decay: 0, nesterov: false };
  test("is torch's", () => expectAsTorch(run(sgd, values), "sgd"));
  test("is torch's without momentum", () =>
    expectAsTorch(run(sgd, { ...values, momentum: 0, weight_decay: 0.1 }), "sgd-plain"));
  test("is torch's with Nesterov's momentum", () =>
    expectAsTorch(run(sgd, { lr, momentum: 0.8, weight_decay: 0.1, nesterov: true }), "sgd-nesterov"));
  test("leaves parameters without decay undecayed", () =>
    expectAsTorch(run(sgd, { ...values, weight_decay: 0.5 }, false), "sgd"));
  test("refuses to look ahead along no momentum, and a momentum that never fades", () => {
    const wrong = (p: object) =>
      (sgd.requires ?? []).filter((r) => !r.holds(p as never, { classes: 10 })).map((r) => r.name);
    expect(wrong({ ...values, momentum: 0, nesterov: true })).toEqual(["nesterov-needs-momentum"]);
    expect(wrong({ ...values, momentum: 1 })).toEqual(["momentum-below-one"]);
    expect(wrong(values)).toEqual([]);
  });
});

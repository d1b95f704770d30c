/** Laws of what happens before any backend is asked: places freed at their last use, transposes merged, moves seen through. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { type Builder, createBuilder, evaluate, sizeOf, type Tensor } from "../../../graph/index.js";
import { mergeTranspose, transposeSteps } from "../../../runtime/executors/tfjs/merge-transpose.js";
import { isFused, type Plan, planOf } from "../../../runtime/executors/tfjs/plan.js";
import { destinationOf, type View, viewOf } from "../../../runtime/executors/tfjs/views.js";
import { trainingGraph } from "./training.js";

/** Runs the plan's bookkeeping alone: what is held after each step. */
function held(plan: Plan): number[] {
  const live = new Set([...plan.feeds, ...plan.state, ...plan.constants].map(({ place }) => place));
  return plan.steps.map((step) => {
    for (const place of step.inputs) expect(live, `place ${place} read after it was freed`).toContain(place);
    step.outputs.forEach((place, i) => {
      if (step.wanted[i]) live.add(place);
    });
    for (const place of step.last) live.delete(place);
    return live.size;
  });
}

it("frees every place at its last use and keeps what the caller gets", () => {
  const plan = planOf(trainingGraph());
  const kept = new Set([...plan.state, ...plan.constants, ...plan.outputs, ...plan.updates].map(({ place }) => place));
  expect(held(plan).at(-1)).toBe(kept.size);
});

it("never frees too early in random chains", () => {
  const grow = (g: Builder, pool: Tensor[], [i, j]: readonly [number, number]): void => {
    pool.push(g.add(pool[i % pool.length] as Tensor, pool[j % pool.length] as Tensor));
  };
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { minLength: 1, maxLength: 30 }), (picks) => {
      const g = createBuilder({ batch: 1 });
      const pool: Tensor[] = [g.input("x", [2]), g.state("s", [2]), g.constant(1, [2])];
      for (const pick of picks) grow(g, pool, pick);
      const plan = planOf(g.finish({ outputs: { y: pool.at(-1) as Tensor }, updates: { s: pool[0] as Tensor } }));
      const after = held(plan);
      expect(after.at(-1) ?? 0).toBeLessThanOrEqual(4);
    }),
  );
});

it("asks a node only for outputs that something reads", () => {
  const g = createBuilder({ batch: 1 });
  const x = g.input("x", [2, 3]);
  const [y] = g.layerNorm(x, g.constant(1, [3]), g.constant(0, [3]), 1e-6);
  const plan = planOf(g.finish({ outputs: { y } }));
  expect(plan.steps.find(({ work }) => !isFused(work) && work.operation === "layerNorm")?.wanted).toEqual([
    true,
    false,
    false,
  ]);
});

/** A tensor's numbers in the given shape, transposed plainly. */
function transposed(numbers: readonly number[], shape: readonly number[], permutation: readonly number[]): number[] {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const offsets = permutation.reduce<number[]>(
    (known, axis) =>
      known.flatMap((offset) =>
        Array.from({ length: shape[axis] as number }, (_, i) => offset + i * (strides[axis] as number)),
      ),
    [0],
  );
  return offsets.map((offset) => numbers[offset] as number);
}

it("says transposes with fewer axes, in steps where they are still too many, without changing them", () => {
  const axes = fc.integer({ min: 1, max: 7 }).chain((rank) =>
    fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: rank, maxLength: rank }),
      permutation: fc.shuffledSubarray(
        Array.from({ length: rank }, (_, i) => i),
        { minLength: rank },
      ),
      most: fc.integer({ min: 4, max: 6 }),
    }),
  );
  fc.assert(
    fc.property(axes, ({ shape, permutation, most }) => {
      const numbers = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
      const steps = transposeSteps(shape, permutation, most);
      const moved = steps.reduce((values, step) => transposed(values, step.shape, step.permutation), numbers);
      expect(moved).toEqual(transposed(numbers, shape, permutation));
      for (const step of steps) expect(step.shape.length).toBeLessThanOrEqual(most);
    }),
  );
});

it("needs four axes to cut an image into patches, and two short steps to part queries, keys and values", () => {
  expect(mergeTranspose([2, 14, 16, 14, 16, 3], [0, 1, 3, 2, 4, 5])).toEqual({
    shape: [28, 16, 14, 48],
    permutation: [0, 2, 1, 3],
  });
  expect(mergeTranspose([7, 1, 3], [1, 0, 2])).toEqual({ shape: [21], permutation: [0] });
  expect(transposeSteps([2, 5, 3, 4, 6], [2, 0, 3, 1, 4], 4)).toEqual([
    { shape: [10, 3, 24], permutation: [1, 0, 2] },
    { shape: [6, 5, 4, 6], permutation: [0, 2, 1, 3] },
  ]);
});

/** Where the elements of a view lie, in their order. */
const placesOf = ({ shape, strides, offset }: View): number[] =>
  shape.reduce(
    (known, size, axis) =>
      known.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * (strides[axis] as number))),
    [offset],
  );

/** A move of a tensor of any shape, chosen by numbers. */
function move(g: Builder, x: Tensor, [kind, a, b]: readonly [number, number, number]): Tensor {
  const { shape } = x;
  const axis = a % shape.length;
  const size = shape[axis] as number;
  if (kind === 0)
    return g.transpose(
      x,
      [...shape.keys()].toSorted((i, j) => ((i * 7 + a) % 5) - ((j * 7 + a) % 5)),
    );
  if (kind === 1) {
    const part = [size, 2, 3].find((divisor) => size % divisor === 0 && divisor !== b) ?? 1;
    return g.reshape(x, shape.toSpliced(axis, 1, size / part, part));
  }
  if (kind === 2) {
    const [first, second = 1, ...rest] = shape as readonly [number, ...number[]];
    return g.reshape(x, [first * second, ...rest]);
  }
  const begin = shape.map((_, i) => (i === axis && size > 1 ? 1 : 0));
  return g.slice(
    x,
    begin,
    shape.map((length, i) => length - (begin[i] as number)),
  );
}

const moves = fc.array(fc.tuple(fc.nat(3), fc.nat(9), fc.nat(9)), { maxLength: 5 });
const numbers = Float32Array.from({ length: 72 }, (_, i) => i);

it("reads a moved tensor where its elements lie", () => {
  fc.assert(
    fc.property(moves, (chosen) => {
      const g = createBuilder({ batch: 1 });
      const x = g.input("x", [4, 6, 3]);
      const y = chosen.reduce((moved: Tensor, one) => move(g, moved, one), x);
      const made = (tensor: Tensor) =>
        evaluate(g.finish({ outputs: { tensor } }), { x: numbers }).outputs.tensor as Float64Array;
      const view = viewOf(y, () => false);
      const source = made(view.tensor);
      expect(placesOf(view).map((place) => source[place])).toEqual([...made(y)]);
    }),
  );
});

it("stores a result where it is moved to, among others that it is joined with", () => {
  fc.assert(
    fc.property(moves, fc.nat(2), (chosen, place) => {
      const g = createBuilder({ batch: 1 });
      const x = g.input("x", [4, 6, 3]);
      const result = g.add(x, 0);
      const wide = g.reshape(result, [1, 4, 6, 3]);
      const others = [0, 1].map((value) => g.constant(value, [1, 4, 6, 3]) as Tensor);
      const joined = g.concat(others.toSpliced(place, 0, wide), 0);
      const last = chosen.filter(([kind]) => kind < 3).reduce((moved: Tensor, one) => move(g, moved, one), joined);
      const graph = g.finish({ outputs: { last } });
      const readersOf = (tensor: Tensor) =>
        tensor === last ? null : graph.nodes.filter(({ inputs }) => inputs.includes(tensor));
      const view = destinationOf(result, readersOf, () => true);
      const { to } = evaluate(g.finish({ outputs: { to: view.tensor } }), { x: numbers }).outputs;
      expect(sizeOf(view.shape)).toBe(numbers.length);
      expect(placesOf(view).map((at) => to?.[at])).toEqual([...numbers]);
    }),
  );
});

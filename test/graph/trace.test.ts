/** What the builder records, and what it refuses. */

import { expect, expectTypeOf, test } from "vitest";
import { createBuilder, InvariantError, ShapeError, type Tensor } from "../../graph/index.js";

test("records nodes in order, with the batch for B", () => {
  const g = createBuilder({ batch: 3 });
  const x = g.input("x", ["B", 4]);
  expectTypeOf(x).toEqualTypeOf<Tensor<["B", 4], "float32">>();
  const y = g.scope("outer", () => g.scope("inner", () => g.add(x, 1)));
  const graph = g.finish({ outputs: { y } });
  expect(graph.nodes.map((node) => node.operation)).toEqual(["input", "constant", "add"]);
  expect(graph.nodes.map((node) => node.scope)).toEqual(["", "outer/inner", "outer/inner"]);
  expect(y.shape).toEqual([3, 4]);
  expect(graph.feeds.get("x")).toBe(x);
});

test("finish keeps declared feeds and state, and drops what no result needs", () => {
  const g = createBuilder({ batch: 1 });
  const x = g.input("x", [2]);
  g.input("unused", [2], "int32");
  const w = g.state("w", [2]);
  g.exp(x);
  const graph = g.finish({ outputs: { y: g.neg(x) }, updates: { w: g.mul(w, 2) } });
  expect(graph.nodes.map((node) => node.operation)).toEqual(["input", "input", "input", "neg", "constant", "mul"]);
  expect([...graph.feeds.keys()]).toEqual(["x", "unused"]);
  expect([...graph.state.keys()]).toEqual(["w"]);
  expect([...graph.updates.keys()]).toEqual(["w"]);
});

test("a name is declared once", () => {
  const g = createBuilder({ batch: 1 });
  g.input("x", [2]);
  expect(() => g.state("x", [2])).toThrow(InvariantError);
  expect(() => g.input("x", [2])).toThrow('"x" is declared twice');
});

test("an update must fit its state", () => {
  const g = createBuilder({ batch: 1 });
  const w = g.state("w", [2]);
  expect(() => g.finish({ outputs: {}, updates: { v: w } })).toThrow("not declared as state");
  expect(() => g.finish({ outputs: {}, updates: { w: g.sum(w) } })).toThrow("float32 []");
});

test("tensors of another builder are refused", () => {
  const other = createBuilder({ batch: 1 }).input("x", [2]);
  const g = createBuilder({ batch: 1 });
  expect(() => g.neg(other)).toThrow(InvariantError);
  expect(() => g.finish({ outputs: { other } })).toThrow(InvariantError);
});

test("a shape error names operation, shapes and expectation", () => {
  const g = createBuilder({ batch: 2 });
  const x: Tensor = g.input("x", ["B", 5]);
  const w = g.input("w", [3, 4]);
  const b = g.input("b", [3]);
  expect(() => g.linear(x as never, w, b)).toThrow(
    new ShapeError("linear", [x, w, b], "x [..., 4] for a weight [3, 4]"),
  );
});

test("says what a builder is told that is told nothing", () => {
  const untyped = createBuilder as (options?: object) => unknown;
  for (const options of [undefined, {}, { batch: 0 }])
    expect(() => untyped(options)).toThrow(/createBuilder\({ batch: 8 }\)/);
});

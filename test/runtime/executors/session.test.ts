/** What a session promises its caller: state kept, copied, swapped and given back; nothing left behind, also after errors. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBuilder } from "../../../graph/index.js";
import { type Executor, listExecutors, openExecutor } from "../../../runtime/executors/index.js";

const slot = (name: string, ...shape: readonly number[]) => ({ name, shape, dtype: "float32" }) as const;

const found = await listExecutors();
const here = (["onnx", "xla", "tensorflow"] as const).filter(
  (name) => found.find(({ backend }) => backend === name)?.present,
);

describe.each([...here, "wasm", "cpu"] as const)("a session on %s", (backend) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await openExecutor(backend);
  });
  afterAll(() => executor.close());

  it("starts from copies and reads copies", async () => {
    const initial = Float32Array.of(1, 2);
    const session = await executor.open([slot("a", 2)], { a: initial });
    initial.fill(9);
    const first = await session.read();
    expect(first).toEqual({ a: Float32Array.of(1, 2) });
    first.a?.fill(7);
    expect(await session.read(["a"])).toEqual({ a: Float32Array.of(1, 2) });
    await session.close();
  });

  it("gives back what was written, whatever the array type", async () => {
    const slots = [
      slot("a", 3),
      { name: "n", shape: [2], dtype: "int32" },
      { name: "t", shape: [], dtype: "bool" },
    ] as const;
    const session = await executor.open(slots, {
      a: Float64Array.of(1, 2, 3),
      n: Int32Array.of(4, 5),
      t: Uint8Array.of(1),
    });
    await session.write({ n: Int32Array.of(-6, 7) });
    expect(await session.read()).toEqual({
      a: Float32Array.of(1, 2, 3),
      n: Int32Array.of(-6, 7),
      t: Uint8Array.of(1),
    });
    await session.close();
  });

  it("updates after the run: outputs and other updates see the old values", async () => {
    const g = createBuilder({ batch: 1 });
    const a = g.state("a", [2]);
    const b = g.state("b", [2]);
    const graph = g.finish({ outputs: { a, sum: g.add(a, b) }, updates: { a: b, b: a } });
    const session = await executor.open([slot("a", 2), slot("b", 2)], {
      a: Float32Array.of(1, 2),
      b: Float32Array.of(3, 4),
    });
    const swap = await session.load(graph);
    expect(await swap({})).toEqual({ a: Float32Array.of(1, 2), sum: Float32Array.of(4, 6) });
    expect(await session.read()).toEqual({ a: Float32Array.of(3, 4), b: Float32Array.of(1, 2) });
    await swap({});
    expect(await session.read()).toEqual({ a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) });
    await session.close();
  });

  it("updates two parameters by one gradient, which is an output too", async () => {
    const g = createBuilder({ batch: 1 });
    const names = ["p", "m", "q", "n"] as const;
    const [p, m, q, n] = [g.state("p", [2]), g.state("m", [2]), g.state("q", [2]), g.state("n", [2])];
    const gradient = g.mul(g.input("x", [2]), 2);
    const settings = { momentum: 0.5, decay: 0, nesterov: false };
    const [one, other] = [
      g.sgd(p, gradient, m, g.constant(1), settings),
      g.sgd(q, gradient, n, g.constant(1), settings),
    ];
    const updates = { p: one[0], m: one[1], q: other[0], n: other[1] };
    const session = await executor.open(
      names.map((name) => ({
        ...slot(name, 2),
        ...(name === "m" ? { beside: "p" } : name === "n" ? { beside: "q" } : {}),
      })),
      Object.fromEntries(names.map((name, i) => [name, Float32Array.of(i, i + 1)])),
    );
    const step = await session.load(g.finish({ outputs: { gradient }, updates }));
    expect(await step({ x: Float32Array.of(1, 2) })).toEqual({ gradient: Float32Array.of(2, 4) });
    expect(await session.read()).toEqual({
      p: Float32Array.of(-2.5, -4),
      m: Float32Array.of(2.5, 5),
      q: Float32Array.of(-1.5, -3),
      n: Float32Array.of(3.5, 6),
    });
    await session.close();
  });

  it("keeps a fed value as state without holding the caller's array", async () => {
    const g = createBuilder({ batch: 1 });
    const x = g.input("x", [2]);
    g.state("a", [2]);
    const session = await executor.open([slot("a", 2)], { a: new Float32Array(2) });
    const set = await session.load(g.finish({ outputs: {}, updates: { a: x } }));
    const fed = Float32Array.of(5, 6);
    await set({ x: fed });
    fed.fill(0);
    expect(await session.read()).toEqual({ a: Float32Array.of(5, 6) });
    await session.close();
  });

  it("shares state between graphs", async () => {
    const one = createBuilder({ batch: 1 });
    const grow = one.finish({ outputs: {}, updates: { a: one.add(one.state("a", [1]), 1) } });
    const two = createBuilder({ batch: 3 });
    const x = two.input("x", ["B", 1]);
    const scale = two.finish({ outputs: { y: two.mul(x, two.state("a", [1])) } });
    const session = await executor.open([slot("a", 1)], { a: Float32Array.of(1) });
    const [step, use] = [await session.load(grow), await session.load(scale)];
    await step({});
    await step({});
    expect(await use({ x: Float32Array.of(1, 2, 3) })).toEqual({ y: Float32Array.of(3, 6, 9) });
    await session.close();
  });

  it("runs one at a time, in the order of the calls", async () => {
    const g = createBuilder({ batch: 1 });
    const a = g.state("a", []);
    const graph = g.finish({ outputs: { a }, updates: { a: g.add(g.mul(a, 2), 1) } });
    const session = await executor.open([slot("a")], { a: Float32Array.of(0) });
    const run = await session.load(graph);
    const seen = await Promise.all([run({}), run({}), run({}), session.read()]);
    expect(seen.map(({ a }) => a?.[0])).toEqual([0, 1, 3, 7]);
    await session.close();
  });

  it("refuses wrong feeds and unknown state by name, and leaves nothing behind", async () => {
    const g = createBuilder({ batch: 2 });
    const x = g.input("x", ["B", 3]);
    const graph = g.finish({ outputs: { y: g.exp(x) } });
    const session = await executor.open([slot("a", 1)], { a: Float32Array.of(1) });
    const run = await session.load(graph);
    const before = session.memory().tensors;
    await expect(run({})).rejects.toThrow('no value for "x"');
    await expect(run({ x: Float32Array.of(1, 2) })).rejects.toThrow('"x" [2, 3] was given 2 values');
    await expect(session.read(["b"])).rejects.toThrow('"b" is not state');
    await expect(session.write({ b: Float32Array.of(1) })).rejects.toThrow('"b" is not state');
    expect(session.memory().tensors).toBe(before);
    await run({ x: new Float32Array(6) });
    expect(session.memory().tensors).toBe(before);
    await session.close();
  });

  it("frees everything when it is closed", async () => {
    const g = createBuilder({ batch: 1 });
    const graph = g.finish({ outputs: { y: g.add(g.state("a", [4]), g.constant(Float32Array.of(1, 2, 3, 4), [4])) } });
    const empty = await executor.open([], {});
    const before = empty.memory();
    const session = await executor.open([slot("a", 4)], { a: new Float32Array(4) });
    const run = await session.load(graph);
    await run({});
    expect(session.memory().tensors).toBeGreaterThan(before.tensors);
    await session.close();
    expect(empty.memory()).toEqual(before);
    await empty.close();
  });
});

it("sessions on different backends take turns without mixing", async () => {
  const g = createBuilder({ batch: 1 });
  const a = g.state("a", []);
  const graph = g.finish({ outputs: { a }, updates: { a: g.add(a, 1) } });
  const backends = ["wasm", "cpu", "wasm", ...here] as const;
  const executors = await Promise.all(backends.map((backend) => openExecutor(backend)));
  const runs = await Promise.all(
    executors.map(async (executor, i) => {
      const session = await executor.open([slot("a")], { a: Float32Array.of(10 * i) });
      return { session, run: await session.load(graph) };
    }),
  );
  for (let turn = 0; turn < 3; turn++) {
    const values = await Promise.all(runs.map(({ run }) => run({})));
    expect(values.map(({ a }) => a?.[0])).toEqual(backends.map((_, i) => 10 * i + turn));
  }
  for (const { session } of runs) await session.close();
  for (const executor of executors) await executor.close();
});

it("a backend can be opened again after it was closed", async () => {
  for (let round = 0; round < 2; round++) {
    const executor = await openExecutor("wasm");
    const session = await executor.open([slot("a", 1)], { a: Float32Array.of(3) });
    expect(await session.read()).toEqual({ a: Float32Array.of(3) });
    await session.close();
    await executor.close();
  }
});

/** Peaks of memory worked out by hand. */

import { describe, expect, test } from "vitest";
import { type Builder, createBuilder, peakMemory, type Tensor } from "../../graph/index.js";
import { published, training } from "./vision.js";

const memoryOf = (build: (g: Builder) => Record<string, Tensor>, updates?: (g: Builder) => Record<string, Tensor>) => {
  const g = createBuilder({ batch: 1 });
  return peakMemory(g.finish({ outputs: build(g), updates: updates?.(g) ?? {} }));
};

describe("peaks worked out by hand, in bytes", () => {
  const x = (g: Builder): Tensor<[4], "float32"> => g.input("x", [4]); // 16 bytes

  test("a chain holds two tensors at a time", () => {
    const memory = memoryOf((g) => ({ y: g.neg(g.sin(g.exp(x(g)))) }));
    expect(memory.bytes).toBe(32);
    expect(memory.node?.operation).toBe("exp");
  });

  test("what is read later is held meanwhile", () => {
    const memory = memoryOf((g) => {
      const a = x(g);
      return { y: g.add(g.sin(g.exp(a)), a) };
    });
    expect(memory.bytes).toBe(48);
    expect(memory.node?.operation).toBe("sin");
  });

  test("the peak lies where the largest tensor is", () => {
    const memory = memoryOf((g) => ({ y: g.sum(g.exp(g.broadcast(x(g), [10, 4]))) }));
    expect(memory.bytes).toBe(160 + 160);
    expect(memory.node?.operation).toBe("exp");
  });

  test("reshape takes nothing, and keeps its input alive", () => {
    const memory = memoryOf((g) => {
      const flat = g.reshape(g.exp(x(g)), [2, 2]);
      return { y: g.add(g.neg(flat), flat) };
    });
    expect(memory.bytes).toBe(48); // exp, neg and their sum
    expect(memory.node?.operation).toBe("add");
  });

  test("a repeated constant is one number, and constants and state stay", () => {
    const memory = memoryOf((g) => ({ y: g.mul(g.state("w", [4]), g.constant(2, [4])) }));
    expect(memory).toMatchObject({ bytes: 16 + 4 + 16, state: 16, constants: 4 });
  });

  test("updated state ends at its last reader", () => {
    const g = createBuilder({ batch: 1 });
    const w = g.state("w", [4]);
    const next = g.neg(w);
    const y = g.exp(next);
    expect(peakMemory(g.finish({ outputs: { y }, updates: { w: next } })).bytes).toBe(32);
    expect(peakMemory(g.finish({ outputs: { y, next } })).bytes).toBe(48);
  });

  test("outputs that nothing reads take nothing, but for attention's probabilities", () => {
    const norm = memoryOf((g) => ({ y: g.layerNorm(x(g), g.constant(1, [4]), g.constant(0, [4]), 1e-6)[0] }));
    expect(norm.bytes).toBe(16 + 8 + 16);
    const attention = memoryOf((g) => {
      const q = g.input("q", [1, 1, 4, 1]);
      return { y: g.attention(q, q, q, 1)[0] };
    });
    expect(attention.bytes).toBe(16 + 16 + 64);
  });

  test("bool takes one byte", () => {
    expect(memoryOf((g) => ({ y: g.less(x(g), g.input("z", [4])) })).bytes).toBe(36);
  });

  test("feeds are there from the start, and one that nothing reads stays", () => {
    const memory = memoryOf((g) => {
      g.input("unread", [100]);
      return { y: g.exp(x(g)), z: g.exp(g.input("later", [4])) };
    });
    expect(memory.bytes).toBe(400 + 16 + 16 + 16);
  });
});

test("a training step of ViT-B holds parameters, two moments and gradients at its peak", () => {
  const { bytes, state } = peakMemory(training(published("base")));
  const parameters = state / 3;
  expect(bytes).toBeGreaterThan(4 * parameters);
  expect(bytes).toBeLessThan(4.2 * parameters); // one sample: little besides
});

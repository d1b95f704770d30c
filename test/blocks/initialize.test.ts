/** How weights start: distributions by their moments, the position table by the official numbers. */

import { describe, expect, it } from "vitest";
import { fixed, type Initializer, initialize, parameter } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { readTensorFile, type StoredTensor } from "../../runtime/index.js";

const start = (shape: readonly number[], init: Initializer) =>
  initialize(parameter([...shape], init), randomStream(1, "init", 2));

function moments(values: Float32Array) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance), largest: values.reduce((max, x) => Math.max(max, Math.abs(x)), 0) };
}

describe("initialize", () => {
  it("fills with constants", () => {
    expect(start([2, 2], { kind: "zeros" })).toEqual(Float32Array.of(0, 0, 0, 0));
    expect(start([3], { kind: "ones" })).toEqual(Float32Array.of(1, 1, 1));
  });

  it.each<[Initializer, readonly number[], { std: number; below: number }]>([
    [{ kind: "normal", std: 0.02 }, [100, 100], { std: 0.02, below: 0.12 }],
    // The standard normal cut at 2 has a deviation of 0.8796.
    [{ kind: "truncated_normal", std: 0.1 }, [100, 100], { std: 0.08796, below: 0.2 }],
    [{ kind: "uniform", bound: 0.3 }, [100, 100], { std: 0.3 / Math.sqrt(3), below: 0.3 }],
    [{ kind: "xavier_uniform" }, [150, 50], { std: Math.sqrt(2 / 200), below: Math.sqrt(6 / 200) }],
    [{ kind: "xavier_uniform" }, [40, 3, 8, 8], { std: Math.sqrt(2 / 232), below: Math.sqrt(6 / 232) }],
  ])("draws %j", (init, shape, { std, below }) => {
    const found = moments(start(shape, init));
    expect(Math.abs(found.mean)).toBeLessThan(std / 20);
    expect(found.std / std).toBeCloseTo(1, 1);
    expect(Math.abs(found.std / std - 1)).toBeLessThan(0.03);
    expect(found.largest).toBeLessThanOrEqual(Math.fround(below));
    expect(found.largest).toBeGreaterThan(below * 0.6);
    expect(start(shape, init)).toEqual(start(shape, init));
  });

  it("draws rows of length 1 that point anywhere", () => {
    const [rows, width] = [2000, 8];
    const values = start([rows, width], { kind: "unit_rows" });
    const of = (row: number) => values.subarray(row * width, (row + 1) * width);
    for (let row = 0; row < rows; row++) expect(of(row).reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
    const { mean, std } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(std).toBeCloseTo(1 / Math.sqrt(width), 5);
    // The square of a share of a direction: of so many axes, its mean fourth power is 3 / (D (D + 2)).
    expect(values.reduce((sum, x) => sum + x ** 4, 0) / values.length).toBeCloseTo(3 / (width * (width + 2)), 3);
  });

  it.each([
    ["square", 4, 4],
    ["rectangle", 6, 5],
  ])("makes the official position tables of the %s", async (name, rows, columns) => {
    const { tensors } = await readTensorFile(`test/reference/mae-${name}.safetensors`);
    for (const key of ["weights/pos_embed", "weights/decoder_pos_embed"]) {
      const { shape, values } = tensors.get(key) as StoredTensor;
      const made = initialize(
        fixed([...shape], { kind: "sin_cos", counts: [rows, columns], extra: 1 }),
        randomStream(0, "init"),
      );
      const differences = Array.from(made, (value, i) => Math.abs(value - Number(values[i])));
      // One unit in the last place of float32 at 1: two libraries' pow and sin.
      expect(Math.max(...differences)).toBeLessThanOrEqual(2 ** -23);
    }
  });

  it("refuses a position table of a width or size that cannot be", () => {
    const table = (shape: readonly number[]) => start(shape, { kind: "sin_cos", counts: [2, 2], extra: 0 });
    expect(() => table([1, 4, 6])).toThrow(/divisible by 4/);
    expect(() => table([1, 5, 8])).toThrow(/no room/);
  });
});

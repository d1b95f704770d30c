/** The masks of I-JEPA: rectangles of the drawn sizes, what is seen outside of them, and what a model must have to predict them. */

import { expect, test } from "vitest";
import { masks } from "../../../blocks/index.js";
import { randomStream } from "../../../graph/index.js";
import { valuesOf } from "../../support/data.js";
import { analyzed } from "../../support/model.js";
import { contextOf, gridOf } from "./drawn.js";

const { multiBlock } = masks;

/** Rows and columns of the box around tokens. */
function boxOf(tokens: readonly number[], columns: number): readonly [number, number] {
  const side = (places: readonly number[]): number => Math.max(...places) - Math.min(...places) + 1;
  return [side(tokens.map((token) => Math.floor(token / columns))), side(tokens.map((token) => token % columns))];
}

test.each([
  { rows: 14, columns: 14, values: {}, count: 29, visible: 49 },
  { rows: 7, columns: 9, values: { scale: [0.2, 0.3], aspect: [0.5, 2], blocks: 2 }, count: 12, visible: 15 },
  { rows: 4, columns: 4, values: { visible: 0.5 }, count: 2, visible: 8 },
  // So much is seen that all rectangles are one.
  { rows: 4, columns: 4, values: { visible: 0.8 }, count: 2, visible: 12 },
])("$rows x $columns: rectangles of $count tokens, $visible seen", ({ rows, columns, values, count, visible }) => {
  const p = valuesOf(multiBlock, values as never);
  const grid = gridOf(rows, columns);
  expect(multiBlock.visible(p, grid)).toBe(visible);
  const field = multiBlock.field?.(p, { array: contextOf(grid).array as never, grid });
  const places = new Set<number>();
  const boxes = new Set<string>();
  for (let sample = 0; sample < 60; sample++) {
    const asked = field?.compute({ array: new Float32Array(), label: null, random: randomStream(1, "mask", sample) });
    const blocks = Array.from(asked ?? []);
    expect(blocks).toHaveLength(count * p.blocks);
    for (let b = 0; b < p.blocks; b++) {
      const own = blocks.slice(b * count, (b + 1) * count);
      expect(own).toEqual([...new Set(own)].sort((x, y) => x - y));
      const [height, width] = boxOf(own, columns);
      // All but the end of its last rows.
      expect(own.length).toBeGreaterThan((height - 1) * width);
      expect(height).toBeLessThan(rows);
      expect(width).toBeLessThan(columns);
      boxes.add(`${height}x${width}`);
    }
    const order = multiBlock.sample(p, grid, randomStream(2, "mask", sample), asked);
    const seen = [...order.subarray(0, visible)];
    expect(seen.some((token) => blocks.includes(token))).toBe(false);
    expect([...order].sort((x, y) => x - y)).toEqual(Array.from({ length: rows * columns }, (_, i) => i));
    for (const token of seen) places.add(token);
  }
  expect(places.size).toBe(rows * columns);
  expect(boxes.size).toBeGreaterThan(1);
});

test("a mask of blocks and a decoder of them belong together, and predict no picture", () => {
  const errors = (mask: string, decoder: string, ...lines: readonly string[]) =>
    analyzed(`edition 2026
model M {
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 8x8)
  mask    ${mask}
  encoder vit(depth: 2, width: 16, heads: 2)
  decoder ${decoder}
${lines.map((line) => `  ${line}\n`).join("")}}
`).diagnostics.map(({ message }) => message);
  const vit = "vit(depth: 1, width: 16, heads: 2)";
  const features = ["target features(layers: 1)", "loss smooth_l1", "teacher ema"];
  expect(errors("multi_block", `block_${vit}`, ...features)).toEqual([]);
  expect(errors("multi_block", vit, ...features)).toEqual([
    "the mask `multi_block` has blocks of hidden patches, each predicted by itself, and the decoder `vit` predicts all of them at once",
  ]);
  expect(errors("random", `block_${vit}`, ...features)).toEqual([
    "the decoder `block_vit` predicts blocks of hidden patches, and the mask `random` has none",
  ]);
  expect(errors("multi_block", `block_${vit}`, "target pixels", "loss mse")).toEqual([
    "the target `pixels` leads back to a picture, and the mask `multi_block` has blocks of patches, not all of one",
  ]);
  expect(errors("multi_block(scale: 80%..90%)", `block_${vit}`, ...features)).toEqual([
    "80% of 16 tokens are 12, and a rectangle has at most 9",
  ]);
  expect(errors("multi_block(visible: 95%)", `block_${vit}`, ...features)).toEqual([
    "95% of 16 tokens are 15, and a rectangle has 2",
  ]);
});

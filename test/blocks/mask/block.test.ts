/** Block-wise masking: rectangles, hidden together. */

import { expect, test } from "vitest";
import { block, random } from "../../../blocks/mask/index.js";
import { draw, gridOf, plain } from "./drawn.js";

const beit = { ratio: 0.4, min_block: 16, aspect: [0.3, 3.3333] } as const;

/** Share of hidden patches' neighbours to the right that are hidden too, over `samples` draws on 14x14. */
function clustering(visibleOf: (sample: number) => readonly number[], samples: number): number {
  let [hidden, together] = [0, 0];
  for (let sample = 0; sample < samples; sample++) {
    const visible = new Set(visibleOf(sample));
    for (let token = 0; token < 196; token++) {
      if (visible.has(token) || token % 14 === 13) continue;
      hidden++;
      if (!visible.has(token + 1)) together++;
    }
  }
  return together / hidden;
}

test("hides patches together, unlike a random mask of the same ratio", () => {
  const grid = gridOf(14, 14);
  const blocks = clustering((sample) => draw(block, beit, grid, sample).visible, 200);
  const alone = clustering((sample) => draw(random, { ratio: 0.4 }, grid, sample).visible, 200);
  expect(alone).toBeCloseTo(0.4, 1);
  expect(blocks).toBeGreaterThan(0.75);
});

test("hides as many patches of 14x14 as the scripts of BEiT and MaskFeat, by the shares that the page names", () => {
  const hidden = (ratio: number) => 196 - block.visible({ ...plain, ...beit, ratio }, gridOf(14, 14));
  expect([hidden(0.38), hidden(0.395), hidden(0.4)]).toEqual([75, 78, 79]);
  expect(draw(block, { ...beit, ratio: 0.38 }, gridOf(14, 14), 1).visible.length).toBe(121);
});

test("hides one rectangle where a single block meets the count", () => {
  // 9 of 36 patches to hide, blocks of area 9 and aspect 1: the first block is 3x3.
  const grid = gridOf(6, 6);
  for (let sample = 0; sample < 50; sample++) {
    const { order } = draw(block, { ratio: 0.25, min_block: 9, aspect: [1, 1] }, grid, sample);
    const hidden = order.slice(27);
    const rows = new Set(hidden.map((token) => Math.floor(token / 6)));
    const columns = new Set(hidden.map((token) => token % 6));
    expect([hidden.length, rows.size, columns.size]).toEqual([9, 3, 3]);
    expect(Math.max(...rows) - Math.min(...rows)).toBe(2);
    expect(Math.max(...columns) - Math.min(...columns)).toBe(2);
  }
});

test("follows the aspect", () => {
  // 5 of 64 patches to hide, area 5: height / width is 1/5 or 5.
  const values = (aspect: number) => ({ ratio: 0.07, min_block: 5, aspect: [aspect, aspect] }) as const;
  for (let sample = 0; sample < 20; sample++) {
    const hidden = (aspect: number) => draw(block, values(aspect), gridOf(8, 8), sample).order.slice(59);
    expect(new Set(hidden(0.2).map((token) => Math.floor(token / 8))).size).toBe(1);
    expect(new Set(hidden(5).map((token) => token % 8)).size).toBe(1);
  }
});

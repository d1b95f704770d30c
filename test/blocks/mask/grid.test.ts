/** Regular masking: which patches are visible, by stride, phase and border. */

import { describe, expect, test } from "vitest";
import { grid } from "../../../blocks/mask/index.js";
import { contextOf, draw, gridOf, plain, timesVisible } from "./drawn.js";

test("shows the top left of each 2x2 cell, a quarter of an even grid", () => {
  const { visible, order } = draw(grid, { stride: [2, 2], phase: "fixed" }, gridOf(4, 4), 0);
  expect(visible).toEqual([0, 2, 8, 10]);
  expect(order.length).toBe(16);
});

test("keeps its count where cells at the border are smaller", () => {
  for (const phase of ["fixed", "random", "cell"] as const) {
    for (let sample = 0; sample < 50; sample++) {
      const { visible } = draw(grid, { stride: [2, 3], phase }, gridOf(5, 7), sample);
      const cells = new Set(visible.map((token) => [Math.floor(token / 7 / 2), Math.floor((token % 7) / 3)].join()));
      expect(visible.length).toBe(9);
      expect(cells.size).toBe(9);
    }
  }
});

describe("phase", () => {
  const stride = [2, 2] as const;
  test("random is one place for a whole sample", () => {
    const places = new Set<string>();
    for (let sample = 0; sample < 50; sample++) {
      const { visible } = draw(grid, { stride, phase: "random" }, gridOf(4, 6), sample);
      const inCell = new Set(visible.map((token) => [Math.floor(token / 6) % 2, (token % 6) % 2].join()));
      expect(inCell.size).toBe(1);
      for (const place of inCell) places.add(place);
    }
    expect(places.size).toBe(4);
  });
  test.each(["random", "cell"] as const)("%s shows every patch equally often", (phase) => {
    const samples = 4000;
    for (const count of timesVisible(grid, { stride, phase }, gridOf(4, 4), samples)) {
      expect(Math.abs(count - samples / 4)).toBeLessThan(5 * Math.sqrt(samples * 0.25 * 0.75));
    }
  });
  test("cell draws each cell on its own", () => {
    const masks = new Set<string>();
    for (let sample = 0; sample < 400; sample++) {
      masks.add(draw(grid, { stride, phase: "cell" }, gridOf(2, 4), sample).visible.join());
    }
    expect(masks.size).toBe(16);
  });
});

test("finds cells of one patch, which hide nothing", () => {
  const rule = grid.requires?.find(({ name }) => name === "hides-one");
  const context = contextOf(gridOf(4, 1));
  const values = { ...plain, stride: [1, 2], phase: "fixed" } as const;
  expect(rule?.holds(values, context)).toBe(false);
  expect(rule?.say(values, context)).toBe("cells of 1x2 on a grid of 4x1 patches hide no patch");
  expect(rule?.help?.(values, context)).toBe("the smallest cells that hide some are 2x1");
});

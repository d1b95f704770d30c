/** Stripes: whole rows and columns are hidden, as many as the shares say. */

import { expect, test } from "vitest";
import { stripes } from "../../../blocks/mask/index.js";
import { draw, gridOf } from "./drawn.js";

test("a patch is visible where its row and its column are, of which so many are", () => {
  const grid = gridOf(64, 8);
  const seen = [0, 1].map((sample) => {
    const { visible } = draw(stripes, { first: 0.2, second: 0.3 } as never, grid, sample);
    const rows = new Set([...visible].map((token) => Math.floor(token / 8)));
    const columns = new Set([...visible].map((token) => token % 8));
    expect([rows.size, columns.size, visible.length]).toEqual([51, 5, 51 * 5]);
    return [...visible];
  });
  expect(seen[0]).not.toEqual(seen[1]);
});

test("one share may be nothing", () => {
  const { visible } = draw(stripes, { first: 0, second: 0.5 } as never, gridOf(3, 4), 0);
  expect(visible.length).toBe(6);
});

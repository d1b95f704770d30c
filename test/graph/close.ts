/** Whether two runs of graphs gave the same numbers. */

import { expect } from "vitest";
import type { Values } from "../../graph/index.js";

/** Names are equal, and each element to `digits` decimal places, relative to the largest of its tensor where that is above 1. */
export function expectClose(actual: Values, expected: Values, digits: number): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const found = actual[name];
    expect(found, name).toHaveLength(values.length);
    let scale = 1;
    for (const value of values) scale = Math.max(scale, Math.abs(value));
    for (const [i, value] of values.entries()) {
      expect((found?.[i] as number) / scale, `${name}[${i}]`).toBeCloseTo(value / scale, digits);
    }
  }
}

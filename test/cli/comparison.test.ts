/** The page that compares the members of a family: whole, sound, and closed to whatever a spec says. */

import { expect, test } from "vitest";
import { type Compared, comparisonHtml } from "../../cli/words/comparison.js";

const member = (name: string, more: Partial<Compared> = {}): Compared => ({
  name,
  parameters: 1234,
  trainable: 1200,
  following: 0,
  tokens: { total: 16, visible: 4, hidden: 12 },
  flops: { forward: 1e6, training: 3e6 },
  differences: [{ path: "mask", value: "random(ratio: 75%)" }],
  batch: 32,
  seed: 0,
  steps: 100,
  loss: 0.5,
  scores: {},
  failure: null,
  ...more,
});

const page = (members: readonly Compared[]): string =>
  comparisonHtml({ format_version: "1.0", family: "Study", base: "Mae", recipe: "Train", members });

test("has a row for each member and a bar for each of its numbers, the longest at full length", () => {
  const html = page([member("Study.a", { scores: { "knn top1": 0.9 } }), member("Study.b", { loss: 0.25 })]);
  expect(html.match(/<tr><td/g)).toHaveLength(2);
  expect(html).toContain("<td>1,234</td>");
  expect(html.match(/<svg /g)).toHaveLength(3);
  const loss = html.slice(html.indexOf("<figcaption>loss"));
  const widths = [...loss.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect(widths.slice(0, 4)).toEqual([480, 240, 480, 0]);
});

test("escapes everything", () => {
  const evil = `"><script>alert('1')</script>&`;
  const html = page([member(`Study.${evil}`, { differences: [{ path: evil, value: evil }], scores: { [evil]: 1 } })]);
  expect(html).not.toContain("<script");
  expect(html).not.toContain("alert('1')");
  expect(html).toContain("&lt;script&gt;");
});

test("keeps its form where numbers are missing, and says what failed", () => {
  const failed = { loss: null, steps: 3, failure: "The loss at step 4 is NaN" };
  const html = page([
    member("Study.a", { loss: null }),
    member("Study.b", { ...failed, scores: { "knn top1": null } }),
  ]);
  expect(html).not.toContain(">NaN<");
  expect(html).not.toMatch(/(?:width|x)="NaN/);
  expect(html).toContain(">none</text>");
  expect(html).toContain('<p class="failed">b failed after 3 steps. The loss at step 4 is NaN</p>');
  expect(html).toContain("trained 100 steps of 32 samples");
});

test("draws numbers below zero to the left of it", () => {
  const html = page([member("Study.a", { loss: 3 }), member("Study.b", { loss: -1 })]);
  const loss = html.slice(html.indexOf("<figcaption>loss"));
  const bars = [...loss.matchAll(/<rect x="([\d.]+)"[^>]*width="([\d.]+)"/g)].map(([, x, width]) => [
    Number(x),
    Number(width),
  ]);
  const [[zero], [start, width]] = bars as [[number, number], [number, number]];
  expect(bars.map(([, length]) => length)).toEqual([360, 120]);
  expect(start + width).toBeCloseTo(zero);
});

test("shows what members were trained with where it is not the same", () => {
  const html = page([member("Study.a"), member("Study.b", { steps: 200, batch: 64 })]);
  for (const title of ["steps", "batch"]) expect(html).toContain(`<th>${title}</th>`);
  expect(html).not.toContain("<th>seed</th>");
  expect(html).toContain("trained not all alike");
});

test("has colours for a dark screen, and room for long names", () => {
  const html = page([member(`Study.${"mask-spiral.".repeat(20)}`)]);
  expect(html).toContain("prefers-color-scheme: dark");
  const [, left] = /<text x="(\d+)"/.exec(html) ?? [];
  expect(Number(left)).toBeGreaterThan(20 * "mask-spiral.".length * 7);
});

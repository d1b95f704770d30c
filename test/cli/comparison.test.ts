/** The page that compares the members of a family: whole, sound, and closed to whatever a spec says. */

import { expect, test } from "vitest";
import { type Compared, comparisonHtml } from "../../cli/comparison.js";

const member = (name: string, more: Partial<Compared> = {}): Compared => ({
  name,
  parameters: 1234,
  trainable: 1200,
  following: 0,
  tokens: { total: 16, visible: 4, hidden: 12 },
  flops: { forward: 1e6, training: 3e6 },
  differences: [{ path: "mask", value: "random(ratio: 75%)" }],
  steps: 100,
  loss: 0.5,
  scores: {},
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

test("keeps its form where numbers are missing or odd", () => {
  const html = page([member("Study.a", { loss: null }), member("Study.b", { loss: Number.NaN })]);
  expect(html).not.toMatch(/(?:width|x)="NaN/);
  expect(html).toContain(">none</text>");
});

/** The page that compares the members of a family: whole, sound, and closed to whatever a spec says. */

import { expect, test } from "vitest";
import { type Compared, comparisonHtml } from "../../cli/words/comparison.js";
import { seedStudy, studentQuantile } from "../../cli/words/significance.js";

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
  comparisonHtml({
    format_version: "1.0",
    family: "Study",
    base: "Mae",
    recipe: "Train",
    members,
    seeds: seedStudy(members),
  });

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

test("has the quantiles of Student's t", () => {
  // scipy.stats.t.ppf((1 + p) / 2, degrees)
  const known = [
    [0.95, 1, 12.706204736174694],
    [0.95, 2, 4.302652729749462],
    [0.95, 3, 3.1824463052837078],
    [0.95, 9, 2.262157162798205],
    [0.9875, 2, 8.860200034654316],
    [0.99, 4, 4.604094871349992],
    [0.95, 30, 2.0422724563012378],
  ] as const;
  for (const [p, degrees, expected] of known) expect(studentQuantile(p, degrees)).toBeCloseTo(expected, 9);
});

test("says of several seeds what they tell and what they do not", () => {
  const trained = (mask: string, scores: readonly number[]): readonly Compared[] =>
    scores.map((top1, seed) =>
      member(`Study.mask-${mask}.seed-${seed}`, {
        seed,
        scores: { "knn top1": top1 },
        differences: [
          { path: "mask", value: mask },
          { path: "seed", value: String(seed) },
        ],
      }),
    );
  const better = trained("good", [0.6, 0.62, 0.61]);
  const like = trained("like", [0.5, 0.56, 0.53]);
  const members = [...trained("base", [0.5, 0.53, 0.515]), ...better, ...like];
  const study = seedStudy(members);
  expect(study?.groups[0]).toMatchObject({
    name: "mask-base",
    seeds: [0, 1, 2],
    members: members.slice(0, 3).map(({ name }) => name),
  });
  expect(study?.groups[0]?.scores["knn top1"]?.mean).toBeCloseTo(0.515, 12);
  expect(study?.groups[0]?.scores["knn top1"]?.deviation).toBeCloseTo(0.015, 12);
  const [good, undecided] = study?.differences ?? [];
  // Differences 0.1, 0.09, 0.095: deviation 0.005; the quantile of 97.5 % at two degrees is 6.205.
  expect(good).toMatchObject({ group: "mask-good", reference: "mask-base", seeds: 3, verdict: "higher" });
  expect(good?.interval?.[0]).toBeCloseTo(0.095 - (studentQuantile(0.975, 2) * 0.005) / Math.sqrt(3), 9);
  expect(undecided).toMatchObject({ group: "mask-like", verdict: "undecided" });
  const said = study?.said.join("\n") ?? "";
  expect(said).toContain("knn top1: mask-good is higher than mask-base by 0.095");
  expect(said).toContain("mask-like and mask-base cannot be told apart by these seeds");
  expect(said).toContain("With 3 seeds an interval is 2.48 deviations or more to each side");
  expect(said).toContain("few classes or few test images");
  expect(study?.rule).toContain("Bonferroni");
  expect(page(members)).toContain("0.5150 ± 0.015");
  expect(page(members)).toContain("trained 100 steps of 32 samples");
  expect(seedStudy([member("Study.a"), member("Study.b")])).toBeNull();
  // A seed that failed in one of two is compared in neither.
  const failed = members.map((one, i) => (i === 4 ? { ...one, failure: "NaN", scores: {} } : one));
  expect(seedStudy(failed)?.differences[0]).toMatchObject({ group: "mask-good", seeds: 2 });
});

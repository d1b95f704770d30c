/** What several seeds say of the members of a family, and how numbers are drawn side by side. */

import { expect, test } from "vitest";
import { bars } from "../../cli/watch/bars.js";
import { type SeedMember, seedStudy, studentQuantile } from "../../cli/words/significance.js";

const member = (name: string, more: Partial<SeedMember> = {}): SeedMember => ({
  name,
  differences: [{ path: "mask", value: "random(ratio: 75%)" }],
  seed: 0,
  loss: 0.5,
  scores: {},
  failure: null,
  ...more,
});

const widthsIn = (html: string): readonly number[] =>
  [...html.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));

test("bars begin at zero, and the longest has the full length", () => {
  const html = bars("loss", [
    { label: "a", value: 0.5, text: "0.5" },
    { label: "b", value: 0.25, text: "0.25" },
    { label: "c", value: null, text: "failed" },
    { label: "d", value: Number.NaN, text: "none" },
  ]);
  expect(widthsIn(html)).toEqual([480, 240, 0, 0]);
  expect(html).not.toMatch(/(?:width|x)="NaN/);
  expect(html).toContain(">failed</text>");
});

test("bars of numbers below zero go to the left of it", () => {
  const html = bars("loss", [
    { label: "a", value: 3, text: "3" },
    { label: "b", value: -1, text: "-1" },
  ]);
  const drawn = [...html.matchAll(/<rect x="([\d.]+)"[^>]*width="([\d.]+)"/g)].map(([, x, width]) => [
    Number(x),
    Number(width),
  ]);
  const [[zero], [start, width]] = drawn as [[number, number], [number, number]];
  expect(drawn.map(([, length]) => length)).toEqual([360, 120]);
  expect(start + width).toBeCloseTo(zero);
});

test("bars escape their words and leave room for long ones", () => {
  const evil = `"><script>alert('1')</script>&`;
  const html = bars(evil, [{ label: evil.repeat(10), value: 1, text: evil }]);
  expect(html).not.toContain("<script");
  expect(html).toContain("&lt;script&gt;");
  const [, left] = /<text x="(\d+)"/.exec(html) ?? [];
  expect(Number(left)).toBeGreaterThan(10 * evil.length * 7);
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
  const trained = (mask: string, scores: readonly number[]): readonly SeedMember[] =>
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
  expect(seedStudy([member("Study.a"), member("Study.b")])).toBeNull();
  // A seed that failed in one of two is compared in neither.
  const failed = members.map((one, i) => (i === 4 ? { ...one, failure: "NaN", scores: {} } : one));
  expect(seedStudy(failed)?.differences[0]).toMatchObject({ group: "mask-good", seeds: 2 });
});

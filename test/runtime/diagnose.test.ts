/** The measures of `mae diagnose` are those of NumPy, SciPy and scikit-learn on the same numbers (`test/reference/diagnostics.py`). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Lattice } from "../../blocks/index.js";
import { type Builder, createBuilder, evaluate, randomStream, type Tensor } from "../../graph/index.js";
import {
  alignment,
  centredProducts,
  clustersOf,
  kernelAlignment,
  meanVariance,
  normalizedCut,
  participationRatio,
  type Rows,
  sharedInformation,
  spectrumOf,
  uniformity,
} from "../../runtime/diagnose/features.js";
import {
  attentionMeasures,
  distancesIn,
  exploitation,
  tokenMeasures,
  wavesOver,
} from "../../runtime/diagnose/in-graph.js";
import { excesses, meanOf, rowOfFirst } from "../../runtime/diagnose/reading.js";

const known = JSON.parse(readFileSync(join(import.meta.dirname, "../reference/diagnostics.json"), "utf8"));
const { batch, heads, side, patch, width, rows } = known.sizes as Readonly<Record<string, number>> as {
  readonly [name in "batch" | "heads" | "side" | "patch" | "width" | "rows"]: number;
};
const count = side * side;
const grid: Lattice = [
  { name: "row", count: side, size: patch },
  { name: "column", count: side, size: patch },
];

const close = (found: Iterable<number>, wanted: readonly number[], tolerance = 1e-6): void => {
  const all = [...found];
  expect(all.length).toBe(wanted.length);
  for (const [i, value] of all.entries()) {
    expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(
      tolerance * Math.max(1, Math.abs(wanted[i] as number)),
    );
  }
};

const computed = (build: (g: Builder) => Tensor): readonly number[] => {
  const g = createBuilder({ batch });
  return [...(evaluate(g.finish({ outputs: { found: build(g) } }), {}, {}).outputs.found ?? [])].map(Number);
};

const given = (values: readonly number[], columns: number): Rows => ({
  values: Float32Array.from(values),
  count: values.length / columns,
  width: columns,
});

test("attention has NumPy's distance, entropy and mutual information, without its class token", () => {
  const found = computed((g) => {
    const maps = g.constant(Float32Array.from(known.maps[0]), [batch, heads, count + 1, count + 1]);
    return attentionMeasures(g, maps, 1, g.constant(distancesIn(grid), [count, count]));
  });
  close(found, known.attention);
});

test("what a class token attends to most is told from the median as NumPy does it", () => {
  const shape = [batch, heads, count + 1, count + 1] as const;
  const rows = computed((g) => rowOfFirst(g, g.constant(Float32Array.from(known.maps[0]), [...shape]), 1));
  const found = excesses(Float32Array.from(rows), [batch, heads, count]);
  close([Math.exp(meanOf([...found]))], [known.excess], 1e-5);
});

test("tokens have NumPy's cosines, variances and amplitudes of waves", () => {
  const { count: bins, waves } = wavesOver(grid) as { count: number; waves: Float32Array };
  expect(bins).toBe(3);
  const found = computed((g) =>
    tokenMeasures(
      g,
      g.constant(Float32Array.from(known.tokens), [batch, count, width]),
      g.constant(waves, [2 * bins, count]),
    ),
  );
  close(found, known.of_tokens, 1e-5);
  expect(wavesOver([{ name: "row", count: 2, size: 1 }, grid[1] as Lattice[number]])).toBeNull();
});

test("what a decoder uses is rolled out through its layers", () => {
  const found = computed((g) =>
    exploitation(
      g,
      known.maps.map((one: number[]) => g.constant(Float32Array.from(one), [batch, heads, count + 1, count + 1])),
      g.constant(Float32Array.from(known.visible), [batch, count]),
    ),
  );
  close(found, known.exploitation);
});

test("features have NumPy's spectrum, spread and likeness", () => {
  const features = given(known.features, width);
  close(spectrumOf(features), known.spectrum, 1e-5);
  close([participationRatio(spectrumOf(features))], [known.participation_ratio], 1e-5);
  close([meanVariance(spectrumOf(features), features)], [known.variance], 1e-5);
  close([uniformity(features)], [known.uniformity], 1e-5);
  close([alignment(features, given(known.turned, width))], [known.alignment], 1e-5);
  close(
    [kernelAlignment(centredProducts(features), centredProducts(given(known.other, 8)))],
    [known.kernel_alignment],
    1e-5,
  );
  // Seen by their samples, where these are fewer than features.
  const few: Rows = { values: features.values.slice(0, 3 * width), count: 3, width };
  expect(spectrumOf(few)).toHaveLength(3);
});

test("clusters that lie apart are found, and shared information is scikit-learn's", () => {
  const clusters = clustersOf(given(known.features, width), 3, randomStream(0, "probe"));
  expect(sharedInformation(clusters, Int32Array.from(known.labels))).toBeCloseTo(1, 12);
  expect(sharedInformation(Int32Array.from(known.groups), Int32Array.from(known.labels))).toBeCloseTo(
    known.shared_information,
    12,
  );
  expect(clusters).toHaveLength(rows);
});

test("a cut is that of SciPy's eigenvector", () => {
  const { sides, gap } = normalizedCut(given(known.scene, width), randomStream(1, "probe"));
  expect([...sides]).toEqual(known.sides);
  expect(gap).toBeCloseTo(known.gap, 6);
});

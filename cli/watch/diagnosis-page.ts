/** What `mae diagnose` found as one HTML file that loads nothing: curves over layers, spectra, groups of patches, and what each number means. */

import type { Diagnosis } from "../../runtime/index.js";
import { filledColumns } from "../words/columns.js";
import { escaped } from "../words/html.js";
import { shortNumber } from "../words/progress.js";
import { chart, type Drawn, legend } from "./chart.js";
import { documentHtml, table } from "./document.js";

export interface DiagnosisPage {
  readonly title: string;
  /** Model, step and samples, in words. */
  readonly subtitle: string;
  readonly script: string;
  /** What the other model is called; null: there is none. */
  readonly against: string | null;
  /** Groups of patches, as an address that holds them; null: there is no picture. */
  readonly picture: string | null;
}

export function diagnosisHtml(found: Diagnosis, { title, subtitle, script, against, picture }: DiagnosisPage): string {
  const parts = [
    featuresOf(found),
    attentionOf(found),
    tokensOf(found),
    decoderOf(found),
    groupsOf(found, picture),
    likenessOf(found, against),
  ];
  return documentHtml({ title, subtitle: `${subtitle}; written by mae diagnose`, parts, script });
}

/** A curve whose points may be ranges. */
const curve = (
  label: string,
  colour: number,
  points: readonly (readonly [x: number, values: readonly number[]])[],
): Drawn => ({
  label,
  colour,
  stretches: points.map(([step, values]) => ({
    step,
    time: null,
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    least: Math.min(...values),
    most: Math.max(...values),
    count: values.length,
  })),
});

const overLayers = (title: string, ...drawn: readonly Drawn[]): string =>
  chart(drawn, { title, isLog: false, across: "layers" });

const charts = (...all: readonly string[]): string => `<div class="charts">${all.join("\n")}</div>`;

/** A table without the columns of which nothing is known. */
const filled = (...[head, rows]: Parameters<typeof table>): string => {
  const [known = [], ...cells] = filledColumns([head, ...rows]);
  return table(known, cells);
};

const orNone = (value: number | null): string => (value === null ? "" : shortNumber(value));

function featuresOf({ features }: Diagnosis): string {
  const rows = features.map((one) => [
    one.pool === "cls" ? "class token" : "mean of patches",
    ...[one.width, one.effective_rank, one.participation_ratio, one.variance, one.uniformity].map(shortNumber),
    orNone(one.alignment),
    orNone(one.clusters),
  ]);
  const head = [
    "features",
    "numbers",
    "effective rank",
    "participation ratio",
    "variance",
    "uniformity",
    "alignment",
    "clusters and classes",
  ];
  const spectra = features.map(({ pool, spectrum }, i) =>
    curve(
      pool === "cls" ? "class token" : "mean of patches",
      i,
      // Directions that a norm takes away would stretch the scale over ten decades.
      [...spectrum.entries()].flatMap(([at, value]) =>
        value > 1e-4 * (spectrum[0] ?? 0) ? [[at + 1, [value]] as const] : [],
      ),
    ),
  );
  return `<h2>Features</h2>${filled(head, rows)}
<p>Effective rank and participation ratio say in how many directions features spread; far fewer than there are numbers means that they have collapsed, and so does a variance over samples near 0. Uniformity is the lower the more evenly
features lie on the sphere, alignment the lower the nearer those of one sample under two masks are. Clusters and classes: what as many clusters as there are classes share with these, from 0 to 1.</p>
${legend(spectra)}${charts(chart(spectra, { title: "spectrum: deviation along each direction", isLog: true, across: "directions" }))}`;
}

function attentionOf({ attention, artifacts }: Diagnosis): string {
  if (!attention) return "";
  const drawn = (
    title: string,
    of: (layer: NonNullable<Diagnosis["attention"]>[number]) => readonly number[],
  ): string =>
    overLayers(
      title,
      curve(
        "heads",
        0,
        attention.map((one) => [one.layer, of(one)]),
      ),
    );
  const heads = attention.flatMap(({ layer, distance, entropy, mutual_information }) =>
    distance.map((far, head) => [
      String(layer),
      String(head + 1),
      ...[far, entropy[head] as number, mutual_information[head] as number].map(shortNumber),
    ]),
  );
  return `<h2>Attention</h2>${charts(
    drawn("distance, in places of the array", ({ distance }) => distance),
    drawn("entropy, in nats", ({ entropy }) => entropy),
    drawn("mutual information of queries and keys", ({ mutual_information }) => mutual_information),
  )}
<p>Between patches alone; the line is the mean over heads, the band their range. A small distance is local attention; where the mutual information is near 0, all patches attend to the same places.</p>
<details id="heads"><summary>each head</summary>${table(["layer", "head", "distance", "entropy", "mutual information"], heads)}</details>
${
  artifacts
    ? `<h3>Artifacts</h3>${filled(
        ["layer", "whole samples", "masked samples"],
        artifacts.map(({ layer, whole, masked }) => [String(layer), shortNumber(whole), orNone(masked)]),
      )}<p>The largest attention of the class token to a patch over the median, the geometric mean over heads and samples.${
        artifacts.some(({ masked }) => masked !== null)
          ? " Much more for whole samples than for masked ones means that the encoder meets something that it has not been trained on."
          : ""
      }</p>`
    : ""
}`;
}

type TokenLayer = NonNullable<Diagnosis["tokens"]>[number];
type TokenMeasure = (layer: TokenLayer) => number | null;

const tokenMeasures: readonly (readonly [title: string, of: TokenMeasure])[] = [
  ["cosine of two patches of a sample", ({ similarity }) => similarity],
  ["variance of these cosines", ({ similarity_variance }) => similarity_variance],
  ["variance of a feature over patches", ({ feature_variance }) => feature_variance],
  ["log amplitude of the shortest wave", ({ high_frequency }) => high_frequency],
];

const drawnOf = (tokens: readonly TokenLayer[], title: string, of: TokenMeasure): string =>
  overLayers(
    title,
    curve(
      "mean of samples",
      1,
      tokens.flatMap((one) => {
        const value = of(one);
        return value === null ? [] : [[one.layer, [value]] as const];
      }),
    ),
  );

function tokensOf({ tokens }: Diagnosis): string {
  if (!tokens) return "";
  const known = tokenMeasures.filter(([, of]) => tokens.some((one) => of(one) !== null));
  const [only, another] = tokens;
  const shown =
    only && !another
      ? table(
          known.map(([title]) => title),
          [known.map(([, of]) => orNone(of(only)))],
        )
      : charts(...known.map(([title, of]) => drawnOf(tokens, title, of)));
  return `<h2>Tokens</h2>${shown}
<p>Patches that have become alike have cosines near 1. The last number is the amplitude of the shortest wave over the patches, less that of their mean: the lower, the smoother the maps.</p>`;
}
function decoderOf({ decoder }: Diagnosis): string {
  if (!decoder) return "";
  const drawn = (["visible", "hidden"] as const).map((kind, i) =>
    curve(
      `a ${kind} token`,
      i,
      decoder.map((one) => [one.layer, [one[kind]]]),
    ),
  );
  return `<h2>What the decoder uses</h2>${legend(drawn)}${charts(overLayers("share of a token in what hidden places say", ...drawn))}
<p>Attention rolled out through the layers. Where a hidden token gives more than a visible one, the decoder completes from what it has completed.</p>`;
}

function groupsOf({ gap, grouped }: Diagnosis, picture: string | null): string {
  if (gap === null) return "";
  return `<h2>Groups of patches</h2>
<p>Cut in two where they are least alike, patches on one side have a cosine larger by ${shortNumber(gap)} than patches on different sides, in the mean of ${grouped.length} samples.</p>
${picture === null ? "" : `<figure class="picture"><img src="${escaped(picture)}" alt="samples, their patches by cluster, and cut in two"><figcaption>each sample, its patches by cluster (the same colours in all samples), and cut in two</figcaption></figure>`}`;
}

function likenessOf({ likeness }: Diagnosis, against: string | null): string {
  if (!likeness || against === null) return "";
  const cells = likeness.map(
    (row, i) =>
      `<tr><th>${i + 1}</th>${row.map((value) => `<td style="background: color-mix(in srgb, var(--c0) ${Math.round(50 * value)}%, transparent)">${value.toFixed(2)}</td>`).join("")}</tr>`,
  );
  return `<h2>Likeness</h2><div class="wide"><table><thead><tr><th>layer</th>${(likeness[0] ?? []).map((_, i) => `<th>${i + 1}</th>`).join("")}</tr></thead><tbody>${cells.join("\n")}</tbody></table></div>
<p>Centred kernel alignment of the mean of patches after each layer (down) and after each layer of ${escaped(against)} (across): 1 where both see the same in the samples, up to a turn.</p>`;
}

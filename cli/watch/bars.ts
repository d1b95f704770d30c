/** Numbers of some runs as bars from zero, in SVG that needs nothing: what a report shows where a table is hard to compare. */

import { escaped } from "../words/html.js";

export interface Bar {
  readonly label: string;
  /** Null: there is no number, and no bar. */
  readonly value: number | null;
  /** What stands beside the bar. */
  readonly text: string;
}

/** Sizes in pixels; `letter` is the width of one. */
const sizes = { height: 18, gap: 6, width: 480, right: 120, letter: 7.6 } as const;

/** A bar for each number, from zero: those below it to the left. */
export function bars(title: string, shown: readonly Bar[]): string {
  const values = shown.flatMap(({ value }) => (value !== null && Number.isFinite(value) ? [value] : []));
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const scale = sizes.width / (most - least || 1);
  const left = Math.ceil(16 + Math.max(...shown.map(({ label }) => label.length)) * sizes.letter);
  const zero = left - least * scale;
  const rows = shown.map(({ label, value, text }, i) => {
    const y = i * (sizes.height + sizes.gap);
    const end = value === null || !Number.isFinite(value) ? zero : zero + value * scale;
    const middle = y + sizes.height - 5;
    return `<text x="${left - 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>
<rect x="${Math.min(zero, end).toFixed(1)}" y="${y}" width="${Math.abs(end - zero).toFixed(1)}" height="${sizes.height}"/>
<text x="${(Math.max(zero, end) + 8).toFixed(1)}" y="${middle}">${escaped(text)}</text>`;
  });
  const [width, height] = [left + sizes.width + sizes.right, shown.length * (sizes.height + sizes.gap)];
  return `<figure class="bars">
<figcaption>${escaped(title)}</figcaption>
<div class="wide">
<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
${rows.join("\n")}
</svg>
</div>
</figure>`;
}

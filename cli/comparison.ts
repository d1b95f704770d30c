/** The members of a trained family side by side: one HTML page that needs nothing but itself. */

import type { Cost, Variant } from "../compiler/index.js";
import { shortNumber } from "./progress.js";
import { lossSteps } from "./run-state.js";
import { grouped } from "./terminal.js";

export interface Compared extends Cost {
  readonly name: string;
  readonly differences: Variant["differences"];
  readonly steps: number;
  /** Mean of the last steps; null: there was none. */
  readonly loss: number | null;
  /** By probe and score. */
  readonly scores: Readonly<Record<string, number>>;
}

/** `report.json`; its fields are documented in `docs/cli.md`. */
export interface Comparison {
  readonly format_version: "1.0";
  readonly family: string;
  readonly base: string;
  readonly recipe: string;
  readonly members: readonly Compared[];
}

/** A column of numbers. */
interface Column {
  readonly title: string;
  readonly value: (member: Compared) => number | null;
  readonly show: (value: number) => string;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text of a spec as text of the page, wherever it stands. */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => entities[c] as string);

function columnsOf(members: readonly Compared[]): readonly Column[] {
  const scores = [...new Set(members.flatMap(({ scores }) => Object.keys(scores)))];
  return [
    { title: "parameters", value: ({ parameters }) => parameters, show: grouped },
    { title: "visible tokens", value: ({ tokens }) => tokens.visible, show: grouped },
    {
      title: "training GFLOP an image",
      value: ({ flops }) => flops.training / 1e9,
      show: (value) => value.toPrecision(4),
    },
    { title: "loss", value: ({ loss }) => loss, show: shortNumber },
    ...scores.map((score) => ({
      title: score,
      value: ({ scores }: Compared) => scores[score] ?? null,
      show: (value: number) => value.toPrecision(4),
    })),
  ];
}

/** The report as a page. Text of the spec is escaped; there is no script and nothing is loaded. */
export function comparisonHtml({ family, base, recipe, members }: Comparison): string {
  const columns = columnsOf(members);
  const steps = [...new Set(members.map((member) => member.steps))].map(grouped).join(" or ");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(family)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; background: #fff }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
figure { margin: 2rem 0 }
rect { fill: #3b6ea5 }
text { font: 13px system-ui, sans-serif; fill: #222 }
</style>
<h1>${escaped(family)}</h1>
<p>${grouped(members.length)} members of a family of ${escaped(base)}, each trained ${steps} steps by ${escaped(recipe)}.
The loss is the mean of the last ${lossSteps} steps. Losses of different masks or targets are not the same task: compare scores where there are any.</p>
<table>
<tr><th>member</th>${columns.map(({ title }) => `<th>${escaped(title)}</th>`).join("")}</tr>
${members.map((member) => rowOf(member, columns)).join("\n")}
</table>
${columns
  .slice(2)
  .map((column) => chart(members, column))
  .join("\n")}
</html>
`;
}

const shortName = ({ name }: Compared): string => name.slice(name.indexOf(".") + 1);

function rowOf(member: Compared, columns: readonly Column[]): string {
  const said = member.differences.map(({ path, value }) => `${path} ${value}`).join(", ");
  const cells = columns.map(({ value, show }) => {
    const found = value(member);
    return `<td>${found === null ? "" : escaped(show(found))}</td>`;
  });
  return `<tr><td title="${escaped(said)}">${escaped(shortName(member))}</td>${cells.join("")}</tr>`;
}

/** Sizes of a chart, in pixels. */
const bar = { height: 18, gap: 6, left: 320, width: 480, right: 120 } as const;

/** A bar for each member, from zero; what has no number has no bar. */
function chart(members: readonly Compared[], { title, value, show }: Column): string {
  const values = members.map(value);
  const most = Math.max(...values.map((found) => Math.abs(found ?? 0)), Number.MIN_VALUE);
  const rows = members.map((member, i) => {
    const found = values[i] ?? null;
    const y = i * (bar.height + bar.gap);
    const length = found === null || !Number.isFinite(found) ? 0 : (Math.abs(found) / most) * bar.width;
    const number = found === null ? "none" : show(found);
    const middle = y + bar.height - 5;
    return `<text x="${bar.left - 8}" y="${middle}" text-anchor="end">${escaped(shortName(member))}</text>
<rect x="${bar.left}" y="${y}" width="${length.toFixed(1)}" height="${bar.height}"/>
<text x="${(bar.left + length + 8).toFixed(1)}" y="${middle}">${escaped(number)}</text>`;
  });
  const [width, height] = [bar.left + bar.width + bar.right, members.length * (bar.height + bar.gap)];
  return `<figure>
<figcaption>${escaped(title)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
${rows.join("\n")}
</svg>
</figure>`;
}

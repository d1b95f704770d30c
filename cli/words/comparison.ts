/** The members of a trained family side by side: one HTML page that needs nothing but itself. */

import { type Cost, flopText } from "../../compiler/index.js";
import { lossSteps } from "../runs/run-state.js";
import { escaped } from "./html.js";
import { shortNumber } from "./progress.js";
import type { SeedMember, SeedStudy, Spread } from "./significance.js";
import { count, grouped } from "./terminal.js";

export interface Compared extends Cost, SeedMember {
  readonly batch: number;
  readonly steps: number;
}

/** `report.json`; its fields are documented in `docs/cli.md`. */
export interface Comparison {
  readonly format_version: "1.0";
  readonly family: string;
  readonly base: string;
  readonly recipe: string;
  readonly members: readonly Compared[];
  /** What several seeds say; null: the family varies none. */
  readonly seeds: SeedStudy | null;
}

/** A column of numbers. */
interface Column {
  readonly title: string;
  readonly value: (member: Compared) => number | null;
  readonly show: (value: number) => string;
  /** Whether bars are drawn of it, too. */
  readonly isDrawn?: boolean;
}

function columnsOf(members: readonly Compared[]): readonly Column[] {
  const scores = [...new Set(members.flatMap(({ scores }) => Object.keys(scores)))];
  return [
    { title: "parameters", value: ({ parameters }) => parameters, show: grouped },
    { title: "visible tokens", value: ({ tokens }) => tokens.visible, show: grouped },
    ...trainedUnlike(members),
    {
      title: "training, a sample",
      value: ({ flops }) => flops.training,
      show: flopText,
      isDrawn: true,
    },
    { title: "loss", value: ({ loss }) => loss, show: shortNumber, isDrawn: true },
    ...scores.map((score) => ({
      title: score,
      value: ({ scores }: Compared) => scores[score] ?? null,
      show: (value: number) => value.toPrecision(4),
      isDrawn: true,
    })),
  ];
}

/** What should be the same for all members, where it is not: whoever compares them has to know. */
const trainedUnlike = (members: readonly Compared[]): readonly Column[] =>
  (["steps", "batch", "seed"] as const)
    .filter((name) => new Set(members.filter(({ failure }) => failure === null).map((one) => one[name])).size > 1)
    .map((name) => ({ title: name, value: (member) => member[name], show: grouped }));

const style = `
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --line: #ddd; --bar: #3b6ea5; --bad: #a3262a }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --paper: #16181c; --line: #3a3e45; --bar: #6ea0d8; --bad: #f08a8a } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 100rem; padding: 0 1rem; color: var(--ink); background: var(--paper) }
p { max-width: 50rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--line) }
th { vertical-align: bottom }
td, th:first-child { white-space: nowrap }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--paper) }
figure { margin: 2rem 0 }
rect { fill: var(--bar) }
text { font: 13px system-ui, sans-serif; fill: var(--ink) }
.failed { color: var(--bad) }
@media (max-width: 40rem) { th:first-child, td:first-child { position: static } }
`;

/** The report as a page. Text of the spec is escaped; there is no script and nothing is loaded. */
export function comparisonHtml({ family, base, recipe, members, seeds }: Comparison): string {
  const columns = columnsOf(members);
  const [first] = members;
  const alike = seeds ? ["steps", "batch"] : ["steps", "batch", "seed"];
  const like = alike.every((name) => columns.every(({ title }) => title !== name));
  const how = like && first ? `${grouped(stepsOf(members))} steps of ${grouped(first.batch)} samples` : "not all alike";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(family)}</title>
<style>${style}</style>
<h1>${escaped(family)}</h1>
<p>${count(members.length, "member")} of a family of ${escaped(base)}, trained ${how} by ${escaped(recipe)}.
The loss is the mean of the last ${lossSteps} steps. Losses of different masks or targets are not the same task: compare scores where there are any.</p>
<div class="wide">
<table>
<tr><th>member</th>${columns.map(({ title }) => `<th>${escaped(title)}</th>`).join("")}</tr>
${members.map((member) => rowOf(member, columns)).join("\n")}
</table>
</div>
${members.map(failureOf).join("")}${seeds ? seedTable(seeds) : ""}${columns
  .filter(({ isDrawn }) => isDrawn)
  .map((column) => chart(members, column))
  .join("\n")}
</html>
`;
}

/** Means and deviations over seeds, and what follows from them. */
function seedTable({ groups, rule, said }: SeedStudy): string {
  const scores = [...new Set(groups.flatMap((group) => Object.keys(group.scores)))];
  const cell = (spread: Spread | undefined): string => {
    if (!spread) return "";
    return spread.deviation === null
      ? spread.mean.toPrecision(4)
      : `${spread.mean.toPrecision(4)} ± ${spread.deviation.toPrecision(2)}`;
  };
  const rows = groups.map(
    ({ name, seeds, scores: own }) =>
      `<tr><td>${escaped(name)}</td><td>${seeds.length}</td>${scores.map((score) => `<td>${cell(own[score])}</td>`).join("")}</tr>`,
  );
  return `<h2>Over seeds</h2>
<p>Mean ± standard deviation of single runs. Differences: ${escaped(rule)}.</p>
<div class="wide">
<table>
<tr><th>members</th><th>seeds</th>${scores.map((score) => `<th>${escaped(score)}</th>`).join("")}</tr>
${rows.join("\n")}
</table>
</div>
<ul>
${said.map((text) => `<li>${escaped(text)}</li>`).join("\n")}
</ul>
`;
}

/** Of members that ended well, the first stands for all. */
const stepsOf = (members: readonly Compared[]): number =>
  (members.find(({ failure }) => failure === null) ?? members[0])?.steps ?? 0;

const shortName = ({ name }: Compared): string => name.slice(name.indexOf(".") + 1);

function rowOf(member: Compared, columns: readonly Column[]): string {
  const said = member.differences.map(({ path, value }) => `${path} ${value}`).join(", ");
  const cells = columns.map(({ value, show }) => {
    const found = value(member);
    return `<td>${found === null ? "" : escaped(show(found))}</td>`;
  });
  return `<tr><td title="${escaped(said)}">${escaped(shortName(member))}</td>${cells.join("")}</tr>`;
}

const failureOf = (member: Compared): string =>
  member.failure === null
    ? ""
    : `<p class="failed">${escaped(shortName(member))} failed after ${count(member.steps, "step")}. ${escaped(member.failure)}</p>\n`;

/** Sizes of a chart, in pixels. */
const bar = { height: 18, gap: 6, width: 480, right: 120, letter: 7.6 } as const;

/** A bar for each member, from zero; what has no number has no bar. */
function chart(members: readonly Compared[], { title, value, show }: Column): string {
  const values = members.map(value);
  const ends = [0, ...values.filter((found) => found !== null && Number.isFinite(found))] as readonly number[];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const scale = bar.width / (most - least || 1);
  const left = Math.ceil(16 + Math.max(...members.map((member) => shortName(member).length)) * bar.letter);
  const zero = left - least * scale;
  const rows = members.map((member, i) => {
    const found = values[i] ?? null;
    const y = i * (bar.height + bar.gap);
    const end = found === null || !Number.isFinite(found) ? zero : zero + found * scale;
    const number = found === null ? (member.failure === null ? "none" : "failed") : show(found);
    const middle = y + bar.height - 5;
    return `<text x="${left - 8}" y="${middle}" text-anchor="end">${escaped(shortName(member))}</text>
<rect x="${Math.min(zero, end).toFixed(1)}" y="${y}" width="${Math.abs(end - zero).toFixed(1)}" height="${bar.height}"/>
<text x="${(Math.max(zero, end) + 8).toFixed(1)}" y="${middle}">${escaped(number)}</text>`;
  });
  const [width, height] = [left + bar.width + bar.right, members.length * (bar.height + bar.gap)];
  return `<figure>
<figcaption>${escaped(title)}</figcaption>
<div class="wide">
<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
${rows.join("\n")}
</svg>
</div>
</figure>`;
}

/** What a page shows of some runs: where they stand, curves, probes, reconstructions, remarks. The same live and in a report. */

import { escaped } from "../words/html.js";
import { shortNumber } from "../words/progress.js";
import { grouped } from "../words/terminal.js";
import { type ChartOptions, chart, type Drawn, key, legend } from "./chart.js";
import type { Curve } from "./curve.js";
import type { History } from "./history.js";

export interface ShownRun {
  readonly label: string;
  readonly history: History;
}

export interface PageOptions extends Omit<ChartOptions, "title"> {
  /** Where a page finds a picture of a run, counted in the order of runs; null: it shows none. */
  readonly addressOf: (run: number, name: string) => string | null;
  /** Pictures of each run, but the last, that can be unfolded. */
  readonly mostPictures: number;
}

/** What of a log is drawn, in this order; the terms of the loss come behind it. */
const usual = ["loss", "learning rate", "gradient norm", "samples/s", "waiting for data"];

export function runsHtml(runs: readonly ShownRun[], options: PageOptions): string {
  return [`<h2>Runs</h2>${tableOf(runs)}`, curvesOf(runs, options), picturesOf(runs, options), remarksOf(runs)].join(
    "\n",
  );
}

function tableOf(runs: readonly ShownRun[]): string {
  const scores = namesIn(runs, ({ scores }) => scores);
  const head = ["run", "", "steps", "loss", ...scores].map((name) => `<th>${escaped(name)}</th>`).join("");
  const rows = runs.map(({ label, history }, i) => {
    const { status, step, totalSteps } = history;
    const share = totalSteps ? Math.min(1, step / totalSteps) : 0;
    const of = totalSteps === null ? "" : ` of ${grouped(totalSteps)}`;
    const bar = status === "training" ? `<progress value="${share.toFixed(3)}" aria-label="done"></progress>` : "";
    const numbers = [history.curves.get("loss"), ...scores.map((score) => history.scores.get(score))];
    return `<tr><td>${key(i)}${escaped(label)}</td><td class="${status}">${status}</td><td>${grouped(step)}${of} ${bar}</td>${numbers
      .map((curve) => `<td>${lastOf(curve)}</td>`)
      .join("")}</tr>`;
  });
  return `<div class="wide"><table class="numbers"><thead><tr>${head}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

const lastOf = (curve: Curve | undefined): string => {
  const last = curve?.stretches.at(-1);
  return last ? escaped(shortNumber(last.mean)) : "";
};

/** Names of the curves of all runs, in the order in which they come. */
const namesIn = (runs: readonly ShownRun[], curvesOf: (history: History) => ReadonlyMap<string, Curve>) => [
  ...new Set(runs.flatMap(({ history }) => [...curvesOf(history).keys()])),
];

function curvesOf(runs: readonly ShownRun[], options: PageOptions): string {
  const draw = (title: string, of: (history: History) => Curve | undefined): string => {
    const drawn = runs.flatMap(({ label, history }, colour): Drawn[] => {
      const curve = of(history);
      return curve ? [{ label, colour, stretches: curve.stretches }] : [];
    });
    return chart(drawn, { ...options, title });
  };
  const known = namesIn(runs, ({ curves }) => curves);
  const terms = known.filter((name) => name.startsWith("loss/"));
  const names = ["loss", ...terms, ...usual.slice(1)].filter((name) => known.includes(name));
  const scores = namesIn(runs, ({ scores }) => scores);
  const curves = names.map((name) => draw(name, (history) => history.curves.get(name)));
  const probes = scores.map((name) => draw(name, (history) => history.scores.get(name)));
  if (curves.length + probes.length === 0) return "";
  return `<h2>Curves</h2>${runs.length > 1 ? legend(runs.map(({ label }, colour) => ({ label, colour }))) : ""}<div class="charts">${curves.join("\n")}</div>
${probes.length === 0 ? "" : `<h2>Probes</h2><div class="charts">${probes.join("\n")}</div>`}`;
}

function picturesOf(runs: readonly ShownRun[], { addressOf, mostPictures }: PageOptions): string {
  const shown = runs.flatMap(({ label, history }, run) => {
    const pictures = history.pictures.flatMap((name) => {
      const address = addressOf(run, name);
      return address === null ? [] : [{ name, address }];
    });
    const last = pictures.at(-1);
    if (!last) return [];
    const earlier = pictures.slice(0, -1).slice(-mostPictures);
    const folded =
      earlier.length === 0
        ? ""
        : `<details id="pictures-${run}"><summary>${earlier.length} earlier</summary>${earlier.map(imageOf).join("")}</details>`;
    return [`<h3>${runs.length > 1 ? key(run) : ""}${escaped(label)}</h3>${imageOf(last)}${folded}`];
  });
  if (shown.length === 0) return "";
  return `<h2>Reconstructions</h2><p>Of each sample all of it, what the model sees, what it predicts, and that with the visible patches pasted in.
A column that says <em>scale from truth</em> was told the mean and deviation of each hidden patch, which the model does not know.</p>${shown.join("\n")}`;
}

const imageOf = ({ name, address }: { readonly name: string; readonly address: string }): string => {
  const step = /-(\d+)\.png$/.exec(name)?.[1];
  const when = step === undefined ? "at the end" : `after ${grouped(Number(step))} steps`;
  return `<figure class="picture"><img src="${escaped(address)}" alt="reconstructions ${when}" loading="lazy"><figcaption>${when}</figcaption></figure>`;
};

function remarksOf(runs: readonly ShownRun[]): string {
  const each = runs.flatMap(({ label, history: { remarks } }, run) => {
    if (remarks.length === 0) return [];
    const lines = [...remarks].reverse().map(({ step, text, isTrouble }) => {
      const when = step === null ? "" : `step ${grouped(step)}: `;
      return `<li${isTrouble ? ' class="failed"' : ""}>${when}${escaped(text)}</li>`;
    });
    const isBad = remarks.some(({ isTrouble }) => isTrouble);
    return [
      `<details id="remarks-${run}"${isBad ? " open" : ""}><summary>${key(run)}${escaped(label)}: ${remarks.length}</summary><ul>${lines.join("\n")}</ul></details>`,
    ];
  });
  return each.length === 0 ? "" : `<h2>Remarks</h2>${each.join("\n")}`;
}

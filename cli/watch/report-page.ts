/** The report of some runs as one HTML file that loads nothing. What the numbers cannot tell is said beside them. */

import { flopText } from "../../compiler/index.js";
import { escaped } from "../words/html.js";
import { shortNumber } from "../words/progress.js";
import { type SeedMember, type SeedStudy, seedStudy } from "../words/significance.js";
import { count, grouped } from "../words/terminal.js";
import { bars } from "./bars.js";
import { documentHtml, table } from "./document.js";
import { runsHtml, type ShownRun } from "./page.js";

export interface Reported extends ShownRun {
  readonly facts: {
    readonly recipe: string;
    readonly model: string;
    readonly started: string;
    readonly executor: { readonly backend: string; readonly device: string };
  } | null;
  readonly spec: string | null;
  /** What of the spec is more than words for people. */
  readonly lines: readonly string[];
  readonly seed: number | null;
  readonly cost: {
    readonly parameters: number;
    readonly trainable: number;
    readonly tokens: number;
    readonly visible: number;
    /** Of training on one sample. */
    readonly flops: number;
  } | null;
  /** The last of each probe; null: no finite number. */
  readonly scores: Readonly<Record<string, number | null>>;
  readonly loss: number | null;
  readonly failure: string | null;
  /** What could not be read. */
  readonly missing: readonly string[];
}

export interface ReportPage {
  readonly title: string;
  readonly script: string;
  /** Steps over which a final loss is averaged. */
  readonly lossSteps: number;
  /** A picture of a run as an address that holds it; null: it is left out. */
  readonly pictureOf: (run: number, name: string) => string | null;
}

export function reportHtml(runs: readonly Reported[], { title, script, lossSteps, pictureOf }: ReportPage): string {
  const study = studyOf(runs);
  const parts = [
    summaryOf(runs, lossSteps),
    runs.length > 1 ? sideBySide(runs) + differencesOf(runs) : "",
    study ? seedsOf(study) : "",
    runsHtml(runs, { isLog: false, across: "steps", addressOf: pictureOf, mostPictures: 12 }),
    limitsOf(runs, study),
    specsOf(runs),
  ];
  const when = new Date().toISOString().slice(0, 10);
  return documentHtml({
    title,
    subtitle: `${count(runs.length, "run")}; written by mae report on ${when}`,
    parts,
    script,
  });
}

function summaryOf(runs: readonly Reported[], lossSteps: number): string {
  const scores = [...new Set(runs.flatMap((run) => Object.keys(run.scores)))];
  const rows = runs.map((run) => {
    const { label, facts, cost, loss, seed } = run;
    return [
      escaped(label),
      facts ? escaped(`${facts.recipe} of ${facts.model}`) : "",
      seed === null ? "" : String(seed),
      grouped(run.history.step),
      loss === null ? (run.failure === null ? "" : '<span class="failed">failed</span>') : shortNumber(loss),
      ...scores.map((score) => (run.scores[score] == null ? "" : (run.scores[score] as number).toPrecision(4))),
      cost ? grouped(cost.parameters) : "",
      cost ? `${grouped(cost.visible)} of ${grouped(cost.tokens)}` : "",
      cost ? escaped(flopText(cost.flops)) : "",
      facts ? escaped(facts.executor.backend) : "",
    ];
  });
  const head = [
    "run",
    "what",
    "seed",
    "steps",
    "loss",
    ...scores,
    "parameters",
    "visible tokens",
    "FLOPs of training on a sample",
    "backend",
  ];
  const failed = runs.flatMap(({ label, failure, history }) =>
    failure === null
      ? []
      : [`<p class="failed">${escaped(label)} failed after ${count(history.step, "step")}. ${escaped(failure)}</p>`],
  );
  const missing = runs.flatMap(({ label, missing }) =>
    missing.map((text) => `<li>${escaped(`${label}: ${text}`)}</li>`),
  );
  return `<h2>Results</h2>${table(head, rows)}<p>The loss is the mean of the last ${lossSteps} steps; scores are the last of each probe.</p>${failed.join("")}${
    missing.length === 0 ? "" : `<p>What could not be read:</p><ul>${missing.join("")}</ul>`
  }`;
}

/** What a table of many runs makes hard to compare. */
function sideBySide(runs: readonly Reported[]): string {
  const scores = [...new Set(runs.flatMap((run) => Object.keys(run.scores)))];
  const drawn = (
    title: string,
    numberOf: (run: Reported) => number | null,
    show: (value: number) => string,
  ): string => {
    const shown = runs.map((run) => {
      const value = numberOf(run);
      const text = value === null ? (run.failure === null ? "none" : "failed") : show(value);
      return { label: run.label, value, text };
    });
    return shown.some(({ value }) => value !== null) ? bars(title, shown) : "";
  };
  return `<h2>Side by side</h2>${[
    drawn("loss", ({ loss }) => loss, shortNumber),
    ...scores.map((score) =>
      drawn(
        score,
        (run) => run.scores[score] ?? null,
        (value) => value.toPrecision(4),
      ),
    ),
    drawn("FLOPs of training on a sample", ({ cost }) => cost?.flops ?? null, flopText),
  ].join("\n")}`;
}

/** More lines than this are folded. */
const mostUnlike = 16;

/** Lines of the specs that not all runs have. */
function differencesOf(runs: readonly Reported[]): string {
  const all = [...new Set(runs.flatMap(({ lines }) => lines))];
  const unlike = all.filter((line) => !runs.every(({ lines }) => lines.includes(line)));
  if (unlike.length === 0) return "<h2>What differs</h2><p>Nothing: the specs of all runs say the same.</p>";
  const rows = runs.map(({ label, lines }) => [
    escaped(label),
    unlike.flatMap((line) => (lines.includes(line) ? [`<code>${escaped(line)}</code>`] : [])).join("<br>"),
  ]);
  const lines = table(["run", "lines of its spec that not all runs have"], rows);
  const few = unlike.length <= mostUnlike;
  return `<h2>What differs</h2>${few ? lines : `<details id="unlike"><summary>${unlike.length} lines of the specs</summary>${lines}</details>`}`;
}

/** Runs that differ in their seed alone are one thing, trained several times. */
function studyOf(runs: readonly Reported[]): SeedStudy | null {
  const kinds = new Map<string, string>();
  const members = runs.map((run): SeedMember => {
    const spec = run.lines.filter((line) => !/^seed\s/.test(line)).join("\n");
    const kind = kinds.get(spec) ?? run.label;
    kinds.set(spec, kind);
    const differences = [
      { path: "spec", value: kind },
      { path: "seed", value: String(run.seed) },
    ];
    return {
      name: `run.${kind}`,
      differences,
      seed: run.seed ?? 0,
      loss: run.loss,
      scores: run.scores,
      failure: run.failure,
    };
  });
  return kinds.size < runs.length && new Set(members.map(({ seed }) => seed)).size > 1 ? seedStudy(members) : null;
}

function seedsOf({ groups, said, rule }: SeedStudy): string {
  const scores = [...new Set(groups.flatMap((group) => Object.keys(group.scores)))];
  const rows = groups.map(({ name, seeds, scores: own }) => [
    escaped(name),
    seeds.join(", "),
    ...scores.map((score) => {
      const found = own[score];
      if (!found) return "";
      return `${shortNumber(found.mean)}${found.deviation === null ? "" : ` ± ${shortNumber(found.deviation)}`}`;
    }),
  ]);
  return `<h2>Seeds</h2>${table(["like", "seeds", ...scores], rows)}
<p>Mean and standard deviation over seeds. ${escaped(rule)}.</p><ul>${said.map((text) => `<li>${escaped(text)}</li>`).join("")}</ul>`;
}

function limitsOf(runs: readonly Reported[], study: SeedStudy | null): string {
  const kinds = new Set(runs.map(({ lines }) => lines.filter((line) => !/^seed\s/.test(line)).join("\n"))).size;
  const lengths = new Set(runs.map(({ history }) => history.step)).size;
  const unended = runs.filter(({ history }) => history.status !== "finished").length;
  const hasScores = runs.some(({ scores }) => Object.keys(scores).length > 0);
  const said = [
    hasScores
      ? "A probe measures one use of the features on one set of data; another probe, or other data, may order the runs otherwise."
      : "A low loss says that patches are completed well, and nothing of what the features are worth: there are no probes here.",
    ...(study === null
      ? [
          `Each ${kinds > 1 ? "model" : "result"} has one seed: how far another seed would lie is not known, and small differences may be chance.`,
        ]
      : []),
    ...(kinds > 1
      ? ["Losses under different masks, targets or losses are losses of different tasks and do not rank runs."]
      : []),
    ...(lengths > 1 ? ["The runs were not trained for the same number of steps."] : []),
    ...(unended > 0 ? [`${count(unended, "run")} had not finished when this was written.`] : []),
    "Reconstructions are of a few samples, which were not chosen for how they look, and are no measure.",
  ];
  return `<h2>What the numbers cannot tell</h2><ul>${said.map((text) => `<li>${escaped(text)}</li>`).join("")}</ul>`;
}

const specsOf = (runs: readonly Reported[]): string =>
  `<h2>Specs</h2>${runs
    .map(({ label, spec }, i) =>
      spec === null
        ? ""
        : `<details id="spec-${i}"${runs.length === 1 ? " open" : ""}><summary>${escaped(label)}</summary><pre>${escaped(spec)}</pre></details>`,
    )
    .join("\n")}`;

/** Scores of anomalies, written for people and for other programs: a picture of them over time, and a table. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Evaluation } from "../../runtime/index.js";
import { printedPath, unwritable } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { escaped } from "../words/html.js";
import { percent } from "../words/terminal.js";

/** A record as the probe tells of it. */
interface Scored {
  readonly name: string;
  readonly scores: readonly number[];
  readonly odd: readonly number[];
}

const [width, height, left, right, top] = [900, 56, 150, 12, 54];
/** Records that are drawn; the table has all. */
const mostDrawn = 40;

/** Writes both into a folder. Gives the files. Throws a `Failure` where no anomalies were judged. */
export function writeScores(folder: string, { model, rows }: Evaluation): readonly string[] {
  const row = rows.find(({ details, source }) => source === "encoder" && Array.isArray(details?.records));
  if (!row) throw runFailure("--scores writes what `anomaly` finds", { help: 'ask for it: --with "anomaly"' });
  const records = row.details?.records as readonly Scored[];
  const title = `${model}: area under the ROC curve ${percent(row.scores.auc as number)}, macro ${percent(row.scores.macro_auc as number)}`;
  const texts = [
    ["scores.csv", table(records)],
    ["scores.svg", picture(records, title)],
  ] as const;
  return texts.map(([name, text]) => {
    const path = join(folder, name);
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, text);
    } catch (error) {
      throw unwritable(path, error);
    }
    return printedPath(path);
  });
}

const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A line for each frame, counted from 1, or for each sample. */
const table = (records: readonly Scored[]): string =>
  [
    "path,frame,score,anomalous",
    ...records.flatMap(({ name, scores, odd }) =>
      scores.map((score, i) => `${cell(name)},${i + 1},${score},${odd[i]}`),
    ),
    "",
  ].join("\n");

function picture(records: readonly Scored[], title: string): string {
  const isByFrame = records.some(({ scores }) => scores.length > 1);
  const drawn = isByFrame ? records.slice(0, mostDrawn) : [];
  const rest = records.length - drawn.length;
  const more = isByFrame && rest > 0 ? `; the first ${drawn.length} of ${records.length} samples` : "";
  const what = isByFrame
    ? "score of each frame over time; red: frames that are anomalous"
    : "each line a sample, anomalous ones red, by score";
  const body = isByFrame ? curves(drawn) : bars(records);
  const whole = top + (isByFrame ? drawn.length : 4) * height + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${whole}" width="${width}" height="${whole}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="20" font-size="15" fill="#222">${escaped(title)}</text>
<text x="8" y="40" fill="#666">${escaped(`${what}${more}`)}</text>
${body}
</svg>
`;
}

const rangeOf = (numbers: readonly number[]): readonly [least: number, most: number] => [
  numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
  numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
];

/** A strip for each record, all in one scale: stretches that are anomalous shaded, the score as a line. */
function curves(records: readonly Scored[]): string {
  const [least, most] = rangeOf(records.flatMap(({ scores }) => scores));
  const longest = Math.max(...records.map(({ scores }) => scores.length));
  const toX = (frame: number): number => left + ((width - left - right) * frame) / longest;
  return records
    .map(({ name, scores, odd }, i) => {
      const y = top + i * height;
      const toY = (score: number): number => y + height - 8 - ((height - 14) * (score - least)) / (most - least || 1);
      const shades = stretchesOf(odd).map(
        ([from, to]) =>
          `<rect x="${toX(from).toFixed(1)}" y="${y + 4}" width="${(toX(to) - toX(from)).toFixed(1)}" height="${height - 10}" fill="#f6c9c4"/>`,
      );
      const line = scores.map((score, frame) => `${toX(frame + 0.5).toFixed(1)},${toY(score).toFixed(1)}`).join(" ");
      const base = `<line x1="${left}" x2="${toX(scores.length).toFixed(1)}" y1="${y + height - 6}" y2="${y + height - 6}" stroke="#ccc"/>`;
      const label = name.length > 20 ? `…${name.slice(-19)}` : name;
      return `<text x="${left - 8}" y="${y + height / 2 + 4}" text-anchor="end" fill="#444">${escaped(label)}</text>${shades.join("")}${base}<polyline points="${line}" fill="none" stroke="#1f4e79" stroke-width="1.5"/>`;
    })
    .join("\n");
}

/** Runs of ones: from one up to another. */
function stretchesOf(odd: readonly number[]): readonly (readonly [from: number, to: number])[] {
  const found: (readonly [number, number])[] = [];
  let from = -1;
  for (let i = 0; i <= odd.length; i++) {
    if (odd[i] === 1 && from < 0) from = i;
    else if (odd[i] !== 1 && from >= 0) {
      found.push([from, i]);
      from = -1;
    }
  }
  return found;
}

/** A bar for each sample, by its score. */
function bars(records: readonly Scored[]): string {
  const all = records.map(({ scores, odd }) => ({ score: scores[0] as number, isOdd: odd[0] === 1 }));
  const sorted = all.sort((a, b) => a.score - b.score);
  const [least, most] = rangeOf(all.map(({ score }) => score));
  const wide = (width - 2 * right) / sorted.length;
  return sorted
    .map(({ score, isOdd }, i) => {
      const tall = 4 + ((4 * height - 8) * (score - least)) / (most - least || 1);
      return `<rect x="${(right + i * wide).toFixed(2)}" y="${(top + 4 * height - tall).toFixed(1)}" width="${(wide * 0.8).toFixed(2)}" height="${tall.toFixed(1)}" fill="${isOdd ? "#c0392b" : "#1f4e79"}"/>`;
    })
    .join("\n");
}

/**
 * A chart of some curves as SVG that needs nothing: readable without a script, by screen readers, in print, and in light and dark by its
 * classes (`style.ts`). The points stand beside it as data, for `client.ts` to say what is under the pointer.
 */

import { escaped } from "../words/html.js";
import { shortNumber } from "../words/progress.js";
import { type Stretch, thinned } from "./curve.js";

export interface Drawn {
  readonly label: string;
  /** Its colour: the same number, the same colour on the whole page. */
  readonly colour: number;
  readonly stretches: readonly Stretch[];
}

export interface ChartOptions {
  readonly title: string;
  /** Logarithmic, where all values are positive. */
  readonly isLog: boolean;
  /** What is across: steps, minutes since each run began, or what numbers are counted by. */
  readonly across: "steps" | "minutes" | "layers" | "directions";
}

const [width, height] = [560, 240];
const [left, right, top, bottom] = [58, 12, 10, 30];
/** Points of a curve that are drawn: about as many as there are pixels that differ. */
const mostPoints = 280;
export const colours = 8;

interface Point {
  readonly x: number;
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** A colour of curves, as a small mark. */
export const key = (colour: number): string => `<i class="key c${colour % colours}" aria-hidden="true"></i>`;

/** What curves are called, by their colours. */
export const legend = (curves: readonly Pick<Drawn, "label" | "colour">[]): string =>
  `<p class="legend">${curves.map(({ label, colour }) => `<span>${key(colour)}${escaped(label)}</span>`).join(" ")}</p>`;

export function chart(drawn: readonly Drawn[], { title, isLog: wantsLog, across }: ChartOptions): string {
  const curves = drawn.map((one) => ({ ...one, points: pointsOf(thinned(one.stretches, mostPoints), across) }));
  const all = curves.flatMap(({ points }) => points);
  if (all.length === 0) return "";
  const isLog = wantsLog && all.every(({ least }) => least > 0);
  const xs = rangeOf(all.map(({ x }) => x));
  const ys = rangeOf(all.flatMap(({ mean, least, most }) => (drawn.length > 3 ? [mean] : [least, most])));
  const y0 = isLog ? Math.log10(ys.least) : ys.least;
  const y1 = isLog ? Math.log10(ys.most) : ys.most;
  const pad = (y1 - y0 || Math.abs(y1) || 1) * 0.04;
  const scale = { x0: xs.least, x1: xs.most > xs.least ? xs.most : xs.least + 1, y0: y0 - pad, y1: y1 + pad, isLog };
  const toX = (x: number): number => left + ((x - scale.x0) / (scale.x1 - scale.x0)) * (width - left - right);
  const toY = (value: number): number => {
    const y = isLog ? Math.log10(value) : value;
    return height - bottom - ((y - scale.y0) / (scale.y1 - scale.y0)) * (height - top - bottom);
  };
  const place = (x: number, value: number): string => `${toX(x).toFixed(1)},${toY(value).toFixed(1)}`;
  const marks = curves.map(({ points, colour }) => {
    const line = points.map(({ x, mean }) => place(x, mean)).join(" ");
    const band =
      drawn.length > 3 || points.every(({ least, most }) => least === most)
        ? ""
        : `<polygon class="band c${colour % colours}" points="${[
            ...points.map(({ x, most }) => place(x, most)),
            ...[...points].reverse().map(({ x, least }) => place(x, least)),
          ].join(" ")}"/>`;
    const dots = points.length > 40 ? "" : points.map(({ x, mean }) => dot(toX(x), toY(mean), colour)).join("");
    const dash = colour >= colours ? ' stroke-dasharray="6 3"' : "";
    return `${band}<polyline class="curve c${colour % colours}"${dash} points="${line}"/>${dots}`;
  });
  const data = {
    box: [left, top, width - right, height - bottom],
    across,
    curves: curves.map(({ label, colour, points }) => ({
      label,
      colour: colour % colours,
      points: points.map(({ x, mean }) => [
        Number(x.toPrecision(7)),
        mean,
        Number(toX(x).toFixed(1)),
        Number(toY(mean).toFixed(1)),
      ]),
    })),
  };
  return `<figure class="chart" data-chart="${escaped(JSON.stringify(data))}">
<figcaption>${escaped(title)}${isLog ? " <small>logarithmic</small>" : ""}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(said(title, curves))}">
${yTicks(scale)
  .map((tick) => rule(tick, toY(tick)))
  .join("")}
${ticksBetween(scale.x0, scale.x1, 8)
  .filter((tick) => across === "minutes" || Number.isInteger(tick))
  .map((tick) => foot(tick, toX(tick)))
  .join("")}
<text class="axis" x="${width - right}" y="${height - 2}" text-anchor="end">${across}</text>
${marks.join("\n")}
</svg>
</figure>`;
}

/** `loss: digits from 1.8 to 0.46, other from ...` */
function said(title: string, curves: readonly (Drawn & { readonly points: readonly Point[] })[]): string {
  const each = curves.flatMap(({ label, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    return first && last ? [`${label} from ${shortNumber(first.mean)} to ${shortNumber(last.mean)}`] : [];
  });
  return `${title}: ${each.slice(0, 8).join(", ")}`;
}

function pointsOf(stretches: readonly Stretch[], across: ChartOptions["across"]): readonly Point[] {
  const began = stretches.find(({ time }) => time !== null)?.time ?? null;
  return stretches.flatMap(({ step, time, mean, least, most }) => {
    if (across !== "minutes") return [{ x: step, mean, least, most }];
    return time === null || began === null ? [] : [{ x: (time - began) / 60_000, mean, least, most }];
  });
}

function rangeOf(values: readonly number[]): { readonly least: number; readonly most: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return { least, most };
}

/** Round numbers between two, about so many. */
function ticksBetween(from: number, to: number, count: number): readonly number[] {
  const rough = (to - from) / count;
  if (!(rough > 0) || !Number.isFinite(rough)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: Math.max(0, Math.min(20, last - first + 1)) }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

function yTicks({ y0, y1, isLog }: { readonly y0: number; readonly y1: number; readonly isLog: boolean }) {
  if (!isLog) return ticksBetween(y0, y1, 5);
  // Within a decade or so, round numbers say more than powers.
  if (y1 - y0 < 1.2) return ticksBetween(10 ** y0, 10 ** y1, 5).filter((tick) => tick > 0);
  return ticksBetween(y0, y1, 5)
    .filter(Number.isInteger)
    .map((power) => 10 ** power);
}

const rule = (tick: number, y: number): string =>
  `<line class="rule" x1="${left}" x2="${width - right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/><text class="axis" x="${left - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end">${tickText(tick)}</text>`;

const foot = (tick: number, x: number): string =>
  x > width - 70
    ? ""
    : `<text class="axis" x="${x.toFixed(1)}" y="${height - bottom + 16}" text-anchor="middle">${tickText(tick)}</text>`;

const tickText = (tick: number): string =>
  Math.abs(tick) >= 10_000 && Math.abs(tick) < 1e6 ? `${Number((tick / 1000).toPrecision(4))}k` : shortNumber(tick);

const dot = (x: number, y: number, colour: number): string =>
  `<circle class="dot c${colour % colours}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5"/>`;

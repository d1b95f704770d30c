/** Pictures of numbers against something that grows, as SVG: both axes logarithmic, a line for each of what is compared. */

import { median, type Result } from "./contest.js";
import { contestantText, isProducts, isResult, type Measurement } from "./report.js";

export interface Chart {
  readonly name: string;
  /** What the numbers below count. */
  readonly unit: string;
  readonly threads: number;
  readonly points: readonly { readonly at: number; readonly measurement: Measurement }[];
}

const frame = { width: 560, height: 360, left: 64, right: 150, top: 40, bottom: 48 };
const colours = ["#1f6feb", "#d1242f", "#8250df", "#1a7f37", "#9a6700", "#57606a", "#bf3989", "#0a7d91", "#1f2328"];

export interface Line {
  readonly name: string;
  /** What grows, and the number there. */
  readonly points: readonly (readonly [number, number])[];
}

function linesOf({ points }: Chart): Line[] {
  const results = (measurement: Measurement): Result[] => measurement.results.filter(isResult);
  const names = [...new Set(points.flatMap(({ measurement }) => results(measurement).map(({ name }) => name)))];
  return names
    .filter((name) => !isProducts(name))
    .map((name) => ({
      name: contestantText(name),
      points: points.flatMap(({ at, measurement }) => {
        const found = results(measurement).find((result) => result.name === name);
        return found?.steps.length ? [[at, 1000 * median(found.steps.map((step) => step.seconds))] as const] : [];
      }),
    }))
    .filter((line) => line.points.length > 0);
}

/** 1, 2, 5, 10, 20 ... between two numbers. */
function ticks(low: number, high: number): number[] {
  const first = 10 ** Math.floor(Math.log10(low));
  const all = Array.from({ length: 24 }, (_, i) => first * 10 ** Math.floor(i / 3) * ([1, 2, 5][i % 3] as number));
  return all.filter((tick) => tick >= low && tick <= high);
}

const logScale =
  (low: number, high: number, from: number, to: number) =>
  (value: number): number =>
    from + ((Math.log(value) - Math.log(low)) / Math.max(Math.log(high) - Math.log(low), 1e-9)) * (to - from);

/** Pixels between the middles of two lines of text. */
const lineHeight = 15;

/** Heights at least a line of text apart, each as near below what it was as that leaves it. */
function apart(heights: readonly number[]): readonly number[] {
  const placed: number[] = [];
  const order = heights.map((_, i) => i).sort((a, b) => (heights[a] as number) - (heights[b] as number));
  let free = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    placed[i] = Math.max(heights[i] as number, free);
    free = (placed[i] as number) + lineHeight;
  }
  return placed;
}

/** Step time against what grows. */
export const drawChart = (chart: Chart): string =>
  drawLines(linesOf(chart), {
    title: `Step time against ${chart.name}, ${chart.threads} threads`,
    across: chart.unit,
    upwards: "ms",
  });

/** @param words what the picture is called, what grows, and what the numbers count */
export function drawLines(
  lines: readonly Line[],
  words: { readonly title: string; readonly across: string; readonly upwards: string },
): string {
  const places = [...new Set(lines.flatMap(({ points }) => points.map(([place]) => place)))];
  const numbers = lines.flatMap(({ points }) => points.map(([, number]) => number));
  const [low, high] = [Math.min(...numbers) / 1.3, Math.max(...numbers) * 1.3];
  const x = logScale(Math.min(...places), Math.max(...places), frame.left, frame.width - frame.right);
  const y = logScale(low, high, frame.height - frame.bottom, frame.top);
  const at = (value: number): string => value.toFixed(1);
  const right = frame.width - frame.right;
  const floor = frame.height - frame.bottom;
  const labels = apart(lines.map(({ points }) => y((points.at(-1) as readonly [number, number])[1])));
  const parts = [
    `<text x="${frame.left}" y="22" font-weight="600">${words.title}</text>`,
    ...ticks(low, high).flatMap((tick) => [
      `<line x1="${frame.left}" x2="${right}" y1="${at(y(tick))}" y2="${at(y(tick))}" stroke="#d0d7de"/>`,
      `<text x="${frame.left - 8}" y="${at(y(tick) + 4)}" text-anchor="end">${tick} ${words.upwards}</text>`,
    ]),
    ...places.map((place) => `<text x="${at(x(place))}" y="${floor + 18}" text-anchor="middle">${place}</text>`),
    `<text x="${at((frame.left + right) / 2)}" y="${floor + 38}" text-anchor="middle">${words.across}</text>`,
    ...lines.flatMap(({ name, points }, i) => {
      const colour = colours[i % colours.length] as string;
      const path = points.map(([place, number]) => `${at(x(place))},${at(y(number))}`).join(" ");
      const [place] = points.at(-1) as readonly [number, number];
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map(
          ([place, number]) => `<circle cx="${at(x(place))}" cy="${at(y(number))}" r="3" fill="${colour}"/>`,
        ),
        `<text x="${at(x(place) + 10)}" y="${at((labels[i] as number) + 4)}" fill="${colour}">${name}</text>`,
      ];
    }),
  ];
  const style = 'font-family="system-ui, sans-serif" font-size="12" fill="#1f2328"';
  const size = `width="${frame.width}" height="${frame.height}" viewBox="0 0 ${frame.width} ${frame.height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${style}>\n<title>${words.title}</title>\n<rect width="100%" height="100%" fill="#fff"/>\n${parts.join("\n")}\n</svg>\n`;
}

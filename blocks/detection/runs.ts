/**
 * Masks as lengths of runs down the columns of an image, zeros first: what COCO measures masks by. Outlines are filled exactly as
 * pycocotools fills them (`rleFrPoly`): their edges are drawn five times as fine, and crossings are counted.
 */

/** Runs of zeros and ones in turn, column by column. */
export type Runs = readonly number[];

export function runsOfBits(bits: Uint8Array, height: number, width: number): Runs {
  const runs: number[] = [];
  let [value, length] = [0, 0];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const bit = bits[y * width + x] as number;
      if (bit !== value) {
        runs.push(length);
        [value, length] = [bit, 0];
      }
      length++;
    }
  }
  runs.push(length);
  return runs;
}

/** Number of ones. */
export const areaOfRuns = (runs: Runs): number => runs.reduce((sum, run, i) => sum + (i % 2 === 1 ? run : 0), 0);

/** Ones of both, or of either. */
export function combined(a: Runs, b: Runs, either: boolean): Runs {
  const runs: number[] = [];
  const [ends, at, left] = [
    [a, b],
    [0, 0],
    [a[0] ?? 0, b[0] ?? 0],
  ] as [Runs[], number[], number[]];
  let [value, length] = [false, 0];
  for (;;) {
    for (const k of [0, 1] as const) {
      while (left[k] === 0 && (at[k] as number) < (ends[k] as Runs).length - 1) {
        at[k] = (at[k] as number) + 1;
        left[k] = (ends[k] as Runs)[at[k] as number] as number;
      }
    }
    const step = Math.min(left[0] as number, left[1] as number);
    if (step === 0) break;
    const [first, second] = [at[0], at[1]].map((place) => (place as number) % 2 === 1) as [boolean, boolean];
    const next = either ? first || second : first && second;
    if (next !== value) {
      runs.push(length);
      [value, length] = [next, 0];
    }
    length += step;
    for (const k of [0, 1] as const) left[k] = (left[k] as number) - step;
  }
  runs.push(length);
  return runs;
}

/** Outlines as one mask. */
export const runsOfPolygons = (polygons: readonly (readonly number[])[], height: number, width: number): Runs =>
  polygons
    .filter((outline) => outline.length >= 6)
    .map((outline) => runsOfPolygon(outline, height, width))
    .reduce((all, one) => combined(all, one, true), [height * width]);

const fineness = 5;

function runsOfPolygon(outline: readonly number[], height: number, width: number): Runs {
  const [u, v] = finePoints(outline);
  const places: number[] = [];
  for (let j = 1; j < u.length; j++) {
    const [now, before] = [u[j] as number, u[j - 1] as number];
    if (now === before) continue;
    const x = ((now < before ? now : now - 1) + 0.5) / fineness - 0.5;
    if (Math.floor(x) !== x || x < 0 || x > width - 1) continue;
    const [low, other] = [v[j] as number, v[j - 1] as number];
    const y = (Math.min(low, other) + 0.5) / fineness - 0.5;
    places.push(x * height + Math.ceil(Math.min(Math.max(0, y), height)));
  }
  places.push(height * width);
  places.sort((a, b) => a - b);
  const lengths = places.map((place, i) => place - (i === 0 ? 0 : (places[i - 1] as number)));
  return joinedRuns(lengths);
}

/** Every fine pixel along the edges. */
function finePoints(outline: readonly number[]): readonly [readonly number[], readonly number[]] {
  const points = outline.length / 2;
  const at = (i: number): readonly [number, number] => {
    const k = i % points;
    return [
      Math.trunc(fineness * (outline[2 * k] as number) + 0.5),
      Math.trunc(fineness * (outline[2 * k + 1] as number) + 0.5),
    ];
  };
  const [u, v]: [number[], number[]] = [[], []];
  for (let i = 0; i < points; i++) {
    let [[xs, ys], [xe, ye]] = [at(i), at(i + 1)];
    const [dx, dy] = [Math.abs(xe - xs), Math.abs(ye - ys)];
    const isTurned = (dx >= dy && xs > xe) || (dx < dy && ys > ye);
    if (isTurned) [xs, ys, xe, ye] = [xe, ye, xs, ys];
    const isFlat = dx >= dy;
    const steps = isFlat ? dx : dy;
    const slope = steps === 0 ? 0 : isFlat ? (ye - ys) / dx : (xe - xs) / dy;
    for (let d = 0; d <= steps; d++) {
      const t = isTurned ? steps - d : d;
      u.push(isFlat ? t + xs : Math.trunc(xs + slope * t + 0.5));
      v.push(isFlat ? Math.trunc(ys + slope * t + 0.5) : t + ys);
    }
  }
  return [u, v];
}

/** A run of no length joins those around it. */
function joinedRuns(lengths: readonly number[]): Runs {
  const runs: number[] = [lengths[0] as number];
  for (let j = 1; j < lengths.length; ) {
    if ((lengths[j] as number) > 0) runs.push(lengths[j++] as number);
    else {
      j++;
      if (j < lengths.length) runs[runs.length - 1] = (runs.at(-1) as number) + (lengths[j++] as number);
    }
  }
  return runs;
}

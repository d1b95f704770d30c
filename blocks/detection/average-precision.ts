/**
 * Average precision by the rules of COCO, as pycocotools computes it: detections of a class over the whole set by falling score, each
 * matched to the best object that is left, precision made monotone and read at 101 recalls, and the mean over ten overlaps.
 */

import { type Box, intersectionOf } from "./objects.js";
import { areaOfRuns, combined, type Runs } from "./runs.js";

export interface TrueObject {
  readonly category: number;
  readonly box: Box;
  readonly mask: Runs | null;
  readonly area: number;
  readonly crowd: boolean;
}

export interface FoundObject {
  readonly category: number;
  readonly score: number;
  readonly box: Box;
  readonly mask: Runs | null;
}

export interface JudgedImage {
  readonly objects: readonly TrueObject[];
  readonly found: readonly FoundObject[];
}

/** By what detections are compared with objects. */
export type By = "box" | "mask";

/** Between 0 and 1; NaN where there are no objects to find. */
export interface Precisions {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly ap_small: number;
  readonly ap_medium: number;
  readonly ap_large: number;
  /** Mean largest recall with 100 detections an image. */
  readonly ar: number;
  /** AP of each class; NaN for classes without objects. */
  readonly perClass: readonly number[];
}

/** Numbers at equal distances, rounded as numpy.linspace rounds them: detections may lie exactly on one. */
const spaced = (from: number, to: number, count: number): readonly number[] => {
  const step = (to - from) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? to : i * step + from));
};
const overlaps = spaced(0.5, 0.95, 10);
const recalls = spaced(0, 1, 101);
const mostFound = 100;
const ranges = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const;
type Range = keyof typeof ranges;

/** Precision at each overlap and recall, and the largest recall at each overlap; null: nothing to find. */
interface Curve {
  readonly precision: readonly (readonly number[])[];
  readonly recall: readonly number[];
}

export function averagePrecisions(images: readonly JudgedImage[], classes: number, by: By): Precisions {
  const matched = Array.from({ length: classes }, (_, category) =>
    images.map((image) => overlapsIn(image, category, by)),
  );
  const curves = (range: Range): readonly (Curve | null)[] => matched.map((one) => curveOf(one, ranges[range]));
  const all = curves("all");
  const ap = (of: readonly (Curve | null)[], at: readonly number[] = overlaps.map((_, t) => t)): number =>
    meanOf(of.flatMap((curve) => (curve ? at.flatMap((t) => curve.precision[t] as readonly number[]) : [])));
  return {
    ap: ap(all),
    ap50: ap(all, [0]),
    ap75: ap(all, [5]),
    ap_small: ap(curves("small")),
    ap_medium: ap(curves("medium")),
    ap_large: ap(curves("large")),
    ar: meanOf(all.flatMap((curve) => curve?.recall ?? [])),
    perClass: all.map((curve) => ap([curve])),
  };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of one class in one image. */
interface Overlaps {
  /** By falling score, of equals in their order. */
  readonly found: readonly { readonly score: number; readonly area: number }[];
  readonly objects: readonly { readonly area: number; readonly crowd: boolean }[];
  /** [found][objects] */
  readonly overlap: readonly (readonly number[])[];
}

function overlapsIn(image: JudgedImage, category: number, by: By): Overlaps {
  const objects = image.objects.filter((one) => one.category === category && (by === "box" || one.mask !== null));
  const found = image.found
    .filter((one) => one.category === category && (by === "box" || one.mask !== null))
    .sort((a, b) => b.score - a.score)
    .slice(0, mostFound);
  return {
    found: found.map(({ score, box, mask }) => ({
      score,
      area: by === "box" ? box.width * box.height : areaOfRuns(mask as Runs),
    })),
    objects,
    overlap: found.map((one) =>
      objects.map((object) => (by === "box" ? boxOverlap(one, object) : maskOverlap(one, object))),
    ),
  };
}

/** With a crowd, what lies in it is compared with the detection alone. */
function boxOverlap(found: FoundObject, { box, crowd }: TrueObject): number {
  const common = intersectionOf(found.box, box);
  const own = found.box.width * found.box.height;
  return common === 0 ? 0 : common / (crowd ? own : own + box.width * box.height - common);
}

function maskOverlap(found: FoundObject, { mask, crowd }: TrueObject): number {
  const [a, b] = [found.mask as Runs, mask as Runs];
  const common = areaOfRuns(combined(a, b, false));
  const all = crowd ? areaOfRuns(a) : areaOfRuns(a) + areaOfRuns(b) - common;
  return all === 0 ? 0 : common / all;
}

/** A detection at one overlap: right, wrong, or of no account. */
type Verdict = "right" | "wrong" | "ignored";

const isOutside = (area: number, [least, most]: readonly [number, number]): boolean => area < least || area > most;

/** Each detection takes the object that it overlaps most of those that are left; what is to be ignored comes last. */
function verdictsIn(
  { found, objects, overlap }: Overlaps,
  threshold: number,
  range: readonly [number, number],
): readonly Verdict[] {
  const ignored = objects.map(({ area, crowd }) => crowd || isOutside(area, range));
  const order = [...objects.keys()].sort((a, b) => Number(ignored[a]) - Number(ignored[b]));
  const taken = new Set<number>();
  return found.map(({ area }, d) => {
    let best = Math.min(threshold, 1 - 1e-10);
    let match = -1;
    for (const g of order) {
      if (taken.has(g) && !objects[g]?.crowd) continue;
      if (match >= 0 && !ignored[match] && ignored[g]) break;
      const own = overlap[d]?.[g] as number;
      if (own < best) continue;
      best = own;
      match = g;
    }
    if (match < 0) return isOutside(area, range) ? "ignored" : "wrong";
    taken.add(match);
    return ignored[match] ? "ignored" : "right";
  });
}

function curveOf(images: readonly Overlaps[], range: readonly [number, number]): Curve | null {
  const wanted = images.reduce(
    (sum, { objects }) => sum + objects.filter(({ area, crowd }) => !crowd && !isOutside(area, range)).length,
    0,
  );
  if (wanted === 0) return null;
  const scores = images.flatMap(({ found }) => found.map(({ score }) => score));
  const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const atEach = overlaps.map((threshold) => {
    const verdicts = images.flatMap((image) => verdictsIn(image, threshold, range));
    return precisionsAt(
      order.map((i) => verdicts[i] as Verdict),
      wanted,
    );
  });
  return { precision: atEach.map(({ precision }) => precision), recall: atEach.map(({ recall }) => recall) };
}

/** Precision at the recalls that are read, and the largest recall. */
function precisionsAt(
  verdicts: readonly Verdict[],
  wanted: number,
): { readonly precision: readonly number[]; readonly recall: number } {
  const [recall, precision]: [number[], number[]] = [[], []];
  let [right, wrong] = [0, 0];
  for (const verdict of verdicts) {
    if (verdict === "right") right++;
    if (verdict === "wrong") wrong++;
    recall.push(right / wanted);
    precision.push(right / (right + wrong + Number.EPSILON));
  }
  for (let i = precision.length - 2; i >= 0; i--) {
    precision[i] = Math.max(precision[i] as number, precision[i + 1] as number);
  }
  let at = 0;
  const read = recalls.map((wished) => {
    while (at < recall.length && (recall[at] as number) < wished) at++;
    return precision[at] ?? 0;
  });
  return { precision: read, recall: recall.at(-1) ?? 0 };
}

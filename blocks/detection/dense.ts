/**
 * A one-stage detector's places: what each is to say of the objects of an image, and what is found from what it says. As FCOS: a place
 * speaks for an object where it lies near its centre and the object has the size of the place's level. Outlines are squares of cells
 * over the box.
 */

import type { PixelSize } from "../augment/contract.js";
import type { FoundObject } from "./average-precision.js";
import { type Box, type ImageObject, isInside, overlapOf } from "./objects.js";
import { type Runs, runsOfBits } from "./runs.js";

export interface Level {
  readonly rows: number;
  readonly columns: number;
  /** Pixels from place to place. */
  readonly stride: number;
}

/** What a detector says at each place: class logits, four distances in strides, a logit of centredness, logits of the outline's cells. */
export interface DetectorFacts {
  /** Finest first. */
  readonly levels: readonly Level[];
  readonly classes: number;
  /** Cells along a side of an outline; 0: boxes alone. */
  readonly mask: number;
}

/** Numbers of a place in the target: its class or -1, four distances, centredness, the outline's cells. */
export const targetNumbers = (mask: number): number => 6 + mask ** 2;

export const predictionNumbers = ({ classes, mask }: Pick<DetectorFacts, "classes" | "mask">): number =>
  classes + 5 + mask ** 2;

export const placesOf = ({ levels }: Pick<DetectorFacts, "levels">): number =>
  levels.reduce((sum, { rows, columns }) => sum + rows * columns, 0);

/** Strides from an object's centre within which places speak for it. */
const centreRadius = 1.5;
/** A level has objects that reach up to so many strides from their places. */
const reach = 8;

/** For each place, level by level in raster order, what it is to say. */
export function denseTargets(objects: readonly ImageObject[], facts: DetectorFacts): Float32Array {
  const size = targetNumbers(facts.mask);
  const targets = new Float32Array(placesOf(facts) * size);
  const bySize = objects.filter(({ crowd }) => !crowd).sort((a, b) => areaOf(a.box) - areaOf(b.box));
  let at = 0;
  for (const [i, level] of facts.levels.entries()) {
    const nearest = i === 0 ? 0 : reach * (facts.levels[i - 1] as Level).stride;
    const farthest = i === facts.levels.length - 1 ? Infinity : reach * level.stride;
    for (let row = 0; row < level.rows; row++) {
      for (let column = 0; column < level.columns; column++, at += size) {
        const [x, y] = [(column + 0.5) * level.stride, (row + 0.5) * level.stride];
        const own = bySize.find(({ box }) => {
          const most = Math.max(...distancesTo(box, x, y));
          return isNearCentre(box, x, y, level.stride) && most > nearest && most <= farthest;
        });
        targets[at] = -1;
        if (own) targets.set(targetOf(own, x, y, level.stride, facts.mask), at);
      }
    }
  }
  return targets;
}

const areaOf = ({ width, height }: Box): number => width * height;

/** To the left, up, to the right and down. */
const distancesTo = (
  { x, y, width, height }: Box,
  px: number,
  py: number,
): readonly [number, number, number, number] => [px - x, py - y, x + width - px, y + height - py];

/** Inside the box, and near its centre. */
function isNearCentre(box: Box, x: number, y: number, stride: number): boolean {
  const [cx, cy] = [box.x + box.width / 2, box.y + box.height / 2];
  const isIn = distancesTo(box, x, y).every((distance) => distance > 0);
  return isIn && Math.abs(x - cx) <= centreRadius * stride && Math.abs(y - cy) <= centreRadius * stride;
}

function targetOf(
  { category, box, polygons }: ImageObject,
  x: number,
  y: number,
  stride: number,
  mask: number,
): readonly number[] {
  const distances = distancesTo(box, x, y);
  const [left, up, right, down] = distances;
  const centred = Math.sqrt(
    (Math.min(left, right) / Math.max(left, right)) * (Math.min(up, down) / Math.max(up, down)),
  );
  const cells = Array.from({ length: mask ** 2 }, (_, cell) => {
    const [row, column] = [Math.floor(cell / mask), cell % mask];
    const [cx, cy] = [box.x + ((column + 0.5) / mask) * box.width, box.y + ((row + 0.5) / mask) * box.height];
    return polygons === null || isInside(polygons, cx, cy) ? 1 : 0;
  });
  return [category, ...distances.map((distance) => distance / stride), centred, ...cells];
}

export interface FindOptions {
  /** Least share of a class at a place. */
  readonly score: number;
  /** Of two boxes of a class that overlap more, the lower is left out. */
  readonly overlap: number;
  /** Most in an image. */
  readonly most: number;
}

/** Places of a level that are looked at. */
const mostOfLevel = 1000;

/** A box at a place, before what overlaps it is left out. */
interface Candidate {
  readonly category: number;
  readonly score: number;
  readonly box: Box;
  /** Where the place begins in the prediction. */
  readonly at: number;
}

/** The objects in an image, by falling score. `prediction`: of one image, [places, numbers]. */
export function foundIn(
  prediction: Float32Array,
  facts: DetectorFacts,
  image: PixelSize,
  { score, overlap, most }: FindOptions,
): readonly FoundObject[] {
  const kept: Candidate[] = [];
  for (const one of candidatesIn(prediction, facts, image, score)) {
    if (kept.length === most) break;
    const isFree = kept.every((other) => other.category !== one.category || overlapOf(other.box, one.box) <= overlap);
    if (isFree) kept.push(one);
  }
  return kept.map(({ category, score, box, at }) => ({
    category,
    score,
    box,
    mask: facts.mask === 0 ? null : outlineAt(prediction, at + facts.classes + 5, facts.mask, box, image),
  }));
}

/** All boxes that are sure enough, by falling score. */
function candidatesIn(
  prediction: Float32Array,
  facts: DetectorFacts,
  image: PixelSize,
  least: number,
): readonly Candidate[] {
  const size = predictionNumbers(facts);
  const { classes } = facts;
  const all: Candidate[] = [];
  let at = 0;
  for (const { rows, columns, stride } of facts.levels) {
    const own: Candidate[] = [];
    for (let place = 0; place < rows * columns; place++, at += size) {
      const centred = sigmoid(prediction[at + classes + 4] as number);
      for (let category = 0; category < classes; category++) {
        const share = sigmoid(prediction[at + category] as number);
        if (share < least) continue;
        const [x, y] = [((place % columns) + 0.5) * stride, (Math.floor(place / columns) + 0.5) * stride];
        const box = boxAt(prediction, at + classes, x, y, stride, image);
        if (box.width > 0 && box.height > 0) own.push({ category, score: Math.sqrt(share * centred), box, at });
      }
    }
    all.push(...own.sort(byScore).slice(0, mostOfLevel));
  }
  return all.sort(byScore);
}

const byScore = (a: { readonly score: number }, b: { readonly score: number }): number => b.score - a.score;

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Four distances from a place, cut to the image. */
function boxAt(
  numbers: Float32Array,
  from: number,
  x: number,
  y: number,
  stride: number,
  { height, width }: PixelSize,
): Box {
  const [left, up, right, down] = [0, 1, 2, 3].map((i) => (numbers[from + i] as number) * stride) as [
    number,
    number,
    number,
    number,
  ];
  const [x0, y0] = [Math.max(0, x - left), Math.max(0, y - up)];
  return { x: x0, y: y0, width: Math.min(width, x + right) - x0, height: Math.min(height, y + down) - y0 };
}

/** Cells over a box as a mask of the image, between them by both neighbours. */
function outlineAt(numbers: Float32Array, from: number, cells: number, box: Box, { height, width }: PixelSize): Runs {
  const bits = new Uint8Array(height * width);
  const share = (row: number, column: number): number => {
    const [r, c] = [row, column].map((at) => Math.min(cells - 1, Math.max(0, at))) as [number, number];
    return sigmoid(numbers[from + r * cells + c] as number);
  };
  const [firstRow, lastRow] = [Math.max(0, Math.floor(box.y)), Math.min(height, Math.ceil(box.y + box.height))];
  const [firstColumn, lastColumn] = [Math.max(0, Math.floor(box.x)), Math.min(width, Math.ceil(box.x + box.width))];
  for (let y = firstRow; y < lastRow; y++) {
    for (let x = firstColumn; x < lastColumn; x++) {
      const [v, u] = [((y + 0.5 - box.y) / box.height) * cells - 0.5, ((x + 0.5 - box.x) / box.width) * cells - 0.5];
      if (v < -0.5 || u < -0.5 || v > cells - 0.5 || u > cells - 0.5) continue;
      const [row, column] = [Math.floor(v), Math.floor(u)];
      const [down, right] = [v - row, u - column];
      const upper = (1 - right) * share(row, column) + right * share(row, column + 1);
      const lower = (1 - right) * share(row + 1, column) + right * share(row + 1, column + 1);
      if ((1 - down) * upper + down * lower >= 0.5) bits[y * width + x] = 1;
    }
  }
  return runsOfBits(bits, height, width);
}

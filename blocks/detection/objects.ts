/** Objects in an image: boxes with classes and outlines, and how crops, sizes and flips of the image move them. */

import type { ImageStep, PixelSize } from "../augment/contract.js";

/** x and y of the upper left corner, width and height, in pixels; edges lie between pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface ImageObject {
  /** Number of its class. */
  readonly category: number;
  readonly box: Box;
  /** Outlines, x and y in turn; together they are the object. null: there is nothing but the box. */
  readonly polygons: readonly (readonly number[])[] | null;
  /** Pixels of the object, by which it is small or large. */
  readonly area: number;
  /** Many objects of the class in one region: found or not, it counts for nothing. */
  readonly crowd: boolean;
}

/** What is known of the objects of an image file. */
export interface Annotated {
  /** Of the file, as it is turned for a viewer. */
  readonly size: PixelSize;
  readonly objects: readonly ImageObject[];
}

/** Share of an object that must be left in a crop. */
const leastLeft = 0.1;

/** The objects where steps have put them; those of which next to nothing is left are left out. */
export function movedObjects({ size, objects }: Annotated, steps: readonly ImageStep[]): readonly ImageObject[] {
  let current = size;
  let moved = objects;
  for (const step of steps) {
    const before = current;
    if (step.kind === "crop") {
      moved = moved.map((one) => placed(one, { x: 1, y: 1 }, { x: -step.left, y: -step.top }));
      current = step;
    } else if (step.kind === "resize") {
      const scale = { x: step.width / before.width, y: step.height / before.height };
      moved = moved.map((one) => placed(one, scale, { x: 0, y: 0 }));
      current = step;
    } else if (step.kind === "flip") {
      const isAcross = step.axis === "horizontal";
      const scale = { x: isAcross ? -1 : 1, y: isAcross ? 1 : -1 };
      const shift = { x: isAcross ? before.width : 0, y: isAcross ? 0 : before.height };
      moved = moved.map((one) => placed(one, scale, shift));
    }
    if (step.kind === "crop") moved = moved.flatMap((one) => cut(one, current) ?? []);
  }
  return moved;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** p -> scale p + shift */
function placed({ box, polygons, area, ...rest }: ImageObject, scale: Point, shift: Point): ImageObject {
  const [x0, x1] = [box.x, box.x + box.width].map((x) => scale.x * x + shift.x).sort((a, b) => a - b) as [
    number,
    number,
  ];
  const [y0, y1] = [box.y, box.y + box.height].map((y) => scale.y * y + shift.y).sort((a, b) => a - b) as [
    number,
    number,
  ];
  return {
    ...rest,
    box: { x: x0, y: y0, width: x1 - x0, height: y1 - y0 },
    polygons:
      polygons?.map((outline) =>
        outline.map((value, i) => (i % 2 === 0 ? scale.x * value + shift.x : scale.y * value + shift.y)),
      ) ?? null,
    area: area * Math.abs(scale.x * scale.y),
  };
}

/** What of an object lies in an image; null: next to nothing. Outlines are cut where they are filled. */
function cut(one: ImageObject, { height, width }: PixelSize): ImageObject | null {
  const { x, y } = one.box;
  const [x0, y0] = [Math.max(0, x), Math.max(0, y)];
  const [x1, y1] = [Math.min(width, x + one.box.width), Math.min(height, y + one.box.height)];
  const box = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
  const left = (box.width * box.height) / (one.box.width * one.box.height || 1);
  if (box.width <= 0 || box.height <= 0 || left < leastLeft) return null;
  return { ...one, box, area: one.area * left };
}

/** Whether a point lies in outlines: in any of them, by crossings of a ray. */
export function isInside(polygons: readonly (readonly number[])[], x: number, y: number): boolean {
  return polygons.some((outline) => {
    let inside = false;
    for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
      const [xi, yi, xj, yj] = [outline[i], outline[i + 1], outline[j], outline[j + 1]] as [
        number,
        number,
        number,
        number,
      ];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
    return inside;
  });
}

/** Overlap of two boxes as a share of what both cover together. */
export function overlapOf(a: Box, b: Box): number {
  const common = intersectionOf(a, b);
  return common === 0 ? 0 : common / (a.width * a.height + b.width * b.height - common);
}

export function intersectionOf(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width <= 0 || height <= 0 ? 0 : width * height;
}

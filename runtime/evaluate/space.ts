/** How what lies in space is looked at: from a corner above and from one side, points as dots and faces as they turn away from the viewer. */

import { type ArrayShape, type ImageShape, type PlacesInSpace, placesInSpace, pointsIn } from "../../blocks/index.js";
import { colourOfKind } from "./tiles.js";

/** Numbers from 0 to 1, [H, W, C]. */
export interface View {
  readonly shape: ImageShape;
  readonly pixels: Float32Array;
}

/** What a view is drawn by: the truth, whose range is the scale of all that is not a picture, and what is to be marked. */
export interface Shown {
  readonly truth: Float32Array;
  /** [...axes]: 1 where a place is marked; null: nothing is. */
  readonly marked: Uint8Array | null;
  /** Of points, the kind of each, by which they are coloured; below zero: none is known. If absent, all are alike. */
  readonly kinds?: ArrayLike<number>;
  /** What the leads of a signal are called; if absent or null, nothing. */
  readonly leads?: readonly string[] | null;
}

/** Pixels of one side, and around what is seen of it. */
const [side, margin] = [144, 8];
/** Of what is nearest, or turned towards the viewer, and of what is farthest, or turned away. */
interface Inks {
  readonly near: readonly number[];
  readonly far: readonly number[];
}

const plainInks: Inks = { near: [0.05, 0.15, 0.45], far: [0.6, 0.75, 0.95] };

/** Of points of one kind: darker where they are near; grey of none. */
function inksOf(kind: number): Inks {
  const colour = kind < 0 ? [0.5, 0.5, 0.5] : colourOfKind(kind).map((level) => level / 255);
  return { near: colour.map((part) => part * 0.75), far: colour.map((part) => 0.6 * part + 0.4) };
}

type Direction = readonly [number, number, number];

/** Where the viewer of each picture stands: to the right, upwards and towards the viewer, in the axes of the array. */
const sides: readonly Viewer[] = [
  { right: [0.894, 0.447, 0], up: [0.179, -0.358, 0.917], near: [0.409, -0.819, -0.4] },
  { right: [0, 1, 0], up: [0, 0, 1], near: [1, 0, 0] },
];

interface Viewer {
  readonly right: Direction;
  readonly up: Direction;
  readonly near: Direction;
}

/** A point as seen: pixels from the left and from above, and how near it is. */
type Seen = Direction;

const dot = (a: Direction, b: Direction): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** In the scale of the truth; places that are marked are left out. Three points of a place are a face, where they are not one. */
export function fromTwoSides(array: ArrayShape, values: Float32Array, { truth, marked, kinds }: Shown): View {
  const { points: each } = placesInSpace(array) as PlacesInSpace;
  const { middle, span } = extentOf(pointsIn(array, truth));
  const points = pointsIn(array, values);
  const width = sides.length * side;
  const pixels = new Float32Array(side * width * 3).fill(1);
  for (const [i, viewer] of sides.entries()) {
    let inks = plainInks;
    const paint = painter(pixels, i * side, width, () => inks);
    const seen = (point: number): Seen => {
      const at = [0, 1, 2].map((c) => ((points[point * 3 + c] as number) - (middle[c] as number)) / span);
      const along = (axis: Direction): number => dot(axis, at as unknown as Direction);
      const place = (share: number): number => margin + share * (side - 2 * margin);
      return [place(0.5 + along(viewer.right)), place(0.5 - along(viewer.up)), along(viewer.near)];
    };
    for (let place = 0; place < points.length / 3 / each; place++) {
      if (marked?.[place] === 1) continue;
      if (kinds) inks = inksOf(kinds[place] as number);
      const [first, ...others] = Array.from({ length: each }, (_, k) => seen(place * each + k)) as [Seen, ...Seen[]];
      const [second, third] = others;
      if (second && third && others.some((other) => other.join() !== first.join()))
        paintFace([first, second, third], paint);
      else paintDot(first, paint);
    }
  }
  return { shape: { height: side, width, channels: 3 }, pixels };
}

/** Paints a pixel of one side where nothing nearer is there; what leaves the picture is not painted. */
type Paint = (x: number, y: number, depth: number, share: number) => void;

function painter(pixels: Float32Array, left: number, width: number, inks: () => Inks): Paint {
  const depths = new Float32Array(side * side).fill(Number.NEGATIVE_INFINITY);
  return (x, y, depth, share) => {
    if (!(x >= 0 && x < side && y >= 0 && y < side) || (depths[y * side + x] as number) >= depth) return;
    depths[y * side + x] = depth;
    const kept = Math.min(1, Math.max(0, share));
    const { near, far } = inks();
    const ink = near.map((part, c) => part * kept + (far[c] as number) * (1 - kept));
    pixels.set(ink, (y * width + left + x) * 3);
  };
}

/** Two by two pixels; near points are darker. */
function paintDot([x, y, depth]: Seen, paint: Paint): void {
  for (const dx of [0, 1]) for (const dy of [0, 1]) paint(Math.round(x) + dx, Math.round(y) + dy, depth, 0.5 + depth);
}

/** All pixels whose middle lies in it; faces are darker where they turn away. */
function paintFace(corners: readonly [Seen, Seen, Seen], paint: Paint): void {
  const [a, b, c] = corners;
  const across = (p: readonly number[], q: readonly number[], r: readonly number[]): number =>
    ((q[0] as number) - (p[0] as number)) * ((r[1] as number) - (p[1] as number)) -
    ((q[1] as number) - (p[1] as number)) * ((r[0] as number) - (p[0] as number));
  const area = across(a, b, c);
  if (area === 0) return;
  // How much of the face is seen, of what there is of it in space.
  const scale = side - 2 * margin;
  const [u, v] = [b, c].map((corner) => [
    (corner[0] - a[0]) / scale,
    (corner[1] - a[1]) / scale,
    corner[2] - a[2],
  ]) as unknown as [Direction, Direction];
  const whole = Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]);
  const turned = 1 - Math.abs(area) / scale ** 2 / whole;
  const range = (k: 0 | 1): readonly number[] => {
    const ends = corners.map((corner) => corner[k]);
    const [low, high] = [Math.max(0, Math.floor(Math.min(...ends))), Math.min(side - 1, Math.ceil(Math.max(...ends)))];
    return Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => low + i);
  };
  for (const y of range(1)) {
    for (const x of range(0)) {
      const shares = [across(b, c, [x, y]), across(c, a, [x, y]), across(a, b, [x, y])].map((part) => part / area);
      if (shares.some((share) => share < -1e-6)) continue;
      const depth = shares.reduce((sum, share, k) => sum + share * (corners[k] as Seen)[2], 0);
      paint(x, y, depth, turned);
    }
  }
}

/** The middle of some points, and how far they reach on the whole. */
function extentOf(points: Float32Array): { readonly middle: readonly number[]; readonly span: number } {
  const ranges = [0, 1, 2].map((c) => {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let at = c; at < points.length; at += 3) {
      [least, most] = [Math.min(least, points[at] as number), Math.max(most, points[at] as number)];
    }
    return { least, span: most - least || 1 };
  });
  return {
    middle: ranges.map(({ least, span }) => least + span / 2),
    span: Math.hypot(...ranges.map(({ span }) => span)),
  };
}

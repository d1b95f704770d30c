// Writes what views-3d-mtr.mae reads: three views of things and the volumes that they fill. All of them are made.
//
//   node examples/data/views.mjs [folder]           (default: data/views; ten seconds)
//
// Chairs, lamps, rockets, rings and tables of random proportions, each turned about its upright axis. A view is 32x32, as bright as what is
// seen is near; a volume is 16x16x16, 1 where a surface passes and 0 elsewhere. Of each split `front.npy`, `side.npy`, `top.npy`, `shape.npy` and
// `labels.npy`. Always the same things: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npy, randomFrom } from "./making.mjs";
import { box, disc, drawn, onLegs, together, turned } from "./surfaces.mjs";

const folder = process.argv[2] ?? "data/views";
const counts = { train: 800, test: 200 };
const [side, voxels, dots] = [32, 16, 6000];

const kinds = [
  function chair(between) {
    const [width, depth, height, board] = [between(0.7, 1), between(0.7, 1), between(0.5, 0.9), between(0.06, 0.14)];
    const back = box([0, 0, height], [width, board, height + between(0.4, 1)]);
    return together([...onLegs(width, depth, height, board, between(0.08, 0.14)), back]);
  },
  function lamp(between) {
    const [foot, height, wide, narrow] = [between(0.3, 0.55), between(1, 1.8), between(0.4, 0.7), between(0.15, 0.35)];
    const shade = between(0.3, 0.6);
    return together([
      disc(foot, 0),
      turned((u) => [0.05, height * u], 6),
      turned((u) => [wide + (narrow - wide) * u, height - shade / 2 + shade * u], 4),
    ]);
  },
  function ring(between) {
    const [radius, thick] = [between(0.7, 1.1), between(0.15, 0.4)];
    const angle = (u) => 2 * Math.PI * u;
    return turned((u) => [radius + thick * Math.cos(angle(u)), thick * Math.sin(angle(u))]);
  },
  function rocket(between) {
    const [radius, height, nose] = [between(0.2, 0.45), between(0.8, 1.6), between(0.3, 0.8)];
    return together([
      turned((u) => [radius, height * u], 6),
      disc(radius, 0),
      turned((u) => [radius * (1 - u), height + nose * u], 6),
    ]);
  },
  function table(between) {
    const [width, depth, height] = [between(0.9, 1.6), between(0.7, 1.1), between(0.5, 1)];
    return together(onLegs(width, depth, height, between(0.06, 0.14), between(0.08, 0.14)));
  },
];

const random = randomFrom(31);
const between = (least, most) => least + (most - least) * random();

/** Points of a thing in [0, 1): turned, in the middle, its longest side nearly as long as the volume. */
function placedPoints(surface) {
  const turn = between(0, 2 * Math.PI);
  const points = drawn(surface, dots, random).map(({ point: [x, y, z] }) => [
    Math.cos(turn) * x - Math.sin(turn) * y,
    Math.sin(turn) * x + Math.cos(turn) * y,
    z,
  ]);
  const ends = [0, 1, 2].map((k) => {
    const values = points.map((point) => point[k]);
    return [Math.min(...values), Math.max(...values)];
  });
  const longest = Math.max(...ends.map(([least, most]) => most - least)) * 1.05;
  return points.map((point) => point.map((value, k) => 0.5 + (value - (ends[k][0] + ends[k][1]) / 2) / longest));
}

/** As seen along an axis: `right` and `down` say which coordinates lie there, the third one is how near a point is. */
function view(points, [right, down, near], mirrored) {
  const pixels = new Uint8Array(side * side);
  for (const point of points) {
    const [x, y] = [Math.floor(point[right] * side), Math.floor((mirrored ? 1 - point[down] : point[down]) * side)];
    const bright = Math.round(75 + 180 * point[near]);
    pixels[y * side + x] = Math.max(pixels[y * side + x], bright);
  }
  return pixels;
}

for (const [split, count] of Object.entries(counts)) {
  const all = { front: [], side: [], top: [], shape: [] };
  for (let i = 0; i < count; i++) {
    const points = placedPoints(kinds[i % kinds.length](between));
    all.front.push(view(points, [0, 2, 1], true));
    all.side.push(view(points, [1, 2, 0], true));
    all.top.push(view(points, [0, 1, 2], false));
    const filled = new Uint8Array(voxels ** 3);
    for (const [x, y, z] of points) {
      const [column, row, depth] = [x, y, z].map((value) => Math.floor(value * voxels));
      filled[(depth * voxels + row) * voxels + column] = 1;
    }
    all.shape.push(filled);
  }
  mkdirSync(join(folder, split), { recursive: true });
  for (const [name, arrays] of Object.entries(all)) {
    const whole = Buffer.concat(arrays);
    const [type, numbers] = name === "shape" ? ["<f4", Float32Array.from(whole)] : ["|u1", whole];
    const shape = name === "shape" ? [count, voxels, voxels, voxels] : [count, side, side];
    writeFileSync(join(folder, split, `${name}.npy`), npy(type, shape, numbers));
  }
  const labels = Uint8Array.from({ length: count }, (_, i) => i % kinds.length);
  writeFileSync(join(folder, split, "labels.npy"), npy("|u1", [count], labels));
}
console.log(`wrote ${counts.train} things to learn from and ${counts.test} to judge by to ${folder}`);

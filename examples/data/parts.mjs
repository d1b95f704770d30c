// Writes the clouds that parts-point-mae.mae reads: things put together of simple surfaces, with the part of each point. All of them are made.
//
//   node examples/data/parts.mjs [folder]           (default: data/parts; two seconds)
//
// Five classes: chairs (seat, legs, back), lamps (foot, pole, shade), mugs (body, handle), rockets (body, nose, fins) and tables (board, legs), of
// random proportions, each tilted a little and turned about its upright axis. PLY files of 384 points with a property `part`, numbered through all
// classes. `plain`: without parts, to learn from; `train`: few, with parts; `test`. Always the same clouds: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { normalFrom, randomFrom } from "./making.mjs";
import { box, disc, drawn, onLegs, together, turned } from "./surfaces.mjs";

const folder = process.argv[2] ?? "data/parts";
/** Of each class. */
const counts = { plain: 48, train: 4, test: 20 };
const pointsOfCloud = 384;
/** How much points lie off their surfaces. */
const noise = 0.01;

/** A surface moved. */
const moved = ({ points, faces }, by) => ({
  points: points.map((point) => point.map((value, k) => value + by[k])),
  faces,
});

/** Half of a ring that stands upright, from its ends at x = 0 outwards. */
function handle(radius, thick, height) {
  const [along, around] = [10, 8];
  const points = [];
  const faces = [];
  for (let i = 0; i <= along; i++) {
    const angle = Math.PI * (i / along - 0.5);
    for (let j = 0; j < around; j++) {
      const turn = (2 * Math.PI * j) / around;
      const far = radius + thick * Math.cos(turn);
      points.push([far * Math.cos(angle), thick * Math.sin(turn), height + far * Math.sin(angle)]);
      if (i === along) continue;
      const [here, beside] = [i * around + j, i * around + ((j + 1) % around)];
      faces.push([here, beside, here + around], [beside, beside + around, here + around]);
    }
  }
  return { points, faces };
}

/** By class: the surfaces of its parts, in their order. */
const kinds = {
  chair(between) {
    const [width, depth, height, board] = [between(0.7, 1), between(0.7, 1), between(0.5, 0.9), between(0.06, 0.14)];
    const [seat, ...legs] = onLegs(width, depth, height, board, between(0.08, 0.14));
    return [seat, together(legs), box([0, 0, height], [width, board, height + between(0.5, 1)])];
  },
  lamp(between) {
    const [foot, height, wide, narrow] = [between(0.3, 0.55), between(1, 1.8), between(0.4, 0.7), between(0.15, 0.35)];
    const [thick, shade] = [between(0.04, 0.09), between(0.3, 0.6)];
    return [
      together([disc(foot, 0), turned((u) => [foot, thick * u], 1), disc(foot, thick)]),
      turned((u) => [0.05, thick + (height - thick) * u], 6),
      turned((u) => [wide + (narrow - wide) * u, height - shade / 2 + shade * u], 4),
    ];
  },
  mug(between) {
    const [radius, height, ring] = [between(0.4, 0.7), between(0.7, 1.2), between(0.2, 0.32)];
    const body = together([turned((u) => [radius, height * u], 6), disc(radius, 0)]);
    return [body, moved(handle(ring, between(0.04, 0.08), height * between(0.4, 0.6)), [radius, 0, 0])];
  },
  rocket(between) {
    const [radius, height, nose] = [between(0.15, 0.35), between(0.9, 1.6), between(0.3, 0.7)];
    const [out, up] = [between(0.2, 0.45), between(0.25, 0.5)];
    const fins = [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ].map(([x, y]) => {
      const at = (far, height) => [x * far, y * far, height];
      return { points: [at(radius, up), at(radius, 0), at(radius + out, 0)], faces: [[0, 1, 2]] };
    });
    return [
      together([turned((u) => [radius, height * u], 6), disc(radius, 0)]),
      turned((u) => [radius * (1 - u), height + nose * u], 6),
      together(fins),
    ];
  },
  table(between) {
    const [width, depth, height] = [between(0.9, 1.6), between(0.7, 1.1), between(0.5, 1)];
    const [board, ...legs] = onLegs(width, depth, height, between(0.06, 0.14), between(0.08, 0.14));
    return [board, together(legs)];
  },
};

const random = randomFrom(29);
const normal = normalFrom(random);
const between = (least, most) => least + (most - least) * random();

/** Turned about the upright axis, after a tilt. */
function placed([x, y, z], tilt, turn) {
  const [down, high] = [Math.sin(tilt), Math.cos(tilt)];
  const [a, b] = [high * x + down * z, high * z - down * x];
  return [Math.cos(turn) * a - Math.sin(turn) * y, Math.sin(turn) * a + Math.cos(turn) * y, b];
}

/** A cloud as a PLY file of text; `first`: the number of the first part of its class. */
function cloudOf(parts, first) {
  const whole = together(parts);
  const partOf = parts.flatMap(({ faces }, part) => faces.map(() => first + part));
  const [tilt, turn] = [between(-0.3, 0.3), between(0, 2 * Math.PI)];
  const lines = drawn(whole, pointsOfCloud, random).map(({ face, point }) => {
    const place = placed(point, tilt, turn).map((value) => (value + noise * normal()).toFixed(4));
    return `${place.join(" ")} ${partOf[face]}`;
  });
  const properties = ["float x", "float y", "float z", "uchar part"].map((one) => `property ${one}`);
  return ["ply", "format ascii 1.0", `element vertex ${lines.length}`, ...properties, "end_header", ...lines, ""].join(
    "\n",
  );
}

for (const [split, count] of Object.entries(counts)) {
  let first = 0;
  for (const [kind, make] of Object.entries(kinds)) {
    mkdirSync(join(folder, split, kind), { recursive: true });
    let parts = [];
    for (let i = 0; i < count; i++) {
      parts = make(between);
      writeFileSync(join(folder, split, kind, `${String(i + 1).padStart(3, "0")}.ply`), cloudOf(parts, first));
    }
    first += parts.length;
  }
}
console.log(`wrote ${Object.keys(kinds).length * Object.values(counts).reduce((a, b) => a + b)} clouds to ${folder}`);

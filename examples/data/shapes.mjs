// Writes shapes as the OFF files that shapes-point-mae.mae reads: surfaces of triangles. All of them are made.
//
//   node examples/data/shapes.mjs [folder]           (default: data/shapes; a second)
//
// Eight classes, folders of their own: balls, bowls, boxes, cones, cylinders, rings, tables and chairs, of random proportions, each turned about
// its upright axis by a random angle. Always the same shapes: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/shapes";
const counts = { train: 40, test: 20 };

/** A surface of places (u, v) in [0, 1] x [0, 1], cut into so many parts along each. */
function sheet(place, parts, across) {
  const points = [];
  const faces = [];
  for (let i = 0; i <= parts; i++) for (let j = 0; j <= across; j++) points.push(place(i / parts, j / across));
  for (let i = 0; i < parts; i++) {
    for (let j = 0; j < across; j++) {
      const at = i * (across + 1) + j;
      const [right, below] = [at + 1, at + across + 1];
      faces.push([at, below, right], [right, below, below + 1]);
    }
  }
  return { points, faces };
}

/** Several surfaces as one. */
function together(parts) {
  const points = [];
  const faces = [];
  for (const part of parts) {
    const before = points.length;
    points.push(...part.points);
    faces.push(...part.faces.map((face) => face.map((corner) => corner + before)));
  }
  return { points, faces };
}

/** Turned round the upright axis: `profile` gives distance from it and height. */
const turned = (profile, parts = 12) =>
  sheet(
    (u, v) => {
      const [radius, height] = profile(u);
      return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v), height];
    },
    parts,
    24,
  );

const disc = (radius, height) => turned((u) => [radius * u, height], 1);

/** From one corner to the opposite one. */
function box([x0, y0, z0], [x1, y1, z1]) {
  const at = (x, y, z) => [x ? x1 : x0, y ? y1 : y0, z ? z1 : z0];
  const points = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => at(k & 1, k & 2, k & 4));
  const sides = [
    [0, 1, 3, 2],
    [4, 5, 7, 6],
    [0, 1, 5, 4],
    [2, 3, 7, 6],
    [0, 2, 6, 4],
    [1, 3, 7, 5],
  ];
  return {
    points,
    faces: sides.flatMap(([a, b, c, d]) => [
      [a, b, c],
      [a, c, d],
    ]),
  };
}

/** A board on four legs. */
function onLegs(width, depth, height, board, leg) {
  const corners = [
    [0, 0],
    [width - leg, 0],
    [0, depth - leg],
    [width - leg, depth - leg],
  ];
  return [
    box([0, 0, height - board], [width, depth, height]),
    ...corners.map(([x, y]) => box([x, y, 0], [x + leg, y + leg, height - board])),
  ];
}

const kinds = {
  ball: (between) => {
    const [a, c] = [between(0.7, 1.2), between(0.7, 1.2)];
    return turned((u) => [a * Math.sin(Math.PI * u), c * Math.cos(Math.PI * u)]);
  },
  bowl: (between) => {
    const [a, c, cut] = [between(0.8, 1.2), between(0.6, 1.2), between(0.45, 0.6)];
    return turned((u) => [a * Math.sin(Math.PI * cut * u), -c * Math.cos(Math.PI * cut * u)]);
  },
  box: (between) => box([0, 0, 0], [between(0.6, 1.4), between(0.6, 1.4), between(0.6, 1.4)]),
  chair: (between) => {
    const [width, depth, height, board] = [between(0.7, 1), between(0.7, 1), between(0.6, 0.9), between(0.06, 0.12)];
    const back = box([0, 0, height], [width, board, height + between(0.6, 1)]);
    return together([...onLegs(width, depth, height, board, between(0.07, 0.12)), back]);
  },
  cone: (between) => {
    const [radius, height] = [between(0.5, 0.9), between(1, 1.8)];
    return together([turned((u) => [radius * u, height * (1 - u)]), disc(radius, 0)]);
  },
  cylinder: (between) => {
    const [radius, height] = [between(0.4, 0.8), between(1, 1.8)];
    return together([turned((u) => [radius, height * u]), disc(radius, 0), disc(radius, height)]);
  },
  ring: (between) => {
    const [radius, thick] = [between(0.8, 1.1), between(0.15, 0.35)];
    const angle = (u) => 2 * Math.PI * u;
    return turned((u) => [radius + thick * Math.cos(angle(u)), thick * Math.sin(angle(u))]);
  },
  table: (between) => {
    const [width, depth, height] = [between(0.9, 1.6), between(0.7, 1.1), between(0.6, 1)];
    return together(onLegs(width, depth, height, between(0.06, 0.12), between(0.07, 0.12)));
  },
};

function off({ points, faces }, angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const lines = points.map(([x, y, z]) => [cos * x - sin * y, sin * x + cos * y, z].map((v) => v.toFixed(5)).join(" "));
  return [
    "OFF",
    `${points.length} ${faces.length} 0`,
    ...lines,
    ...faces.map((face) => `3 ${face.join(" ")}`),
    "",
  ].join("\n");
}

const random = randomFrom(11);
const between = (least, most) => least + (most - least) * random();
for (const [split, count] of Object.entries(counts)) {
  for (const [kind, make] of Object.entries(kinds)) {
    mkdirSync(join(folder, split, kind), { recursive: true });
    for (let i = 0; i < count; i++) {
      const text = off(make(between), between(0, 2 * Math.PI));
      writeFileSync(join(folder, split, kind, `${String(i + 1).padStart(3, "0")}.off`), text);
    }
  }
}
console.log(`wrote ${Object.keys(kinds).length * (counts.train + counts.test)} shapes to ${folder}`);

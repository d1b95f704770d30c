// Writes shapes as the OFF files that shapes-point-mae.mae reads: surfaces of triangles. All of them are made.
//
//   node examples/data/shapes.mjs [folder]           (default: data/shapes; a second)
//
// Eight classes, folders of their own: balls, bowls, boxes, cones, cylinders, rings, tables and chairs, of random proportions, each turned about
// its upright axis by a random angle. Always the same shapes: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom } from "./making.mjs";
import { box, disc, onLegs, together, turned } from "./surfaces.mjs";

const folder = process.argv[2] ?? "data/shapes";
const counts = { train: 40, test: 20 };

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

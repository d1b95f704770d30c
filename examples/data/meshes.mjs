// Writes the meshes that shapes-mesh-mae.mae reads: closed surfaces of six classes, remeshed into 48 patches of 16 faces. All of them are made.
//
//   node examples/data/meshes.mjs [folder]           (default: data/meshes; ten seconds)
//
// Balls, boxes, cones, cylinders, dumbbells and rings, of random proportions, each turned about its upright axis by a random angle. Always the same
// meshes: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom } from "./making.mjs";
import { offText, remeshed } from "./remesh.mjs";

const folder = process.argv[2] ?? "data/meshes";
const counts = { train: 20, test: 10 };
const [parts, across] = [10, 12];

/** Turned round the upright axis: `profile` gives distance from it and height, from one end to the other. */
function turned(profile) {
  const points = [];
  const faces = [];
  for (let i = 0; i <= parts; i++) {
    const [radius, height] = profile(i / parts);
    for (let j = 0; j < across; j++) {
      const angle = (2 * Math.PI * j) / across;
      points.push([radius * Math.cos(angle), radius * Math.sin(angle), height]);
    }
  }
  for (let i = 0; i < parts; i++) {
    for (let j = 0; j < across; j++) {
      const [here, beside] = [i * across + j, i * across + ((j + 1) % across)];
      faces.push([here, beside, here + across], [beside, beside + across, here + across]);
    }
  }
  return { points, faces };
}

/** A line through some corners, [distance from the axis, height] each, walked at one pace. */
function walked(corners) {
  const lengths = corners.slice(1).map(([r, h], i) => Math.hypot(r - corners[i][0], h - corners[i][1]));
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  return (share) => {
    let rest = share * whole;
    const leg = lengths.findIndex((length, i) => {
      if (rest <= length || i === lengths.length - 1) return true;
      rest -= length;
      return false;
    });
    const [[r0, h0], [r1, h1]] = [corners[leg], corners[leg + 1]];
    const part = Math.min(1, rest / lengths[leg]);
    return [r0 + (r1 - r0) * part, h0 + (h1 - h0) * part];
  };
}

const kinds = {
  ball: (between) => {
    const [a, c] = [between(0.7, 1.2), between(0.7, 1.2)];
    return turned((u) => [u === 0 || u === 1 ? 0 : a * Math.sin(Math.PI * u), -c * Math.cos(Math.PI * u)]);
  },
  box: (between) => {
    const sides = [between(0.6, 1.4), between(0.6, 1.4), between(0.6, 1.4)];
    const ball = turned((u) => [u === 0 || u === 1 ? 0 : Math.sin(Math.PI * u), -Math.cos(Math.PI * u)]);
    const pushed = (point) => point.map((value, c) => (sides[c] * value) / Math.max(...point.map(Math.abs)) / 2);
    return { ...ball, points: ball.points.map(pushed) };
  },
  cone: (between) =>
    turned(
      walked([
        [0, 0],
        [between(0.5, 0.9), 0],
        [0, between(1, 1.8)],
      ]),
    ),
  cylinder: (between) => {
    const [radius, height] = [between(0.4, 0.8), between(1, 1.8)];
    return turned(
      walked([
        [0, 0],
        [radius, 0],
        [radius, height],
        [0, height],
      ]),
    );
  },
  dumbbell: (between) => {
    const [end, waist, height] = [between(0.5, 0.8), between(0.12, 0.3), between(1.6, 2.4)];
    const radius = (u) =>
      Math.sqrt(Math.max(0, 1 - (2 * u - 1) ** 4)) * (waist + (end - waist) * Math.sin(2 * Math.PI * u) ** 2);
    return turned((u) => [u === 0 || u === 1 ? 0 : radius(u), height * (u - 0.5)]);
  },
  ring: (between) => {
    const [radius, thick] = [between(0.8, 1.1), between(0.2, 0.4)];
    return turned((u) => [radius - thick * Math.cos(2 * Math.PI * u), -thick * Math.sin(2 * Math.PI * u)]);
  },
};

const random = randomFrom(13);
const between = (least, most) => least + (most - least) * random();
for (const [split, count] of Object.entries(counts)) {
  for (const [kind, make] of Object.entries(kinds)) {
    mkdirSync(join(folder, split, kind), { recursive: true });
    for (let i = 0; i < count; i++) {
      const surface = make(between);
      const angle = between(0, 2 * Math.PI);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const points = surface.points.map(([x, y, z]) => [cos * x - sin * y, sin * x + cos * y, z]);
      const mesh = remeshed({ ...surface, points }, { faces: 48, levels: 2 });
      writeFileSync(join(folder, split, kind, `${String(i + 1).padStart(3, "0")}.off`), offText(mesh));
    }
  }
}
console.log(`wrote ${Object.keys(kinds).length * (counts.train + counts.test)} meshes to ${folder}`);

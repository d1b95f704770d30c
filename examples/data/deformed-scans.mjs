// Writes pairs of made scans in npy files, as deformed-scans.mae reads them: ellipsoids of organs in a body, and the same bent by a smooth field, each
// with the organ of every voxel. Nothing is from a patient.
//
//   node examples/data/deformed-scans.mjs [folder] [pairs] [test pairs]        (default: data/deformed-scans 120 24)

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npy, randomFrom } from "./making.mjs";

const [folder = "data/deformed-scans", train = "120", test = "24"] = process.argv.slice(2);
const side = 16;
const random = randomFrom(23);
const between = (least, most) => least + (most - least) * random();

/** Place and half axes in voxels from the middle; intensity. */
const organs = [
  [[0, 3.5, 0], [6.5, 1.4, 1.4], 1],
  [[3, -1, -3], [2.6, 2.4, 1.9], 0.15],
  [[3, -1, 3], [2.6, 2.4, 1.9], 0.2],
  [[-3, 0, -1.5], [2.2, 2.6, 3], 0.75],
];

/** A smooth field: a few waves along each axis. */
function field() {
  const waves = Array.from({ length: 3 }, () => ({
    size: between(-0.9, 0.9),
    turns: [0, 0, 0].map(() => between(-1, 1) * 0.35),
    phase: between(0, 6.28),
    axis: Math.floor(3 * random()),
  }));
  return (at) =>
    at.map((_, axis) =>
      waves.reduce(
        (sum, wave) =>
          sum +
          (wave.axis === axis
            ? 2 * wave.size * Math.sin(wave.phase + wave.turns.reduce((s, t, i) => s + t * at[i], 0))
            : 0),
        0,
      ),
    );
}

function pair() {
  const placed = organs.map(([place, axes, level]) => ({
    place: place.map((at) => at + between(-0.5, 0.5)),
    axes: axes.map((axis) => axis * between(0.9, 1.1)),
    level: level * between(0.95, 1.05),
  }));
  const organAt = (at) =>
    placed.findIndex(({ place, axes }) => at.reduce((sum, x, i) => sum + ((x - place[i]) / axes[i]) ** 2, 0) < 1);
  const scan = (moved) => {
    const [values, map] = [new Float32Array(side ** 3), new Uint8Array(side ** 3)];
    for (let n = 0; n < side ** 3; n++) {
      const at = [Math.floor(n / side ** 2), Math.floor(n / side) % side, n % side].map((i) => i - (side - 1) / 2);
      const from = at.map((x, i) => x + moved(at)[i]);
      const organ = organAt(from);
      const inBody = from.reduce((sum, x, i) => sum + (x / [9, 6.8, 7][i]) ** 2, 0) < 1;
      map[n] = organ + 1;
      values[n] = Math.min(
        1,
        Math.max(0, (organ >= 0 ? placed[organ].level : inBody ? 0.45 : 0.02) + between(-0.03, 0.03)),
      );
    }
    return { values, map };
  };
  return [scan((at) => at.map(() => 0)), scan(field())];
}

mkdirSync(folder, { recursive: true });
for (const [split, count] of [
  ["train", Number(train)],
  ["test", Number(test)],
]) {
  const pairs = Array.from({ length: count }, pair);
  for (const [i, name] of ["moving", "fixed"].entries()) {
    const shape = [count, side, side, side];
    const values = Float32Array.from(pairs.flatMap((own) => [...own[i].values]));
    writeFileSync(join(folder, `${split}-${name}.npy`), npy("<f4", shape, values));
    writeFileSync(
      join(folder, `${split}-${name}-maps.npy`),
      npy("|u1", shape, Uint8Array.from(pairs.flatMap((own) => [...own[i].map]))),
    );
  }
}
console.log(`${train} and ${test} pairs of ${side}x${side}x${side} voxels: ${folder}`);

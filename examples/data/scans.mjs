// Writes scans as the NIfTI files that scans-selfmed-mae.mae reads. All of them are made: a body that is an ellipsoid of soft tissue, with
// a spine, two lungs, a liver and one or two kidneys, in Hounsfield units with noise; nothing is from a patient.
//
//   node examples/data/scans.mjs [folder]           (default: data/scans; some seconds)
//
// Beside each scan, in train-maps and test-maps, a file of the same places with the organ of each voxel: 1 to 6 in the order below, else 0.
// Two classes, folders of their own: both kidneys, and the left one missing. Voxels of 3 to 4 by 2.5 to 3.5 mm; every third file lies in
// another orientation, so that whoever reads it has to turn it. Always the same scans: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/scans";

/** Places in millimetres from the middle of the body, to the left, to the back and to the head; half axes; Hounsfield units. */
const organs = {
  spine: [[0, 32, 0], [9, 9, 90], 400],
  "right lung": [[-26, 0, 34], [18, 24, 26], -700],
  "left lung": [[26, 0, 34], [18, 24, 26], -700],
  liver: [[-20, -4, -8], [26, 24, 18], 110],
  "right kidney": [[-26, 22, -26], [9, 10, 15], 190],
  "left kidney": [[26, 22, -26], [9, 10, 15], 190],
};

function scan(kind, random) {
  const between = (least, most) => least + (most - least) * random();
  const [depth, across] = [between(3, 4), between(2.5, 3.5)];
  const size = [Math.round(130 / across), Math.round(100 / across), Math.round(120 / depth)];
  const parts = Object.entries(organs).filter(([name]) => kind === 0 || name !== "left kidney");
  const placed = parts.map(([name, [place, axes, units]]) => ({
    number: 1 + Object.keys(organs).indexOf(name),
    place: place.map((at) => at + between(-3, 3)),
    axes: axes.map((axis) => axis * between(0.85, 1.15)),
    units: units + between(-20, 20),
  }));
  const body = [between(50, 58), between(38, 44), 200];
  const inside = (at, place, axes) => at.reduce((sum, x, i) => sum + ((x - place[i]) / axes[i]) ** 2, 0) < 1;
  const organAt = (at) =>
    inside(at, [0, 0, 0], body) ? placed.find(({ place, axes }) => inside(at, place, axes)) : undefined;
  const value = (at) =>
    inside(at, [0, 0, 0], body) ? (organAt(at)?.units ?? 40) + 30 * (random() + random() - 1) : -1000;
  const voxels = new Int16Array(size[0] * size[1] * size[2]);
  const numbers = new Int16Array(voxels.length);
  let next = 0;
  for (let k = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      for (let i = 0; i < size[0]; i++) {
        const at = [(i - size[0] / 2) * across, (j - size[1] / 2) * across, (k - size[2] / 2) * depth];
        numbers[next] = organAt(at)?.number ?? 0;
        voxels[next++] = Math.round(value(at));
      }
    }
  }
  const lie = { size, spacing: [across, across, depth] };
  return [
    { ...lie, voxels },
    { ...lie, voxels: numbers },
  ];
}

/** The axes of a file: left, back, head as they were made, or turned round: right, front, head. */
function nifti({ size, spacing, voxels }, turned) {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  for (const [i, length] of [3, ...size, 1, 1, 1, 1].entries()) header.writeInt16LE(length, 40 + 2 * i);
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  for (const [i, side] of [1, ...spacing].entries()) header.writeFloatLE(side, 76 + 4 * i);
  header.writeFloatLE(352, 108);
  header.writeInt8(2, 123);
  header.writeInt16LE(1, 254);
  // NIfTI counts to the right and to the front.
  const sign = turned ? 1 : -1;
  for (const [row, at] of [280, 296, 312].entries()) {
    header.writeFloatLE(spacing[row] * (row < 2 ? sign : 1), at + 4 * row);
  }
  header.write("n+1\0", 344, "latin1");
  const data = turned ? Int16Array.from(voxels, (_, at) => voxels[turnedAt(at, size)]) : voxels;
  return gzipSync(Buffer.concat([header, Buffer.from(data.buffer)]), { level: 6 });
}

function turnedAt(at, [columns, rows]) {
  const [i, j, k] = [at % columns, Math.floor(at / columns) % rows, Math.floor(at / columns / rows)];
  return (k * rows + (rows - 1 - j)) * columns + (columns - 1 - i);
}

const random = randomFrom(19);
for (const [split, count] of [
  ["train", 96],
  ["test", 32],
]) {
  for (let n = 0; n < count; n++) {
    const kind = n % 2;
    const name = kind === 0 ? "both-kidneys" : "one-kidney";
    for (const [i, made] of scan(kind, random).entries()) {
      const within = join(folder, i === 0 ? split : `${split}-maps`, name);
      mkdirSync(within, { recursive: true });
      writeFileSync(join(within, `${String(n).padStart(3, "0")}.nii.gz`), nifti(made, n % 3 === 2));
    }
  }
}

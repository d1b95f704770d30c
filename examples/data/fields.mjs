// Writes pictures of made fields from above as the npy files that fields-change.mae reads: 6 bands as those of satellites (blue, green, red, near
// infrared, two of short waves), 32x32 places. Each field has the spectrum of what grows there; all of it is made, no place is real.
//
//   node examples/data/fields.mjs [folder]               (default: data/fields; a second)
//
// train.npy: 1,500 pictures without labels. pairs.npy: 120 places at two dates, 12 bands, with labels: 0 where only light, season and clouds differ,
// 1 where a field was cleared in between, 2 where one was built on. test-pairs.npy: 402 more. Always the same: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npy, randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/fields";
const [side, bands] = [32, 6];
const random = randomFrom(5);
const between = (least, most) => least + (most - least) * random();

/** Shares of light that come back, by band. */
const covers = [
  [0.04, 0.09, 0.05, 0.48, 0.22, 0.1], // grown crops
  [0.05, 0.1, 0.08, 0.34, 0.26, 0.14], // meadow
  [0.03, 0.05, 0.03, 0.3, 0.12, 0.06], // wood
  [0.05, 0.04, 0.03, 0.02, 0.01, 0.01], // water
];
const bare = [0.12, 0.16, 0.2, 0.27, 0.36, 0.32];
const built = [0.2, 0.21, 0.22, 0.25, 0.27, 0.26];

/** Fields as places nearest to a centre each. */
function place() {
  const centres = Array.from({ length: 5 + Math.floor(4 * random()) }, () => [side * random(), side * random()]);
  const map = new Uint8Array(side * side);
  for (let at = 0; at < map.length; at++) {
    const away = centres.map(([y, x]) => (y - Math.floor(at / side)) ** 2 + (x - (at % side)) ** 2);
    map[at] = away.indexOf(Math.min(...away));
  }
  return {
    map,
    spectra: centres.map(() =>
      covers[Math.floor(covers.length * random())].map((share) => share * between(0.85, 1.15)),
    ),
  };
}

/** What is seen of a place on a day, into every `step`-th band from `first` on. */
function look({ map, spectra }, whole, at, first, step) {
  const [light, haze, season] = [between(0.8, 1.2), between(0, 0.05), between(0.85, 1.1)];
  const cloud = random() < 0.4 ? [side * random(), side * random(), between(3, 7)] : null;
  for (let p = 0; p < map.length; p++) {
    const covered = cloud
      ? Math.exp(-(((Math.floor(p / side) - cloud[0]) ** 2 + ((p % side) - cloud[1]) ** 2) / cloud[2] ** 2))
      : 0;
    for (let b = 0; b < bands; b++) {
      const own = light * spectra[map[p]][b] * (b === 3 ? season : 1) + haze + 0.02 * (random() - 0.5);
      const seen = own * (1 - covered) + 0.7 * covered;
      whole[at + p * step + first + b] = Math.max(0, Math.min(255, Math.round(350 * seen)));
    }
  }
}

function write(name, count, step, labels) {
  const values = new Uint8Array(count * side * side * step);
  for (let i = 0; i < count; i++) {
    const at = i * side * side * step;
    const before = place();
    look(before, values, at, 0, step);
    if (step === bands) continue;
    labels[i] = i % 3;
    const spectra = [...before.spectra];
    // Fields are numbered from 0; one that is seen is changed.
    const changed = before.map[Math.floor(before.map.length * random())];
    if (labels[i] > 0) spectra[changed] = labels[i] === 1 ? bare : built;
    look({ map: before.map, spectra }, values, at, bands, step);
  }
  writeFileSync(join(folder, `${name}.npy`), npy("|u1", [count, side, side, step], values));
  if (labels) writeFileSync(join(folder, `${name}-labels.npy`), npy("|u1", [count], labels));
  console.log(`${name}: ${count} pictures in ${folder}`);
}

mkdirSync(folder, { recursive: true });
write("train", 1500, bands, null);
write("pairs", 120, 2 * bands, new Uint8Array(120));
write("test-pairs", 402, 2 * bands, new Uint8Array(402));

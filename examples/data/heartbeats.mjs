// Writes electrocardiograms of 12 leads as the npy files that the examples heartbeats-*.mae read. All of them are made:
// each beat is a sum of bells (P, Q, R, S, T) of a dipole in the chest, which Dower's matrix turns into leads. Real is nothing but
// that matrix and the usual order, times and sizes of the waves; do not take them for patients.
//
//   node examples/data/heartbeats.mjs [folder]           (default: data/heartbeats; a second)
//
// Four classes: 0 regular beats, 1 the same with the axis of the heart turned to the left, 2 wide QRS complexes with T
// against them, 3 irregular beats without P, over small fast waves. 2.4 s at 100 Hz, a record's mean 0 and its deviation 1.
// tenth.npy has the first 102 of the 1,024 records of train.npy.
// Always the same records: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npy, randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/heartbeats";
const [rate, samples, leads, classes] = [100, 240, 12, 4];

/** Of the dipole (left, down, back): leads I, II, V1 to V6. The other four follow from I and II. */
const dower = [
  [0.632, -0.235, 0.059],
  [0.235, 1.066, -0.132],
  [-0.515, 0.157, -0.917],
  [0.044, 0.164, -1.387],
  [0.882, 0.098, -1.277],
  [1.213, 0.127, -0.601],
  [1.125, 0.127, -0.086],
  [0.831, 0.076, 0.23],
];

/** Seconds from the R wave, deviation in seconds, and the dipole in mV. */
const waves = {
  P: [-0.17, 0.025, [0.06, 0.12, 0.02]],
  Q: [-0.03, 0.008, [-0.12, -0.08, -0.3]],
  R: [0, 0.011, [0.95, 0.9, 0.15]],
  S: [0.03, 0.01, [-0.25, -0.1, 0.5]],
  T: [0.27, 0.05, [0.25, 0.22, -0.15]],
};

/** Turned in the plane of left and down. */
const turned = ([left, down, back], angle) => [
  left * Math.cos(angle) + down * Math.sin(angle),
  down * Math.cos(angle) - left * Math.sin(angle),
  back,
];

/** The dipole of one record, [samples][3]. */
function dipole(kind, random) {
  const between = (least, most) => least + (most - least) * random();
  const heart = Array.from({ length: samples }, () => [0, 0, 0]);
  const usual = between(0.65, 1);
  const angle = between(-0.25, 0.25) + (kind === 1 ? 1.4 : 0);
  const sizes = Object.fromEntries(Object.keys(waves).map((wave) => [wave, between(0.8, 1.2)]));
  if (kind === 2) sizes.T *= -1.2;
  if (kind === 3) sizes.P = 0;
  const wide = kind === 2 ? 2.4 : 1;
  let beat = -usual * random();
  while (beat < samples / rate + 1) {
    for (const [wave, [after, deviation, toward]] of Object.entries(waves)) {
      const isWide = "QRS".includes(wave);
      const [at, spread] = [beat + after * (isWide ? wide : 1), deviation * (isWide ? wide : 1)];
      const direction = turned(toward, angle);
      for (let i = 0; i < samples; i++) {
        const bell = sizes[wave] * Math.exp(-(((i / rate - at) / spread) ** 2) / 2);
        for (let axis = 0; axis < 3; axis++) heart[i][axis] += bell * direction[axis];
      }
    }
    beat += kind === 3 ? between(0.4, 1.2) : usual * between(0.98, 1.02);
  }
  if (kind === 3) {
    const [pitch, phase] = [between(5, 8), between(0, 6)];
    for (let i = 0; i < samples; i++) heart[i][2] -= 0.05 * Math.sin((2 * Math.PI * pitch * i) / rate + phase);
  }
  return heart;
}

/** One record, lead by lead, into `whole` from `at` on. */
function record(kind, random, whole, at) {
  const heart = dipole(kind, random);
  const written = whole.subarray(at, at + leads * samples);
  for (let i = 0; i < samples; i++) {
    const [I, II, ...chest] = dower.map((row) => row.reduce((sum, weight, axis) => sum + weight * heart[i][axis], 0));
    const all = [I, II, II - I, -(I + II) / 2, I - II / 2, II - I / 2, ...chest];
    for (const [lead, value] of all.entries()) written[lead * samples + i] = value + 0.01 * (random() - 0.5);
  }
  const mean = written.reduce((sum, value) => sum + value, 0) / written.length;
  const deviation = Math.sqrt(written.reduce((sum, value) => sum + (value - mean) ** 2, 0) / written.length);
  for (let i = 0; i < written.length; i++) written[i] = (written[i] - mean) / deviation;
}

/** `part`: of the first records, another file. */
function write(name, count, random, part = null) {
  const values = new Float32Array(count * leads * samples);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = Math.floor(classes * random());
    record(labels[i], random, values, i * leads * samples);
  }
  for (const [file, records] of [[name, count], ...(part ? [part] : [])]) {
    const own = values.subarray(0, records * leads * samples);
    writeFileSync(join(folder, `${file}.npy`), npy("<f4", [records, leads, samples], own));
    writeFileSync(join(folder, `${file}-labels.npy`), npy("|u1", [records], labels.subarray(0, records)));
    console.log(`${file}: ${records} records in ${folder}`);
  }
}

mkdirSync(folder, { recursive: true });
const random = randomFrom(1);
write("train", 1024, random, ["tenth", 102]);
write("test", 256, random);

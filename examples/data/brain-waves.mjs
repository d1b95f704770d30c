// Writes features of brain waves as the npy files that brain-waves-mv-sstma.mae reads: for each of 16 electrodes and 8 times the logarithm of
// the power of 5 bands. All of them are made; do not take them for people. Each of three states has a pattern of its own over electrodes
// and bands, the same in everybody; each person has a level of their own and hears these patterns through a mixing of neighbouring
// electrodes of their own.
//
//   node examples/data/brain-waves.mjs [folder]          (default: data/brain-waves; a second)
//
// train.npy: 960 samples of 12 people, without labels. calibrate.npy: 30 samples of a thirteenth, with labels. test.npy: 300 more of that one.
// Always the same samples: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { normalFrom, npy, randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/brain-waves";
const [electrodes, times, bands, states, people] = [16, 8, 5, 3, 12];
const random = randomFrom(3);
const between = (least, most) => least + (most - least) * random();
const normal = normalFrom(random);
const table = (rows, columns, draw) => Array.from({ length: rows }, () => Array.from({ length: columns }, draw));

/** Smooth over electrodes: two waves around the head, of each band. */
const patternOf = () => {
  const waves = table(bands, 2, () => [between(0.3, 0.7), Math.ceil(between(0, 3)), between(0, 6.28)]);
  return Array.from({ length: electrodes }, (_, e) =>
    waves.map((own) =>
      own.reduce((sum, [size, pitch, phase]) => sum + size * Math.sin((6.28 * pitch * e) / electrodes + phase), 0),
    ),
  );
};

const patterns = Array.from({ length: states }, patternOf);

/** How one person's electrodes hear their neighbours, and what they have without any state. */
const personOf = () => ({
  shares: table(electrodes, 3, () => between(0.1, 0.6)),
  level: table(electrodes, bands, () => 1.2 * normal()),
});

function sample({ shares, level }, state, whole, at) {
  // A state comes and goes, and some of what is heard is of all electrodes at once.
  const [begin, pitch] = [between(0, 6.28), between(0.4, 0.9)];
  for (let t = 0; t < times; t++) {
    const strength = 0.6 + 0.4 * Math.sin(begin + pitch * t);
    const common = Array.from({ length: bands }, () => 0.3 * normal());
    for (let e = 0; e < electrodes; e++) {
      for (let b = 0; b < bands; b++) {
        const around = [-1, 0, 1].map((step) => patterns[state][(e + step + electrodes) % electrodes][b]);
        const heard = around.reduce((sum, value, i) => sum + shares[e][i] * value, 0);
        whole[at + (e * times + t) * bands + b] = level[e][b] + strength * heard + common[b] + 0.35 * normal();
      }
    }
  }
}

function write(name, count, personFor, isLabelled) {
  const length = electrodes * times * bands;
  const [values, labels] = [new Float32Array(count * length), new Uint8Array(count)];
  for (let i = 0; i < count; i++) {
    labels[i] = i % states;
    sample(personFor(i), labels[i], values, i * length);
  }
  writeFileSync(join(folder, `${name}.npy`), npy("<f4", [count, electrodes, times, bands], values));
  if (isLabelled) writeFileSync(join(folder, `${name}-labels.npy`), npy("|u1", [count], labels));
  console.log(`${name}: ${count} samples in ${folder}`);
}

mkdirSync(folder, { recursive: true });
const others = Array.from({ length: people }, personOf);
const one = personOf();
write("train", 80 * people, (i) => others[Math.floor(i / 80)], false);
write("calibrate", 30, () => one, true);
write("test", 300, () => one, true);

// Writes sounds of machines as the WAV files that machines-audio-mae.mae reads: a hum with harmonics and a beat, of three machines, none of them
// recorded. Training sounds are usual; of test sounds half are anomalous: the beat limps, or a bearing squeals now and then.
//
//   node examples/data/machines.mjs [folder]             (default: data/machines; some seconds)
//
// It makes folder/train/normal/id_00/000.wav, and folder/test/normal/id_00/000.wav and folder/test/abnormal/id_00/000.wav: 1.5 s in mono at 8 kHz, 16 bits.
// Loudness and noise differ from sound to sound. Always the same sounds: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom, wav } from "./making.mjs";

const folder = process.argv[2] ?? "data/machines";
const [rate, seconds] = [8000, 1.5];
const length = rate * seconds;

/** Pitch of the hum in Hz, and seconds from beat to beat. */
const machines = { id_00: [90, 0.15], id_02: [140, 0.2], id_04: [210, 0.12] };

/** `odd`: what is wrong, or null. */
function soundOf([pitch, every], odd, between) {
  const values = new Float64Array(length);
  const own = pitch * between(0.98, 1.02);
  const phases = Array.from({ length: 6 }, () => between(0, 6.28));
  // Each beat has its time and its loudness; of one that limps, some come late and some are missing.
  const first = between(0, every);
  const beats = Array.from({ length: Math.ceil(seconds / every) + 1 }, (_, k) => {
    const isOdd = odd === "limp" && k % 3 === 1;
    return { at: first + k * every + (isOdd ? 0.45 * every : 0), loud: between(0.8, 1.2) };
  });
  const [squeal, squealAt] = [between(1800, 2600), between(0.2, 0.9)];
  for (let i = 0; i < length; i++) {
    const time = i / rate;
    for (let k = 1; k <= 6; k++) values[i] += (0.3 / k) * Math.sin(2 * Math.PI * own * k * time + phases[k - 1]);
    for (const { at, loud } of beats) {
      const since = time - at;
      if (since >= 0 && since < 0.06) values[i] += loud * between(-1, 1) * Math.exp(-since / 0.012);
    }
    const within = time - squealAt;
    if (odd === "squeal" && within > 0 && within < 0.25)
      values[i] += 0.12 * Math.sin((Math.PI * within) / 0.25) * Math.sin(2 * Math.PI * squeal * time);
  }
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const [loud, noise] = [between(0.15, 0.6) / most, between(0.005, 0.02)];
  return values.map((value) => loud * (value + noise * between(-1, 1)));
}

function write(split, count, oddAt, random) {
  const between = (least, most) => least + (most - least) * random();
  for (const [name, machine] of Object.entries(machines)) {
    for (let i = 0; i < count; i++) {
      const odd = oddAt(i);
      const to = join(folder, split, odd ? "abnormal" : "normal", name);
      mkdirSync(to, { recursive: true });
      writeFileSync(join(to, `${String(i).padStart(3, "0")}.wav`), wav(soundOf(machine, odd, between), rate));
    }
  }
  console.log(`${split}: ${count} sounds of each of ${Object.keys(machines).length} machines in ${folder}`);
}

const random = randomFrom(4);
write("train", 80, () => null, random);
write("test", 40, (i) => ["limp", "squeal", null, null][i % 4], random);

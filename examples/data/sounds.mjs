// Writes short sounds as the WAV files that sounds-audio-mae.mae reads: a folder for each class. All of them are made: whistles,
// slides, trills and knocks out of sines and noise, none of them recorded. For sounds-tags.mae some are heard at once, or none: a table names them.
//
//   node examples/data/sounds.mjs [folder]               (default: data/sounds; a second)
//
// 0.66 s in mono at 8 kHz, 16 bits. Always the same sounds: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom, wav } from "./making.mjs";

const folder = process.argv[2] ?? "data/sounds";
const [rate, seconds] = [8000, 0.66];
const length = Math.round(rate * seconds);

/** A tone whose pitch in Hz follows from the time, with harmonics that fall off. */
function voice(pitchAt, harmonics) {
  const values = new Float64Array(length);
  let phase = 0;
  for (let i = 0; i < length; i++) {
    phase += (2 * Math.PI * pitchAt(i / rate)) / rate;
    for (let k = 1; k <= harmonics; k++) values[i] += Math.sin(k * phase) / k;
  }
  return values;
}

/** What each class sounds like, in values of any size. */
const classes = {
  whistle(between) {
    const pitch = between(300, 1500);
    return voice(() => pitch, Math.round(between(1, 3)));
  },
  slide(between) {
    const [from, by] = [between(300, 700), between(600, 1600)];
    const isUp = between(0, 1) < 0.5;
    return voice((time) => from + by * (isUp ? time / seconds : 1 - time / seconds), 1);
  },
  trill(between) {
    const [pitch, wide, speed] = [between(500, 1200), between(100, 300), between(5, 14)];
    return voice((time) => pitch + wide * Math.sin(2 * Math.PI * speed * time), 2);
  },
  knocks(between) {
    const [every, fall, first] = [between(0.07, 0.2), between(0.008, 0.03), between(0, 0.07)];
    return Float64Array.from({ length }, (_, i) => {
      const since = (i / rate - first + 10 * every) % every;
      return between(-1, 1) * Math.exp(-since / fall);
    });
  },
};

function write(split, count, random) {
  const between = (least, most) => least + (most - least) * random();
  for (const [name, make] of Object.entries(classes)) {
    mkdirSync(join(folder, split, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const values = make(between);
      const loud = between(0.1, 0.5) / values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const noise = between(0.001, 0.01);
      const file = wav(
        values.map((value) => loud * value + noise * between(-1, 1)),
        rate,
      );
      writeFileSync(join(folder, split, name, `${String(i).padStart(3, "0")}.wav`), file);
    }
  }
  console.log(`${split}: ${count} sounds of each of ${Object.keys(classes).length} classes in ${folder}`);
}

/** Sounds in which each class is heard or not, each as loud as it happens to be. */
function writeMixed(split, count, random) {
  const between = (least, most) => least + (most - least) * random();
  const lines = ["path,label"];
  mkdirSync(join(folder, split), { recursive: true });
  for (let i = 0; i < count; i++) {
    const heard = Object.keys(classes).filter(() => random() < 0.4);
    const mixed = new Float64Array(length);
    for (const name of heard) {
      const values = classes[name](between);
      const loud = between(0.3, 1) / values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const [k, value] of values.entries()) mixed[k] += loud * value;
    }
    const loud = between(0.05, 0.22);
    const noise = between(0.001, 0.02);
    const path = `${String(i).padStart(3, "0")}.wav`;
    const file = wav(
      mixed.map((value) => loud * value + noise * between(-1, 1)),
      rate,
    );
    writeFileSync(join(folder, split, path), file);
    lines.push(`${path},${heard.join("|")}`);
  }
  writeFileSync(join(folder, `${split}.csv`), `${lines.join("\n")}\n`);
  console.log(`${split}: ${count} sounds of any number of classes in ${folder}`);
}

const random = randomFrom(1);
write("train", 128, random);
write("test", 32, random);
writeMixed("mixed-train", 192, random);
writeMixed("mixed-test", 128, random);

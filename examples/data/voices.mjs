// Writes voices and forged voices as the WAV files that voices-spoofing.mae reads. Nothing of them is recorded. A voice is made: pulses and breath
// through three resonances that move from vowel to vowel, in syllables of a pitch of its own. A forgery is such a voice behind a vocoder: only its
// loudness at each time and frequency is kept, and a sound is made of that again. Three vocoders are used, of which the third is heard in testing alone:
//   phases     the loudness of every frequency is kept, phases are found by Griffin and Lim in a few rounds
//   bands      the loudness of 40 bands of the mel scale is kept, phases as before
//   unknown    the loudness of 24 bands is given to noise
//
//   node examples/data/voices.mjs [folder]               (default: data/voices; some seconds)
//
// It makes folder/unlabelled, voices alone, and in folder/train and folder/test the folders genuine and forged: 1.1 s in mono at 8 kHz, 16 bits. Every voice is
// another one. Always the same sounds: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom, wav } from "./making.mjs";

const folder = process.argv[2] ?? "data/voices";
const rate = 8000;
const length = 1.1 * rate;

/** First three resonances of vowels in Hz. */
const vowels = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [300, 870, 2240],
  [530, 1840, 2480],
  [570, 840, 2410],
  [440, 1020, 2240],
];

/** What a resonance leaves of values whose frequency in Hz may move: a filter of two poles. */
function resonance(values, frequencyAt, width) {
  const radius = Math.exp((-Math.PI * width) / rate);
  let [one, two] = [0, 0];
  return values.map((value, i) => {
    const now =
      (1 - radius) * value + 2 * radius * Math.cos((2 * Math.PI * frequencyAt(i)) / rate) * one - radius ** 2 * two;
    [two, one] = [one, now];
    return now;
  });
}

function voice(between) {
  const pick = () => vowels[Math.floor(between(0, vowels.length))];
  const [pitch, size, breath] = [between(90, 250), between(0.88, 1.15), between(0.01, 0.06)];
  const syllables = Math.floor(between(2, 5));
  const stretch = length / syllables;
  const heights = Array.from({ length: syllables + 1 }, () => between(0.85, 1.2));
  const said = Array.from({ length: syllables + 1 }, pick);
  const along = (i) => {
    const at = Math.min(syllables - 1e-6, i / stretch);
    return [Math.floor(at), at - Math.floor(at)];
  };
  const [wide, speed] = [between(0, 0.02), between(4, 7)];
  let phase = 0;
  let source = Float64Array.from({ length }, (_, i) => {
    const [k, part] = along(i);
    const height = heights[k] + (heights[k + 1] - heights[k]) * part;
    const shake = 1 + wide * Math.sin((2 * Math.PI * speed * i) / rate) + 0.01 * between(-1, 1);
    phase += (pitch * height * shake) / rate;
    const pulse = phase >= 1 ? 1 : 0;
    phase -= pulse;
    const loud = Math.sin(Math.PI * Math.min(1, part * 1.1)) ** 0.7;
    return loud * (pulse * between(0.9, 1.1) + breath * between(-1, 1));
  });
  for (const formant of [0, 1, 2]) {
    source = resonance(
      source,
      (i) => {
        const [k, part] = along(i);
        return Math.min(3800, size * (said[k][formant] + (said[k + 1][formant] - said[k][formant]) * part));
      },
      60 + 40 * formant,
    );
  }
  return source;
}

/** The discrete Fourier transform in place, of 2^k numbers. */
function transform(real, imaginary) {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const [cos, sin] = [Math.cos((2 * Math.PI * k) / size), -Math.sin((2 * Math.PI * k) / size)];
      for (let at = k; at < n; at += size) {
        const to = at + size / 2;
        const [re, im] = [real[to] * cos - imaginary[to] * sin, real[to] * sin + imaginary[to] * cos];
        [real[to], imaginary[to]] = [real[at] - re, imaginary[at] - im];
        [real[at], imaginary[at]] = [real[at] + re, imaginary[at] + im];
      }
    }
  }
}

const [size, shift] = [256, 64];
const bins = size / 2 + 1;
const frames = Math.floor((length - size) / shift) + 1;
const window = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));

/** Real and imaginary parts of each frame and frequency. */
function analysed(values) {
  const [re, im] = [new Float64Array(frames * bins), new Float64Array(frames * bins)];
  for (let f = 0; f < frames; f++) {
    const real = Float64Array.from(window, (weight, i) => weight * values[f * shift + i]);
    const imaginary = new Float64Array(size);
    transform(real, imaginary);
    re.set(real.subarray(0, bins), f * bins);
    im.set(imaginary.subarray(0, bins), f * bins);
  }
  return [re, im];
}

/** The sound whose frames are nearest to these. */
function synthesised([re, im]) {
  const [result, weights] = [new Float64Array(length), new Float64Array(length)];
  for (let f = 0; f < frames; f++) {
    const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
    for (let k = 0; k < bins; k++) {
      [real[k], imaginary[k]] = [re[f * bins + k], im[f * bins + k]];
      if (k > 0 && k < size / 2) [real[size - k], imaginary[size - k]] = [real[k], -imaginary[k]];
    }
    // The inverse is the transform with both parts exchanged.
    transform(imaginary, real);
    for (let i = 0; i < size; i++) {
      result[f * shift + i] += (window[i] * real[i]) / size;
      weights[f * shift + i] += window[i] ** 2;
    }
  }
  return result.map((value, i) => value / Math.max(1e-2, weights[i]));
}

const magnitudes = ([re, im]) => re.map((value, at) => Math.hypot(value, im[at]));

/** These magnitudes, with the phases of a spectrum. */
const withPhases = (loud, [re, im]) => {
  const own = re.map((value, at) => loud[at] / Math.max(1e-12, Math.hypot(value, im[at])));
  return [re.map((value, at) => value * own[at]), im.map((value, at) => value * own[at])];
};

/** Griffin and Lim: a sound of magnitudes, from phases by chance. */
function griffinLim(loud, rounds, between) {
  let sound = Float64Array.from({ length }, () => between(-1, 1));
  for (let round = 0; round <= rounds; round++) sound = synthesised(withPhases(loud, analysed(sound)));
  return sound;
}

const mel = (hertz) => 1127 * Math.log(1 + hertz / 700);

/** The mean energy of so many bands of the mel scale at every frequency of each. */
function inBands(loud, bands) {
  const bandOf = Array.from({ length: bins }, (_, k) =>
    Math.min(bands - 1, Math.floor((bands * mel((k * rate) / size)) / mel(rate / 2))),
  );
  const result = new Float64Array(loud.length);
  for (let f = 0; f < frames; f++) {
    const [sums, counts] = [new Float64Array(bands), new Float64Array(bands)];
    for (let k = 0; k < bins; k++) {
      sums[bandOf[k]] += loud[f * bins + k] ** 2;
      counts[bandOf[k]] += 1;
    }
    for (let k = 0; k < bins; k++) result[f * bins + k] = Math.sqrt(sums[bandOf[k]] / counts[bandOf[k]]);
  }
  return result;
}

const vocoders = {
  phases: (sound, between) => griffinLim(magnitudes(analysed(sound)), 4, between),
  bands: (sound, between) => griffinLim(inBands(magnitudes(analysed(sound)), 40), 8, between),
  unknown(sound, between) {
    const noise = Float64Array.from({ length }, () => between(-1, 1));
    return synthesised(withPhases(inBands(magnitudes(analysed(sound)), 24), analysed(noise)));
  },
};

const random = randomFrom(7);
const between = (least, most) => least + (most - least) * random();

/** `vocoder`: its name, or null. */
function write(to, name, vocoder) {
  const said = voice(between);
  const sound = vocoder === null ? said : vocoders[vocoder](said, between);
  const loudest = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const [loud, noise] = [between(0.2, 0.7) / loudest, between(0.0005, 0.003)];
  mkdirSync(join(folder, to), { recursive: true });
  const file = wav(
    sound.map((value) => loud * value + noise * between(-1, 1)),
    rate,
  );
  writeFileSync(join(folder, to, `${name}.wav`), file);
}

const number = (i) => String(i).padStart(3, "0");
for (let i = 0; i < 512; i++) write("unlabelled", number(i), null);
for (const [split, count, kinds] of [
  ["train", 48, ["phases", "bands"]],
  ["test", 96, ["phases", "bands", "unknown"]],
]) {
  for (let i = 0; i < count; i++) {
    const kind = kinds[i % kinds.length];
    write(join(split, "genuine"), number(i), null);
    write(join(split, "forged"), `${kind}-${number(i)}`, kind);
  }
  console.log(`${split}: ${count} voices and ${count} forgeries in ${folder}`);
}

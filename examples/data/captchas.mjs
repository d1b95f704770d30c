// Writes pictures of made words as the npy files that captchas.mae reads: five letters or digits of 5x7 dots, drawn large, each moved, leaning and of
// its own grey, over noise, with a line through them, as tests for people once had. Nothing is from any site.
//
//   node examples/data/captchas.mjs [folder]             (default: data/captchas; two seconds)
//
// 4,000 pictures of 24x80 to train on, 256 to look at. Always the same: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npy, randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/captchas";
const [height, width, letters] = [24, 80, 5];
const random = randomFrom(7);
const between = (least, most) => least + (most - least) * random();

/** Rows of dots, from above. */
const glyphs = [
  "01110 10001 10001 11111 10001 10001 10001",
  "11110 10001 11110 10001 10001 10001 11110",
  "01111 10000 10000 10000 10000 10000 01111",
  "11111 10000 10000 11110 10000 10000 11111",
  "10001 10001 10001 11111 10001 10001 10001",
  "10001 10010 10100 11000 10100 10010 10001",
  "10001 11011 10101 10101 10001 10001 10001",
  "11111 00001 00010 00100 01000 10000 11111",
  "01110 10001 00001 00110 00001 10001 01110",
  "00010 00110 01010 10010 11111 00010 00010",
  "11111 10000 11110 00001 00001 10001 01110",
  "01110 10001 10001 01111 00001 00010 01100",
].map((rows) => rows.split(" "));

function picture(whole, at) {
  const paint = (y, x, dark) => {
    if (y < 0 || y >= height || x < 0 || x >= width) return;
    whole[at + y * width + x] = Math.max(0, Math.min(whole[at + y * width + x], Math.round(255 * (1 - dark))));
  };
  for (let i = 0; i < height * width; i++) whole[at + i] = 235 + Math.floor(20 * random());
  for (let letter = 0; letter < letters; letter++) {
    const glyph = glyphs[Math.floor(random() * glyphs.length)];
    const [top, left, lean, dark] = [
      between(2, 6),
      4 + 15 * letter + between(-1, 2),
      between(-0.3, 0.3),
      between(0.6, 0.95),
    ];
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 11; x++) {
        const dot = glyph[Math.min(6, Math.floor((y * 7) / 16))][Math.min(4, Math.floor((x * 5) / 11))];
        if (dot === "1") paint(Math.round(top + y), Math.round(left + x + lean * (8 - y)), dark);
      }
    }
  }
  const [begin, slope, wave] = [between(6, 18), between(-0.1, 0.1), between(0, 6)];
  for (let x = 0; x < width; x++) paint(Math.round(begin + slope * x + 2 * Math.sin(wave + x / 9)), x, 0.5);
}

function write(name, count) {
  const values = new Uint8Array(count * height * width);
  for (let i = 0; i < count; i++) picture(values, i * height * width);
  writeFileSync(join(folder, `${name}.npy`), npy("|u1", [count, height, width], values));
  console.log(`${name}: ${count} pictures in ${folder}`);
}

mkdirSync(folder, { recursive: true });
write("train", 4000);
write("test", 256);

// Composes scenes whose places have classes: emoji of the npm package emoji-datasource-google on parts of photographs, and beside each scene
// a grey PNG file with the class of each of its pixels, as emoji-segmentation.mae reads them.
//
//   node examples/data/emoji-maps.mjs [folder] [scenes] [scenes with maps] [test scenes]        (default: data/emoji-maps 2000 120 200)
//
// Training scenes lie on two of the photographs, test scenes on a third one. Everything is drawn from one seed.

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { randomFrom } from "./making.mjs";

const [folder = "data/emoji-maps", plain = "2000", labelled = "120", test = "200"] = process.argv.slice(2);
const side = 64;
const [smallest, largest, most] = [20, 44, 3];
/** Classes 1 to 5; class 0 is the photograph. */
const names = ["26bd", "1f34e", "1f436", "1f697", "1f33b"];
const photographs = join(import.meta.dirname, "../../test/reference/photographs");
const emoji = join(
  dirname(createRequire(import.meta.url).resolve("emoji-datasource-google/package.json")),
  "img/google/64",
);

const draw = randomFrom(20261);
const between = (low, high) => low + Math.floor(draw() * (high - low + 1));

/** A part of a photograph, turned as it comes. */
async function background(names) {
  const path = join(photographs, `${names[between(0, names.length - 1)]}.png`);
  const { width, height } = await sharp(path).metadata();
  const part = between(Math.ceil(Math.min(width, height) / 2), Math.min(width, height));
  const [left, top] = [between(0, width - part), between(0, height - part)];
  return sharp(path)
    .extract({ left, top, width: part, height: part })
    .resize(side, side)
    .removeAlpha()
    .raw()
    .toBuffer();
}

async function scene(photos) {
  const pixels = await background(photos);
  const map = Buffer.alloc(side * side);
  for (let i = between(1, most); i > 0; i--) {
    const [size, kind] = [between(smallest, largest), between(0, names.length - 1)];
    const [x, y] = [between(0, side - size), between(0, side - size)];
    const data = await sharp(join(emoji, `${names[kind]}.png`))
      .resize(size, size)
      .ensureAlpha()
      .raw()
      .toBuffer();
    for (let at = 0; at < size * size; at++) {
      const [share, to] = [data[4 * at + 3] / 255, (y + Math.floor(at / size)) * side + x + (at % size)];
      for (let c = 0; c < 3; c++)
        pixels[3 * to + c] = Math.round(share * data[4 * at + c] + (1 - share) * pixels[3 * to + c]);
      if (share > 0.5) map[to] = kind + 1;
    }
  }
  return { pixels, map };
}

async function scenes(name, count, photos, hasMaps) {
  mkdirSync(join(folder, name), { recursive: true });
  if (hasMaps) mkdirSync(join(folder, `${name}-maps`), { recursive: true });
  for (let i = 0; i < count; i++) {
    const { pixels, map } = await scene(photos);
    const file = `${String(i).padStart(4, "0")}.png`;
    await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toFile(join(folder, name, file));
    if (!hasMaps) continue;
    const grey = sharp(map, { raw: { width: side, height: side, channels: 1 } }).toColourspace("b-w");
    await grey.png().toFile(join(folder, `${name}-maps`, file));
  }
}

await scenes("plain", Number(plain), ["astronaut", "chelsea"], false);
await scenes("train", Number(labelled), ["astronaut", "chelsea"], true);
await scenes("test", Number(test), ["coffee"], true);
console.log(
  `${plain} scenes, ${labelled} with maps and ${test} on another photograph, of ${side}x${side} pixels: ${folder}`,
);

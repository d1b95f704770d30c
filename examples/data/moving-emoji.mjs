// Lets emoji wander over parts of photographs, as folders of frames, and beside each frame a PNG file of a palette that says which of them stands at
// each pixel, as the evaluation of DAVIS has them: for `label_propagation`. Sequences to learn from in `frames`, others in `test`, maps of both in `maps`.
//
//   node examples/data/moving-emoji.mjs [folder] [sequences] [frames] [sequences to test]        (default: data/moving-emoji 8 12 4)

import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { randomFrom, turning } from "./making.mjs";

const [folder = "data/moving-emoji", sequences = "8", frames = "12", tested = "4"] = process.argv.slice(2);
const [side, size] = [96, 36];
const names = ["26bd", "1f34e", "1f436", "1f697", "1f33b"];
const photographs = join(import.meta.dirname, "../../test/reference/photographs");
const emoji = join(
  dirname(createRequire(import.meta.url).resolve("emoji-datasource-google/package.json")),
  "img/google/64",
);
const draw = randomFrom(77);
const between = (low, high) => low + Math.floor(draw() * (high - low + 1));

/** A PNG file of places in a palette. */
function palettePng(places) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
    const file = Buffer.alloc(body.length + 8);
    file.writeUInt32BE(data.length, 0);
    body.copy(file, 4);
    file.writeUInt32BE(crc32(body), body.length + 4);
    return file;
  };
  const header = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, 3, 0, 0, 0]);
  const rows = Buffer.concat(
    Array.from({ length: side }, (_, y) => Buffer.concat([Buffer.alloc(1), places.subarray(y * side, (y + 1) * side)])),
  );
  const palette = Buffer.from([0, 0, 0, 128, 0, 0, 0, 128, 0]);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A thing that goes on and turns back at the borders. */
async function wanderer(kind) {
  const pixels = await sharp(join(emoji, `${names[kind]}.png`))
    .resize(size, size)
    .ensureAlpha()
    .raw()
    .toBuffer();
  const most = side - size;
  const [x, y, dx, dy] = [between(0, most), between(0, most), between(-4, 4), between(-4, 4)];
  return { pixels, at: (t) => [turning(x + dx * t, most), turning(y + dy * t, most)] };
}

for (let i = 0; i < Number(sequences) + Number(tested); i++) {
  const split = i < Number(sequences) ? "frames" : "test";
  const name = `sequence-${String(i).padStart(2, "0")}`;
  for (const kind of [split, "maps"]) mkdirSync(join(folder, kind, name), { recursive: true });
  const photo = join(photographs, `${["astronaut", "chelsea", "coffee"][i % 3]}.png`);
  const { width, height } = await sharp(photo).metadata();
  const part = Math.min(width, height, 220);
  const [left, top] = [between(0, width - part), between(0, height - part)];
  const background = await sharp(photo)
    .extract({ left, top, width: part, height: part })
    .resize(side, side)
    .removeAlpha()
    .raw()
    .toBuffer();
  const first = between(0, names.length - 1);
  const things = [await wanderer(first), await wanderer((first + between(1, names.length - 1)) % names.length)];
  for (let t = 0; t < Number(frames); t++) {
    const [pixels, places] = [Buffer.from(background), Buffer.alloc(side * side)];
    for (const [k, thing] of things.entries()) {
      const [x, y] = thing.at(t);
      for (let at = 0; at < size * size; at++) {
        const [share, to] = [thing.pixels[4 * at + 3] / 255, (y + Math.floor(at / size)) * side + x + (at % size)];
        for (let c = 0; c < 3; c++)
          pixels[3 * to + c] = Math.round(share * thing.pixels[4 * at + c] + (1 - share) * pixels[3 * to + c]);
        if (share > 0.5) places[to] = k + 1;
      }
    }
    const file = `${String(t).padStart(5, "0")}.png`;
    await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toFile(join(folder, split, name, file));
    writeFileSync(join(folder, "maps", name, file), palettePng(places));
  }
}
console.log(`${sequences} and ${tested} sequences of ${frames} frames of ${side}x${side} pixels: ${folder}`);

// Composes scenes with objects in them: emoji of the npm package emoji-datasource-google on parts of photographs, with boxes and outlines
// in the format of COCO, as emoji-objects.mae reads them.
//
//   node examples/data/emoji-scenes.mjs [folder] [train images] [test images]        (default: data/emoji-scenes 800 160)
//
// Everything is drawn from one seed, so that the same scenes come out everywhere.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { randomFrom } from "./making.mjs";

const [folder = "data/emoji-scenes", train = "800", test = "160"] = process.argv.slice(2);
const side = 128;
const [smallest, largest, most] = [20, 64, 3];
const names = { ball: "26bd", apple: "1f34e", dog: "1f436", car: "1f697" };
const photographs = join(import.meta.dirname, "../../test/reference/photographs");
const emoji = join(
  dirname(createRequire(import.meta.url).resolve("emoji-datasource-google/package.json")),
  "img/google/64",
);

const draw = randomFrom(20260);
const between = (low, high) => low + Math.floor(draw() * (high - low + 1));

const photos = await Promise.all(
  readdirSync(photographs)
    .filter((name) => /^[a-z]+\.png$/.test(name))
    .map(async (name) => {
      const path = join(photographs, name);
      const { width, height } = await sharp(path).metadata();
      return { path, width, height };
    }),
);

/** An emoji of a size: its pixels, and its outlines along the edges of pixels that are more than half there. */
async function sprite(name, size) {
  const { data } = await sharp(join(emoji, `${names[name]}.png`))
    .resize(size, size)
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const isThere = (x, y) => x >= 0 && y >= 0 && x < size && y < size && data[4 * (y * size + x) + 3] > 127;
  return { data, isThere };
}

/** Outer and inner boundaries of what is there; those around it alone are kept, the longest first. */
function outlinesOf(isThere, size) {
  const edges = new Map();
  const add = (from, to) => edges.set(from.join(), [...(edges.get(from.join()) ?? []), to]);
  let area = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!isThere(x, y)) continue;
      area++;
      if (!isThere(x, y - 1)) add([x, y], [x + 1, y]);
      if (!isThere(x + 1, y)) add([x + 1, y], [x + 1, y + 1]);
      if (!isThere(x, y + 1)) add([x + 1, y + 1], [x, y + 1]);
      if (!isThere(x - 1, y)) add([x, y + 1], [x, y]);
    }
  }
  const outlines = [];
  for (const start of [...edges.keys()]) {
    const points = [];
    for (let at = start; edges.get(at)?.length > 0; ) {
      points.push(at.split(",").map(Number));
      at = edges.get(at).pop().join();
    }
    const twice = points.reduce((sum, [x, y], i) => {
      const [nx, ny] = points[(i + 1) % points.length];
      return sum + x * ny - nx * y;
    }, 0);
    if (points.length > 2 && twice > 0) outlines.push(points.flat());
  }
  return { outlines, area };
}

async function scenes(split, count, firstImage) {
  mkdirSync(join(folder, split), { recursive: true });
  const document = {
    images: [],
    annotations: [],
    categories: Object.keys(names).map((name, i) => ({ id: i + 1, name })),
  };
  for (let i = 0; i < count; i++) {
    const photo = photos[between(0, photos.length - 1)];
    const shorter = Math.min(photo.width, photo.height);
    const part = between(Math.ceil(shorter / 2), shorter);
    const [left, top] = [between(0, photo.width - part), between(0, photo.height - part)];
    const cut = sharp(photo.path).extract({ left, top, width: part, height: part }).resize(side, side).removeAlpha();
    const { data: pixels } = await cut.raw().toBuffer({ resolveWithObject: true });
    const placed = [];
    for (let tries = between(1, most) * 3; tries > 0; tries--) {
      const [size, kind] = [between(smallest, largest), between(0, Object.keys(names).length - 1)];
      const [x, y] = [between(0, side - size), between(0, side - size)];
      // Nothing stands before anything else.
      const isFree = placed.every(
        (other) => x >= other.x + other.size || y >= other.y + other.size || other.x >= x + size || other.y >= y + size,
      );
      if (!isFree || placed.length === most) continue;
      placed.push({ x, y, size });
      const { data, isThere } = await sprite(Object.keys(names)[kind], size);
      for (let at = 0; at < size * size; at++) {
        const share = data[4 * at + 3] / 255;
        const to = 3 * ((y + Math.floor(at / size)) * side + x + (at % size));
        for (let c = 0; c < 3; c++)
          pixels[to + c] = Math.round(share * data[4 * at + c] + (1 - share) * pixels[to + c]);
      }
      const { outlines, area } = outlinesOf(isThere, size);
      const moved = outlines.map((outline) => outline.map((value, k) => value + (k % 2 === 0 ? x : y)));
      const [xs, ys] = [0, 1].map((axis) => moved.flat().filter((_, k) => k % 2 === axis));
      const bbox = [
        Math.min(...xs),
        Math.min(...ys),
        Math.max(...xs) - Math.min(...xs),
        Math.max(...ys) - Math.min(...ys),
      ];
      document.annotations.push({
        ...{ id: document.annotations.length + 1, image_id: firstImage + i, category_id: kind + 1 },
        ...{ bbox, area, iscrowd: 0, segmentation: moved },
      });
    }
    const file_name = `${String(i).padStart(4, "0")}.png`;
    document.images.push({ id: firstImage + i, file_name, width: side, height: side });
    await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toFile(join(folder, split, file_name));
  }
  writeFileSync(join(folder, `${split}.json`), JSON.stringify(document));
  return document.annotations.length;
}

const counts = [await scenes("train", Number(train), 1), await scenes("test", Number(test), 1_000_001)];
console.log(`${train} and ${test} scenes of ${side}x${side} pixels with ${counts.join(" and ")} objects: ${folder}`);

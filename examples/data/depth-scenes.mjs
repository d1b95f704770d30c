// Draws balls on a floor as a camera sees them, and beside each picture a grey PNG file of 16 bits with how far away each pixel lies, in
// millimetres, 0 for the sky: as depth-scenes.mae reads them.
//
//   node examples/data/depth-scenes.mjs [folder] [scenes] [scenes with depth] [test scenes]        (default: data/depth-scenes 1200 120 120)

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { randomFrom } from "./making.mjs";

const [folder = "data/depth-scenes", plain = "1200", measured = "120", test = "120"] = process.argv.slice(2);
const side = 32;
const farthest = 20;
const random = randomFrom(41);
const between = (least, most) => least + (most - least) * random();
const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const unit = (a) => a.map((x) => x / Math.sqrt(dot(a, a)));

/** The camera stands in 0, looks along z, and the floor lies below it. */
function scene() {
  const height = between(1.2, 1.8);
  const balls = Array.from({ length: Math.floor(between(2, 6)) }, () => {
    const [radius, z] = [between(0.4, 1), between(3, 10)];
    return {
      radius,
      centre: [between(-0.5, 0.5) * z, radius - height, z],
      colour: [0, 0, 0].map(() => between(0.2, 1)),
    };
  });
  const light = unit([between(-1, 1), 1.5, between(-1, 0.3)]);
  const tile = between(0.8, 1.6);
  const floor = [between(0.3, 0.6), between(0.6, 0.9)];
  const pixels = new Uint8Array(3 * side * side);
  const depth = new Uint16Array(side * side);
  for (let at = 0; at < side * side; at++) {
    const ray = [((at % side) + 0.5) / side - 0.5, 0.35 - (Math.floor(at / side) + 0.5) / side, 0.9];
    const hit = nearest(ray, height, balls);
    const colour = hit === null ? [0.55, 0.7, 0.95] : shade(hit, { light, tile, floor });
    for (const c of [0, 1, 2]) pixels[3 * at + c] = Math.round(255 * Math.min(1, colour[c]));
    if (hit !== null) depth[at] = Math.round(1000 * hit.point[2]);
  }
  return { pixels, depth };
}

/** What a ray meets first: where, which way that faces, and the ball; null: the sky. */
function nearest(ray, height, balls) {
  let best = null;
  const consider = (t, normal, ball) => {
    if (t > 0 && t * ray[2] < farthest && (best === null || t < best.t))
      best = { t, point: ray.map((x) => x * t), normal, ball };
  };
  if (ray[1] < 0) consider(-height / ray[1], () => [0, 1, 0], null);
  for (const ball of balls) {
    const [a, b, c] = [dot(ray, ray), dot(ray, ball.centre), dot(ball.centre, ball.centre) - ball.radius ** 2];
    const root = b * b - a * c;
    if (root > 0) consider((b - Math.sqrt(root)) / a, (point) => unit(point.map((x, i) => x - ball.centre[i])), ball);
  }
  return best;
}

/** Tiles of two shades on the floor, balls of one colour, both in the light. */
function shade({ point, normal, ball }, { light, tile, floor }) {
  const lit = 0.3 + 0.7 * Math.max(0, dot(normal(point), light));
  const odd = (Math.floor(point[0] / tile) + Math.floor(point[2] / tile)) & 1;
  return (ball?.colour ?? [floor[odd], floor[odd], floor[odd]]).map((x) => x * lit);
}

async function scenes(name, count, hasDepth) {
  for (const own of hasDepth ? [name, `${name}-depth`] : [name]) mkdirSync(join(folder, own), { recursive: true });
  for (let i = 0; i < count; i++) {
    const { pixels, depth } = scene();
    const [file, size] = [`${String(i).padStart(4, "0")}.png`, { width: side, height: side }];
    await sharp(pixels, { raw: { ...size, channels: 3 } })
      .png()
      .toFile(join(folder, name, file));
    if (!hasDepth) continue;
    await sharp(depth, { raw: { ...size, channels: 1 } })
      .toColourspace("grey16")
      .png()
      .toFile(join(folder, `${name}-depth`, file));
  }
}

await scenes("plain", Number(plain), false);
await scenes("train", Number(measured), true);
await scenes("test", Number(test), true);
console.log(`${plain} scenes, ${measured} with depth and ${test} to test, of ${side}x${side} pixels: ${folder}`);

/** What is said of views that a decoder asks, that a teacher predicts and that share a mask, where they do not fit each other. */

import { expect, test } from "vitest";
import { analyzed } from "../../support/model.js";

const errors = (lines: string, decoder = "vit(depth: 1, width: 16, heads: 2)"): readonly string[] =>
  analyzed(`edition 2026

model Seen {
  input   image(size: 32x32, channels: 3)
  tokens  patch(size: 8x8)
  encoder vit(depth: 1, width: 16, heads: 2)
  decoder ${decoder}
  target  pixels
  loss    mse
  ${lines}
}
`)
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ message }) => message);

const asking = (asks: string): string => `cross(depth: 1, width: 16, heads: 2, asks: [${asks}])`;
const many = "views multi_crop(global: 2, local: 3, local_size: 16x16)\n  ";
const pairs = "views frames(gap: 1..2)\n  ";
const shared = "mask random(ratio: 75%, share: views)\n  ";

test.each([
  [
    `${pairs}mask random(ratio: 75%, on: [second])`,
    "second",
    "asks all views over which a mask lies, and predicts none",
  ],
  [`${many}mask random(ratio: 75%, on: [local])`, "global", "asks views of which there are not as many"],
  [`${pairs}mask random(ratio: 75%)`, "third", "the model sees no views called `third`"],
])("a decoder asks views that are there, and predicts others: %s", (lines, asks, message) => {
  expect(errors(lines, asking(asks)).join()).toContain(message);
});

test.each([
  [`${pairs}${shared}loss consistency\n  teacher ema_autoencoder(on: [first, second])`, "none is left to the student"],
  [
    `${pairs}mask random(ratio: 75%, on: [first])\n  loss consistency\n  teacher ema_autoencoder(on: [second])`,
    "no mask hides anything of `second`, which the teacher predicts",
  ],
  [
    `${pairs}${shared}loss consistency\n  teacher ema(on: [second])`,
    "gives no predictions, and the loss `consistency`",
  ],
  [
    `${pairs}${shared}head projector\n  loss view_contrast(on: mean)\n  teacher ema_autoencoder(on: [second])`,
    "gives predictions alone, and the loss `view_contrast`",
  ],
  [`${many}${shared}loss consistency\n  teacher ema_autoencoder(on: [local])`, "they are of several sizes"],
  [`views frames(gap: 1.5..2)\n  ${shared}`, "1.5..2 are no whole numbers of frames"],
])("what a teacher predicts is hidden, asked for, and left to the student elsewhere: %s", (lines, message) => {
  expect(errors(lines).join()).toContain(message);
});

test("pairs of frames with a decoder that asks, or a teacher that predicts, are sound", () => {
  expect(errors(`${pairs}mask random(ratio: 75%, on: [second])`, asking("first"))).toEqual([]);
  expect(errors(`${pairs}${shared}loss consistency\n  teacher ema_autoencoder(on: [second])`)).toEqual([]);
});

/** Models of clouds: what asks for rows and columns, or for an order, is refused in words. */

import { expect, test } from "vitest";
import { analyzed } from "../support/model.js";

const lines: Readonly<Record<string, string>> = {
  input: "points(count: 64)",
  tokens: "groups(count: 16, neighbours: 8, inner: 4)",
  positions: "coordinates(hidden: 8)",
  mask: "random(ratio: 50%)",
  encoder: "vit(depth: 1, width: 16, heads: 2)",
  decoder: "vit(depth: 1, width: 16, heads: 2)",
  target: "neighbours",
  loss: "chamfer",
};

const found = (changed: Readonly<Record<string, string>>): readonly string[] => {
  const slots = Object.entries({ ...lines, ...changed }).flatMap(([slot, block]) =>
    block === "" ? [] : [`  ${slot} ${block}`],
  );
  const { diagnostics } = analyzed(`edition 2026\nmodel Cloud {\n${slots.join("\n")}\n}\n`);
  return diagnostics.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
};

test("a model of clouds has no findings", () => expect(found({})).toEqual([]));

const places = { mask: "", decoder: "", target: "", loss: "place_cross_entropy" };

test.each<readonly [string, Readonly<Record<string, string>>, RegExp]>([
  ...["block", "grid", "hilbert", "peano", "spiral", "zigzag"].map(
    (mask) =>
      [`mask ${mask}`, { mask }, new RegExp(`mask/${mask}/two-axes: .* the tokens lie in space, in no order`)] as const,
  ),
  ...["along: [group]", "each: [point]", "cell: 4x8"].map(
    (dial) =>
      [dial, { mask: `random(${dial})` }, /mask\/random\/axes-in-order: the tokens lie in space, in no order/] as const,
  ),
  ["regions", { mask: "regions(source: superpixels)" }, /mask\/regions\/pictures: regions are found in rows/],
  ["maps of a cloud", { ...places, head: "segmentation(classes: 3)" }, /places: the model reads what lies in space/],
  ["small views", { views: "multi_crop(local_size: 8x8)" }, /view\/multi_crop\/axes-in-order: .* in no order/],
  ["positions of places", { positions: "sin_cos" }, /unreadable-source: .* only one of the two is for tokens that lie/],
  ["pixels", { target: "pixels" }, /unreadable-source: the target `pixels` reads the tokens `groups`/],
  ["an error number by number", { loss: "mse" }, /`mse` compares numbers, and sets of points are predicted/],
  ["more groups than points", { tokens: "groups(count: 65, neighbours: 8)" }, /enough-points: 65 different points/],
  ["larger groups than clouds", { tokens: "groups(count: 16, neighbours: 65)" }, /enough-points: 65 .* for a group/],
])("%s", (_, changed, message) => expect(found(changed).join("\n")).toMatch(message));

test("a ball is of clouds", () => {
  const image = { input: "image(size: 8x8)", tokens: "patch(size: 2x2)", positions: "sin_cos", target: "pixels" };
  expect(found({ ...image, loss: "mse", mask: "ball" }).join("\n")).toMatch(/mask\/ball\/of-clouds: it hides what is/);
});

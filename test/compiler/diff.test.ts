/** What is said of two models side by side. */

import { describe, expect, test } from "vitest";
import { diff, type Model } from "../../compiler/index.js";
import { modelOf } from "../support/model.js";

const lines = {
  input: "image(size: 28x28, channels: 1)",
  tokens: "patch(size: 4x4)",
  mask: "random(ratio: 75%)",
  encoder: "vit(depth: 2, width: 32, heads: 4)",
  decoder: "vit(depth: 1, width: 16, heads: 4)",
  target: "pixels(normalize: none)",
  loss: "mse(on: hidden)",
};

const model = (changed: Partial<typeof lines> = {}): Model => {
  const all = Object.entries({ ...lines, ...changed }).map(([slot, block]) => `  ${slot} ${block}`);
  return modelOf(`edition 2026\nmodel Mae {\n${all.join("\n")}\n}\n`);
};

const statuses = (a: Model, b: Model): ReadonlySet<string> => new Set(diff(a, b).weights.map(({ status }) => status));

test("a model is not different from itself", () => {
  const found = diff(model(), model());
  expect(found).toMatchObject({ changes: [], loads: true, sameNetwork: true });
  expect(found.parameters.from).toBe(found.parameters.to);
  expect(found.weights.length).toBeGreaterThan(20);
});

describe("a change that a checkpoint survives", () => {
  test.each([
    ["another mask", { mask: "spiral(ratio: 50%)" }, ["mask"]],
    ["another share", { mask: "random(ratio: 50%)" }, ["mask.ratio"]],
    ["another loss", { loss: "mse(on: all)" }, ["loss mse.on"]],
  ])("%s", (_, changed, paths) => {
    const found = diff(model(), model(changed));
    expect(found).toMatchObject({ loads: true, sameNetwork: true });
    expect(found.changes.map(({ path }) => path)).toEqual(paths);
  });
});

test("other heads load, and compute something else", () => {
  const found = diff(model(), model({ encoder: "vit(depth: 2, width: 32, heads: 8)" }));
  expect(found).toMatchObject({ loads: true, sameNetwork: false });
  expect(found.changes).toEqual([{ kind: "changed", path: "encoder.heads", from: "4", to: "8" }]);
});

test("other heads of the decoder too, under any mask", () => {
  const changed = { decoder: "vit(depth: 1, width: 16, heads: 2)", mask: "grid" };
  expect(diff(model(), model(changed))).toMatchObject({ loads: true, sameNetwork: false });
});

describe("weight by weight", () => {
  test("a deeper encoder has new weights and keeps the others", () => {
    const deeper = model({ encoder: "vit(depth: 3, width: 32, heads: 4)" });
    expect(statuses(model(), deeper)).toEqual(new Set(["same", "new"]));
    expect(statuses(deeper, model())).toEqual(new Set(["same", "missing"]));
    const fresh = diff(model(), deeper).weights.filter(({ status }) => status === "new");
    expect(fresh.every(({ name }) => name.startsWith("blocks.2."))).toBe(true);
    expect(diff(model(), deeper).loads).toBe(false);
  });

  test("a wider one is reshaped", () => {
    const { weights, changes, parameters } = diff(model(), model({ encoder: "vit(depth: 2, width: 64, heads: 4)" }));
    expect(weights).toContainEqual({ name: "norm.weight", status: "reshaped", from: [32], to: [64] });
    expect(changes).toEqual([{ kind: "changed", path: "encoder.width", from: "32", to: "64" }]);
    expect(parameters.to).toBeGreaterThan(parameters.from);
  });

  test("of a checkpoint its own weights count", () => {
    const stored = new Map([["norm.weight", [32]]]);
    const { weights, loads } = diff(model(), model(), stored);
    expect(loads).toBe(false);
    expect(weights.filter(({ status }) => status === "same")).toHaveLength(1);
  });
});

test("lines come and go", () => {
  const two = modelOf(`edition 2026
model Mae {
${Object.entries(lines)
  .map(([slot, block]) => `  ${slot} ${block}`)
  .join("\n")}
  loss l1(on: all)
}`);
  expect(diff(model(), two).changes).toEqual([{ kind: "added", path: "loss", to: "l1(on: all, weight: 1)" }]);
  expect(diff(two, model()).changes).toEqual([{ kind: "removed", path: "loss", from: "l1(on: all, weight: 1)" }]);
});

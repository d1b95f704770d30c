/** Training on PNG files with random crops does not wait for its data: two cores, one of them also decodes. */

import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { registry } from "../../blocks/index.js";
import { trainingOf } from "../../cli/recipe-settings.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { analyze } from "../../compiler/index.js";
import { listExecutors, openExecutor, packageRoot, train } from "../../runtime/index.js";
import { bound } from "../support/data.js";

const pictures = "node_modules/emoji-datasource-google/img/google/64";
const onnx = (await listExecutors()).find(({ backend }) => backend === "onnx");
const missing = existsSync(join(packageRoot, pictures))
  ? onnx?.why
  : "the package emoji-datasource-google is not installed";

it.skipIf(missing !== undefined)(
  "the emoji example spends less than a tenth of its time waiting",
  { timeout: 240_000 },
  async () => {
    const path = "emoji.mae";
    const text = readFileSync(join(packageRoot, "examples", path), "utf8");
    const { models, recipes } = analyze({ path, text }, { readText: () => null }, registry);
    const [[model], [recipe]] = [[...models.values()], [...recipes.values()]];
    if (!model || !recipe) throw new Error("emoji.mae holds a model and a recipe");
    const directory = await mkdtemp(join(tmpdir(), "maelang-waiting-"));
    const executor = await openExecutor("onnx");
    /** Seconds so far, and of them those spent waiting, after each step. */
    const spent: { readonly all: number; readonly waiting: number }[] = [];
    const training = {
      ...trainingOf(recipe),
      // Without labels: they are in a file that a script writes first.
      data: bound("dataset", "folder", { ...recipe.data.values, labels: null }),
      ...{ epochs: null, steps: 24, evaluate: [] },
      schedule: bound("schedule", "constant"),
    };
    await train(programOf(assemble(model)), training, {
      ...{ directory, root: packageRoot, executor, resume: false, spec: text, workers: 1, checkpointEvery: 1000 },
      signal: new AbortController().signal,
      report: (event) => {
        if (event.kind !== "step") return;
        const all = (event.step * training.batch) / event.imagesPerSecond;
        spent.push({ all, waiting: event.waiting * all });
      },
    });
    await executor.close();
    await rm(directory, { recursive: true });
    // The first batches wait for workers that start.
    const [from, to] = [spent[3], spent.at(-1)];
    if (!from || !to) throw new Error("24 steps are done");
    expect((to.waiting - from.waiting) / (to.all - from.all)).toBeLessThan(0.1);
  },
);

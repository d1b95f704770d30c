/** Recipes beside each other: `mae plan` tells of each and of all, and what was trained together is shown and judged apart. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { mae } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

/** The same network on smaller pictures, with a table of positions of its own, and without test data. */
const spec = `edition 2026

${smallModel}
model Smaller extends Small {
  set input.size: 8x8
}

${smallRecipe(4, 3).replace("recipe Train for Small", "recipe TrainSmaller for Smaller").replace("16x16", "8x8").replace(", holdout: 20%", "")}
recipe Train extends TrainSmaller for Small {
  replace data folder("images", holdout: 20%)
  replace augment resize(size: 16x16)
  set     batch: 8
  set     beside: TrainSmaller
}
`;

let cwd: string;
const run = (...args: string[]) => mae(args, { cwd });
const planned = async (...args: string[]) => JSON.parse((await run("plan", "both.mae", ...args, "--json")).stdout);

beforeAll(async () => {
  cwd = await project({ "both.mae": spec });
});

it("plan tells what each costs and what all need together", async () => {
  const plan = await planned();
  const [smaller, another] = plan.beside;
  expect(another).toBeUndefined();
  expect([plan.recipe, plan.tokens.total, plan.steps.total]).toEqual(["Train", 16, 2]);
  expect([smaller.recipe, smaller.tokens.total, smaller.steps.total]).toEqual(["TrainSmaller", 4, 1]);
  const alone = await planned("TrainSmaller");
  expect({ ...smaller, steps: null, time: null }).toEqual({
    ...alone,
    format_version: undefined,
    ...{ steps: null, time: null },
  });
  const { steps, memory } = plan.by_turns;
  expect(steps).toEqual({ per_epoch: plan.steps.per_epoch * 2, total: 3 });
  const parts = ["weights", "moments", "sums", "working", "engine", "data"].map((part) => memory[part] as number);
  expect(parts.reduce((sum, part) => sum + part)).toBe(memory.total);
  // Weights are kept once but for the table of positions; what steps make is not.
  expect(memory.weights).toBe(plan.memory.weights + 4 * 5 * 16 * 2);
  expect(memory.moments).toBe(plan.memory.moments);
  expect(memory.working).toBeGreaterThan(plan.memory.working);
  const { stdout } = await run("plan", "both.mae");
  const heads = stdout.split("\n").filter((line) => /^\w/.test(line));
  expect(heads).toEqual(["Small", "Train", "Smaller", "TrainSmaller", "Train, TrainSmaller by turns"]);
});

it("plan takes the samples of each, and says which recipe has too few", async () => {
  expect((await planned("--samples", "80,40")).beside[0].steps.samples).toBe(40);
  expect((await run("plan", "both.mae", "--samples", "80,3")).stderr).toContain("TrainSmaller: The data has 3 samples");
  const wrong = await run("plan", "both.mae", "--samples", "80,40,20");
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("has 3 numbers, and 2 are planned")]);
});

it("show and eval take each by name, and say which they took where none is named", async () => {
  expect((await run("train", "both.mae", "--backend", "wasm", "--workers", "0")).code).toBe(0);
  const judge = async (...name: string[]) => {
    const flags = ["--with", "rank", "--no-baselines", "--backend", "wasm"];
    const { code, stdout, stderr } = await run("eval", "runs/both", ...name, ...flags, "--json");
    const { recipe, model, rows } = JSON.parse(stdout);
    return { code, stderr, recipe, model, rows: rows.length };
  };
  expect(await judge()).toMatchObject({
    ...{ code: 0, recipe: "Train", model: "Small", rows: 2 },
    stderr: expect.stringContaining(
      "this is of Train alone; of what was trained beside it: mae eval runs/both TrainSmaller\n",
    ),
  });
  expect(await judge("Smaller")).toMatchObject({
    ...{ code: 0, recipe: "TrainSmaller", model: "Smaller", rows: 2 },
    stderr: expect.not.stringContaining("this is of"),
  });
  const shown = await run("show", "runs/both", "TrainSmaller", "--count", "2", "--backend", "wasm");
  expect(shown).toMatchObject({ code: 0, stdout: "runs/both/reconstruction-TrainSmaller.png\n" });
  expect(existsSync(join(cwd, "runs/both/reconstruction-TrainSmaller.png"))).toBe(true);
  const other = ["--against", "runs/both", "--samples", "8", "--backend", "wasm"];
  expect((await run("diagnose", "runs/both", "TrainSmaller", ...other)).stdout).toContain(
    "likeness of the last layers: 1\n",
  );
  const untested = await run("eval", "runs/both", "TrainSmaller", "--with", "knn");
  expect([untested.code, untested.stderr]).toEqual([1, expect.stringContaining("names no test data, and knn")]);
  const wrong = await run("show", "runs/both", "TrainSmall");
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('nothing was trained by a recipe called "TrainSmall" here');
  expect(wrong.stderr).toContain('did you mean "TrainSmaller"?');
});

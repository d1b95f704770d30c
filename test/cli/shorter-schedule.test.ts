/** What options that make a training shorter do to its schedule. */

import { expect, it } from "vitest";
import { shortened, shorterNotes, withTimes } from "../../cli/runs/shorter-schedule.js";
import type { Model, Recipe } from "../../compiler/index.js";
import { inMemory, stripes } from "../support/data.js";
import { analyzed } from "../support/model.js";
import { smallModel, smallRecipe } from "./small.js";

/** Of 27 samples in batches of 8, which is 3 steps an epoch. */
function writtenAs(length: string, schedule: string): { readonly model: Model; readonly written: Recipe } {
  const text = `edition 2026\n\n${smallModel}\n${smallRecipe(8, 6)}`
    .replace(/steps +6/, length)
    .replace(/schedule +constant/, `schedule ${schedule}`);
  const { models, recipes } = analyzed(text);
  const [[model], [recipe]] = [[...models.values()], [...recipes.values()]];
  return { model: model as Model, written: { ...(recipe as Recipe), data: inMemory(stripes(27)) as never } };
}

it.each([
  ["epochs 400", "cosine(warmup: 40 epochs)", { steps: 20 }, "2 steps"],
  ["epochs 400", "cosine(warmup: 40 epochs)", { steps: 1 }, "0.1 steps"],
  ["epochs 400", "cosine(warmup: 40 epochs)", { epochs: 100 }, "10 epochs"],
  ["epochs 100", "constant(warmup: 30 steps)", { steps: 20 }, "2 steps"],
  ["steps 60", "constant(warmup: 2 epochs)", { epochs: 10 }, "1 epochs"],
  ["steps 6", "constant(warmup: 4 steps)", { steps: 3 }, "2 steps"],
] as const)("%s with %s keeps the share of the warm-up under %j", async (length, schedule, flags, expected) => {
  const { model, written } = writtenAs(length, schedule);
  const { recipe, times } = await shortened(model, written, flags);
  const { amount, unit } = recipe.schedule.values.warmup as { amount: number; unit: string };
  expect(`${amount} ${unit}`).toBe(expected);
  expect(shorterNotes(written, times)).toEqual([expect.stringContaining(`become ${expected}`)]);
  // A run goes on with it while the text says what it said.
  expect(withTimes(written, times).schedule).toEqual(recipe.schedule);
  const { written: changed } = writtenAs(length, schedule.replace(/\d+/, "1"));
  expect(withTimes(changed, times)).toEqual(changed);
});

it.each([
  ["epochs 400", "cosine(warmup: 40 epochs)", { epochs: 800 }],
  ["epochs 100", "cosine(warmup: 10 epochs)", { steps: 301 }],
  ["epochs 100", "cosine(warmup: 10 epochs)", { batch: 4 }],
  ["epochs 100", "constant", { steps: 1 }],
] as const)("%s with %s is as it was under %j", async (length, schedule, flags) => {
  const { model, written } = writtenAs(length, schedule);
  const { recipe, times } = await shortened(model, written, flags);
  expect(times).toEqual({});
  expect(recipe.schedule).toBe(written.schedule);
});

/** Recipes beside each other: whose turn a step is, and the weights of each. That they learn as in PyTorch, and go on bit for bit, is shown by the examples. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import type { Model } from "../../compiler/index.js";
import { initialWeights, weightsBeside } from "../../runtime/index.js";
import { lengthInTurns, turnsOf } from "../../runtime/train/turns.js";
import { analyzed } from "../support/model.js";

test("steps take turns, one of each or as many as each has, and any step tells how many came before it", () => {
  for (const mix of ["alternate", "proportional"] as const) {
    const lengths = [3, 5, 1];
    const turns = turnsOf(mix, lengths);
    const counts = lengths.map(() => 0);
    const order: number[] = [];
    for (let step = 0; step < 3 * turns.stepsPerEpoch; step++) {
      const { which, before } = turns.at(step);
      expect([before, lengths.map((_, k) => turns.before(k, step))]).toEqual([counts[which], counts]);
      counts[which] = (counts[which] as number) + 1;
      order.push(which);
    }
    expect(counts).toEqual(mix === "alternate" ? [9, 9, 9] : [9, 15, 3]);
    expect(order.slice(0, 9)).toEqual(mix === "alternate" ? [0, 1, 2, 0, 1, 2, 0, 1, 2] : [1, 0, 1, 2, 1, 0, 1, 0, 1]);
    expect(lengthInTurns(turns, { epochs: 4, steps: null })).toEqual({ stepsPerEpoch: 9, totalSteps: 36 });
  }
});

test("the weights of a model beside another are the other's, but for tables that follow from it alone", async () => {
  const { recipes, models } = analyzed(readFileSync("examples/digits-omni-mae.mae", "utf8"));
  const { beside = [] } = recipes.get("TrainDigitsOmniMae") ?? {};
  const [images] = beside;
  if (!images) throw new Error("invariant: images are beside clips");
  const clips = await initialWeights(programOf(assemble(models.get("DigitsInClips") as Model)).parameters, 1);
  const program = programOf(assemble(images.model));
  const own = weightsBeside({ program, weights: images.weights }, clips);
  const alone = await initialWeights(program.parameters, 2);
  expect(Object.keys(own)).toEqual(Object.keys(alone));
  const tables = Object.keys(own).filter((name) => own[name] !== clips[name]);
  expect(tables).toEqual(["pos_embed", "decoder_pos_embed"]);
  for (const name of tables) expect(own[name]).toEqual(alone[name]);
});

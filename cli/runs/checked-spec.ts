/** The text that a run keeps of what it trains. */

import { type Model, type Recipe, render, settingsOf } from "../../compiler/index.js";
import type { Vocabulary } from "../config/index.js";
import { checkMicroBatch, type MemoryFlags } from "../machine/micro-batches.js";
import { analyzeText } from "../specs/analysis.js";
import { usageFailure } from "../words/failure.js";
import { specFile } from "./run-directory.js";

/**
 * What the run keeps as its spec. Options can break a recipe that was sound, as a warm-up of 200 steps in a training of 60.
 *
 * Throws a `Failure` with the first finding, and where the batch has no parts of the size that the flags ask for.
 */
export function checkedSpec(
  model: Model,
  recipe: Recipe,
  vocabulary: Vocabulary,
  { microBatch }: Pick<MemoryFlags, "microBatch">,
): string {
  const text = render(model, recipe, { origin: false });
  const finding = analyzeText({ path: specFile, text }, vocabulary).diagnostics.find(
    ({ severity }) => severity === "error",
  );
  if (finding) {
    const { message, reason, help } = finding;
    throw usageFailure(`with these options the recipe is not sound: ${message}`, {
      ...(reason === undefined ? {} : { reason }),
      help: help ?? "leave the option out, or change the recipe",
    });
  }
  checkMicroBatch(settingsOf(recipe).batch, microBatch);
  return text;
}

/** `mae check --data`: advice that only the data can give. Opens what the recipes name; without the option nothing of it is read. */

import type { SampleIndex, Split } from "../../blocks/index.js";
import { arraysOf, lintData, type Recipe, trainingOf, withIgnores } from "../../compiler/index.js";
import type { Diagnostic } from "../../grammar/index.js";
import { weighed } from "../config/index.js";
import { tell } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";
import type { CheckedSpec } from "./analysis.js";
import { ownRecipes } from "./choose.js";

/** What is remarked of the recipes of a spec, by the size of their data; data that is not here is told of. */
export async function dataAdvice({ file, analysis }: CheckedSpec): Promise<readonly Diagnostic[]> {
  if (!analysis) return [];
  const found: Diagnostic[] = [];
  let isWhole = true;
  for (const recipe of ownRecipes(analysis)) {
    const model = analysis.models.get(recipe.model);
    if (!model) continue;
    const arrays = arraysOf(model);
    const train = await opened(recipe, "train", arrays);
    if ("problem" in train) {
      tell(`${recipe.name}: the data was not looked at: ${visibleText(train.problem)}`);
      isWhole = false;
      continue;
    }
    const test = await opened(recipe, "test", arrays);
    const facts = {
      samples: train.length,
      testSamples: "problem" in test ? null : test.length,
      classes: train.classes.length,
    };
    found.push(...lintData(recipe, analysis.models, facts));
  }
  const left = isWhole ? withIgnores(analysis.file.source, found, "data") : found;
  return weighed(left, file.vocabulary);
}

/** The samples of a split, or why there are none. */
async function opened(
  recipe: Recipe,
  split: Split,
  arrays: ReturnType<typeof arraysOf>,
): Promise<SampleIndex | { readonly problem: string }> {
  const { openData, RunError } = await import("../../runtime/index.js");
  try {
    return await openData(trainingOf(recipe).data, split, process.cwd(), { arrays });
  } catch (error) {
    if (error instanceof RunError) return { problem: error.message };
    throw error;
  }
}

/** `mae render`: a model, and its recipe, with nothing left to look up. */

import { renderPipeline, render as renderText } from "../../compiler/index.js";
import { choose, openNamed } from "../specs/choose.js";
import { print } from "../words/terminal.js";

export interface RenderOptions {
  readonly origin?: boolean;
  readonly config?: string;
}

/** Under a model's name only the model, under a recipe's name both, under a pipeline's all of its stages; without a name, what there is. */
export async function render(file: string, name: string | undefined, options: RenderOptions): Promise<void> {
  const analysis = await openNamed(file, options.config, name);
  const origin = options.origin ?? false;
  const pipeline = name === undefined ? undefined : analysis.pipelines.get(name);
  if (pipeline) {
    print(renderPipeline(pipeline, { origin }));
    return;
  }
  const { model, recipe } = choose(analysis, name);
  const wanted = name === undefined || analysis.recipes.has(name) ? recipe : null;
  print(renderText(model, wanted, { origin }));
}

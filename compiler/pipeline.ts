/** A checked pipeline: its stages in the order in which they run, each with its model, its recipe and where its weights come from. */

import type { Span } from "../grammar/index.js";
import type { Mapping, StageStart } from "./mapping.js";
import type { Model, Recipe, Use } from "./model.js";

export interface Stage {
  readonly name: string;
  /** As the pipeline's file calls them. */
  readonly modelName: string;
  readonly recipeName: string;
  readonly model: Model;
  /** Checked against the stage's model; without the `evaluate` lines of the pipeline. */
  readonly recipe: Recipe;
  /** As the stage itself says it. */
  readonly from: readonly StageStart[];
  /** The same, and what its recipe starts from. */
  readonly takes: readonly StageStart[];
  /** Parts that the text lets start from scratch; null: it says nothing of it, empty: all that is new. */
  readonly fresh: readonly string[] | null;
  /** What the pipeline judges the stage's result by. */
  readonly evaluate: readonly Use[];
  /** Where each weight comes from; null: a file that it takes is not here. */
  readonly mappings: readonly Mapping[] | null;
}

export interface Pipeline {
  readonly name: string;
  readonly doc: string;
  /** The declaration's name. */
  readonly span: Span;
  /** In the order in which they run. At least one. */
  readonly stages: readonly Stage[];
}

/**
 * The checked model: what the checker hands on. Names are resolved, defaults filled, units converted, and every value
 * carries its origin; after it there is nothing to look up.
 */

import type { Bound, Definition, DurationValue, OfInput } from "../blocks/index.js";
import type { Span } from "../grammar/index.js";
import type { Mapping, StageStart } from "./mapping.js";

/** Where a value comes from. */
export interface Origin {
  /** `default`: the block's definition; then `span` is the block's use. */
  readonly how: "written" | "default" | "set";
  readonly span: Span;
}

/** A block in a slot, with all its values. */
export interface Use<D extends Definition = Definition> extends Bound<D> {
  /** Kind of block, a key of the registry. */
  readonly kind: string;
  /** One for each parameter. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** The `block(...)` itself. */
  readonly origin: Origin;
}

/** One line of a model, after inheritance. */
export interface Filled {
  readonly slot: string;
  readonly label: string | null;
  readonly use: Use;
  /** Slots of its own, from the `{ }` after it. */
  readonly inner: readonly Filled[];
}

export interface Model {
  readonly name: string;
  readonly doc: string;
  /** The declaration's name. */
  readonly span: Span;
  /** From the root of `extends` to this one. */
  readonly ancestry: readonly string[];
  /** In the order of the language's slots, defaults of empty slots included. */
  readonly slots: readonly Filled[];
}

/** A member of a family: its base with one choice of every axis. */
export interface Variant {
  /** `MaskStudy.mask-spiral.r-75.decoder-depth-4`: unique in its family, and fit for the name of a folder. */
  readonly name: string;
  /** Its name is the variant's in letters, digits and `_`, as code and rendered text need it. */
  readonly model: Model;
  /** What it is trained with in place of the recipe's; null: the family does not say. */
  readonly seed: number | null;
  /** What the axes say, in their order: a path, and the value there as a spec writes it. */
  readonly differences: readonly { readonly path: string; readonly value: string }[];
}

export interface Family {
  readonly name: string;
  readonly doc: string;
  /** The declaration's name. */
  readonly span: Span;
  /** Name of the model that its members change. */
  readonly base: string;
  /** In the order of the product: the last part of the name changes fastest. At least one. */
  readonly members: readonly Variant[];
  /** Members of the product that the family leaves out. */
  readonly skipped: number;
}

export interface Setting<V = unknown> {
  readonly value: V;
  readonly origin: Origin;
}

export interface Recipe {
  readonly name: string;
  readonly doc: string;
  readonly span: Span;
  /** Name of the model it trains. */
  readonly model: string;
  /** One for each input of the model. */
  readonly data: readonly OfInput<Use>[];
  readonly augment: readonly OfInput<Use>[];
  readonly optimizer: Use;
  readonly schedule: Use;
  readonly evaluate: readonly {
    readonly use: Use;
    readonly every: DurationValue | null;
  }[];
  /** Batch, epochs or steps, seed, precision ...: one for each key of `recipeSettings`. */
  readonly settings: Readonly<Record<string, Setting>>;
  /** Names of the weights that alone are trained; if absent, all are. */
  readonly trained?: readonly string[];
  /** If absent, every weight starts as the model declares. */
  readonly start?: RecipeStart;
  /** Recipes whose steps take turns with its own; if absent, none. */
  readonly beside?: readonly RecipeBeside[];
}

/** A recipe that trains another model, or the same on other data, with weights of the one that it stands beside. */
export interface RecipeBeside {
  readonly recipe: Recipe;
  readonly model: Model;
  /** The name that each weight of its model has in the other model; a fixed table that the other has not is not among them. */
  readonly weights: Readonly<Record<string, string>>;
}

/** What the weights of a recipe's model start from. */
export interface RecipeStart {
  readonly takes: readonly StageStart[];
  /** Where each weight comes from; null: a file that is taken is not here. */
  readonly mappings: readonly Mapping[] | null;
}

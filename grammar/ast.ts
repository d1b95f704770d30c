/**
 * The syntax tree: a closed set of readonly nodes, each with its span. It says what was written, not what it means:
 * no block, parameter or unit is known here. A missing piece of a broken line is `null` or left out of a list;
 * the parser has already reported it.
 */

import type { Source, Span } from "./source.js";

interface At {
  readonly span: Span;
}

export interface File extends At {
  readonly kind: "file";
  readonly source: Source;
  readonly edition: Edition | null;
  readonly imports: readonly Import[];
  readonly declarations: readonly Declaration[];
}

/** `edition 2026` */
export interface Edition extends At {
  readonly kind: "edition";
  readonly year: number;
}

/** `import { A, B as C } from "./file.mae"` */
export interface Import extends At {
  readonly kind: "import";
  readonly names: readonly ImportedName[];
  readonly from: Text | null;
}

export interface ImportedName extends At {
  readonly name: Identifier;
  readonly alias: Identifier | null;
}

export interface Identifier extends At {
  readonly kind: "identifier";
  readonly name: string;
}

export type Declaration = ModelDeclaration | RecipeDeclaration | VariantsDeclaration | PipelineDeclaration;

interface Declared extends At {
  /** The `///` lines before it, joined by newlines, without the slashes; "" when there are none. */
  readonly doc: string;
  readonly name: Identifier | null;
}

/** `model Name extends Base { ... }` */
export interface ModelDeclaration extends Declared {
  readonly kind: "model";
  readonly base: Identifier | null;
  readonly entries: readonly ModelEntry[];
}

/** `recipe Name extends Base for Model { ... }` */
export interface RecipeDeclaration extends Declared {
  readonly kind: "recipe";
  readonly base: Identifier | null;
  readonly subject: Identifier | null;
  readonly entries: readonly ModelEntry[];
}

/** `variants Name of Model { ... }` */
export interface VariantsDeclaration extends Declared {
  readonly kind: "variants";
  readonly subject: Identifier | null;
  readonly entries: readonly VariantsEntry[];
}

/** `pipeline Name { ... }` */
export interface PipelineDeclaration extends Declared {
  readonly kind: "pipeline";
  readonly entries: readonly PipelineEntry[];
}

/** Lines of a model, a recipe, and of the nested `{ }` of a slot. */
export type ModelEntry = Slot | Remove | SetValue | Let;

/** `encoder vit(...)`, `add loss mse(on: hidden)`, `input audio: spectrogram(...)`, `augment a(...), b`, `batch 4096`. */
export interface Slot extends At {
  readonly kind: "slot";
  readonly doc: string;
  /** null: a plain line. */
  readonly verb: "add" | "replace" | null;
  readonly slot: Identifier;
  readonly label: Identifier | null;
  /** More than one only where commas separate them; empty when the line broke off. */
  readonly values: readonly Expression[];
  /** The quantity after `every`, as in `evaluate knn(k: 20) every 50 epochs`. */
  readonly every: Expression | null;
  /** The `{ }` after the block; null when there is none. */
  readonly entries: readonly ModelEntry[] | null;
}

/** `remove decoder`, `remove target region` */
export interface Remove extends At {
  readonly kind: "remove";
  readonly slot: Identifier;
  readonly label: Identifier | null;
}

/** `set encoder.depth: 6` */
export interface SetValue extends At {
  readonly kind: "set";
  readonly path: readonly Identifier[];
  readonly value: Expression | null;
}

/** `let r = 75%`; in variants `let r = 50% | 75%` has several alternatives. */
export interface Let extends At {
  readonly kind: "let";
  readonly name: Identifier;
  readonly alternatives: readonly Expression[];
}

export type VariantsEntry = Let | Axis | Skip;

/** `decoder.depth = 1 | 4 | 8`, `mask = random(ratio: r) | block(ratio: r)` */
export interface Axis extends At {
  readonly kind: "axis";
  readonly path: readonly Identifier[];
  readonly alternatives: readonly Expression[];
}

/** `skip when mask is block and r > 75%` */
export interface Skip extends At {
  readonly kind: "skip";
  readonly condition: Condition | null;
}

export type Condition = Logical | Comparison;

export interface Logical extends At {
  readonly kind: "logical";
  readonly operator: "and" | "or";
  readonly left: Condition;
  readonly right: Condition;
}

export interface Comparison extends At {
  readonly kind: "comparison";
  readonly operator: "is" | "<" | "<=" | ">" | ">=" | "==" | "!=";
  readonly left: Expression;
  readonly right: Expression;
}

export type PipelineEntry = Stage | PipelineEvaluation;

/** `stage weak = Hashtags of TagClassifier from mae.encoder fresh` */
export interface Stage extends At {
  readonly kind: "stage";
  readonly name: Identifier;
  readonly recipe: Identifier | null;
  readonly model: Identifier | null;
  /** The stage, then its parts; or a file or a run, and its parts. */
  readonly from: readonly (Path | FilePart)[];
  /** The parts after `fresh`; an empty list means none was named. */
  readonly fresh: readonly Path[];
  /** `fresh` was written: with no part named, everything that is new may start from scratch. */
  readonly saysFresh: boolean;
}

/** `evaluate finetune: top1` */
export interface PipelineEvaluation extends At {
  readonly kind: "evaluation";
  readonly stage: Identifier;
  readonly probes: readonly Expression[];
}

export type Expression =
  | NumberLiteral
  | Quantity
  | Size
  | Range
  | Rate
  | Ramp
  | Text
  | FilePart
  | List
  | Tuple
  | Path
  | Call
  | Missing;

/** `768`, `1.5e-4`, `-0.5` */
export interface NumberLiteral extends At {
  readonly kind: "number";
  readonly value: number;
  /** As written, so that the formatter keeps `1.5e-4`. */
  readonly raw: string;
}

/** `75%`, `40 epochs`, `25 ms`, `16 kHz`, `all epochs` (amount null). Units are words: any identifier or `%`. */
export interface Quantity extends At {
  readonly kind: "quantity";
  readonly amount: NumberLiteral | null;
  readonly unit: string;
  readonly unitSpan: Span;
}

/** `224x224`, `16x16x2`: two or more whole numbers. */
export interface Size extends At {
  readonly kind: "size";
  readonly sides: readonly number[];
}

/** `20%..100%` */
export interface Range extends At {
  readonly kind: "range";
  readonly from: Expression;
  readonly to: Expression;
}

/** `1.5e-4 per 256` */
export interface Rate extends At {
  readonly kind: "rate";
  readonly value: Expression;
  readonly per: Expression;
}

/** `0.07 -> 0.04 over 30 epochs`: a value that moves during training. */
export interface Ramp extends At {
  readonly kind: "ramp";
  readonly from: Expression;
  readonly to: Expression;
  readonly over: Expression | null;
}

/** `"data/train"`: `value` has its escapes resolved. */
export interface Text extends At {
  readonly kind: "text";
  readonly value: string;
}

/** `"runs/mae".encoder`: a file or a run, and a part of what is in it; with no part only where nothing but a source can stand. */
export interface FilePart extends At {
  readonly kind: "file part";
  readonly file: Text;
  readonly parts: readonly Identifier[];
}

/** `[audio, image]` */
export interface List extends At {
  readonly kind: "list";
  readonly items: readonly Expression[];
}

/** `(0.9, 0.95)` */
export interface Tuple extends At {
  readonly kind: "tuple";
  readonly items: readonly Expression[];
}

/** A bare word or dotted path: `hidden`, `true`, `mae.encoder`. */
export interface Path extends At {
  readonly kind: "path";
  readonly parts: readonly Identifier[];
}

/** `vit(depth: 12, width: 768)`; also with positional arguments, `folder("data")`. */
export interface Call extends At {
  readonly kind: "call";
  readonly callee: Identifier;
  readonly arguments: readonly Argument[];
}

export interface Argument extends At {
  /** null: positional. */
  readonly name: Identifier | null;
  readonly value: Expression;
}

/** Where a value should stand and does not; already reported. */
export interface Missing extends At {
  readonly kind: "missing";
}

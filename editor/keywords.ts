/** The words of the grammar, with the sentence that an editor says of each. */

import type { Candidate } from "./candidate.js";

const meanings = {
  edition: "The edition of the language that the file is written in.",
  import: 'Takes declarations of another file: `import { MaeBase } from "./mae.mae"`.',
  as: "The name that an imported declaration has in this file.",
  from: "The file that an import takes from; the parts of earlier stages, files or runs that a stage starts with.",
  model: "A model: what is hidden, what sees the rest, what is predicted.",
  recipe: "How a model is trained and judged.",
  variants: "A family of models: a base, and what varies.",
  pipeline: "Stages that are trained one after the other, each from what earlier ones learned.",
  extends: "The declaration whose lines are inherited.",
  for: "The model that the recipe is written for.",
  of: "The model that is varied, or trained by a stage.",
  add: "Fills a slot that is empty, or adds one more where several may stand.",
  replace: "Puts a block in the place of an inherited one.",
  remove: "Empties an inherited slot.",
  set: "Changes one value of an inherited block: `set encoder.depth: 6`.",
  let: "Names a value: `let r = 75%`.",
  every: "How often during training: `every 50 epochs`.",
  skip: "Leaves members out of a family: `skip when mask is block and r > 75%`.",
  when: "The condition under which a member is left out.",
  is: "Asks which block fills a slot.",
  and: "Both hold.",
  or: "At least one of both holds.",
  stage: "Trains a model by a recipe: `stage mae = Pretrain of MaeBase`.",
  evaluate: "What the result of a stage is judged by: `evaluate finetune: accuracy`.",
  fresh: "The parts that may start from scratch; alone: all that is new.",
  per: "A learning rate for so many samples of a step: `1.5e-4 per 256`.",
  over: "How long a value moves: `0.07 -> 0.04 over 30 epochs`.",
  all: "The whole training: `over all epochs`.",
} as const;

export type Keyword = keyof typeof meanings;

export const keywords = (...names: readonly Keyword[]): readonly Candidate[] =>
  names.map((name) => ({ kind: "keyword", name, summary: meanings[name] }));

/** Whether a word has a meaning in the grammar. */
export const isKeyword = (word: string): word is Keyword => Object.hasOwn(meanings, word);

/**
 * The codes that the checker reports, each with the reason why it matters; one page each in `spec/diagnostics/`. Closed,
 * never reused or renamed. Conditions of single blocks have codes of their own, `<kind>/<block>/<requirement>`, and
 * stand with the block; so do the lints that know the field, with the blocks that they judge.
 */

export const codes = {
  // The file
  "check/missing-edition": "An edition fixes what the words mean, whatever later versions change.",
  "check/unknown-edition": "The words may mean something else in another edition.",
  "check/import-path": "A spec reads the same on every machine and loads nothing from elsewhere.",
  "check/import-outside-root": "A spec reads no files but those below the project's root.",
  "check/import-not-found": "What the file declares is not known without it.",
  "check/import-itself": "What a file declares is known in it without an import.",
  "check/import-cycle": "What each file declares would depend on the other having been read.",
  "check/unknown-import-name": "A file gives away what it declares itself, and nothing else.",
  "check/duplicate-import": "A name stands for one declaration.",
  "check/duplicate-declaration":
    "Models, recipes, variants and pipelines of a file share one set of names with its imports.",
  "check/too-deep": "A chain this long cannot be followed by a reader either.",
  // Names of declarations
  "check/unknown-model": "What is extended, trained or varied has to be declared or imported.",
  "check/unknown-recipe": "What is extended or used by a stage has to be declared or imported.",
  "check/unknown-stage": "A stage starts from what an earlier one has trained.",
  "check/extends-cycle": "A chain of `extends` has to begin with something written out.",
  "check/missing-subject": "Whether data and augmentations fit is judged against the model's input.",
  // Slots
  "check/unknown-slot": "The slots are a closed list; the blocks that fill them are open.",
  "check/misplaced-slot":
    "A model says what is computed, a recipe how it is trained; either can be read without the other.",
  "check/duplicate-slot": "Only one of the two lines could count.",
  "check/missing-slot": "Nothing is made up for a slot that has no default.",
  "check/unexpected-label": "A label tells several lines of one slot apart.",
  "check/unknown-label": "A label that no line has names nothing.",
  "check/unexpected-body": "Slots in braces belong to one block, and most blocks have none.",
  "check/unexpected-every": "`every` says how often a probe is run during training.",
  "check/too-many-blocks": "Only one of the values could count.",
  // Blocks and parameters
  "check/not-a-block": "A slot is filled by a block, which says by its name what it does.",
  "check/unknown-block": "An unknown name is never guessed at: the model trained would not be the one written.",
  "check/block-in-wrong-slot": "A block does one kind of work, and each slot takes one kind.",
  "check/unknown-parameter": "A value that no block takes would change nothing.",
  "check/duplicate-parameter": "Only one of the two values could count.",
  "check/missing-parameter": "There is no value that would be right for most models.",
  "check/unnamed-argument": "Names say what a value is for, and do not depend on the order.",
  // Values
  "check/wrong-type": "Nothing is converted silently: what is written is what is meant.",
  "check/missing-unit": "A bare number could mean several things, and a wrong guess would train without complaint.",
  "check/wrong-unit": "The number means something else than what is needed here.",
  "check/unknown-unit": "The units are a closed list, so that a misspelt one is never taken for another.",
  "check/out-of-range": "Outside of this range the block is not defined.",
  "check/not-whole": "It counts things, and nothing is rounded silently.",
  "check/wrong-length": "Each number has a place with a meaning of its own.",
  "check/reversed-range": "A range that holds no value cannot be drawn from.",
  "check/unknown-option": "The options of a parameter are a closed list.",
  "check/ambiguous-name": "The line could mean either, and the two may differ.",
  "check/unknown-variable": "A bare word stands for a value only where a `let` gives it one.",
  "check/duplicate-variable": "A name stands for one value, so that a reader need not look which one is meant.",
  "check/variable-cycle": "To know the value one would have to know it already.",
  "check/alternatives": "Only `variants` describes a family of models; a model or a recipe is one.",
  // Changes of what is inherited
  "check/change-without-base":
    "`add`, `replace`, `remove` and `set` say how a declaration differs from the one it extends.",
  "check/plain-line-in-child":
    "In a declaration that extends another, every difference is said in words: `add`, `replace`, `remove`, `set`.",
  "check/slot-filled": "`add` puts a block where there is none.",
  "check/nothing-to-change": "A change of what is not there would change nothing.",
  "check/ambiguous-change": "The change could mean any of the lines.",
  "check/incomplete-path": "A path leads from a slot to one value: `encoder.depth`.",
  "check/change-without-effect": "A reader takes every change for a difference between the two.",
  "check/overridden-change": "A change that does not last makes a reader believe something that is not so.",
  // Blocks together
  "check/idle-part": "What nothing reads changes nothing that is learned, and a reader believes that it does.",
  "check/ambiguous-source": "Nothing is guessed: the model trained would not be the one meant.",
  "check/circular-source": "What a part reads has to be there before it.",
  "check/unreadable-source": "Not every block can give what others ask of it.",
  "check/missing-label": "A label tells the weights of one from those of the others.",
  "check/taken-label": "A name in a model stands for one thing.",
  "check/loss-of-another-kind": "Patches are compared with patches, and classes with labels.",
  "check/epochs-or-steps": "The two agree for one size of the data only; one of them has to say how long to train.",
  // Recipes beside each other
  "check/unfit-beside": "Steps that take turns move the same weights, by one optimizer and for one length.",
  // Families
  "check/unlike-comparison": "Only values of one kind can be told apart or put in order.",
  "check/family-too-large": "A product grows with every axis, and somebody has to train and compare its members.",
  "check/empty-family": "A family without members describes nothing.",
  // Pipelines
  "check/unknown-part": "The parts of a model are those of its slots that have weights.",
  "check/nothing-trained": "A reader takes the part, or the model, to learn.",
  "check/starts-from-scratch":
    "What starts from random weights has learned nothing yet, and nothing in its results says so.",
  "check/nothing-taken": "A reader takes the stage to start with what is named after `from`.",
  "check/unreadable-weights": "What the weights start with decides what is trained.",
  "check/taken-twice": "A weight starts with one value.",
  "check/idle-fresh": "A reader takes what is named after `fresh` to start from scratch.",
  "check/empty-pipeline": "A pipeline without stages trains nothing.",
  // Advice
  "lint/equal-members": "The same model would be trained twice, and a comparison of the two would show only chance.",
  "lint/idle-skip": "A reader takes every `skip when` for members that are left out.",
  "lint/unused-import": "An import says that a file depends on another.",
  "lint/missing-weights": "Training cannot begin without what it starts from.",
  "lint/unused-variable": "A value that changes nothing makes a reader look for what it does.",
  "lint/unused-ignore": "A comment that ignores nothing hides what may be found there one day.",
  "lint/unexplained-ignore": "Without a reason nobody knows whether the advice still need not be followed.",
  "lint/unknown-ignore": "A name that no lint has ignores nothing.",
} as const satisfies Readonly<Record<string, string>>;

export type Code = keyof typeof codes;

/**
 * The codes that the checker reports, one page each in `spec/diagnostics/`. Closed, never reused or renamed.
 * Conditions of single blocks have codes of their own, `<kind>/<block>/<requirement>`, and stand with the block.
 */

export const codes = [
  // The file
  "check/missing-edition",
  "check/unknown-edition",
  "check/import-path",
  "check/import-outside-root",
  "check/import-not-found",
  "check/import-itself",
  "check/import-cycle",
  "check/unknown-import-name",
  "check/duplicate-import",
  "check/duplicate-declaration",
  "check/too-deep",
  // Names of declarations
  "check/unknown-model",
  "check/unknown-recipe",
  "check/unknown-stage",
  "check/extends-cycle",
  "check/missing-subject",
  // Slots
  "check/unknown-slot",
  "check/misplaced-slot",
  "check/duplicate-slot",
  "check/missing-slot",
  "check/unexpected-label",
  "check/unknown-label",
  "check/unexpected-body",
  "check/unexpected-every",
  "check/too-many-blocks",
  // Blocks and parameters
  "check/not-a-block",
  "check/unknown-block",
  "check/block-in-wrong-slot",
  "check/unknown-parameter",
  "check/duplicate-parameter",
  "check/missing-parameter",
  "check/unnamed-argument",
  // Values
  "check/wrong-type",
  "check/missing-unit",
  "check/wrong-unit",
  "check/unknown-unit",
  "check/out-of-range",
  "check/not-whole",
  "check/wrong-length",
  "check/reversed-range",
  "check/unknown-option",
  "check/ambiguous-name",
  "check/unknown-variable",
  "check/duplicate-variable",
  "check/variable-cycle",
  "check/alternatives",
  // Changes of what is inherited
  "check/change-without-base",
  "check/plain-line-in-child",
  "check/slot-filled",
  "check/nothing-to-change",
  "check/ambiguous-change",
  "check/incomplete-path",
  "check/change-without-effect",
  "check/overridden-change",
  // Blocks together
  "check/epochs-or-steps",
  "check/not-yet-available",
  // Advice
  "lint/unused-import",
  "lint/unused-variable",
  "lint/extreme-ratio",
  "lint/unscaled-learning-rate",
  "lint/long-warmup",
] as const;

export type Code = (typeof codes)[number];

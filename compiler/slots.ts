/**
 * The slots of a model and of a recipe: a closed table that says which kind of block fills each, how often, and what a
 * reader misses when it is empty. It names kinds, never blocks: which blocks there are is the registry's business.
 */

/**
 * How many blocks a slot takes. `labelled`: several, told apart by labels. `list`: several, told apart by their blocks or
 * by labels. `sequence`: several in the order written, the same block as often as wanted.
 */
export type Multiplicity = "one" | "labelled" | "list" | "sequence";

export interface SlotRule {
  readonly slot: string;
  /** Key of the registry. */
  readonly kind: string;
  readonly multiplicity: Multiplicity;
  /** Whether it must be filled; `withoutHead`: not in a model that has a head, which learns without prediction. */
  readonly required: "always" | "withoutHead" | "never";
  /** Whether it is of tokens: a model whose encoder reads an array itself has nothing of it. */
  readonly ofTokens: boolean;
  /** What it is for; said when it is missing. */
  readonly doc: string;
  /** Slots that may stand in the `{ }` after its block. */
  readonly inner: readonly string[];
  /** Whether a line may end in `every 50 epochs`. */
  readonly every: boolean;
  /** Whether a label names the input of the model that the line is for, and not the line. */
  readonly ofInputs: boolean;
  /** Whether there are blocks for it in this version. */
  readonly built: boolean;
}

type Row = Pick<SlotRule, "kind" | "doc"> & Partial<SlotRule>;

const rows = (table: Readonly<Record<string, Row>>): readonly SlotRule[] =>
  Object.entries(table).map(([slot, row]) => ({
    slot,
    multiplicity: "one",
    required: "never",
    inner: [],
    every: false,
    ofInputs: false,
    ofTokens: false,
    built: true,
    ...row,
  }));

/** In the order in which a model is read and rendered. */
export const modelSlots: readonly SlotRule[] = rows({
  input: { kind: "input", multiplicity: "labelled", required: "always", doc: "what one sample looks like" },
  views: { kind: "view", doc: "how one sample becomes several" },
  tokens: {
    kind: "tokens",
    multiplicity: "labelled",
    required: "always",
    ofTokens: true,
    doc: "how the input is cut into tokens",
  },
  positions: { kind: "positions", multiplicity: "labelled", ofTokens: true, doc: "how a token knows its place" },
  mask: { kind: "mask", multiplicity: "labelled", required: "withoutHead", doc: "which patches are hidden" },
  encoder: { kind: "encoder", multiplicity: "labelled", required: "always", doc: "the network that is trained" },
  latents: { kind: "latents", doc: "the few tokens that alone go from encoder to decoder" },
  decoder: {
    kind: "decoder",
    multiplicity: "labelled",
    required: "withoutHead",
    doc: "the network that predicts what is hidden",
  },
  target: {
    kind: "target",
    multiplicity: "labelled",
    required: "withoutHead",
    inner: ["encoder", "decoder", "loss"],
    doc: "what is predicted",
  },
  loss: { kind: "loss", multiplicity: "list", required: "always", doc: "how far a prediction is from its target" },
  head: { kind: "head", multiplicity: "labelled", doc: "what is put on top of the encoder" },
  teacher: { kind: "teacher", doc: "the slow copy that gives targets" },
  adversary: { kind: "adversary", doc: "the network that judges predictions" },
});

/** The rule of a model's slot; undefined where a name is none. */
export const modelSlot = (name: string | undefined): SlotRule | undefined =>
  modelSlots.find((rule) => rule.slot === name);

/** In the order in which a recipe is read and rendered. */
export const recipeSlots: readonly SlotRule[] = rows({
  data: {
    kind: "dataset",
    multiplicity: "labelled",
    required: "always",
    ofInputs: true,
    doc: "where the samples come from",
  },
  augment: { kind: "augment", multiplicity: "sequence", ofInputs: true, doc: "how a sample is varied, in order" },
  optimizer: { kind: "optimizer", required: "always", doc: "how weights are updated" },
  schedule: { kind: "schedule", required: "always", doc: "how the learning rate moves" },
  evaluate: { kind: "probe", multiplicity: "sequence", every: true, doc: "how the features are judged" },
});

/** The slots that a kind of block fills. */
export const slotsOf = (kind: string): readonly string[] =>
  [...modelSlots, ...recipeSlots].filter((rule) => rule.kind === kind).map((rule) => rule.slot);

/** Whether a slot takes several blocks without labels, also behind each other with commas. */
export const takesMany = ({ multiplicity }: SlotRule): boolean =>
  multiplicity === "list" || multiplicity === "sequence";

export const takesLabels = ({ multiplicity, ofInputs }: SlotRule): boolean =>
  multiplicity === "labelled" || multiplicity === "list" || ofInputs;

/** The edition of the language whose meaning this version implements. */
export const edition = 2026;

/** What probes of features are given: those of samples computed once, or read again and again. */

/** Frozen features of a labelled set: [count, width], row major; of tokens [count, tokens, width]. */
export interface Features {
  readonly values: Float32Array;
  /** Class of each sample; -1 where samples have several. */
  readonly labels: Int32Array;
  /** Where samples have any number of classes: 1 for each of them, [count, classes]. Only probes that take it are given such. */
  readonly several?: Uint8Array;
  /** The number of each sample, where the data have such. */
  readonly targets?: Float64Array;
  readonly count: number;
  readonly width: number;
  readonly classes: number;
  /** Tokens of each sample, where they are not pooled to one vector; if absent, they are. */
  readonly tokens?: number;
}

/** The samples again and again, as features of some of them at a time. */
export interface Passes {
  /** Training samples of one pass. */
  readonly samples: number;
  readonly classes: number;
  readonly width: number;
  /** Tokens of each sample; 1 where they are pooled. */
  readonly tokens: number;
  /** All training samples in an order of their own, each cut and mirrored anew. */
  train(epoch: number): AsyncIterable<Features>;
  /** All test samples in their order, as evaluation shows them. */
  test(): AsyncIterable<Features>;
}

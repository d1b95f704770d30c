/** What the checker is told of weights that lie in a file: of strangers', or the newest checkpoint of a run. Reading them is the host's. */

export interface WeightsFile {
  /** By the names that our models use. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Of those that were convolutions over patches, how many channels they read. */
  readonly channels: ReadonlyMap<string, number>;
  /** Those about places of the input whose two axes stand in the other order there; if absent, none. */
  readonly turned?: ReadonlySet<string>;
  /** The resolved spec that a checkpoint keeps, and its model's name; null: a file of another program. */
  readonly spec: { readonly text: string; readonly model: string } | null;
}

/** Why nothing is known of what a text names, in words that follow "because". `missing`: it is not there, which may change. */
export interface NoWeights {
  readonly problem: "missing" | "unreadable";
  readonly why: string;
}

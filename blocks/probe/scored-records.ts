/** How test samples are looked at for anomalies, and what is then known of them. */

/** How the parts of a test sample are looked at for anomalies. */
export interface Looks extends Readonly<Record<"clips" | "every" | "masks", number | null>> {
  readonly normal: string;
  readonly over: "hidden" | "all";
  readonly error: "square" | "absolute";
  readonly add: readonly string[] | null;
  readonly patches: "mean" | "largest";
  readonly frame: "each" | "middle";
  readonly record: "mean" | "largest";
}

/** A test sample, and how badly it was completed. */
export interface ScoredRecord {
  readonly name: string;
  /** What it is judged together with: samples of one machine, or itself. */
  readonly group: string;
  /** Whether each frame has a score, or all of it one. */
  readonly byFrame: boolean;
  readonly scores: Float64Array;
  /** 1 where something is odd. */
  readonly odd: Uint8Array;
}

/** Probes: evaluations that judge frozen features, exactly as their published protocol says. */

import type { Random } from "../../graph/index.js";
import { type Definition, ofKind } from "../block.js";
import type { Params, ValuesOf } from "../params.js";

/** Frozen features of a labelled set: [count, width], row major. */
export interface Features {
  readonly values: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly width: number;
  readonly classes: number;
}

export interface ProbeResult {
  /** Named scores, the first is the headline: `{ top1: 0.93, top5: 0.99 }`. In [0, 1] where the probe's scale is `share`. */
  readonly scores: Readonly<Record<string, number>>;
  /** The protocol in words, with the values used and what was chosen by validation. */
  readonly protocol: string;
}

export interface ProbeContext {
  /** Classes of the model's head; null: it has none. */
  readonly classes: number | null;
}

export interface Probe<P extends Params = Params> extends Definition<P, ProbeContext> {
  /**
   * What it is given as features: those of the encoder when absent, or the logits of the model's own head, [count, classes], of the
   * test images alone.
   */
  readonly sees?: "features" | "predictions";
  /** What of the data it needs: `labels` of training and test images when absent, or training images alone. */
  readonly needs?: "labels" | "images";
  /** What its scores are; `share` when absent. */
  readonly scale?: "share" | "number";
  run(
    p: ValuesOf<P>,
    train: Features,
    test: Features,
    random: Random,
    tick?: (done: number, total: number) => void,
  ): Promise<ProbeResult>;
}

export const defineProbe = <const P extends Params>(probe: Probe<P>): Probe<P> => ofKind("probe", probe);

/** Gives the caller's timers and signals their turn: a progress bar moves, an interrupt is heard. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

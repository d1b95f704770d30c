/** Schedules: the factor on the peak learning rate at a point of training. */

import type { Definition } from "../block.js";
import type { Params, ValuesOf } from "../params.js";

/** Where training stands; `step` may be fractional epochs times steps per epoch. */
export interface Progress {
  /** Optimizer steps done, from 0. */
  readonly step: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
}

export interface Schedule<P extends Params = Params> extends Definition<P> {
  /** Factor on the peak learning rate, usually in [0, 1]. */
  factor(p: ValuesOf<P>, progress: Progress): number;
}

export const defineSchedule = <const P extends Params>(schedule: Schedule<P>): Schedule<P> => schedule;

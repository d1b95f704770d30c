/** Where training stands: what schedules of all kinds are functions of. */

/** `step` may be fractional epochs times steps per epoch. */
export interface Progress {
  /** Optimizer steps done, from 0. */
  readonly step: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
}

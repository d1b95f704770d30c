/** Where training stands: what schedules of all kinds are functions of. */

import type { DurationValue, ScheduleValue } from "./params.js";

/** `step` may be fractional epochs times steps per epoch. */
export interface Progress {
  /** Optimizer steps done, from 0. */
  readonly step: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
}

/** When all is done: where every moving value has arrived. */
export const afterTraining: Progress = { step: Number.POSITIVE_INFINITY, totalSteps: 1, stepsPerEpoch: 1 };

/** A value that moves during training, fed to the graph as a scalar. */
export type Moving = (progress: Progress) => number;

/** A duration in optimizer steps. */
export const inSteps = ({ amount, unit }: DurationValue, { stepsPerEpoch }: Progress): number =>
  unit === "epochs" ? amount * stepsPerEpoch : amount;

/** How a value moves from one end to the other: the share of the way at a share of the time, both in [0, 1]. */
const curves = {
  linear: (time: number): number => time,
  cosine: (time: number): number => (1 - Math.cos(Math.PI * time)) / 2,
} as const satisfies Readonly<Record<string, (time: number) => number>>;

type Curve = keyof typeof curves;

/** The curves as the options of a parameter. */
export const curveOptions = {
  linear: "In equal steps.",
  cosine: "Along half a cosine: slowly at both ends.",
} satisfies Readonly<Record<Curve, string>>;

/** A value that may move, where training stands. It moves from step `start` on; a share of the training is counted from step 0. */
export function valueAt(value: ScheduleValue, curve: Curve, progress: Progress, start = 0): number {
  if (typeof value === "number") return value;
  const { from, to, over } = value;
  const length = over.unit === "training" ? over.amount * progress.totalSteps - start : inSteps(over, progress);
  const passed = progress.step - start;
  if (passed >= length) return to;
  return passed <= 0 ? from : from + (to - from) * curves[curve](passed / length);
}

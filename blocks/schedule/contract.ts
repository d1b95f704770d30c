/** Schedules: the factor on the peak learning rate at a point of training. */

import { type Definition, ofKind, type Requirement } from "../block.js";
import { type DurationValue, duration, type Param, type Params, type ValuesOf } from "../params.js";
import { inSteps, type Progress } from "../progress.js";

/** What a recipe says of its length: one of the two, the other is null. */
export interface ScheduleContext {
  readonly epochs: number | null;
  readonly steps: number | null;
}

export interface Schedule<P extends Params = Params> extends Definition<P, ScheduleContext> {
  /** Factor on the peak learning rate, usually in [0, 1]. */
  factor(p: ValuesOf<P>, progress: Progress): number;
}

export const defineSchedule = <const P extends Params>(schedule: Schedule<P>): Schedule<P> =>
  ofKind("schedule", schedule);

/** The linear rise that every schedule can begin with. */
export const warmup = duration({
  default: { amount: 0, unit: "epochs" },
  doc: "Linear rise from 0 at the first step to the peak.",
});

/** Factor of the warm-up: 0 at step 0, 1 from its end on. */
export const warmupFactor = (p: { readonly warmup: DurationValue }, progress: Progress): number => {
  const length = inSteps(p.warmup, progress);
  return progress.step < length ? progress.step / length : 1;
};

type WarmupParams = { readonly warmup: Param<DurationValue> };

/** Length of the recipe in the unit of a duration; null where only the data's size can tell. */
const lengthIn = (unit: DurationValue["unit"], { epochs, steps }: ScheduleContext): number | null =>
  unit === "epochs" ? epochs : steps;

export const warmupEnds: Requirement<WarmupParams, ScheduleContext> = {
  name: "warmup-ends",
  at: "warmup",
  doc: "The warm-up is shorter than the training.",
  holds: ({ warmup }, context) => warmup.amount < (lengthIn(warmup.unit, context) ?? Infinity),
  say: ({ warmup }, context) =>
    `a warm-up of ${warmup.amount} ${warmup.unit} never ends in a training of ${lengthIn(warmup.unit, context)} ${warmup.unit}`,
  help({ warmup: { unit } }, context) {
    const length = lengthIn(unit, context) as number;
    if (unit === "epochs") return `a tenth of the training is usual: ${length / 10} epochs`;
    if (length === 1) return "a training of one step has no time to warm up: leave the warm-up out";
    return `a tenth of the training is usual: ${Math.max(1, Math.floor(length / 10))} steps`;
  },
};

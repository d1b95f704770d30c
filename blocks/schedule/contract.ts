/** Schedules: the factor on the peak learning rate at a point of training. */

import { type Definition, ofKind, type Requirement } from "../block.js";
import {
  type DurationValue,
  duration,
  optional,
  type Param,
  type Params,
  ratio,
  real,
  type ValuesOf,
} from "../params.js";
import { inSteps, type Progress } from "../progress.js";

/** What a recipe says of its length: one of the two, the other is null. */
export interface ScheduleContext {
  readonly epochs: number | null;
  readonly steps: number | null;
}

export interface Schedule<P extends Params = Params> extends Definition<P, ScheduleContext> {
  /** Factor on the peak learning rate, usually in [0, 1]. `peak`: the rate itself, by which floors in its unit are shares. */
  factor(p: ValuesOf<P>, progress: Progress, peak: number): number;
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

/** What is left at the lowest point of a schedule that falls: a share of the peak, or a rate. */
export const floorParams = {
  floor: ratio({ default: 0, doc: "Share of the peak that is left at the lowest point." }),
  min_lr: optional(
    real({
      min: 0,
      doc: "Learning rate that is left at the lowest point, whatever the peak; write this or `floor`. With a layer decay, that of the head.",
    }),
  ),
};

type FloorParams = typeof floorParams;

/** The floor as a share of the peak: never above it. */
export const floorOf = ({ floor, min_lr }: ValuesOf<FloorParams>, peak: number): number =>
  min_lr === null ? floor : peak === 0 ? 0 : Math.min(1, min_lr / peak);

export const oneFloor: Requirement<FloorParams, unknown> = {
  name: "one-floor",
  at: "min_lr",
  doc: "Only one of `floor` and `min_lr` is written.",
  holds: (p) => p.floor === 0 || p.min_lr === null,
  say: (p) => `\`floor\` already leaves ${p.floor} of the peak, so \`min_lr\` has no effect`,
  help: () => "remove one of the two",
};

/** Half a cosine from 1 down to the floor, at a share of its way in [0, 1]. */
export const halfCosine = (floor: number, done: number): number =>
  floor + ((1 - floor) * (1 + Math.cos(Math.PI * done))) / 2;

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

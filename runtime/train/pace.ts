/** How long a training is, and how fast it goes: steps, learning rates, throughput. */

import { counted } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { RunError } from "../run-error.js";
import type { Training } from "./contract.js";

export interface Length {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** Steps of a training on so many samples; the last samples of an epoch that fill no batch are left out. */
export function lengthOf(training: Pick<Training, "batch" | "epochs" | "steps" | "repeat">, samples: number): Length {
  const { batch, repeat = 1 } = training;
  const stepsPerEpoch = Math.floor((samples * repeat) / batch);
  if (stepsPerEpoch === 0) {
    const again = repeat === 1 ? "" : `, which an epoch has ${repeat} times`;
    throw new RunError("run/too-few-samples", {
      what: `The data has ${counted(samples, "sample")}${again}, fewer than one batch of ${batch}`,
      help: `Write \`batch ${samples * repeat}\` or less in the recipe, or use more data.`,
    });
  }
  if (training.steps !== null) return { stepsPerEpoch, totalSteps: training.steps };
  invariant(training.epochs !== null, "a training has epochs or steps");
  return { stepsPerEpoch, totalSteps: training.epochs * stepsPerEpoch };
}

/** Learning rate of a step, counted from 0: the schedule's factor on the peak for this batch. */
export function learningRate({ optimizer, schedule, batch }: Training, step: number, length: Length): number {
  const { value, per } = optimizer.definition.lr(optimizer.values);
  const peak = per === null ? value : (value * batch) / per;
  return peak * schedule.definition.factor(schedule.values, { step, ...length }, peak);
}

/** Steps over which the pace is averaged. */
const window = 50;

export interface Pace {
  readonly imagesPerSecond: number;
  /** Share of the time spent waiting for data, 0..1. */
  readonly waiting: number;
  readonly secondsLeft: number;
}

/** What a step took. */
interface Spent {
  readonly seconds: number;
  /** How many of them were spent waiting. */
  readonly waited: number;
  readonly samples: number;
}

/** Takes what each step took; gives the pace of the last few. */
export function paceMeter(): (spent: Spent, stepsLeft: number) => Pace {
  const recent: Spent[] = [];
  return (spent, stepsLeft) => {
    recent.push(spent);
    if (recent.length > window) recent.shift();
    const sumOf = (part: keyof Spent): number => recent.reduce((sum, step) => sum + step[part], 0);
    const total = sumOf("seconds");
    return {
      imagesPerSecond: total > 0 ? sumOf("samples") / total : 0,
      waiting: total > 0 ? sumOf("waited") / total : 0,
      secondsLeft: (total / recent.length) * stepsLeft,
    };
  };
}

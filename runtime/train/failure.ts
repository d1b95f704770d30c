/** What to say when the loss is not finite: goes back to the last good state, repeats the steps since, and looks where it broke. */

import { readCheckpoint } from "../checkpoint/checkpoint.js";
import { stateFrom } from "../checkpoint/stored.js";
import { RunError } from "../run-error.js";
import { findBadTensor } from "./guard.js";
import { learningRate, type Pace } from "./pace.js";
import { openBatches, type Run, type Saved } from "./run.js";
import { runStep, type StepFeeds, stepFeeds } from "./run-step.js";
import { startingState } from "./step.js";

/** Steps are repeated only if that takes no longer. */
const patience = 180;

export interface BadStep {
  /** Counted from 1. */
  readonly step: number;
  /** Of the loss; null: the loss itself. */
  readonly term: string | null;
  readonly value: number;
  readonly pace: Pace;
}

/** The error that ends the run. The weights of the failed step are saved nowhere; the checkpoint before it stays. */
export async function explainBadLoss(run: Run, saved: Saved, bad: BadStep): Promise<RunError> {
  const { training, length } = run;
  const where = await search(run, saved, bad);
  const lr = learningRate(training, bad.step - 1, length);
  const clip = training.clip === null ? "write `clip 1` in the recipe, " : "";
  return new RunError("run/loss-not-finite", {
    what: `${bad.term === null ? "The loss" : `\`${bad.term}\` of the loss`} at step ${bad.step} is ${bad.value}`,
    ...(where === null ? {} : { why: `first bad tensor: ${where}` }),
    help: `Lower the learning rate (${lr.toPrecision(3)} at this step), ${clip}or warm up for longer, in a new run. The last sound weights are in ${saved.path}.`,
  });
}

/** The first bad tensor of the failed step; null when it does not show again, or would take too long to reach. */
async function search(run: Run, saved: Saved, { step, pace }: BadStep): Promise<string | null> {
  const { options, session, training } = run;
  const repeated = step - saved.step - 1;
  if ((repeated * training.batch) / pace.imagesPerSecond > patience) return null;
  options.report({ kind: "note", text: `The loss is not finite: repeating ${repeated} steps to find out where.` });
  const state = stateFrom(await readCheckpoint(saved.path), run.step.slots);
  await session.write({ ...state, ...startingState(run.step.sums, {}) });
  const batches = await openBatches(run, saved.step);
  try {
    for (let done = saved.step; done < step - 1; done++) {
      if (options.signal.aborted) return null;
      await runStep(run, stepFeeds(run, batches, done));
    }
    return await searchPhases(run, stepFeeds(run, batches, step - 1));
  } finally {
    await batches.close();
  }
}

/** Looks into one phase after the other, with what the earlier ones left behind. */
async function searchPhases({ phases, session }: Run, feeds: StepFeeds): Promise<string | null> {
  for (const { phase, runner } of await phases(feeds.visible)) {
    for (let i = 0; i < feeds.times(phase); i++) {
      const own = await feeds.of(phase, i);
      const found = await findBadTensor(session, phase.graph, own);
      if (found !== null) return found;
      await runner(own);
    }
  }
  return null;
}

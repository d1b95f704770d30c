/** Steps of augmentations that change recordings, carried out one after another; what a step needs is read when its result is. */

import { type ArrayShape, type AugmentStep, type RecordingStep, rateOf } from "../../../blocks/index.js";
import { invariant } from "../../../graph/index.js";
import { checkHeld, type Recording } from "./recording.js";
import { resampled } from "./resample.js";

type Kind = RecordingStep["kind"];
type Step<K extends Kind> = Extract<RecordingStep, { readonly kind: K }>;

/** What a step does with a recording that an array is made of. */
type Carry<K extends Kind> = (recording: Recording, step: Step<K>, array: ArrayShape) => Recording;

const carries: { readonly [K in Kind]: Carry<K> } = {
  mix: (recording, _, array) => mixed(recording, channelsOf(array)),
  resample(recording, step, array) {
    const rate = rateOf(array);
    invariant(rate !== null, "the checker lets through only models that say which rate they read");
    return resampled(recording, rate, step);
  },
};

const isOfRecordings = (step: AugmentStep): step is RecordingStep => Object.hasOwn(carries, step.kind);

/** Channels of the recordings that an array is made of. */
export const channelsOf = ({ sound, axes, channels }: ArrayShape): number =>
  sound ? channels : (axes.find(({ name }) => name === "lead")?.size ?? channels);

/** Throws `BrokenRecording`, then and when the result is read. */
export const changed = (recording: Recording, steps: readonly AugmentStep[], array: ArrayShape): Recording =>
  steps
    .filter(isOfRecordings)
    .reduce((current, step) => (carries[step.kind] as Carry<Kind>)(current, step, array), recording);

/** One channel repeated, or the mean of all; other numbers of channels stay, and are told of where the model's is compared. */
function mixed(recording: Recording, channels: number): Recording {
  if (recording.channels === channels || (recording.channels > 1 && channels > 1)) return recording;
  return {
    ...recording,
    channels,
    names: null,
    async read(from, to) {
      checkHeld(to - from, Math.max(channels, recording.channels));
      const own = await recording.read(from, to);
      if (own.length === 1) return Array.from({ length: channels }, () => own[0] as Float64Array);
      const mean = new Float64Array(to - from);
      for (const values of own)
        for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + (values[i] as number);
      return [mean.map((value) => value / own.length)];
    },
  };
}

/** Steps of augmentations that change recordings, carried out one after another; what a step needs is read when its result is. */

import { type ArrayShape, type AugmentStep, isRecorded, rateOf } from "../../../blocks/index.js";
import { invariant } from "../../../graph/index.js";
import { samplesOf } from "../sound/filterbank.js";
import { standardized } from "../standardize.js";
import { filtered } from "./band-pass.js";
import { BrokenRecording, checkHeld, type Recording, readWhole } from "./recording.js";
import { resampled } from "./resample.js";

type Kind = "channels" | "rate" | "pick" | "cut" | "fill" | "round" | "gain" | "band" | "level";
type Step<K extends Kind> = Extract<AugmentStep, { readonly kind: K }>;

/** What a step does with a recording that an array is made of. */
type Carry<K extends Kind> = (recording: Recording, step: Step<K>, array: ArrayShape) => Recording;

const carries: { readonly [K in Kind]: Carry<K> } = {
  channels: (recording, _, array) => mixed(recording, channelsOf(array)),
  rate(recording, step, array) {
    const rate = rateOf(array);
    invariant(rate !== null, "the checker lets through only models that say which rate they read");
    return resampled(recording, rate, step);
  },
  pick: (recording, { names }) => picked(recording, names),
  cut: (recording, { at, pad }, array) => cut(recording, samplesFor(array), { at, pad }),
  fill: (recording, { by }) => eachChannel(recording, (values) => filledGaps(values, by)),
  round: (recording, { at }) => eachChannel(recording, (values) => begunAt(values, Math.floor(at * values.length))),
  gain: (recording, { by }) => multiplied(recording, by),
  band(recording, step) {
    const { rate } = recording;
    if (rate === null)
      throw new BrokenRecording("it does not say how many samples a second it has, so that it cannot be filtered");
    return eachChannel(recording, (values) => filtered(values, rate, step));
  },
  level: (recording, { over, nonzero }) =>
    ofWhole(recording, (channels) => standardized(channels, over, nonzero ? (value) => value !== 0 : undefined)),
};

/** Of spectrograms, of pictures and of signals with channels, numbers are standardised when they are made. */
const isOfRecordings =
  (array: ArrayShape) =>
  (step: AugmentStep): step is Step<Kind> =>
    Object.hasOwn(carries, step.kind) &&
    (step.kind !== "level" || (isRecorded(array) && !array.sound && array.channels === 1));

/** What is left to do with the numbers of an array. */
export const stepsOfNumbers = (steps: readonly AugmentStep[], array: ArrayShape): readonly AugmentStep[] => {
  const isDone = isOfRecordings(array);
  return steps.filter((step) => !isDone(step));
};

/** Whether some of the steps change recordings. */
export const changeRecordings = (steps: readonly AugmentStep[], array: ArrayShape): boolean =>
  steps.some(isOfRecordings(array));

/** Channels of the recordings that an array is made of. */
const channelsOf = ({ sound, axes, channels }: ArrayShape): number =>
  sound ? channels : (axes.find(({ name }) => name === "lead")?.size ?? channels);

/** Samples of the recordings that an array is made of. */
function samplesFor({ sound, axes }: ArrayShape): number {
  const time = axes.find(({ name }) => name === "time")?.size ?? 1;
  return sound ? samplesOf(time, sound) : time;
}

/** Throws `BrokenRecording`, then and when the result is read. */
export const changed = (recording: Recording, steps: readonly AugmentStep[], array: ArrayShape): Recording =>
  steps
    .filter(isOfRecordings(array))
    .reduce((current, step) => (carries[step.kind] as Carry<Kind>)(current, step, array), recording);

/** One channel repeated, or the mean of all; other numbers of channels stay, and are told of where the model's is compared. */
function mixed(recording: Recording, channels: number): Recording {
  if (recording.channels === channels || (recording.channels > 1 && channels > 1)) return recording;
  return {
    ...whatStays(recording),
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

/** Without `pick`: the channels of the result are no longer those of the file. */
const whatStays = ({ rate, names, channels, length }: Recording): Omit<Recording, "read" | "pick"> => ({
  rate,
  names,
  channels,
  length,
});

function picked(recording: Recording, wanted: readonly string[]): Recording {
  const names = recording.names?.map((name) => name.toLowerCase()) ?? [];
  const places = wanted.map((name) => {
    const place = names.indexOf(name.toLowerCase());
    if (place >= 0) return place;
    const has =
      recording.names === null ? "its leads have no names" : `it has ${recording.names.slice(0, 40).join(", ")}`;
    throw new BrokenRecording(`it has no lead ${name}: ${has}`);
  });
  if (recording.pick) return recording.pick(places);
  return {
    ...whatStays(recording),
    channels: places.length,
    names: places.map((place) => recording.names?.[place] ?? ""),
    read: async (from, to) => {
      const all = await recording.read(from, to);
      return places.map((place) => all[place] as Float64Array);
    },
  };
}

/** `samples` of it; what begins where is a share of all beginnings. A shorter one stays, or is followed by zeros. */
function cut(
  recording: Recording,
  samples: number,
  { at, pad }: { readonly at: number; readonly pad: boolean },
): Recording {
  const most = recording.length - samples;
  if (most < 0 && !pad) return recording;
  const begin = Math.max(0, Math.min(most, Math.floor(at * (most + 1))));
  return {
    ...whatStays(recording),
    length: samples,
    async read(from, to) {
      const end = Math.min(to + begin, recording.length);
      if (end - begin === to) return recording.read(from + begin, end);
      checkHeld(to - from, recording.channels);
      const there = end > from + begin ? await recording.read(from + begin, end) : [];
      return Array.from({ length: recording.channels }, (_, c) => {
        const values = new Float64Array(to - from);
        values.set(there[c] ?? []);
        return values;
      });
    },
  };
}

/** What is computed of all samples at once is computed once. */
function ofWhole(
  recording: Recording,
  compute: (channels: readonly Float64Array[]) => readonly Float64Array[],
): Recording {
  let computed: Promise<readonly Float64Array[]> | undefined;
  return {
    ...whatStays(recording),
    async read(from, to) {
      computed ??= readWhole(recording).then(compute);
      return (await computed).map((values) => values.slice(from, to));
    },
  };
}

const eachChannel = (recording: Recording, compute: (values: Float64Array) => Float64Array): Recording =>
  ofWhole(recording, (channels) => channels.map(compute));

function multiplied(recording: Recording, by: number): Recording {
  return {
    ...whatStays(recording),
    async read(from, to) {
      const own = await recording.read(from, to);
      return own.map((values) => {
        // `map` takes many times as long for so many numbers.
        const result = new Float64Array(values.length);
        for (let i = 0; i < values.length; i++) result[i] = (values[i] as number) * by;
        return result;
      });
    },
  };
}

/** What is missing by zeros, or by the line between its neighbours; at an end, and where nothing is there, by the nearest value or 0. */
function filledGaps(values: Float64Array, by: "zeros" | "lines"): Float64Array {
  if (by === "zeros") return values.map((value) => (Number.isNaN(value) ? 0 : value));
  const result = values.slice();
  let before = -1;
  for (let i = 0; i <= values.length; i++) {
    if (i < values.length && Number.isNaN(values[i])) continue;
    const left = before < 0 ? values[i] : values[before];
    const right = i === values.length ? left : values[i];
    for (let k = before + 1; k < i; k++) {
      const [from, to] = [left ?? 0, right ?? 0];
      result[k] = before < 0 ? to : from + ((to - from) * (k - before)) / (i - before);
    }
    before = i;
  }
  return result;
}

/** What was before follows the end. */
function begunAt(values: Float64Array, begin: number): Float64Array {
  const result = new Float64Array(values.length);
  result.set(values.subarray(begin));
  result.set(values.subarray(0, begin), values.length - begin);
  return result;
}

/**
 * One sound as the array that a model reads: its file opened, changed as the recipe says and compared with what the model declares, as
 * many samples read as the frames need, and a spectrogram made of each channel. What is missing at the end is 0, as Audio-MAE has it.
 */

import { type ArrayShape, type AugmentStep, counted, grouped, type SoundShape } from "../../../blocks/index.js";
import { invariant } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import type { Kept } from "../kept.js";
import { withRecording } from "../recording/open.js";
import { BrokenRecording, type Recording } from "../recording/recording.js";
import { changed } from "../recording/steps.js";
import { frameSizes, framesIn, type LogMel, logMel, samplesOf } from "./filterbank.js";

type Steps = readonly AugmentStep[];

/** A recording that is mixed with another one, of which `ownShare` is left. */
export interface OtherRecording {
  readonly path: string;
  readonly steps: Steps;
  readonly ownShare: number;
}

/** [frames, mels, channels]. Throws `BrokenFile`, `run/channels`, `run/sampling-rate` or `run/unreadable`. */
export const soundArray = (
  path: string,
  array: ArrayShape,
  steps: Steps,
  kept?: Kept,
  other?: OtherRecording,
): Promise<Float32Array> =>
  withRecording(
    path,
    async (recording) => {
      const own = changed(recording, steps, array);
      checkDeclared(path, own, array);
      if (!other) return spectrogramOf(own, array);
      const together = (beside: Recording): Promise<Float32Array> => {
        const its = changed(beside, other.steps, array);
        checkDeclared(other.path, its, array);
        return spectrogramOf(mixed(own, its, other.ownShare), array);
      };
      return withRecording(other.path, together, kept);
    },
    kept,
  );

/** As long as the first; what the second is short of is 0. */
const mixed = (own: Recording, other: Recording, ownShare: number): Recording => ({
  ...own,
  async read(from, to) {
    const end = Math.min(to, other.length);
    const [first, second] = await Promise.all([own.read(from, to), end > from ? other.read(from, end) : []]);
    return first.map((values, channel) => {
      const its = second[channel];
      return values.map((value, i) => ownShare * value + (1 - ownShare) * (its?.[i] ?? 0));
    });
  },
});

/** Looks whether the file is of the kind that the model reads; of the sound, nothing is read. Throws as `soundArray`. */
export const checkSound = (path: string, array: ArrayShape, steps: Steps): Promise<void> =>
  withRecording(path, async (recording) => checkDeclared(path, changed(recording, steps, array), array));

/** Its windows and bands take as long to make as the spectrograms of several sounds. */
const made = new WeakMap<ArrayShape, LogMel>();

async function spectrogramOf(recording: Recording, array: ArrayShape): Promise<Float32Array> {
  const sound = soundOf(array);
  const [frames, mels] = array.axes.map(({ size }) => size) as [number, number];
  const samples = await recording.read(0, Math.min(recording.length, samplesOf(frames, sound)));
  const numbers = new Float32Array(frames * mels * array.channels);
  const energiesOf = made.get(array) ?? logMel({ ...sound, mels });
  made.set(array, energiesOf);
  for (const [channel, values] of samples.entries()) {
    const energies = energiesOf(values);
    for (let i = 0; i < energies.length; i++) numbers[i * array.channels + channel] = energies[i] as number;
  }
  return numbers;
}

function soundOf({ sound }: ArrayShape): SoundShape {
  invariant(sound, "sound is read of arrays alone that are made of it");
  return sound;
}

/** Sound is neither mixed nor resampled in silence. */
function checkDeclared(path: string, recording: Recording, array: ArrayShape): void {
  const sound = soundOf(array);
  if (recording.channels !== array.channels) {
    throw new RunError("run/channels", {
      what: `${path} is ${channelsText(recording.channels)} and the model declares ${channelsText(array.channels)}`,
      help: `Write \`mix\` in the recipe's augment line, or \`channels: ${recording.channels}\` in the model's input.`,
    });
  }
  if (recording.rate !== null && recording.rate !== sound.rate) {
    throw new RunError("run/sampling-rate", {
      what: `${path} has ${grouped(recording.rate)} samples a second and the model declares ${grouped(sound.rate)}`,
      help: `Write \`resample\` in the recipe's augment line, or \`rate: ${recording.rate} Hz\` in the model's input.`,
    });
  }
  if (framesIn(recording.length, sound) === 0) {
    throw new BrokenRecording(
      `it has ${counted(recording.length, "sample")}, and a frame of ${sound.length} ms takes ${frameSizes(sound).length}`,
    );
  }
}

const channelsText = (channels: number): string =>
  channels === 1 ? "mono" : channels === 2 ? "stereo" : `of ${channels} channels`;

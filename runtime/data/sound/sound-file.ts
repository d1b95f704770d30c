/**
 * One sound as the array that a model reads: its file opened and compared with what the model declares, as many samples read
 * as the frames need, and a spectrogram made of each channel. What is missing at the end is 0, as Audio-MAE has it.
 */

import { type ArrayShape, counted, grouped, type SoundShape } from "../../../blocks/index.js";
import { invariant } from "../../../graph/index.js";
import { openPlainFile, type PlainFile } from "../../plain-file.js";
import { RunError, unreadable } from "../../run-error.js";
import { BrokenFile } from "../broken-file.js";
import { frameSizes, framesIn, logMel, samplesOf } from "./filterbank.js";
import { BrokenSound, openWav, readSound, type WavFile } from "./wav.js";

/** [frames, mels, channels]. Throws `BrokenFile`, `run/channels`, `run/sampling-rate` or `run/unreadable`. */
export function soundArray(path: string, array: ArrayShape): Promise<Float32Array> {
  return withSound(path, array, async (wav, sound) => {
    const [frames, mels] = array.axes.map(({ size }) => size) as [number, number];
    const samples = await readSound(wav, 0, Math.min(wav.length, samplesOf(frames, sound)));
    const numbers = new Float32Array(frames * mels * array.channels);
    for (const [channel, values] of samples.entries()) {
      const energies = logMel(values, { ...sound, mels });
      for (const [i, energy] of energies.entries()) numbers[i * array.channels + channel] = energy;
    }
    return numbers;
  });
}

/** Looks whether the file is of the kind that the model reads; of the sound, nothing is read. Throws as `soundArray`. */
export const checkSound = (path: string, array: ArrayShape): Promise<void> =>
  withSound(path, array, async () => undefined);

async function withSound<T>(
  path: string,
  array: ArrayShape,
  use: (wav: WavFile, sound: SoundShape) => Promise<T>,
): Promise<T> {
  const { sound } = array;
  invariant(sound, "sound is read of arrays alone that are made of it");
  const plain = await opened(path);
  try {
    const wav = await openWav(plain);
    checkDeclared(path, wav, array, sound);
    return await use(wav, sound);
  } catch (error) {
    throw error instanceof BrokenSound ? new BrokenFile(path, error.message) : error;
  } finally {
    await plain.file.close();
  }
}

async function opened(path: string): Promise<PlainFile> {
  try {
    return await openPlainFile(path, "it");
  } catch (error) {
    if (error instanceof RunError) throw new BrokenFile(path, error.what);
    throw unreadable(path, "It was there when the run began. Put it back, or start again without it.", error);
  }
}

/** Sound is neither mixed nor resampled in silence. */
function checkDeclared(path: string, wav: WavFile, { channels }: ArrayShape, sound: SoundShape): void {
  if (wav.channels !== channels) {
    throw new RunError("run/channels", {
      what: `${path} is ${channelsText(wav.channels)} and the model declares ${channelsText(channels)}`,
      help: `Convert the files, as \`ffmpeg -i in.wav -ac ${channels} out.wav\` does, or write \`channels: ${wav.channels}\` in the model's input.`,
    });
  }
  if (wav.rate !== sound.rate) {
    throw new RunError("run/sampling-rate", {
      what: `${path} has ${grouped(wav.rate)} samples a second and the model declares ${grouped(sound.rate)}`,
      help: `Convert the files, as \`ffmpeg -i in.wav -ar ${sound.rate} out.wav\` does, or write \`rate: ${wav.rate} Hz\` in the model's input.`,
    });
  }
  if (framesIn(wav.length, sound) === 0) {
    throw new BrokenSound(
      `it has ${counted(wav.length, "sample")}, and a frame of ${sound.length} ms takes ${frameSizes(sound).length}`,
    );
  }
}

const channelsText = (channels: number): string =>
  channels === 1 ? "mono" : channels === 2 ? "stereo" : `of ${channels} channels`;

/**
 * Recordings: samples in time of one or several channels, read from a file as they are asked for. Sounds and signals are; what is
 * made of them is said elsewhere.
 */

import { grouped } from "../../../blocks/index.js";

export interface Recording {
  /** Samples a second; null: it does not say. */
  readonly rate: number | null;
  /** Channels of a sound, leads of a signal. */
  readonly channels: number;
  /** Names of the channels; null: they have none. */
  readonly names: readonly string[] | null;
  /** Samples of each channel. */
  readonly length: number;
  /** Samples `from` up to `to` of each channel, in memory of their own; the recording has them. Throws `BrokenRecording`. */
  readonly read: (from: number, to: number) => Promise<readonly Float64Array[]>;
  /** Some of its channels alone; if absent, they are read with the others. */
  readonly pick?: (channels: readonly number[]) => Recording;
}

/** A file that nothing comes from: its caller knows its name. */
export class BrokenRecording extends Error {
  override readonly name = "BrokenRecording";
}

/** Numbers that are held of one recording at once. */
export const mostNumbers = 2 ** 25;

/** Throws `BrokenRecording` for more numbers than are held. */
export function checkHeld(samples: number, channels: number): void {
  if (samples * channels <= mostNumbers) return;
  throw new BrokenRecording(
    `${grouped(samples * channels)} numbers of it are needed at once, and at most ${grouped(mostNumbers)} are held`,
  );
}

/** All of a recording. */
export function readWhole({ read, length, channels }: Recording): Promise<readonly Float64Array[]> {
  checkHeld(length, channels);
  return read(0, length);
}

/** Channels in memory as a recording. */
export const inMemory = (
  channels: readonly (Float64Array | Float32Array)[],
  { rate, names }: Pick<Recording, "rate" | "names">,
): Recording => ({
  rate,
  names,
  channels: channels.length,
  length: channels[0]?.length ?? 0,
  read: async (from, to) => channels.map((values) => new Float64Array(values.subarray(from, to))),
});

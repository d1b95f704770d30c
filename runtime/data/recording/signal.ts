/** One signal as the array that a model reads: a recording, changed as the recipe says and compared with what the model declares. */

import { type ArrayShape, type AugmentStep, counted, grouped } from "../../../blocks/index.js";
import { RunError } from "../../run-error.js";
import type { Kept } from "../kept.js";
import { withRecording } from "./open.js";
import { BrokenRecording, type Recording } from "./recording.js";
import { changed } from "./steps.js";

type Steps = readonly AugmentStep[];

/** [leads, samples, 1]. Throws `BrokenFile`, `run/channels`, `run/sampling-rate`, `run/array-size` or `run/unreadable`. */
export const signalArray = (path: string, array: ArrayShape, steps: Steps, kept?: Kept): Promise<Float32Array> =>
  withRecording(path, (recording) => signalOf(recording, steps, array, path), kept);

/** Looks whether the file is of the kind that the model reads, with as little reading as tells that. Throws as `signalArray`. */
export const checkSignal = (path: string, array: ArrayShape, steps: Steps): Promise<void> =>
  withRecording(path, async (recording) => checkDeclared(path, changed(recording, steps, array), array));

/** As `signalArray`; `what` is its name in messages. */
export async function signalOf(
  recording: Recording,
  steps: Steps,
  array: ArrayShape,
  what: string,
): Promise<Float32Array> {
  const whole = changed(recording, steps, array);
  checkDeclared(what, whole, array);
  const leads = await whole.read(0, whole.length);
  const numbers = new Float32Array(leads.length * whole.length);
  for (const [k, values] of leads.entries()) {
    const missing = values.findIndex((value) => !Number.isFinite(value));
    if (missing >= 0) throw missingSample(whole, k, missing);
    numbers.set(values, k * whole.length);
  }
  return numbers;
}

function missingSample({ names }: Recording, lead: number, at: number): BrokenRecording {
  const where = `sample ${grouped(at)} of ${names?.[lead] ?? `lead ${lead + 1}`}`;
  return new BrokenRecording(
    `${where} is missing, or filters met one that is; write \`fill_gaps\` in the recipe's augment line`,
  );
}

function checkDeclared(what: string, recording: Recording, array: ArrayShape): void {
  const { axes, channels, rate } = array;
  const [leads, samples] = axes.map(({ size }) => size) as [number, number];
  if (channels !== 1) {
    throw new RunError("run/channels", {
      what: `${what} has one value for each lead and time, and the model declares ${channels} channels`,
      help: 'Save signals with channels as arrays [N, leads, samples, channels] and write `npy("...")`.',
    });
  }
  if (recording.channels !== leads) throw wrongLeads(what, recording, { leads, samples });
  if (rate !== undefined && recording.rate !== null && recording.rate !== rate) {
    throw new RunError("run/sampling-rate", {
      what: `${what} has ${grouped(recording.rate)} samples a second and the model declares ${grouped(rate)}`,
      help: `Write \`resample\` in the recipe's augment line, or \`rate: ${recording.rate} Hz\` in the model's input.`,
    });
  }
  if (recording.length !== samples) {
    const window = "`random_window` or `center_window` in the recipe's augment line";
    const how = recording.length > samples ? window : `\`pad: true\` in ${window}`;
    throw new RunError("run/array-size", {
      what: `${what} has ${counted(recording.length, "sample")} of each lead and the model declares ${grouped(samples)}`,
      help: `Write ${how}, or \`samples: ${recording.length}\` in the model's input.`,
    });
  }
}

function wrongLeads(
  what: string,
  { channels, names, length }: Recording,
  { leads, samples }: { readonly leads: number; readonly samples: number },
): RunError {
  const first = names === null ? "" : `: ${names.slice(0, 20).join(", ")}`;
  const turned = channels === samples && length === leads;
  return new RunError("run/array-size", {
    what: `${what} has ${counted(channels, "lead")} and the model declares ${leads}${first}`,
    help: turned
      ? "Save the table turned round: a row for each time, a column for each lead."
      : `Name those that are wanted in the recipe's augment line, \`leads("...")\`, or write \`leads: ${channels}\` in the model's input.`,
  });
}

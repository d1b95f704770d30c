/** Files of recordings: what each holds is told by its beginning, whatever its name says. */

import { counted } from "../../../blocks/index.js";
import { openPlainFile, type PlainFile, readBytes } from "../../plain-file.js";
import { RunError, unreadable } from "../../run-error.js";
import { BrokenFile } from "../broken-file.js";
import { type Kept, mostOfOne } from "../kept.js";
import { openFlac } from "../sound/flac.js";
import { openMp3 } from "../sound/mp3.js";
import { openWav } from "../sound/wav.js";
import { openTable } from "../table/csv.js";
import { openEdf } from "./edf.js";
import { BrokenRecording, inMemory, type Recording } from "./recording.js";
import { openWfdb } from "./wfdb.js";

interface Format {
  /** How a file begins; a dot is any byte. */
  readonly beginnings: readonly string[];
  /** Of texts, which begin in many ways: how the name ends. */
  readonly ending?: string;
  readonly open: (plain: PlainFile, path: string) => Promise<Recording>;
}

const formats: readonly Format[] = [
  { beginnings: ["RIFF....WAVE"], open: openWav },
  { beginnings: ["fLaC"], open: openFlac },
  { beginnings: ["0       ", "\xffBIOSEMI"], open: openEdf },
  { beginnings: ["ID3", "\xff\xfb", "\xff\xfa", "\xff\xf3", "\xff\xf2", "\xff\xe3"], open: openMp3 },
  { beginnings: [], ending: ".hea", open: openWfdb },
  { beginnings: [], ending: ".csv", open: openTable },
];

/** How the content of other files begins, by what they are. */
const others: readonly (readonly [beginning: string, name: string])[] = [
  ["OggS", "an Ogg file"],
  ["....ftyp", "an MPEG-4 file"],
  ["FORM....AIF", "an AIFF file"],
  ["RF64", "an RF64 file, the form of WAV for more than 4 GB"],
  ["BW64", "a BW64 file, the form of WAV for more than 4 GB"],
  ["RIFX", "a RIFX file, the form of WAV with the bytes of numbers turned round"],
  ["RIFF", "a RIFF file of another kind"],
];

/** Bytes by which the kind of a file is told. */
const headBytes = 12;

const begins = (bytes: Uint8Array, beginning: string): boolean =>
  [...beginning].every((c, i) => c === "." || bytes[i] === c.charCodeAt(0));

/** Opens a recording for as long as `use` takes; a short one as `kept` has it. Throws `BrokenFile` or `run/unreadable`, and what `use` does. */
export async function withRecording<T>(
  path: string,
  use: (recording: Recording) => Promise<T>,
  kept?: Kept,
): Promise<T> {
  const known = await kept?.recordings(path, () => withFile(path, wholeOf));
  return known ? brokenOf(path, () => use(known)) : withFile(path, use);
}

/** All of a short one in memory; null: it is longer, or not all of it is there. */
async function wholeOf(recording: Recording): Promise<Recording | null> {
  const { length, channels } = recording;
  if (length * channels * Float64Array.BYTES_PER_ELEMENT > mostOfOne) return null;
  const whole = await recording.read(0, length).catch(() => null);
  return whole && inMemory(whole, recording);
}

async function withFile<T>(path: string, use: (recording: Recording) => Promise<T>): Promise<T> {
  const plain = await opened(path);
  try {
    return await brokenOf(path, async () => use(await openRecording(plain, path)));
  } finally {
    await plain.file.close();
  }
}

/** Says of which file what is broken is. */
async function brokenOf<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BrokenRecording ? new BrokenFile(path, error.message) : error;
  }
}

/** Throws `BrokenRecording` for what is none. The file stays open, and belongs to the caller. */
export async function openRecording(plain: PlainFile, path: string): Promise<Recording> {
  if (plain.size === 0) throw new BrokenRecording("it is empty");
  const head = await readBytes(plain.file, 0, Math.min(headBytes, plain.size));
  const format =
    formats.find(({ beginnings }) => beginnings.some((beginning) => begins(head, beginning))) ??
    formats.find(({ ending }) => ending !== undefined && path.toLowerCase().endsWith(ending));
  if (format) return format.open(plain, path);
  throw new BrokenRecording(whatItIs(head));
}

function whatItIs(head: Uint8Array): string {
  if (head.length < headBytes) return `it is cut off: it has ${counted(head.length, "byte")}`;
  const found = others.find(([beginning]) => begins(head, beginning));
  return `it is ${found?.[1] ?? "no recording"}, and WAV, FLAC, MP3, EDF, BDF, WFDB and CSV files are read`;
}

async function opened(path: string): Promise<PlainFile> {
  try {
    return await openPlainFile(path, "it");
  } catch (error) {
    if (error instanceof RunError) throw new BrokenFile(path, error.what);
    throw unreadable(path, "It was there when the run began. Put it back, or start again without it.", error);
  }
}

/**
 * Records in EDF and EDF+ files, and in BDF files, which have 24 bits: blocks of equal duration with samples of each signal. Signals of
 * annotations are left out; a record with gaps in time is refused.
 */

import { counted, grouped } from "../../../blocks/index.js";
import { type PlainFile, readBytes } from "../../plain-file.js";
import { BrokenRecording, checkHeld, type Recording } from "./recording.js";

/** Bytes of the header's beginning, and as many for each signal. */
const headerBytes = 256;
/** Nobody has more electrodes; a file that says so is not looked through. */
const mostSignals = 4096;

interface Signal {
  readonly name: string;
  /** Samples in a block. */
  readonly samples: number;
  /** Of a block: bytes before its samples. */
  readonly begin: number;
  /** Physical values are `scale` times the stored ones and `shift`. */
  readonly scale: number;
  readonly shift: number;
}

interface Blocks {
  readonly plain: PlainFile;
  /** Where the first begins, and how long each is. */
  readonly begin: number;
  readonly bytes: number;
  readonly count: number;
  /** Seconds of one. */
  readonly duration: number;
  /** Bytes of a sample. */
  readonly width: 2 | 3;
}

/** Reads the header of a file that begins as these files do. Throws `BrokenRecording`. */
export async function openEdf(plain: PlainFile): Promise<Recording> {
  const { file, size } = plain;
  if (size < headerBytes) throw cutInHeader(size);
  const fields = fieldsOf(await readBytes(file, 0, headerBytes));
  const width = fields.text(0, 8).startsWith("0") ? 2 : 3;
  const count = fields.number(252, 4, "signals");
  if (!Number.isInteger(count) || count < 1 || count > mostSignals) {
    throw new BrokenRecording(`it says that it has ${fields.text(252, 4)} signals`);
  }
  if (fields.text(192, 5) === "EDF+D" || fields.text(192, 5) === "BDF+D") {
    throw new BrokenRecording("it has gaps in time (EDF+D); save what lies between them as files of their own");
  }
  const begin = headerBytes * (count + 1);
  if (size < begin) throw cutInHeader(size);
  const all = signalsOf(fieldsOf(await readBytes(file, headerBytes, begin - headerBytes)), count, width);
  const bytes = all.reduce((sum, { samples }) => sum + samples * width, 0);
  const duration = fields.number(244, 8, "seconds of a block");
  const there = bytes === 0 ? 0 : Math.floor((size - begin) / bytes);
  // -1: it was not known when recording began.
  const said = fields.number(236, 8, "blocks");
  if (said > there) {
    throw new BrokenRecording(
      `it is cut off: it says that it has ${counted(said, "block")}, and ${grouped(there)} are there`,
    );
  }
  const blocks = { plain, begin, bytes, duration, width, count: said < 0 ? there : said } as const;
  const signals = all.filter(({ name }) => !/^[EB]DF Annotations$/.test(name));
  if (signals.length === 0 || blocks.count === 0) throw new BrokenRecording("it holds no samples");
  return recordingOf(blocks, signals);
}

const cutInHeader = (size: number): BrokenRecording =>
  new BrokenRecording(`it is cut off in its header: it has ${counted(size, "byte")}`);

interface Fields {
  readonly text: (at: number, length: number) => string;
  readonly number: (at: number, length: number, what: string) => number;
}

/** Fields of a header: characters, filled up with blanks. */
function fieldsOf(bytes: Uint8Array): Fields {
  const text = (at: number, length: number): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset + at, length)
      .toString("latin1")
      .replaceAll("\0", " ")
      .trim();
  return {
    text,
    number(at, length, what) {
      const written = text(at, length);
      const value = Number(written.replace(",", "."));
      if (written !== "" && Number.isFinite(value)) return value;
      throw new BrokenRecording(`the number of its ${what} is \`${printable(written)}\``);
    },
  };
}

const printable = (text: string): string => text.replace(/[^ -~]/g, "?");

/** Names, units and ranges of signals: each kind of field of all of them, one after another. */
function signalsOf({ text, number }: Fields, count: number, width: number): readonly Signal[] {
  const columns = [16, 80, 8, 8, 8, 8, 8, 80, 8];
  const starts = columns.map((_, k) => count * columns.slice(0, k).reduce((sum, length) => sum + length, 0));
  const at = (k: number, i: number) =>
    [(starts[k] as number) + i * (columns[k] as number), columns[k] as number] as const;
  let begin = 0;
  return Array.from({ length: count }, (_, i) => {
    const name = printable(text(...at(0, i)));
    const of = (what: string): string => `${what} of ${name || `signal ${i + 1}`}`;
    const samples = number(...at(8, i), of("samples in a block"));
    if (!Number.isInteger(samples) || samples < 0)
      throw new BrokenRecording(`${of("the samples")} in a block are ${samples}`);
    const [low, high] = [number(...at(3, i), of("least value")), number(...at(4, i), of("largest value"))];
    const [least, most] = [number(...at(5, i), of("least number")), number(...at(6, i), of("largest number"))];
    if (least === most) throw new BrokenRecording(`${of("the range")} is empty: all its numbers are ${least}`);
    const scale = (high - low) / (most - least);
    const signal = { name, samples, begin, scale, shift: low - least * scale };
    begin += samples * width;
    return signal;
  });
}

/** Signals of several rates are a recording of which some are to be picked. */
function recordingOf(blocks: Blocks, signals: readonly Signal[]): Recording {
  const [first] = signals as readonly [Signal];
  const other = signals.find(({ samples }) => samples !== first.samples);
  const names = signals.map(({ name }) => name);
  return {
    rate: blocks.duration > 0 ? first.samples / blocks.duration : null,
    channels: signals.length,
    names,
    length: first.samples * blocks.count,
    pick: (wanted) =>
      recordingOf(
        blocks,
        wanted.map((i) => signals[i] as Signal),
      ),
    async read(from, to) {
      if (other) {
        throw new BrokenRecording(
          `its signals have several sampling rates, as ${first.name} and ${other.name}; write \`leads("...")\` with those of one rate in the recipe's augment line`,
        );
      }
      return samplesOf(blocks, signals, from, to);
    },
  };
}

/** Of signals with equally many samples in a block. */
async function samplesOf(
  { plain, begin, bytes, width }: Blocks,
  signals: readonly Signal[],
  from: number,
  to: number,
): Promise<readonly Float64Array[]> {
  const [{ samples }] = signals as readonly [Signal];
  const [first, end] = [Math.floor(from / samples), Math.ceil(to / samples)];
  checkHeld(to - from, signals.length);
  const result = signals.map(() => new Float64Array(to - from));
  for (let block = first; block < end; block++) {
    checkHeld(bytes / 8, 1);
    const data = await readBytes(plain.file, begin + block * bytes, bytes);
    const view = new DataView(data.buffer, data.byteOffset);
    for (const [k, signal] of signals.entries()) {
      const own = result[k] as Float64Array;
      for (let i = Math.max(0, from - block * samples); i < Math.min(samples, to - block * samples); i++) {
        const at = signal.begin + i * width;
        const stored =
          width === 2 ? view.getInt16(at, true) : view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16;
        own[block * samples + i - from] = stored * signal.scale + signal.shift;
      }
    }
  }
  return result;
}

/**
 * Records of PhysioNet (WFDB): a header in words that says in which files the signals lie, in which format, and what their numbers mean.
 * Samples that are missing are no numbers; whoever needs them says how they are filled.
 */

import { dirname, join } from "node:path";
import { counted, grouped } from "../../../blocks/index.js";
import { openPlainFile, type PlainFile, readBytes } from "../../plain-file.js";
import { RunError, reasonOf } from "../../run-error.js";
import { BrokenRecording, checkHeld, type Recording } from "./recording.js";

/** Longer headers are not read: a line is short, and no record has thousands of leads. */
const largestHeader = 2 ** 20;
/** Counts for a millivolt where a header does not say. */
const usualGain = 200;
const usualRate = 250;

/** How the samples of a file are stored, one after another, the signals by turns. */
interface Storage {
  /** Bytes of `group` samples. */
  readonly bytes: number;
  readonly group: number;
  /** Sample number `i`, counted from the beginning of `view`. */
  readonly read: (view: DataView, i: number) => number;
  /** What stands where a sample is missing. */
  readonly missing: number;
}

const whole = (bytes: number, read: (view: DataView, at: number) => number, bits = 8 * bytes): Storage => ({
  bytes,
  group: 1,
  read: (view, i) => read(view, i * bytes),
  missing: -(2 ** (bits - 1)),
});

const storages: Readonly<Record<string, Storage>> = {
  16: whole(2, (view, at) => view.getInt16(at, true)),
  24: whole(3, (view, at) => view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16),
  32: whole(4, (view, at) => view.getInt32(at, true)),
  61: whole(2, (view, at) => view.getInt16(at, false)),
  80: whole(1, (view, at) => view.getUint8(at) - 128),
  160: whole(2, (view, at) => view.getUint16(at, true) - 2 ** 15),
  212: { bytes: 3, group: 2, read: twelveBits, missing: -2048 },
  310: { bytes: 4, group: 3, read: tenBitsApart, missing: -512 },
  311: { bytes: 4, group: 3, read: tenBits, missing: -512 },
};

/** Two samples of 12 bits in three bytes. */
function twelveBits(view: DataView, i: number): number {
  const at = 3 * (i >> 1);
  const middle = view.getUint8(at + 1);
  return i % 2 === 0
    ? signed(view.getUint8(at) + ((middle & 15) << 8), 12)
    : signed(view.getUint8(at + 2) + ((middle >> 4) << 8), 12);
}

const signed = (bits: number, width: number): number => (bits >= 2 ** (width - 1) ? bits - 2 ** width : bits);

/** Three samples of 10 bits in four bytes, the third in what the others leave of two words. */
function tenBitsApart(view: DataView, i: number): number {
  const at = 4 * Math.floor(i / 3);
  const [first, second] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
  if (i % 3 === 2) return signed((first >> 11) + ((second >> 11) << 5), 10);
  return signed(((i % 3 === 0 ? first : second) >> 1) & 1023, 10);
}

/** Three samples of 10 bits in four bytes, one after another. */
function tenBits(view: DataView, i: number): number {
  return signed((view.getUint32(4 * Math.floor(i / 3), true) >>> (10 * (i % 3))) & 1023, 10);
}

interface Signal {
  readonly name: string;
  readonly file: string;
  readonly storage: Storage;
  /** Bytes of the file before its samples. */
  readonly offset: number;
  /** Counts for a unit, and at 0 units. */
  readonly gain: number;
  readonly baseline: number;
}

/** Signals of one file. */
interface Group {
  readonly path: string;
  readonly storage: Storage;
  readonly offset: number;
  readonly signals: readonly Signal[];
  /** Where they stand among those of the record. */
  readonly places: readonly number[];
}

/** Reads a header; files of samples are opened when they are read. Throws `BrokenRecording`. */
export async function openWfdb({ file, size }: PlainFile, path: string): Promise<Recording> {
  if (size > largestHeader) throw new BrokenRecording(`it has ${grouped(size)} bytes, too many for a WFDB header`);
  const text = Buffer.from(await readBytes(file, 0, size)).toString("utf8");
  const [record, ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const [name = "", count = "", rate = String(usualRate), samples] = (record ?? "").trim().split(/\s+/);
  if (!/^\d+$/.test(count))
    throw new BrokenRecording("it is no WFDB header: it does not begin with a record's name and number of signals");
  if (name.includes("/")) {
    throw new BrokenRecording(
      `it is made of ${name.split("/")[1]} segments, whose own headers are read: name a folder with those alone`,
    );
  }
  const perSecond = Number(rate.split("/")[0]);
  if (!(perSecond > 0)) throw new BrokenRecording(`it says that it has ${printable(rate)} samples a second`);
  const signals = lines.slice(0, Number(count)).map((line, i) => signalOf(line, i));
  if (signals.length === 0) throw new BrokenRecording("it has no signals");
  if (signals.length < Number(count)) {
    throw new BrokenRecording(
      `it is cut off: it says that it has ${counted(Number(count), "lead")}, and ${signals.length} are described`,
    );
  }
  const groups = groupsOf(signals, dirname(path));
  const there = await Promise.all(groups.map(samplesIn));
  const length = Number(samples ?? 0) > 0 ? Number(samples) : Math.min(...there);
  const short = there.findIndex((one) => one < length);
  if (!Number.isSafeInteger(length) || short >= 0) {
    throw new BrokenRecording(
      `${groups[Math.max(0, short)]?.signals[0]?.file} is cut off: ${grouped(length)} samples are said to be there, and ${grouped(there[Math.max(0, short)] as number)} are`,
    );
  }
  if (length === 0) throw new BrokenRecording("it holds no samples");
  return {
    rate: perSecond,
    channels: signals.length,
    names: signals.map((signal) => signal.name),
    length,
    async read(from, to) {
      checkHeld(to - from, signals.length);
      const result = signals.map(() => new Float64Array(0));
      for (const group of groups) {
        const own = await samplesOf(group, from, to);
        for (const [k, place] of group.places.entries()) result[place] = own[k] as Float64Array<ArrayBuffer>;
      }
      return result;
    },
  };
}

const printable = (text: string): string => text.slice(0, 40).replace(/[^ -~]/g, "?");

/** `file format gain(baseline)/units resolution zero ...`; what is left out has its usual value. */
function signalOf(line: string, i: number): Signal {
  const [file = "", format = "", gain = "", , zero = "0", , , , ...name] = line.trim().split(/\s+/);
  const said = printable(name.join(" ")) || `signal ${i + 1}`;
  const stored = /^(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?$/.exec(format);
  const storage = storages[stored?.[1] ?? ""];
  if (!stored || !storage) {
    throw new BrokenRecording(
      `${said} has format ${printable(format)}, and formats ${Object.keys(storages).join(", ")} are read`,
    );
  }
  if (Number(stored[2] ?? 1) !== 1 || Number(stored[3] ?? 0) !== 0) {
    throw new BrokenRecording(`${said} has other sampling times than the record (${printable(format)})`);
  }
  if (file === "~" || file === "-") throw new BrokenRecording(`${said} lies in no file`);
  // A record lies in one folder: a header of somebody else's names no file outside it.
  if (/[/\\]/.test(file) || file.startsWith(".."))
    throw new BrokenRecording(`${said} lies in ${printable(file)}, outside the folder of its header`);
  const meaning = /^([-+]?[\d.]+(?:e[-+]?\d+)?)?(?:\((-?\d+)\))?/i.exec(gain);
  const counts = Number(meaning?.[1] ?? 0);
  return {
    name: said,
    file,
    storage,
    offset: Number(stored[4] ?? 0),
    gain: counts === 0 || !Number.isFinite(counts) ? usualGain : counts,
    baseline: Number(meaning?.[2] ?? (Number.isFinite(Number(zero)) ? zero : 0)),
  };
}

function groupsOf(signals: readonly Signal[], folder: string): readonly Group[] {
  const files = [...new Set(signals.map(({ file }) => file))];
  return files.map((file) => {
    const own = signals.flatMap((signal, place) => (signal.file === file ? [{ signal, place }] : []));
    const [{ signal }] = own as [(typeof own)[number]];
    if (own.some((one) => one.signal.storage !== signal.storage)) {
      throw new BrokenRecording(`signals of ${printable(file)} are said to have several formats`);
    }
    return {
      path: join(folder, file),
      storage: signal.storage,
      offset: signal.offset,
      signals: own.map((one) => one.signal),
      places: own.map((one) => one.place),
    };
  });
}

/** Samples of each signal that the file has. */
async function samplesIn(group: Group): Promise<number> {
  const { storage, offset, signals } = group;
  return withFile(group, async ({ size }) =>
    Math.floor(Math.floor((Math.max(0, size - offset) * storage.group) / storage.bytes) / signals.length),
  );
}

async function withFile<T>({ path, signals }: Group, use: (plain: PlainFile) => Promise<T>): Promise<T> {
  const name = signals[0]?.file as string;
  const plain = await openPlainFile(path, name).catch((error: unknown) => {
    const why = error instanceof RunError ? error.what : `${name} cannot be read: ${reasonOf(error)}`;
    throw new BrokenRecording(why);
  });
  try {
    return await use(plain);
  } finally {
    await plain.file.close();
  }
}

/** In physical units; what is missing is no number. */
async function samplesOf(group: Group, from: number, to: number): Promise<readonly Float64Array[]> {
  const { storage, offset, signals } = group;
  const { bytes, group: together, read, missing } = storage;
  const width = signals.length;
  // Samples that share bytes are read together.
  const first = Math.floor((from * width) / together);
  const last = Math.ceil((to * width) / together);
  return withFile(group, async ({ file, size }) => {
    const begin = offset + first * bytes;
    // The last samples of a file may lack bytes that others of their kind share.
    const data = new Uint8Array((last - first) * bytes);
    data.set(await readBytes(file, begin, Math.min(size - begin, data.length)));
    const view = new DataView(data.buffer);
    return signals.map(({ gain, baseline }, k) =>
      Float64Array.from({ length: to - from }, (_, t) => {
        const stored = read(view, (from + t) * width + k - first * together);
        return stored === missing ? Number.NaN : (stored - baseline) / gain;
      }),
    );
  });
}

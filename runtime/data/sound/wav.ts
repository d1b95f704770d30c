/**
 * Sound in WAV files (RIFF/WAVE): whole numbers of 8, 16, 24 and 32 bits and floats of 32 and 64, as a plain or as an
 * extensible format. The header is read first; of the sound, only as much as is asked for. What a file says of its own
 * length takes no memory.
 */

import type { FileHandle } from "node:fs/promises";
import { counted, grouped } from "../../../blocks/index.js";
import { type PlainFile, readBytes } from "../../plain-file.js";
import { BrokenRecording, checkHeld, type Recording } from "../recording/recording.js";

/** How one number is stored. */
interface Numbers {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

/** Formats by their tag and bits; whole numbers come out in [-1, 1). */
const formats: Readonly<Record<string, Numbers>> = {
  "1:8": { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 2 ** 7 },
  "1:16": { bytes: 2, read: (view, at) => view.getInt16(at, true) / 2 ** 15 },
  "1:24": { bytes: 3, read: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23 },
  "1:32": { bytes: 4, read: (view, at) => view.getInt32(at, true) / 2 ** 31 },
  "3:32": { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  "3:64": { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** Tags of formats that are packed, by the words for them. */
const packedFormats: Readonly<Record<number, string>> = {
  2: "ADPCM",
  6: "A-law",
  7: "mu-law",
  17: "IMA ADPCM",
  49: "GSM",
  85: "MP3",
  255: "AAC",
};
/** The format's tag stands further behind, among more facts. */
const extensible = 0xfffe;
/** How the other fourteen bytes of such a tag are always. */
const tagEnding = "000000001000800000aa00389b71";

/** A file has some few; one that has more is not looked through to its end. */
const mostChunks = 1024;
/** Programs that write a stream do not know its length yet, and write the largest that there is. */
const unknownLength = 0xffff_ffff;

/** Reads where the sound lies in a file that begins as WAV files do, and what it is. Throws `BrokenRecording`. */
export async function openWav({ file, size }: PlainFile): Promise<Recording> {
  let format: Format | null = null;
  let at = 12;
  for (let chunk = 0; chunk < mostChunks && at + 8 <= size; chunk++) {
    const header = viewOf(await readBytes(file, at, 8));
    const [name, length] = [textAt(header, 0, 4), header.getUint32(4, true)];
    const begin = at + 8;
    if (name === "data") {
      if (format === null) throw new BrokenRecording("its sound comes before the words on its format (`fmt `)");
      return soundAt(file, format, begin, lengthOfSound(length, size - begin));
    }
    if (begin + length > size) {
      throw new BrokenRecording(
        `it is cut off: a part \`${printable(name)}\` of ${grouped(length)} bytes begins at byte ${grouped(begin)}, and the file has ${grouped(size)}`,
      );
    }
    if (name === "fmt ") format = readFormat(viewOf(await readBytes(file, begin, Math.min(40, length))));
    // A part of odd length is followed by a byte that fills it up.
    at = begin + length + (length % 2);
  }
  throw new BrokenRecording(
    format === null ? "it says nothing of its format (no part `fmt `)" : "it has no sound (no part `data`)",
  );
}

interface Format {
  readonly rate: number;
  readonly channels: number;
  readonly numbers: Numbers;
}

function readFormat(view: DataView): Format {
  if (view.byteLength < 16) {
    throw new BrokenRecording(`its part \`fmt \` has ${counted(view.byteLength, "byte")}, and 16 are the least`);
  }
  const bits = view.getUint16(14, true);
  const tag = tagOf(view);
  const [channels, rate] = [view.getUint16(2, true), view.getUint32(4, true)];
  const numbers = formats[`${tag}:${bits}`];
  if (numbers === undefined) throw new BrokenRecording(unreadFormat(tag, bits));
  if (channels === 0) throw new BrokenRecording("it says that it has 0 channels");
  if (rate === 0) throw new BrokenRecording("it says that it has 0 samples a second");
  const block = view.getUint16(12, true);
  if (block !== channels * numbers.bytes) {
    throw new BrokenRecording(
      `it says that ${counted(channels, "channel")} of ${bits} bits take ${counted(block, "byte")}, and they take ${channels * numbers.bytes}`,
    );
  }
  return { rate, channels, numbers };
}

function tagOf(view: DataView): number {
  const tag = view.getUint16(0, true);
  if (tag !== extensible) return tag;
  if (view.byteLength < 40) throw new BrokenRecording("its extensible format is cut off");
  const ending = Buffer.from(view.buffer, view.byteOffset + 26, 14).toString("hex");
  if (ending !== tagEnding) throw new BrokenRecording("its extensible format is none that is known");
  return view.getUint16(24, true);
}

function unreadFormat(tag: number, bits: number): string {
  const packed = packedFormats[tag];
  const what =
    packed !== undefined
      ? `packed as ${packed}`
      : tag === 1 || tag === 3
        ? `of ${bits} bits`
        : `of an unknown format (${tag})`;
  return `its sound is ${what}, and whole numbers of 8, 16, 24 and 32 bits and floats of 32 and 64 are read`;
}

/** Bytes of sound. */
function lengthOfSound(said: number, there: number): number {
  if (said === unknownLength || said <= there) return Math.min(said, there);
  throw new BrokenRecording(
    `it is cut off: it says that it has ${grouped(said)} bytes of sound, and ${grouped(there)} are there`,
  );
}

function soundAt(file: FileHandle, { rate, channels, numbers }: Format, begin: number, size: number): Recording {
  const { bytes, read } = numbers;
  const stride = bytes * channels;
  const length = Math.floor(size / stride);
  if (length === 0) throw new BrokenRecording("it holds no sound: its part `data` is empty");
  return {
    rate,
    channels,
    names: null,
    length,
    async read(from, to) {
      checkHeld(to - from, channels);
      const view = viewOf(await readBytes(file, begin + from * stride, (to - from) * stride));
      return Array.from({ length: channels }, (_, channel) => {
        const samples = new Float64Array(to - from);
        for (let i = 0; i < samples.length; i++) {
          const value = read(view, i * stride + channel * bytes);
          if (!Number.isFinite(value)) throw new BrokenRecording(`its sample ${grouped(from + i)} is ${value}`);
          samples[i] = value;
        }
        return samples;
      });
    },
  };
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** Bytes as characters of their codes; "" beyond the end. */
function textAt(view: DataView, at: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).subarray(at, at + length);
  return String.fromCharCode(...bytes);
}

const printable = (name: string): string => name.replace(/[^ -~]/g, "?");

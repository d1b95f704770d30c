/**
 * Sound in WAV files (RIFF/WAVE): whole numbers of 8, 16, 24 and 32 bits and floats of 32 and 64, as a plain or as an
 * extensible format. The header is read first; of the sound, only as much as is asked for. What a file says of its own
 * length takes no memory.
 */

import type { FileHandle } from "node:fs/promises";
import { counted, grouped } from "../../../blocks/index.js";
import { type PlainFile, readBytes } from "../../plain-file.js";

/** A file that no sound comes from: its caller knows its name. */
export class BrokenSound extends Error {
  override readonly name = "BrokenSound";
}

export interface WavFile {
  readonly file: FileHandle;
  /** Samples a second. */
  readonly rate: number;
  readonly channels: number;
  /** Samples of each channel. */
  readonly length: number;
  readonly numbers: Numbers;
  /** Byte where the sound begins. */
  readonly begin: number;
}

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

/** How the content of other files begins, by what they are; a dot is any byte. */
const others: readonly (readonly [beginning: string, name: string])[] = [
  ["fLaC", "a FLAC file"],
  ["OggS", "an Ogg file"],
  ["ID3", "an MP3 file"],
  ["\xff\xfb", "an MP3 file"],
  ["....ftyp", "an MPEG-4 file"],
  ["FORM....AIF", "an AIFF file"],
  ["RF64", "an RF64 file, the form of WAV for more than 4 GB"],
  ["BW64", "a BW64 file, the form of WAV for more than 4 GB"],
  ["RIFX", "a RIFX file, the form of WAV with the bytes of numbers turned round"],
  ["RIFF", "a RIFF file of another kind"],
];

/** A file has some few; one that has more is not looked through to its end. */
const mostChunks = 1024;
/** Programs that write a stream do not know its length yet, and write the largest that there is. */
const unknownLength = 0xffff_ffff;

/** Reads where the sound lies in a file and what it is. Throws `BrokenSound`. */
export async function openWav({ file, size }: PlainFile): Promise<WavFile> {
  if (size === 0) throw new BrokenSound("it is empty");
  const head = viewOf(await readBytes(file, 0, Math.min(12, size)));
  if (textAt(head, 0, 4) !== "RIFF" || textAt(head, 8, 4) !== "WAVE") throw new BrokenSound(whatItIs(head));
  let format: Format | null = null;
  let at = 12;
  for (let chunk = 0; chunk < mostChunks && at + 8 <= size; chunk++) {
    const header = viewOf(await readBytes(file, at, 8));
    const [name, length] = [textAt(header, 0, 4), header.getUint32(4, true)];
    const begin = at + 8;
    if (name === "data") {
      if (format === null) throw new BrokenSound("its sound comes before the words on its format (`fmt `)");
      return soundAt(file, format, begin, lengthOfSound(length, size - begin));
    }
    if (begin + length > size) {
      throw new BrokenSound(
        `it is cut off: a part \`${printable(name)}\` of ${grouped(length)} bytes begins at byte ${grouped(begin)}, and the file has ${grouped(size)}`,
      );
    }
    if (name === "fmt ") format = readFormat(viewOf(await readBytes(file, begin, Math.min(40, length))));
    // A part of odd length is followed by a byte that fills it up.
    at = begin + length + (length % 2);
  }
  throw new BrokenSound(
    format === null ? "it says nothing of its format (no part `fmt `)" : "it has no sound (no part `data`)",
  );
}

/** Samples `from` up to `to` of each channel, which the file has. Throws `BrokenSound` for what is no number. */
export async function readSound(wav: WavFile, from: number, to: number): Promise<readonly Float64Array[]> {
  const { bytes, read } = wav.numbers;
  const stride = bytes * wav.channels;
  const view = viewOf(await readBytes(wav.file, wav.begin + from * stride, (to - from) * stride));
  return Array.from({ length: wav.channels }, (_, channel) => {
    const samples = new Float64Array(to - from);
    for (let i = 0; i < samples.length; i++) {
      const value = read(view, i * stride + channel * bytes);
      if (!Number.isFinite(value)) throw new BrokenSound(`its sample ${grouped(from + i)} is ${value}`);
      samples[i] = value;
    }
    return samples;
  });
}

interface Format {
  readonly rate: number;
  readonly channels: number;
  readonly numbers: Numbers;
}

function readFormat(view: DataView): Format {
  if (view.byteLength < 16) {
    throw new BrokenSound(`its part \`fmt \` has ${counted(view.byteLength, "byte")}, and 16 are the least`);
  }
  const bits = view.getUint16(14, true);
  const tag = tagOf(view);
  const [channels, rate] = [view.getUint16(2, true), view.getUint32(4, true)];
  const numbers = formats[`${tag}:${bits}`];
  if (numbers === undefined) throw new BrokenSound(unreadFormat(tag, bits));
  if (channels === 0) throw new BrokenSound("it says that it has 0 channels");
  if (rate === 0) throw new BrokenSound("it says that it has 0 samples a second");
  const block = view.getUint16(12, true);
  if (block !== channels * numbers.bytes) {
    throw new BrokenSound(
      `it says that ${counted(channels, "channel")} of ${bits} bits take ${counted(block, "byte")}, and they take ${channels * numbers.bytes}`,
    );
  }
  return { rate, channels, numbers };
}

function tagOf(view: DataView): number {
  const tag = view.getUint16(0, true);
  if (tag !== extensible) return tag;
  if (view.byteLength < 40) throw new BrokenSound("its extensible format is cut off");
  const ending = Buffer.from(view.buffer, view.byteOffset + 26, 14).toString("hex");
  if (ending !== tagEnding) throw new BrokenSound("its extensible format is none that is known");
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
  throw new BrokenSound(
    `it is cut off: it says that it has ${grouped(said)} bytes of sound, and ${grouped(there)} are there`,
  );
}

function soundAt(file: FileHandle, { rate, channels, numbers }: Format, begin: number, bytes: number): WavFile {
  const length = Math.floor(bytes / (numbers.bytes * channels));
  if (length === 0) throw new BrokenSound("it holds no sound: its part `data` is empty");
  return { file, rate, channels, length, numbers, begin };
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** Bytes as characters of their codes; "" beyond the end. */
function textAt(view: DataView, at: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).subarray(at, at + length);
  return String.fromCharCode(...bytes);
}

const printable = (name: string): string => name.replace(/[^ -~]/g, "?");

function whatItIs(head: DataView): string {
  const text = textAt(head, 0, head.byteLength);
  const found = others.find(([beginning]) => [...beginning].every((c, i) => c === "." || text[i] === c));
  if ("RIFF".startsWith(text.slice(0, 4)) && text.length < 12) {
    return `it is cut off: it has ${counted(text.length, "byte")}, fewer than the beginning of a WAV file`;
  }
  return found === undefined ? "it is no WAV file" : `it is ${found[1]}, and WAV files are read`;
}

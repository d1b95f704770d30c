/**
 * The frames of an MP3 file by their headers, before any is decoded: a decoder passes over what is damaged or missing and says nothing, so
 * that what follows comes too early.
 */

import { counted, grouped } from "../../../blocks/index.js";
import { type PlainFile, readBytes } from "../../plain-file.js";
import { BrokenRecording } from "../recording/recording.js";

interface Header {
  readonly rate: number;
  readonly channels: 1 | 2;
  /** Bytes of the frame; null: only its decoder knows. */
  readonly length: number | null;
  /** Bytes between the header and the first numbers, where an encoder may say how many frames follow. */
  readonly side: number;
}

/** Kilobits a second, by the first version and by the others. */
const bitRates = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const;
const rates = [44_100, 48_000, 32_000] as const;
/** By two bits of the version: what the rates are divided by. */
const divisors: Readonly<Record<number, number>> = { 0: 4, 2: 2, 3: 1 };

function headerIn(bytes: Uint8Array): Header | null {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes;
  const divisor = divisors[(second >> 3) & 3];
  const isThird = ((second >> 1) & 3) === 1;
  const [rate, kilobits] = [rates[(third >> 2) & 3], bitRates[divisor === 1 ? 0 : 1][third >> 4]];
  if (first !== 0xff || second < 0xe0 || !isThird || !divisor || !rate || kilobits === undefined) return null;
  const channels = fourth >> 6 === 3 ? 1 : 2;
  const own = rate / divisor;
  const whole = Math.floor(((divisor === 1 ? 144_000 : 72_000) * kilobits) / own) + ((third >> 1) & 1);
  const side = divisor === 1 ? (channels === 2 ? 32 : 17) : channels === 2 ? 17 : 9;
  return { rate: own, channels, length: kilobits === 0 ? null : whole, side };
}

/** Bytes in which the first frame begins, after texts and pictures. */
const searched = 2 ** 12;
const pieceBytes = 2 ** 18;

/** Reads a few bytes after others without asking the system each time. */
function reader({ file, size }: PlainFile): (at: number, length: number) => Promise<Uint8Array> {
  let piece: Uint8Array = new Uint8Array();
  let begin = 0;
  return async (at, length) => {
    const end = Math.min(size, at + length);
    if (at < begin || end > begin + piece.length) {
      piece = await readBytes(file, at, Math.max(0, Math.min(size, at + pieceBytes) - at));
      begin = at;
    }
    return piece.subarray(at - begin, Math.max(0, end - begin));
  };
}

const wordsOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** What may follow the last frame. */
const tails = ["TAG", "APETAGEX", "LYRICSBEGIN"];

/** Bytes of a text that stands before frames; 0: none begins there. Its length has 7 bits in each byte. */
const tagLength = (bytes: Uint8Array): number =>
  wordsOf(bytes.subarray(0, 3)) === "ID3"
    ? 10 + bytes.subarray(6, 10).reduce((length, byte) => length * 128 + (byte & 127), 0)
    : 0;

/**
 * The sampling rate and the channels of all frames. Throws `BrokenRecording` where there is none, where one does not follow another, where
 * they differ, and where fewer are there than the first says.
 */
export async function framesIn(plain: PlainFile): Promise<Pick<Header, "rate" | "channels">> {
  const read = reader(plain);
  const begin = tagLength(await read(0, 10));
  const head = await read(begin, searched);
  const offset = head.findIndex((_, i) => headerIn(head.subarray(i, i + 4)) !== null);
  const first = headerIn(head.subarray(offset, offset + 4));
  if (offset < 0 || !first) throw new BrokenRecording("it holds no sound, or none that is MP3");
  const said = await framesSaid(read, begin + offset, first);
  let [at, count] = [begin + offset, 0];
  while (at + 4 <= plain.size) {
    const bytes = await read(at, 11);
    const header = headerIn(bytes);
    if (!header) {
      const tag = tagLength(bytes);
      at += tag;
      if (tag > 0) continue;
      if (tails.some((tail) => wordsOf(bytes).startsWith(tail))) break;
      if ((await read(at, pieceBytes)).every((byte) => byte === 0)) break;
      throw new BrokenRecording(`it is damaged: after ${counted(count, "frame")}, at byte ${grouped(at)}, none begins`);
    }
    if (header.rate !== first.rate || header.channels !== first.channels)
      throw new BrokenRecording("its sampling rate or its channels change on the way");
    if (header.length === null) return first;
    at += header.length;
    if (at <= plain.size) count++;
  }
  if (said !== null && count < said)
    throw new BrokenRecording(
      `it is cut off: it says that it has ${counted(said, "frame")}, and ${grouped(count)} are there`,
    );
  return first;
}

/** Frames that there are by the words of the first one, itself included; null: it has none. */
async function framesSaid(read: ReturnType<typeof reader>, at: number, { side }: Header): Promise<number | null> {
  const words = await read(at + 4 + side, 12);
  if (!["Xing", "Info"].includes(wordsOf(words.subarray(0, 4))) || ((words[7] ?? 0) & 1) === 0) return null;
  return 1 + words.subarray(8, 12).reduce((number, byte) => number * 256 + byte, 0);
}

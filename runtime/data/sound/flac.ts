/**
 * Sound in FLAC files: their length and kind by their header, their samples by libFLAC, from the beginning up to the last that is
 * asked for. What a file says of its own length takes no memory.
 */

import { counted, grouped } from "../../../blocks/index.js";
import { type PlainFile, readBytes } from "../../plain-file.js";
import { BrokenRecording, checkHeld, type Recording } from "../recording/recording.js";

/** The signature, and the part that comes first. */
const headerBytes = 42;
/** Bytes that are decoded at once. */
const pieceBytes = 2 ** 16;

/** Reads the header of a file that begins as FLAC files do. Throws `BrokenRecording`. */
export async function openFlac(plain: PlainFile): Promise<Recording> {
  const head = await readBytes(plain.file, 0, Math.min(headerBytes, plain.size));
  if (head.length < headerBytes || ((head[4] as number) & 0x7f) !== 0) {
    throw new BrokenRecording("it is cut off or damaged: a FLAC file begins with the words on its sound (STREAMINFO)");
  }
  const view = new DataView(head.buffer, head.byteOffset);
  // 20 bits of rate, 3 of channels, 5 of bits of a sample, 36 of samples.
  const rate = view.getUint32(18) >>> 12;
  const channels = (((head[20] as number) >> 1) & 7) + 1;
  const length = ((head[21] as number) & 15) * 2 ** 32 + view.getUint32(22);
  if (rate === 0) throw new BrokenRecording("it says that it has 0 samples a second");
  if (length === 0) {
    throw new BrokenRecording(
      "it does not say how many samples it has, as files that are written as a stream; save it again",
    );
  }
  return { rate, channels, names: null, length, read: (from, to) => decoded(plain, { channels, from, to }) };
}

interface Wanted {
  readonly channels: number;
  readonly from: number;
  readonly to: number;
}

async function decoded({ file, size }: PlainFile, { channels, from, to }: Wanted): Promise<readonly Float64Array[]> {
  checkHeld(to - from, channels);
  const { FLACDecoder } = await import("@wasm-audio-decoders/flac");
  const decoder = new FLACDecoder();
  await decoder.ready;
  const result = Array.from({ length: channels }, () => new Float64Array(to - from));
  let done = 0;
  try {
    for (let at = 0; at < size && done < to; at += pieceBytes) {
      const isLast = at + pieceBytes >= size;
      const piece = await readBytes(file, at, Math.min(pieceBytes, size - at));
      const parts = [await decoder.decode(piece), ...(isLast ? [await decoder.flush()] : [])];
      for (const { channelData, samplesDecoded, bitDepth: bits, errors } of parts) {
        const [error] = errors;
        if (error) throw new BrokenRecording(`it is damaged after ${counted(done, "sample")}: ${error.message}`);
        if (samplesDecoded === 0) continue;
        if (channelData.length !== channels) {
          throw new BrokenRecording(
            `it says that it has ${counted(channels, "channel")}, and ${channelData.length} come`,
          );
        }
        place(channelData, result, { done, from, to, bits });
        done += samplesDecoded;
      }
    }
  } finally {
    decoder.free();
  }
  if (done < to) {
    throw new BrokenRecording(
      `it is cut off or damaged: ${grouped(done)} samples are there, and its header says that there are more`,
    );
  }
  return result;
}

interface Placed extends Pick<Wanted, "from" | "to"> {
  readonly done: number;
  readonly bits: number;
}

/** Copies what is wanted of samples that follow `done` others. The decoder divides by the largest number of `bits`; as in WAV, 1 is one more. */
function place(
  channels: readonly Float32Array[],
  result: readonly Float64Array[],
  { done, from, to, bits }: Placed,
): void {
  const whole = 2 ** (bits - 1);
  const [begin, end] = [Math.max(0, from - done), Math.min((channels[0] as Float32Array).length, to - done)];
  for (const [c, values] of channels.entries()) {
    const own = result[c] as Float64Array;
    for (let i = begin; i < end; i++) own[done + i - from] = Math.round((values[i] as number) * (whole - 1)) / whole;
  }
}

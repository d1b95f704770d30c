/**
 * Sound in MP3 files, by mpg123: whole, since only decoding tells how long it is. What encoders add before and after the sound is left
 * out where the file says how much that is.
 */

import { type PlainFile, readBytes } from "../../plain-file.js";
import { BrokenRecording, checkHeld, inMemory, type Recording } from "../recording/recording.js";

/** Larger files are not read. */
const largestFile = 256 * 2 ** 20;
/** Bytes that are decoded at once. */
const pieceBytes = 2 ** 18;

/** Decodes a file that begins as MP3 files do. Throws `BrokenRecording`. */
export async function openMp3(plain: PlainFile): Promise<Recording> {
  const { file, size } = plain;
  if (size > largestFile)
    throw new BrokenRecording("it is larger than 256 MiB; save it as FLAC, of which parts are read");
  const { MPEGDecoder } = await import("mpg123-decoder");
  const decoder = new MPEGDecoder({ enableGapless: true });
  await decoder.ready;
  const parts: (readonly Float32Array[])[] = [];
  let [rate, length] = [0, 0];
  try {
    for (let at = 0; at < size; at += pieceBytes) {
      const piece = await readBytes(file, at, Math.min(pieceBytes, size - at));
      const { channelData, samplesDecoded, sampleRate, errors } = decoder.decode(piece);
      const [error] = errors;
      if (error) throw new BrokenRecording(`it is damaged: ${error.message}`);
      if (samplesDecoded === 0) continue;
      if (rate !== 0 && (sampleRate !== rate || channelData.length !== parts[0]?.length)) {
        throw new BrokenRecording("its sampling rate or its channels change on the way");
      }
      rate = sampleRate;
      length += samplesDecoded;
      checkHeld(length, channelData.length);
      parts.push(channelData);
    }
  } finally {
    decoder.free();
  }
  const [first] = parts;
  if (!first) throw new BrokenRecording("it holds no sound, or none that is MP3");
  const channels = first.slice(0, await channelsIn(plain)).map((_, c) => {
    const whole = new Float32Array(length);
    let at = 0;
    for (const part of parts) {
      whole.set(part[c] as Float32Array, at);
      at += (part[c] as Float32Array).length;
    }
    return whole;
  });
  return inMemory(channels, { rate, names: null });
}

/** Bytes in which the first frame begins, after texts and pictures. */
const searched = 2 ** 12;

/** 1 or 2, by the header of the first frame: the decoder repeats the only channel. */
async function channelsIn({ file, size }: PlainFile): Promise<number> {
  const tag = await readBytes(file, 0, Math.min(10, size));
  const isTagged = String.fromCharCode(...tag.subarray(0, 3)) === "ID3";
  // Its length has 7 bits in each byte.
  const begin = isTagged ? 10 + tag.subarray(6, 10).reduce((length, byte) => length * 128 + (byte & 127), 0) : 0;
  const head = await readBytes(file, Math.min(begin, size), Math.min(searched, Math.max(0, size - begin)));
  const at = head.findIndex((byte, i) => byte === 0xff && ((head[i + 1] ?? 0) & 0xe0) === 0xe0);
  return at >= 0 && (head[at + 3] ?? 0) >> 6 === 3 ? 1 : 2;
}

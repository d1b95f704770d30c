/**
 * Sound in MP3 files, by mpg123: whole, since only decoding tells how long it is. What encoders add before and after the sound is left
 * out where the file says how much that is.
 */

import { type PlainFile, readBytes } from "../../plain-file.js";
import { BrokenRecording, checkHeld, inMemory, type Recording } from "../recording/recording.js";
import { framesIn } from "./mp3-frames.js";

/** Larger files are not read. */
const largestFile = 256 * 2 ** 20;
/** Bytes that are decoded at once. */
const pieceBytes = 2 ** 18;

/** Decodes a file that begins as MP3 files do. Throws `BrokenRecording`. */
export async function openMp3(plain: PlainFile): Promise<Recording> {
  const { file, size } = plain;
  if (size > largestFile)
    throw new BrokenRecording("it is larger than 256 MiB; save it as FLAC, of which parts are read");
  const { channels: declared } = await framesIn(plain);
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
  // The decoder repeats the only channel.
  const channels = first.slice(0, declared).map((_, c) => {
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

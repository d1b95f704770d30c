/** Sounds written as WAV files of 16 bits. */

import { writeMedium } from "../write-medium.js";

/** `channels` of samples in [-1, 1], equally many. Throws `run/unwritable`. */
export async function writeWav(path: string, channels: readonly Float64Array[], rate: number): Promise<void> {
  const count = channels.length;
  const length = channels[0]?.length ?? 0;
  const bytes = Buffer.alloc(44 + 2 * count * length);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(count, 22);
  bytes.writeUInt32LE(Math.round(rate), 24);
  bytes.writeUInt32LE(Math.round(rate) * count * 2, 28);
  bytes.writeUInt16LE(count * 2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(bytes.length - 44, 40);
  for (const [c, samples] of channels.entries()) {
    for (let i = 0; i < length; i++) {
      const value = Math.max(-1, Math.min(1, samples[i] as number));
      bytes.writeInt16LE(Math.round(value * 32_767), 44 + 2 * (i * count + c));
    }
  }
  await writeMedium(path, "sound", bytes);
}

/** Writes WAV files, right and wrong ones, part by part. */

export interface WavOptions {
  readonly rate: number;
  readonly channels?: number;
  readonly bits?: 8 | 16 | 24 | 32 | 64;
  readonly kind?: "whole numbers" | "floats";
  readonly extensible?: boolean;
  /** Parts between the beginning and the format. */
  readonly before?: readonly Buffer[];
}

/** A part of a RIFF file, filled up to an even length. */
export function chunk(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.write(name, "latin1");
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content, Buffer.alloc(content.length % 2)]);
}

export function riff(parts: readonly Buffer[]): Buffer {
  return chunk("RIFF", Buffer.concat([Buffer.from("WAVE"), ...parts]));
}

/** `values` in [-1, 1), the channels by turns. */
export function wav(values: ArrayLike<number>, options: WavOptions): Buffer {
  const { rate, channels = 1, bits = 16, kind = "whole numbers", extensible = false, before = [] } = options;
  const tag = kind === "floats" ? 3 : 1;
  const format = Buffer.alloc(extensible ? 40 : 16);
  format.writeUInt16LE(extensible ? 0xfffe : tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE((rate * channels * bits) / 8, 8);
  format.writeUInt16LE((channels * bits) / 8, 12);
  format.writeUInt16LE(bits, 14);
  if (extensible) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(bits, 18);
    format.writeUInt16LE(tag, 24);
    Buffer.from("000000001000800000aa00389b71", "hex").copy(format, 26);
  }
  const data = Buffer.alloc((values.length * bits) / 8);
  for (let i = 0; i < values.length; i++) write(data, (i * bits) / 8, values[i] as number, bits, kind);
  return riff([...before, chunk("fmt ", format), chunk("data", data)]);
}

function write(data: Buffer, at: number, value: number, bits: number, kind: string): void {
  if (kind === "floats") bits === 32 ? data.writeFloatLE(value, at) : data.writeDoubleLE(value, at);
  else if (bits === 8) data.writeUInt8(Math.round(value * 128) + 128, at);
  else
    data.writeIntLE(
      Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, Math.round(value * 2 ** (bits - 1)))),
      at,
      bits / 8,
    );
}

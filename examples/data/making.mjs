/** What the scripts that make toy data share: numbers that a seed decides, and files as the datasets read them. */

/** Numbers in [0, 1): mulberry32. */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An npy file, version 1, of numbers in a typed array; `type` as NumPy writes it, `|u1` or `<f4`. */
export function npy(type, shape, numbers) {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const header = `${text.padEnd(117)}\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, "latin1");
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)]);
}

/** A WAV file of one channel in whole numbers of 16 bits, of values in [-1, 1] at so many a second. */
export function wav(values, rate) {
  const file = Buffer.alloc(44 + 2 * values.length);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE(36 + 2 * values.length, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(2 * values.length, 40);
  for (const [i, value] of values.entries()) file.writeInt16LE(Math.round(32767 * value), 44 + 2 * i);
  return file;
}

/** Writes the protobuf wire format: just enough of it for models of ONNX and of TensorFlow, and for options of XLA. Reading is theirs. */

/** One field of a message, encoded. */
export type Field = Uint8Array;

const utf8 = new TextEncoder();

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  // Negative numbers are written as their 64-bit two's complement.
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

/** Bytes of all pieces together. */
export const lengthOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** Several pieces as one; sizes are known first, so that models of many megabytes are copied once a level. */
export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const tag = (field: number, wire: 0 | 2 | 5): Uint8Array => varint((field << 3) | wire);

export const integer = (field: number, value: number | bigint): Field => join([tag(field, 0), varint(value)]);

/** What stands before the `length` bytes of a message, a text or raw bytes. */
export const opening = (field: number, length: number): Uint8Array => join([tag(field, 2), varint(length)]);

export const bytes = (field: number, value: Uint8Array): Field => join([opening(field, value.length), value]);

export const text = (field: number, value: string): Field => bytes(field, utf8.encode(value));

export const message = (field: number, fields: readonly Field[]): Field => bytes(field, join(fields));

export function float(field: number, value: number): Field {
  const encoded = new Uint8Array(4);
  new DataView(encoded.buffer).setFloat32(0, value, true);
  return join([tag(field, 5), encoded]);
}

/** A packed list of integers. */
export const integers = (field: number, values: readonly number[]): Field => bytes(field, join(values.map(varint)));

/** Values on their way to a worker: through one buffer that goes back and forth, so that state is nowhere held twice. */

import { arrayTypes, type DType, type StateSlot, type TypedArray, type Values } from "../../../graph/index.js";

/** Bytes; a multiple of every element's size. */
const CAPACITY = 16 * 2 ** 20;
const ALIGNMENT = 4;

/** Elements `at` ... of some state, found in the buffer from byte `from`. */
export interface Piece {
  readonly name: string;
  readonly dtype: DType;
  readonly at: number;
  readonly from: number;
  readonly count: number;
}

/** A full buffer with what is in it. */
export interface Load {
  readonly pieces: readonly Piece[];
  readonly buffer: ArrayBuffer;
}

/** Zeros to the last bit: what fresh state is anyway. */
function isBlank(data: TypedArray): boolean {
  if (!(data instanceof Float32Array)) return false;
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) if (bits[i] !== 0) return false;
  return true;
}

/**
 * Sends the values of the slots, load by load. `deliver` gives the buffer back when its content was taken. With `fresh`,
 * long stretches of zeros are left out.
 */
export async function sendValues(
  slots: readonly StateSlot[],
  values: Values,
  deliver: (load: Load) => Promise<ArrayBuffer>,
  fresh: boolean,
): Promise<void> {
  let buffer = new ArrayBuffer(CAPACITY);
  let pieces: Piece[] = [];
  let used = 0;
  const flush = async (): Promise<void> => {
    if (pieces.length > 0) buffer = await deliver({ pieces, buffer });
    pieces = [];
    used = 0;
  };
  for (const { name, dtype } of slots) {
    const data = values[name] as TypedArray;
    const ofType = arrayTypes[dtype];
    for (let at = 0; at < data.length; ) {
      if (used + ofType.BYTES_PER_ELEMENT > CAPACITY) await flush();
      const count = Math.min(data.length - at, Math.floor((CAPACITY - used) / ofType.BYTES_PER_ELEMENT));
      const part = data.subarray(at, at + count);
      if (!(fresh && isBlank(part))) {
        new ofType(buffer, used, count).set(part);
        pieces.push({ name, dtype, at, from: used, count });
        used = Math.ceil((used + count * ofType.BYTES_PER_ELEMENT) / ALIGNMENT) * ALIGNMENT;
      }
      at += count;
    }
  }
  await flush();
}

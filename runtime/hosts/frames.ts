/** Frames that hosts send each other: a kind, a length and so many bytes. No frame may be longer than its kind allows. What they mean is left to `link.ts`. */

import type { Duplex } from "node:stream";

/**
 * `words` and `keys` are JSON, of the training and of values under keys; `numbers` are those of an array; `alive` has no content; `end` says why the
 * other side ends, and is its last frame.
 */
const kinds = ["alive", "words", "numbers", "keys", "end"] as const;
export type Kind = (typeof kinds)[number];

/** Bytes that a frame may have. A spec may have 4 MiB. */
export const mostBytes: Readonly<Record<Kind, number>> = {
  alive: 0,
  words: 2 ** 23,
  numbers: 2 ** 20,
  keys: 2 ** 24,
  end: 2 ** 14,
};

export interface FrameHead {
  readonly kind: Kind;
  /** Bytes that follow. */
  readonly length: number;
}

const headLength = 5;

export function headBytes({ kind, length }: FrameHead): Buffer {
  const bytes = Buffer.alloc(headLength);
  bytes.writeUInt8(kinds.indexOf(kind), 0);
  bytes.writeUInt32LE(length, 1);
  return bytes;
}

/** Fills all of an array with the next bytes, and returns it. */
export type Read = (target: Uint8Array) => Promise<Uint8Array>;

/** @throws Error where what comes is no frame, or one that is too long */
export async function readHead(read: Read): Promise<FrameHead> {
  const bytes = Buffer.alloc(headLength);
  await read(bytes);
  const kind = kinds[bytes.readUInt8(0)];
  const length = bytes.readUInt32LE(1);
  if (kind === undefined || length > mostBytes[kind]) throw new Error("what it sent is nothing that a host says");
  return { kind, length };
}

/** @param heard called whenever bytes have come */
export function readerOf(stream: Duplex, heard: () => void): Read {
  let wake: () => void = () => {};
  for (const event of ["readable", "end", "close", "error"]) stream.on(event, () => wake());
  return async (target) => {
    for (let at = 0; at < target.length; ) {
      const bytes = stream.read(Math.min(stream.readableLength, target.length - at)) as Buffer | null;
      if (bytes !== null) {
        heard();
        target.set(bytes, at);
        at += bytes.length;
      } else if (stream.readableEnded || stream.destroyed) throw new Error("its connection was closed");
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    return target;
  };
}

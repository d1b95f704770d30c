/**
 * A connection between two hosts: frames of a kind, a length and bytes. No frame may be longer than its kind allows, and whoever waits
 * for one hears when the other side is gone, has ended, or says nothing for too long.
 */

import type { Duplex } from "node:stream";
import { RunError } from "../run-error.js";
import { type Link, mostNumbers } from "./hosts.js";

/** Words are JSON; numbers are those of an array; alive says nothing else; end says why, and is the last one. */
const kinds = ["alive", "words", "numbers", "end"] as const;
type Kind = (typeof kinds)[number];

/** Bytes of a frame at most. A spec may have 4 MiB. */
const most: Readonly<Record<Kind, number>> = { alive: 0, words: 2 ** 23, numbers: mostNumbers, end: 2 ** 14 };

const headBytes = 5;

/** The other side, in words, and the milliseconds without a sign of life after which who waits for it gives up. */
export interface Party {
  who: string;
  patience: number;
}

/** The other side is gone, has ended, or says nothing. */
export class HostLost extends RunError {
  /** What the other side saved before it ended. */
  readonly saved: string | null;

  constructor(what: string, why: string, saved: string | null = null) {
    super("run/host-lost", { what, why, help: "Start all hosts again with `--resume`." });
    this.saved = saved;
  }
}

const lost = ({ who }: Party, why: string): HostLost => new HostLost(`${who} was lost`, why);

interface Frame {
  readonly kind: Kind;
  readonly bytes: Uint8Array;
}

/** @param party may be changed while the connection lasts */
export function linkOver(stream: Duplex, party: Party): Link {
  let failure: HostLost | null = null;
  let heard = performance.now();
  /** The frame that came and was not asked for yet; nothing more is read before somebody takes it. */
  let held: { readonly frame: Frame; readonly taken: () => void } | null = null;
  let changed: () => void = () => {};
  const fail = (why: string): void => {
    failure ??= lost(party, why);
    changed();
  };
  stream.on("error", (error) => fail(error.message));
  stream.on("close", () => fail("its connection was closed"));
  readFrames(stream, (frame) => {
    heard = performance.now();
    if (frame.kind === "alive") return Promise.resolve();
    if (frame.kind === "end") {
      failure ??= ended(party, frame.bytes);
      changed();
      return Promise.resolve();
    }
    return new Promise((taken) => {
      held = { frame, taken };
      changed();
    });
  }).catch((error: Error) => fail(error.message));

  /** What `look` gives as soon as it gives something, unless the other side is lost first. */
  const waitFor = async <T>(look: () => T | null): Promise<T> => {
    const began = performance.now();
    for (;;) {
      const found = look();
      if (found !== null) return found;
      if (failure !== null) throw failure;
      const left = Math.max(began, heard) + party.patience - performance.now();
      if (left <= 0) fail(`it said nothing for ${Math.round(party.patience / 1000)} s`);
      else
        await new Promise<void>((wake) => {
          const timer = setTimeout(wake, left);
          changed = () => {
            clearTimeout(timer);
            wake();
          };
        });
    }
  };
  const next = async (kind: Kind): Promise<Uint8Array> => {
    const { frame, taken } = await waitFor(() => held);
    held = null;
    taken();
    if (frame.kind !== kind) throw lost(party, `it sent ${frame.kind} where ${kind} were expected`);
    return frame.bytes;
  };
  const send = async (kind: Kind, bytes: Uint8Array): Promise<void> => {
    if (failure !== null) throw failure;
    let sent = false;
    stream.write(head(kind, bytes.length));
    stream.write(bytes, () => {
      sent = true;
      changed();
    });
    await waitFor(() => sent || null);
  };
  return {
    async words() {
      return wordsIn(await next("words"));
    },
    async numbersInto(target) {
      const bytes = await next("numbers");
      if (bytes.length !== target.length) throw lost(party, "it sent another number of numbers than this host has");
      target.set(bytes);
    },
    sendWords: (words) => send("words", new TextEncoder().encode(JSON.stringify(words))),
    sendNumbers: (bytes) => send("numbers", bytes),
    sendAlive() {
      if (failure === null && stream.writableLength === 0) stream.write(head("alive", 0));
    },
    end(why, saved) {
      if (failure === null) {
        failure = lost(party, "this host left");
        const words = Buffer.from(JSON.stringify({ why: why.slice(0, longestWords), saved }));
        stream.write(head("end", words.length));
        stream.end(words);
      }
      setTimeout(() => stream.destroy(), lingering).unref();
    },
  };
}

/** Milliseconds in which last words may still arrive, and letters of them. */
const lingering = 2000;
const longestWords = 2000;

function head(kind: Kind, length: number): Buffer {
  const bytes = Buffer.alloc(headBytes);
  bytes.writeUInt8(kinds.indexOf(kind), 0);
  bytes.writeUInt32LE(length, 1);
  return bytes;
}

function wordsIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

function ended({ who }: Party, bytes: Uint8Array): HostLost {
  const said = wordsIn(bytes);
  const { why, saved } = (typeof said === "object" && said !== null ? said : {}) as Readonly<Record<string, unknown>>;
  return new HostLost(`${who} has ended the run`, String(why), typeof saved === "string" ? saved : null);
}

/** Hands on each frame when the one before it was dealt with. Throws what is wrong with what comes. */
async function readFrames(stream: Duplex, deal: (frame: Frame) => Promise<void>): Promise<void> {
  const take = takingFrom(stream);
  for (;;) {
    const start = await take(headBytes);
    const kind = kinds[start.readUInt8(0)];
    const length = start.readUInt32LE(1);
    if (kind === undefined || length > most[kind]) throw new Error("what it sent is nothing that a host says");
    await deal({ kind, bytes: length === 0 ? new Uint8Array(0) : await take(length) });
  }
}

/** Gives the next bytes, so many. Listens from the start: each new listener would be told once more of what is too little. */
function takingFrom(stream: Duplex): (length: number) => Promise<Buffer> {
  let wake: () => void = () => {};
  for (const event of ["readable", "end", "close", "error"]) stream.on(event, () => wake());
  return async (length) => {
    for (;;) {
      const bytes = stream.read(length) as Buffer | null;
      if (bytes?.length === length) return bytes;
      if (bytes !== null || stream.readableEnded || stream.destroyed) throw new Error("its connection was closed");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

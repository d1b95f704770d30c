/**
 * A connection between two hosts: frames of a kind, a length and bytes. No frame may be longer than its kind allows, and whoever waits
 * for one hears when the other side is gone, has ended, or says nothing for too long.
 */

import type { Duplex } from "node:stream";
import { RunError } from "../run-error.js";
import { type Link, mostNumbers } from "./hosts.js";

/** Words are JSON, and so is what is said of keys; numbers are those of an array; alive says nothing else; end says why, and is the last one. */
const kinds = ["alive", "words", "numbers", "keys", "end"] as const;
type Kind = (typeof kinds)[number];

/** Bytes of a frame at most. A spec may have 4 MiB. */
const most: Readonly<Record<Kind, number>> = {
  alive: 0,
  words: 2 ** 23,
  numbers: mostNumbers,
  keys: 2 ** 24,
  end: 2 ** 14,
};

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
    super("run/host-lost", { what, why, help: "Start all hosts again." });
    this.saved = saved;
  }
}

const lost = ({ who }: Party, why: string): HostLost => new HostLost(`${who} was lost`, why);

/** A frame of which only the head was read: nothing more is, before somebody asks for it and says where its bytes go. */
interface Coming {
  readonly kind: Kind;
  readonly length: number;
  readonly fill: (target: Uint8Array) => void;
}

/** @param party may be changed while the connection lasts */
export function linkOver(stream: Duplex, party: Party): Link {
  let failure: HostLost | null = null;
  let heard = performance.now();
  let coming: Coming | null = null;
  let leaving: Promise<void> | null = null;
  /** Wakes each that waits for something of the other side. */
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const wake of waiting) wake();
  };
  let hearKeys: (words: unknown) => void = () => {};
  const fail = (why: string): void => {
    failure ??= lost(party, why);
    changed();
  };
  stream.on("error", (error) => fail(error.message));
  stream.on("close", () => fail("its connection was closed"));
  const read = readingFrom(stream, () => {
    heard = performance.now();
  });
  const listen = async (): Promise<void> => {
    for (;;) {
      const { kind, length } = await readHead(read);
      if (kind === "alive") continue;
      if (kind === "keys") {
        hearKeys(wordsIn(await read(new Uint8Array(length))) ?? {});
        continue;
      }
      if (kind === "end") {
        const said = ended(party, await read(new Uint8Array(length)));
        failure ??= said;
        changed();
        continue;
      }
      const target = leaving
        ? new Uint8Array(length)
        : await new Promise<Uint8Array>((fill) => {
            coming = { kind, length, fill };
            changed();
          });
      await read(target);
      coming = null;
      changed();
    }
  };
  listen().catch((error: Error) => fail(error.message));

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
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            clearTimeout(timer);
            waiting.delete(wake);
            resolve();
          };
          const timer = setTimeout(wake, left);
          waiting.add(wake);
        });
    }
  };
  const next = async (kind: Kind, targetOf: (length: number) => Uint8Array): Promise<Uint8Array> => {
    const frame = await waitFor(() => coming);
    if (frame.kind !== kind) throw lost(party, `it sent ${frame.kind} where ${kind} were expected`);
    const target = targetOf(frame.length);
    frame.fill(target);
    await waitFor(() => coming !== frame || null);
    return target;
  };
  const send = async (kind: Kind, bytes: Uint8Array): Promise<void> => {
    if (failure !== null) throw failure;
    let isSent = false;
    stream.write(head(kind, bytes.length));
    stream.write(bytes, () => {
      isSent = true;
      changed();
    });
    await waitFor(() => isSent || null);
  };
  const leave = (words: Buffer): Promise<void> => {
    failure ??= lost(party, "this host left");
    if (stream.writable) {
      stream.write(head("end", words.length));
      stream.end(words);
    }
    // What lies here unread would break the connection off before the other side has read its last words.
    coming?.fill(new Uint8Array(coming.length));
    return new Promise((resolve) => {
      if (stream.closed) return resolve();
      const timer = setTimeout(() => stream.destroy(), lingering);
      stream.on("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  };
  return {
    async words() {
      return wordsIn(await next("words", (length) => new Uint8Array(length)));
    },
    async numbersInto(target) {
      await next("numbers", (length) => {
        if (length === target.length) return target;
        throw lost(party, "it sent another number of numbers than this host has");
      });
    },
    sendWords: (words) => send("words", new TextEncoder().encode(JSON.stringify(words))),
    sendNumbers: (bytes) => send("numbers", bytes),
    sendAlive() {
      if (failure === null && stream.writableLength === 0) stream.write(head("alive", 0));
    },
    sayKeys(words) {
      if (failure !== null) return;
      const bytes = Buffer.from(JSON.stringify(words));
      stream.write(head("keys", bytes.length));
      stream.write(bytes);
    },
    onKeys(hear) {
      hearKeys = hear;
    },
    async until(work) {
      let isOver = false;
      const over = (): void => {
        isOver = true;
        changed();
      };
      work.then(over, over);
      await waitFor(() => isOver || null);
      return work;
    },
    end(why, saved) {
      leaving ??= leave(Buffer.from(JSON.stringify({ why: why.slice(0, longestWords), saved })));
      return leaving;
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

/** Fills all of an array with the next bytes, and gives it. */
type Read = (target: Uint8Array) => Promise<Uint8Array>;

async function readHead(read: Read): Promise<{ readonly kind: Kind; readonly length: number }> {
  const bytes = Buffer.alloc(headBytes);
  await read(bytes);
  const kind = kinds[bytes.readUInt8(0)];
  const length = bytes.readUInt32LE(1);
  if (kind === undefined || length > most[kind]) throw new Error("what it sent is nothing that a host says");
  return { kind, length };
}

/** @param hear called whenever something has come */
function readingFrom(stream: Duplex, hear: () => void): Read {
  let wake: () => void = () => {};
  for (const event of ["readable", "end", "close", "error"]) stream.on(event, () => wake());
  return async (target) => {
    for (let at = 0; at < target.length; ) {
      const bytes = stream.read(Math.min(stream.readableLength, target.length - at)) as Buffer | null;
      if (bytes !== null) {
        hear();
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

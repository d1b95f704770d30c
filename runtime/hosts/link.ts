/**
 * A connection between two hosts. Whoever waits for the other side gets an error when it is gone, has ended, or is silent for too long. How bytes
 * become frames is left to `frames.ts`.
 */

import type { Duplex } from "node:stream";
import { RunError } from "../run-error.js";
import { type FrameHead, headBytes, type Kind, readerOf, readHead } from "./frames.js";
import type { Link } from "./hosts.js";

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

/** A frame of which only the head was read. Its bytes are read once somebody asks for it and says where they go. */
interface ArrivingFrame extends FrameHead {
  readonly fill: (target: Uint8Array) => void;
}

/** @param party may be changed while the connection lasts */
export function linkOver(stream: Duplex, party: Party): Link {
  const waiter = createWaiter(party);
  let arriving: ArrivingFrame | null = null;
  let leaving: Promise<void> | null = null;
  let hearKeys: (message: unknown) => void = () => {};
  const fail = (why: string): void => {
    waiter.lose(lost(party, why));
    waiter.wake();
  };
  stream.on("error", (error) => fail(error.message));
  stream.on("close", () => fail("its connection was closed"));
  const read = readerOf(stream, waiter.heard);
  const listen = async (): Promise<void> => {
    for (;;) {
      const { kind, length } = await readHead(read);
      if (kind === "alive") continue;
      if (kind === "keys") hearKeys(jsonIn(await read(new Uint8Array(length))) ?? {});
      else if (kind === "end") waiter.lose(ended(party, await read(new Uint8Array(length))));
      else {
        const target = leaving
          ? new Uint8Array(length)
          : await new Promise<Uint8Array>((fill) => {
              arriving = { kind, length, fill };
              waiter.wake();
            });
        await read(target);
        arriving = null;
      }
      waiter.wake();
    }
  };
  listen().catch((error: Error) => fail(error.message));

  const next = async (kind: Kind, targetOf: (length: number) => Uint8Array): Promise<Uint8Array> => {
    const frame = await waiter.waitFor(() => arriving);
    if (frame.kind !== kind) throw lost(party, `it sent ${frame.kind} where ${kind} were expected`);
    const target = targetOf(frame.length);
    frame.fill(target);
    await waiter.waitFor(() => arriving !== frame || null);
    return target;
  };
  const send = async (kind: Kind, bytes: Uint8Array): Promise<void> => {
    const failure = waiter.failure();
    if (failure !== null) throw failure;
    let isSent = false;
    stream.write(headBytes({ kind, length: bytes.length }));
    stream.write(bytes, () => {
      isSent = true;
      waiter.wake();
    });
    await waiter.waitFor(() => isSent || null);
  };
  const leave = (words: Buffer): Promise<void> => {
    waiter.lose(lost(party, "this host left"));
    if (stream.writable) {
      stream.write(headBytes({ kind: "end", length: words.length }));
      stream.end(words);
    }
    // A connection that is closed with bytes unread is reset, and the other side could lose the last words.
    arriving?.fill(new Uint8Array(arriving.length));
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
      return jsonIn(await next("words", (length) => new Uint8Array(length)));
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
      if (waiter.failure() === null && stream.writableLength === 0)
        stream.write(headBytes({ kind: "alive", length: 0 }));
    },
    sendKeys(message) {
      if (waiter.failure() !== null) return;
      const bytes = Buffer.from(JSON.stringify(message));
      stream.write(headBytes({ kind: "keys", length: bytes.length }));
      stream.write(bytes);
    },
    onKeys(hear) {
      hearKeys = hear;
    },
    async until(work) {
      let isOver = false;
      const over = (): void => {
        isOver = true;
        waiter.wake();
      };
      work.then(over, over);
      await waiter.waitFor(() => isOver || null);
      return work;
    },
    end(why, saved) {
      leaving ??= leave(Buffer.from(JSON.stringify({ why: why.slice(0, longestWords), saved })));
      return leaving;
    },
  };
}

/** Waits for the other side until it is lost. What it waits for is looked at whenever it is woken. */
function createWaiter(party: Party) {
  let failure: HostLost | null = null;
  let lastHeard = performance.now();
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const wakeOne of waiting) wakeOne();
  };
  const lose = (error: HostLost): void => {
    failure ??= error;
  };
  const untilWoken = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const wakeOne = (): void => {
        clearTimeout(timer);
        waiting.delete(wakeOne);
        resolve();
      };
      const timer = setTimeout(wakeOne, milliseconds);
      waiting.add(wakeOne);
    });
  return {
    /** Null while the other side is not lost. */
    failure: (): HostLost | null => failure,
    /** The first error is the one that counts. */
    lose,
    wake,
    /** Something has come from the other side. */
    heard(): void {
      lastHeard = performance.now();
    },
    /** What `look` gives as soon as that is not null. @throws HostLost where the other side is lost first */
    async waitFor<T>(look: () => T | null): Promise<T> {
      const began = performance.now();
      for (;;) {
        const found = look();
        if (found !== null) return found;
        if (failure !== null) throw failure;
        const left = Math.max(began, lastHeard) + party.patience - performance.now();
        if (left > 0) await untilWoken(left);
        else {
          lose(lost(party, `it said nothing for ${Math.round(party.patience / 1000)} s`));
          wake();
        }
      }
    },
  };
}

/** Milliseconds in which the other side may still read the last words. */
const lingering = 2000;
/** Letters of last words. */
const longestWords = 2000;

/** Null where it is none. */
function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

function ended({ who }: Party, bytes: Uint8Array): HostLost {
  const words = jsonIn(bytes);
  const { why, saved } = (typeof words === "object" && words !== null ? words : {}) as Readonly<
    Record<string, unknown>
  >;
  return new HostLost(`${who} has ended the run`, String(why), typeof saved === "string" ? saved : null);
}

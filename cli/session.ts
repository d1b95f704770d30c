/**
 * What one call of the command line has to itself: its streams, the exit code that it comes to, and what it keeps for as long as it
 * lasts. A process has one working folder, so it runs one call after the other.
 */

import type { Readable, Writable } from "node:stream";
import { type ExitCode, exitCode } from "./words/failure.js";

/** A stream that may lead to a terminal. */
export interface Output extends Pick<Writable, "write"> {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Streams {
  readonly stdin: Pick<Readable, typeof Symbol.asyncIterator>;
  readonly stdout: Output;
  readonly stderr: Output;
}

interface Session {
  readonly streams: Streams;
  exit: ExitCode;
}

let session: Session = { streams: process, exit: exitCode.fine };
let isBusy = false;

/** Runs a call with streams of its own, and gives the exit code that it came to. */
export async function inSession(streams: Streams, call: () => Promise<void>): Promise<ExitCode> {
  if (isBusy) throw new Error("invariant: one call of the command line ends before the next one begins");
  const own: Session = { streams, exit: exitCode.fine };
  [session, isBusy] = [own, true];
  try {
    await call();
    return own.exit;
  } finally {
    isBusy = false;
  }
}

export const streams = (): Streams => session.streams;

/** The call goes on, and ends with this exit code. */
export function endWith(code: ExitCode): void {
  session.exit = code;
}

/** What each call makes for itself, when it first asks for it. */
export function ofSession<T>(make: () => T): () => T {
  const made = new WeakMap<Session, { readonly value: T }>();
  return () => {
    const known = made.get(session) ?? { value: make() };
    made.set(session, known);
    return known.value;
  };
}

/**
 * Hosts that train one model together: processes, on one machine or several. The first one adds up what all have, and sends the sums back;
 * so all hosts have the same numbers to the bit.
 */

import type { TypedArray } from "../../graph/index.js";
import { RunError } from "../run-error.js";
import { mostBytes } from "./frames.js";
import { type KeyLink, type KeyValues, localKeyValues, remoteKeyValues, serveKeyValues } from "./key-values.js";

/** A connection to another host; how it is made is left to `link.ts`. */
export interface Link extends KeyLink {
  /** The words that the other side sent next. */
  words(): Promise<unknown>;
  /** Fills all of an array with the numbers that the other side sent next. */
  numbersInto(target: Uint8Array): Promise<void>;
  /** Resolved when the system has taken over all bytes: they may be overwritten then. */
  sendWords(words: unknown): Promise<void>;
  sendNumbers(bytes: Uint8Array): Promise<void>;
  /** Says that this side is at work; left out where the last such frame is still on its way. */
  sendAlive(): void;
}

export interface Hosts {
  /** The number of this one, from 0: the first, which keeps log and checkpoints. */
  readonly host: number;
  readonly count: number;
  /** The same on all of them. */
  readonly keyValues: KeyValues;
  /** What `work` gives, which needs all hosts. @throws HostLost where one of them is lost first */
  until<T>(work: Promise<T>): Promise<T>;
  /** Puts the sum over all hosts in the place of what each has. */
  sum(values: Float32Array | Float64Array): Promise<void>;
  /** Puts what the first host has in the place of what the others have. */
  share(values: TypedArray): Promise<void>;
  /** Gives what the first host passes, on all of them; what another one passes is not used. */
  fromFirst(own: unknown): Promise<unknown>;
  /**
   * Ends on all hosts where one of them has other facts than the first. `facts`: texts by what they are called in words.
   * @throws RunError `run/host-differs`
   */
  agree(facts: Readonly<Record<string, string>>): Promise<void>;
  /** While it computes a step, a host gives signs of life only where it waits for the others. So one that hangs is found out. */
  compute(isComputing: boolean): void;
  /** Leaves the others, which end with `why` if they still wait for this one. `saved`: where the run can go on from. */
  leave(why: string, saved?: string): Promise<void>;
}

/** Milliseconds between two signs of life. */
const aliveInterval = 1000;

export const hostName = (host: number): string => (host === 0 ? "the first host" : `host ${host}`);

/** @param links of the first host those to all others, in their order; of another that to the first */
export function hostsOver(host: number, count: number, links: readonly Link[]): Hosts {
  let isComputing = false;
  let isExchanging = false;
  const alive = setInterval(() => {
    if (!isComputing || isExchanging) for (const link of links) link.sendAlive();
  }, aliveInterval);
  const isFirst = host === 0;
  const [toFirst] = links as readonly [Link];
  const keyValues = isFirst ? localKeyValues() : remoteKeyValues(toFirst);
  if (isFirst) for (const link of links) serveKeyValues(link, keyValues);
  const toAll = (send: (link: Link) => Promise<void>): Promise<unknown> => Promise.all(links.map(send));
  /** A sum is sent back while the next parts arrive. */
  const sumAtFirst = async (parts: readonly (Float32Array | Float64Array)[]): Promise<void> => {
    let sending: Promise<unknown> = Promise.resolve();
    const room = parts[0]?.slice() ?? new Float32Array(0);
    for (const own of parts) {
      const theirs = room.subarray(0, own.length);
      for (const link of links) {
        await link.numbersInto(bytesOf(theirs));
        for (let i = 0; i < own.length; i++) own[i] = (own[i] as number) + (theirs[i] as number);
      }
      await sending;
      sending = toAll((link) => link.sendNumbers(bytesOf(own)));
      // Its error is thrown where it is awaited.
      sending.catch(() => undefined);
    }
    await sending;
  };
  const sumAtOther = async (parts: readonly (Float32Array | Float64Array)[]): Promise<void> => {
    const sendParts = async (): Promise<void> => {
      for (const part of parts) await toFirst.sendNumbers(bytesOf(part));
    };
    const readSums = async (): Promise<void> => {
      for (const part of parts) await toFirst.numbersInto(bytesOf(part));
    };
    await Promise.all([sendParts(), readSums()]);
  };
  const fromFirst = async (own: unknown): Promise<unknown> => {
    if (!isFirst) return toFirst.words();
    await toAll((link) => link.sendWords(own));
    return own;
  };
  return {
    host,
    count,
    keyValues,
    async until(work) {
      isExchanging = true;
      const result = await links.reduce((waited, link) => link.until(waited), work);
      isExchanging = false;
      return result;
    },
    async sum(values) {
      isExchanging = true;
      await (isFirst ? sumAtFirst : sumAtOther)(partsOf(values));
      isExchanging = false;
    },
    async share(values) {
      for (const part of partsOf(values)) {
        if (isFirst) await toAll((link) => link.sendNumbers(bytesOf(part)));
        else await toFirst.numbersInto(bytesOf(part));
      }
    },
    fromFirst,
    async agree(facts) {
      if (!isFirst) await toFirst.sendWords(facts);
      const difference = await fromFirst(isFirst ? await firstDifference(facts, links) : null);
      if (difference !== null) throw differs(difference);
    },
    compute: (is) => {
      isComputing = is;
    },
    async leave(why, saved) {
      clearInterval(alive);
      await Promise.all(links.map((link) => link.end(why, saved)));
    },
  };
}

const bytesOf = (values: TypedArray | Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Parts of which each fits into a frame; they lie where the whole does. */
function partsOf<A extends TypedArray | Float64Array>(values: A): readonly A[] {
  const length = mostBytes.numbers / values.BYTES_PER_ELEMENT;
  return Array.from(
    { length: Math.ceil(values.length / length) },
    (_, i) => values.subarray(i * length, (i + 1) * length) as A,
  );
}

/** What the first other host that differs from this one has otherwise; null: all are alike. */
async function firstDifference(
  facts: Readonly<Record<string, string>>,
  links: readonly Link[],
): Promise<string | null> {
  let found: string | null = null;
  for (const [i, link] of links.entries()) {
    const theirs = await link.words();
    found ??= differenceOf(hostName(i + 1), facts, theirs);
  }
  return found;
}

function differenceOf(who: string, facts: Readonly<Record<string, string>>, theirs: unknown): string | null {
  const given = typeof theirs === "object" && theirs !== null ? (theirs as Readonly<Record<string, unknown>>) : {};
  for (const [name, own] of Object.entries(facts)) {
    const other = Object.hasOwn(given, name) ? given[name] : "";
    if (other === own) continue;
    const lines = [own, String(other)].map((text) => text.split("\n")) as [string[], string[]];
    const at = lines[0].findIndex((line, i) => line !== lines[1][i]);
    const [here, there] = lines.map((all) => (all[Math.max(0, at)] ?? "nothing").trim().slice(0, longestQuote));
    return `${who} has another ${name}: "${there}", where the first host has "${here}"`;
  }
  return null;
}

/** Letters of a line that is quoted. */
const longestQuote = 200;

const differs = (difference: unknown): RunError =>
  new RunError("run/host-differs", {
    what: String(difference),
    help: "Start all hosts with the same version, spec, options and data; where their memory differs, with `--micro-batch`.",
  });

/** The arguments of the functions by which a plugin gets and puts values under keys, and its answers. Waiting is left to `key-values-thread.ts`. */

import type { MessagePort } from "node:worker_threads";
import { reasonOf } from "../../run-error.js";
import type { Address, Koffi } from "./c-api.js";

/** What the waiting thread is started with. */
export interface Setup {
  readonly port: MessagePort;
  /** 1 when an answer lies in the port. */
  readonly answered: Int32Array;
}

export interface Question {
  readonly key: string;
  /** Milliseconds. */
  readonly patience: number;
}

export type Answer = { readonly value: Uint8Array | null } | { readonly failure: string };

/** Where fields lie in what each function is given; eight bytes each but for the time, which is of four. */
const layouts = {
  get: {
    size: 80,
    fields: { key: 16, key_size: 24, timeout_in_ms: 32, callback_error: 40, value: 56, value_size: 64, deleter: 72 },
  },
  tryGet: { size: 72, fields: { key: 16, key_size: 24, callback_error: 32, value: 48, value_size: 56, deleter: 64 } },
  put: { size: 64, fields: { key: 16, key_size: 24, value: 32, value_size: 40, callback_error: 48 } },
} as const;

type Field = "key" | "key_size" | "value" | "value_size" | "deleter";

/** What one call is given. */
export interface Given {
  /** Milliseconds; 0 where a call does not wait. */
  readonly patience: number;
  /** A copy. */
  bytes(address: Field, size: Field): Uint8Array;
  set(field: Field, value: Address): void;
}

/** Codes of gRPC. */
export type FailureCode = 4 | 5 | 13 | 14;

/** What became of a call; null: it is done. */
export type Outcome = { readonly code: FailureCode; readonly message: string } | null;

/** A function that a plugin may call on any thread, and that runs on the one that made it. */
export function callbackOf(
  koffi: Koffi,
  kind: keyof typeof layouts,
  work: (given: Given) => Outcome,
): { readonly address: Address; release(): void } {
  const { size, fields } = layouts[kind] as {
    readonly size: number;
    readonly fields: Readonly<Record<string, number>>;
  };
  const failing = koffi.proto("void *(int code, const char *message, size_t size)");
  const made = koffi.register(
    (at: Address): Address | null => {
      const given = new DataView(koffi.view(at, size));
      const offsetOf = (field: string): number => fields[field] as number;
      const word = (field: string): Address => given.getBigUint64(offsetOf(field), true);
      const outcome = outcomeOf(() =>
        work({
          patience: "timeout_in_ms" in fields ? given.getInt32(offsetOf("timeout_in_ms"), true) : 0,
          bytes: (address, bytes) => new Uint8Array(koffi.view(word(address), Number(word(bytes))).slice(0)),
          set: (field, value) => given.setBigUint64(offsetOf(field), value, true),
        }),
      );
      if (outcome === null) return null;
      // The plugin makes the error itself: it says where it keeps the address of the function that does.
      const maker = new DataView(koffi.view(word("callback_error"), 8)).getBigUint64(0, true);
      return koffi.call(maker, failing, outcome.code, outcome.message, Buffer.byteLength(outcome.message)) as Address;
    },
    koffi.pointer(koffi.proto("void *(void *given)")),
  );
  return { address: koffi.address(made) as Address, release: () => koffi.unregister(made) };
}

/** What is thrown would be taken for success. */
function outcomeOf(work: () => Outcome): Outcome {
  try {
    return work();
  } catch (error) {
    return { code: 13, message: reasonOf(error) };
  }
}

export const textIn = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** What Ctrl-C, SIGTERM and a lost terminal mean while a run is started and trained. Saving is the runtime's, which hears of it by the signal. */

import { exitCode } from "../words/failure.js";
import { tell } from "../words/terminal.js";

export interface Interrupts {
  /** Aborted by the first signal after `begin`: the run is to save and to end. */
  readonly signal: AbortSignal;
  /** From now on there is something to save. */
  readonly begin: () => void;
  /** Gives Ctrl-C back its usual meaning. */
  readonly stop: () => void;
}

export interface StartingUp {
  /** What becomes of the run, in words. */
  readonly outcome: string;
  /** Takes back what was written. */
  readonly undo: () => void;
}

/** Milliseconds in which signals are one and the same key: npm sends on what the terminal has sent to all already. */
const sameKey = 1000;

/** SIGHUP: the terminal or the connection to it is gone. Several processes may say so, one after the other. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Until `begin`, Ctrl-C takes back what was written and ends the process. After it, the first one asks the run to save and to end, and
 * the second one ends the process at once, unless it only says once more that the terminal is gone.
 */
export function listenForInterrupts(
  { outcome, undo }: StartingUp,
  clock: () => number = () => performance.now(),
): Interrupts {
  const controller = new AbortController();
  let begun = false;
  let first = 0;
  const stop = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  // By the signal: an exit would wait for threads that compute, or that start thousands of others.
  const end = (signal: NodeJS.Signals) => {
    stop();
    process.kill(process.pid, signal);
    // The first process of a container is not ended by a signal of its own.
    process.exit(exitCode.interrupted);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (!begun) {
      tell(`\nstopping: ${outcome}`);
      undo();
      end(signal);
    }
    if (!controller.signal.aborted) {
      first = clock();
      tell("\nfinishing this step and saving; Ctrl-C again stops at once");
      controller.abort();
    } else if (signal !== "SIGHUP" && clock() - first >= sameKey) end(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  const begin = () => {
    begun = true;
  };
  return { signal: controller.signal, begin, stop };
}

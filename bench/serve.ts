/** The inside of a contestant: a process that makes a step when it is asked to, and says how long it took. */

import { createInterface } from "node:readline";

/** What a contestant says when it can make steps. */
export interface Ready {
  /** From nothing to the first step: tracing, simplifying, lowering, preparing. Seconds; without the parts where there are none. */
  readonly compile: Readonly<Record<string, number>>;
  readonly device: string;
}

/** What it says of a step. */
export interface Measured {
  readonly seconds: number;
  /** Processor time of all its threads: what a busy machine disturbs least. */
  readonly processorSeconds: number;
  readonly loss: number;
}

/** What it says at its end. */
export interface Farewell {
  /** Largest resident memory of the process. */
  readonly peakBytes: number;
}

const say = (line: Ready | Measured | Farewell): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** Answers `step` and `end` on stdin, one a line. `step` gives the loss. */
export async function serve(ready: Ready, step: () => Promise<number>): Promise<void> {
  say(ready);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "end") break;
    const used = process.cpuUsage();
    const began = performance.now();
    const loss = await step();
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(used);
    say({ seconds, processorSeconds: (user + system) / 1e6, loss });
  }
  say({ peakBytes: process.resourceUsage().maxRSS * 1024 });
  process.exit(0);
}

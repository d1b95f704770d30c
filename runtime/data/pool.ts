/** The threads that prepare samples. A dead worker fails what was asked of it; nothing waits for ever. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { packageRoot } from "../package.js";
import { RunError } from "../run-error.js";
import { keepUpTo } from "./kept.js";
import type { Item, Preparation, Source } from "./preparation.js";
import { type Answer, type Failed, fromPlain, type Remarked, type Setup, type Task, toSetup, work } from "./work.js";

export interface Pool {
  /** Threads beside this one. */
  readonly workers: number;
  /** Resolves when the piece lies in its buffer. Rejects with the worker's error, or `run/worker` when it died. */
  prepare(
    task: Omit<Task, "id">,
  ): Promise<{ readonly failed: readonly Failed[]; readonly remarks: readonly Remarked[] }>;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts `workers` threads, each of which keeps up to `keeps` bytes of files. This thread does the work itself where there are none, and where an augmentation is not of the
 * registry. Throws `run/worker` when the worker's file is missing.
 */
export function openPool(workers: number, preparation: Omit<Preparation, "kept">, keeps: number): Pool {
  const setup = workers === 0 ? null : toSetup(preparation, keeps);
  if (setup === null) return inThisThread({ ...preparation, kept: keepUpTo(keeps) });
  const file = join(packageRoot, "dist", "data-worker.js");
  if (!existsSync(file)) {
    throw new RunError("run/worker", {
      what: `${file} is missing`,
      help: "Install maelang again (in its own repository: `npm run build`), or use no workers.",
    });
  }
  const lanes = Array.from({ length: workers }, () => openLane(file, setup));
  let asked = 0;
  return {
    workers,
    // In turn, not to whoever is free: while a step computes, this thread cannot hear who is free.
    prepare: async (task) => {
      const id = asked++;
      return settled(await (lanes[id % workers] as Lane).ask({ ...task, items: task.items.map(ownNumbers), id }));
    },
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** A message carries the whole memory of a view: only the sample's own numbers are sent. */
function ownNumbers<I extends Item>(item: I): I {
  const own = (source: Source): Source =>
    source.kind === "array"
      ? { ...source, numbers: source.numbers.slice(), ...(source.map ? { map: source.map.slice() } : {}) }
      : source;
  return { ...item, sources: Object.fromEntries(Object.entries(item.sources).map(([name, one]) => [name, own(one)])) };
}

function inThisThread(preparation: Preparation): Pool {
  return {
    workers: 0,
    prepare: async (task) => {
      // Whoever asked begins a step first: where another thread computes it, the next batch is prepared meanwhile.
      await new Promise(setImmediate);
      return settled(await work({ ...task, id: 0 }, preparation));
    },
    close: async () => {},
  };
}

function settled(answer: Answer): { readonly failed: readonly Failed[]; readonly remarks: readonly Remarked[] } {
  if ("error" in answer) throw fromPlain(answer.error);
  return answer;
}

interface Lane {
  ask(task: Task): Promise<Answer>;
  close(): Promise<void>;
}

/** One worker and what was asked of it. */
function openLane(file: string, setup: Setup): Lane {
  const worker = new Worker(file, { workerData: setup });
  const waiting = new Map<number, Waiting>();
  let end: Error | null = null;
  const fail = (why: string): void => {
    end ??= new RunError("run/worker", {
      what: "A data worker ended unexpectedly",
      why,
      help: "Resume the run; if it happens again, use fewer workers (they may lack memory), or none to see the cause.",
    });
    for (const { reject } of waiting.values()) reject(end);
    waiting.clear();
  };
  worker.on("message", (answer: Answer) => {
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  worker.on("error", (error) => fail(error.message));
  worker.on("exit", (code) => fail(`it exited with code ${code}`));
  return {
    ask: (task) =>
      new Promise((resolve, reject) => {
        if (end !== null) return reject(end);
        waiting.set(task.id, { resolve, reject });
        worker.postMessage(task);
      }),
    close: async () => {
      await worker.terminate();
    },
  };
}

/**
 * Waiting for a compiler, which takes from a second to an hour and cannot be called off. Its seconds are counted, and it is given up after a limit.
 * A process that ends meanwhile does not wait for it. Compiling itself is left to `executables.ts`.
 */

import { RunError } from "../../run-error.js";
import { endProcess } from "./c-api.js";

/** Seconds in which a step is compiled unless something else is said. */
export const usualCompileLimit = 30 * 60;

/**
 * Waits for what is compiled, and tells each second how many have gone by.
 * @param limit in seconds
 * @throws RunError `run/compile-limit` when they are over. The compiler works on; what comes of it is `late`.
 */
export async function withinLimit<T>(
  work: Promise<T>,
  limit: number,
  {
    tell = () => {},
    late,
  }: { readonly tell?: ((seconds: number) => void) | undefined; readonly late: (of: T) => void },
): Promise<T> {
  const began = performance.now();
  const counter = setInterval(() => tell((performance.now() - began) / 1000), 1000);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<"over">((resolve) => {
    timer = setTimeout(() => resolve("over"), limit * 1000);
  });
  try {
    const first = await Promise.race([work, over]);
    if (first !== "over") return first;
    work.then(late, () => undefined);
    throw new RunError("run/compile-limit", {
      what: `a step was not compiled within ${limit % 60 === 0 ? `${limit / 60} min` : `${limit} s`}`,
      why: "XLA takes long for large models and on busy machines",
      help: "Give it longer with `--compile-limit`, as `--compile-limit 2h`, or train with `--backend onnx` or a smaller model.",
    });
  } finally {
    clearInterval(counter);
    clearTimeout(timer);
  }
}

let running = 0;

/** Does work that cannot be called off. A process that ends before the work does ends at once: it would otherwise wait for the plugin's threads. */
export async function abandonedAtExit<T>(work: () => Promise<T>): Promise<T> {
  if (running === 0) process.on("exit", endProcess);
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    if (running === 0) process.off("exit", endProcess);
  }
}

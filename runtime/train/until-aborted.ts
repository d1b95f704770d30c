/** Waiting for what may take long, but not beyond the moment at which somebody wants the run to end. */

/** What a promise gives; null when the signal is aborted first. Nobody hears then how the promise ends. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve(null);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

/** What helpers of tests want done when the test file that called them ends; `leftovers.ts` sees to it. */

const waiting: (() => void)[] = [];

export function afterFile(remove: () => void): void {
  waiting.push(remove);
}

export function removeLeftovers(): void {
  for (const remove of waiting.splice(0)) remove();
}

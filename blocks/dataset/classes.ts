/** How many classes labels may have, wherever they are read. */

import { grouped } from "../wording.js";
import { DataError } from "./contract.js";

/** A name is kept for each class and a column computed: numbers that name samples, not classes, are found by it. */
const mostClasses = 100_000;

/** Names of the classes 0 up to the largest label, by what the labels are read from. Throws `DataError` for too many. */
export function numberedClasses(labels: readonly { readonly path: string; readonly labels: Int32Array }[]): string[] {
  let classes = 0;
  for (const { path, labels: numbers } of labels) {
    const largest = numbers.reduce((max, label) => Math.max(max, label), -1);
    if (largest >= mostClasses) {
      throw new DataError(
        `${path} holds ${grouped(different(numbers))} different labels up to ${grouped(largest)}, and labels number at most ${grouped(mostClasses)} classes from 0`,
        "Number the classes: save numpy.unique(labels, return_inverse=True)[1], or leave `labels` out.",
      );
    }
    classes = Math.max(classes, largest + 1);
  }
  return Array.from({ length: classes }, (_, label) => String(label));
}

/** Throws `DataError` when there are too many classes. */
export function checkClasses(count: number, path: string): void {
  if (count <= mostClasses) return;
  throw new DataError(
    `${path} holds ${grouped(count)} different labels, and at most ${grouped(mostClasses)} classes are told apart`,
    "Check that it names classes, not single images.",
  );
}

function different(numbers: Int32Array): number {
  const sorted = numbers.slice().sort();
  return sorted.reduce((count, label, i) => (i > 0 && label === sorted[i - 1] ? count : count + 1), 0);
}

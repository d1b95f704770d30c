/** Which of a few words was meant: the one within a third of its letters, counting exchanged neighbours as one mistake. */

/** The nearest of `known`, or null when none is near; case does not count. A word without a letter in common is not near. */
export function nearestWord<W extends string>(written: string, known: readonly W[]): W | null {
  let nearest: W | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const word of known) {
    const distance = editDistance(written.toLowerCase(), word);
    const most = Math.min(Math.max(1, Math.floor(word.length / 3)), Math.max(word.length, written.length) - 1);
    if (distance < least && distance <= most) {
      nearest = word;
      least = distance;
    }
  }
  return nearest;
}

/** Insertions, deletions, replacements and exchanges of neighbours that turn one word into the other. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1));
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged) cost = Math.min(cost, at(i - 2, j - 2) + 1);
      rows[i]?.push(cost);
    }
  }
  return at(a.length, b.length);
}

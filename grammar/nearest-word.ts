/** Which of a few words was meant: the one within a third of its letters, counting exchanged neighbours as one mistake. */

/** Longer words are machine-made, and comparing takes the square of their length. */
const longest = 64;

/** The nearest of `known`, or null when none is near; case does not count. A word without a letter in common is not near. */
export function nearestWord<W extends string>(written: string, known: readonly W[]): W | null {
  if (written.length > longest) return null;
  const lower = written.toLowerCase();
  let nearest: W | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const word of known) {
    const most = Math.min(Math.max(1, Math.floor(word.length / 3)), Math.max(word.length, written.length) - 1);
    if (Math.abs(word.length - written.length) > Math.min(most, least - 1)) continue;
    const distance = editDistance(lower, word);
    if (distance < least && distance <= most) {
      nearest = word;
      least = distance;
    }
  }
  return nearest;
}

/** Insertions, deletions, replacements and exchanges of neighbours that turn one word into the other. */
export function editDistance(a: string, b: string): number {
  let [twoAbove, above]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const cost = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, changed);
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(exchanged ? Math.min(cost, (twoAbove[j - 2] as number) + 1) : cost);
    }
    [twoAbove, above] = [above, row];
  }
  return above[b.length] as number;
}

/** "Did you mean": the known names closest to what was typed. */

/** Edit distance in which swapping two neighbours counts one (optimal string alignment). */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, at(i - 2, j - 2) + 1);
      row[j] = best;
    }
  }
  return at(a.length, b.length);
}

/** At most `most` names within a third of the word's length, nearest first; names that contain the word come along. */
export function nearest(word: string, names: readonly string[], most = 3): string[] {
  const wanted = word.toLowerCase();
  const reach = Math.max(2, Math.floor(wanted.length / 3));
  return names
    .map((name) => ({ name, far: distance(wanted, name.toLowerCase()) }))
    .map(({ name, far }) => ({
      name,
      far: wanted.length > 2 && name.toLowerCase().includes(wanted) ? Math.min(far, 1) : far,
    }))
    .filter(({ far }) => far <= reach)
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
}

/** `did you mean "a" or "b"?`; undefined when nothing is near. */
export function didYouMean(word: string, names: readonly string[]): string | undefined {
  const near = nearest(word, names);
  if (near.length === 0) return undefined;
  return `did you mean ${near.map((name) => `"${name}"`).join(" or ")}?`;
}

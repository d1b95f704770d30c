/** "Did you mean": the known names closest to what was typed. */

import { editDistance } from "../../grammar/index.js";

/** At most `most` names within a third of the word's length, nearest first; names that contain the word come along. */
export function nearest(word: string, names: readonly string[], most = 3): string[] {
  const wanted = word.toLowerCase();
  const reach = Math.max(2, Math.floor(wanted.length / 3));
  return names
    .map((name) => ({ name, far: editDistance(wanted, name.toLowerCase()) }))
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

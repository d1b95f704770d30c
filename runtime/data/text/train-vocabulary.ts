/**
 * Makes a vocabulary of texts: pairs of neighbouring tokens are joined, the most frequent first, until there are enough, as Sennrich et al.
 * 2016 have it ("Neural Machine Translation of Rare Words with Subword Units"). The same texts make the same vocabulary.
 */

/** How words begin as tokens. */
export interface Spelling {
  /** The tokens of a word before any are joined. */
  readonly split: (word: string) => readonly string[];
  /** One token of two neighbours. */
  readonly join: (first: string, second: string) => string;
}

/** Letters, of which those behind the first are marked: WordPiece. */
export const pieces: Spelling = {
  split: (word) => Array.from(word, (letter, i) => (i === 0 ? letter : `##${letter}`)),
  join: (first, second) => first + second.slice(2),
};

/** Letters that stand for bytes: byte-level BPE. */
export const letters: Spelling = { split: (word) => Array.from(word), join: (first, second) => first + second };

/** Words that are tokens. */
export const wholeWords: Spelling = { split: (word) => [word], join: (first, second) => first + second };

/** Two tokens that were joined. */
export type Merge = readonly [first: string, second: string];

export interface LearnedVocabulary {
  /** In the order of their ids, without `first`. */
  readonly tokens: readonly string[];
  readonly merges: readonly Merge[];
}

interface Word {
  tokens: number[];
  readonly count: number;
}

/** A pair of tokens, in how many places it stands, and in which words. */
interface Pair {
  readonly key: number;
  count: number;
  readonly words: Set<number>;
}

/** Room for so many tokens in the key of a pair. */
const base = 2 ** 26;

/**
 * @param words how often each occurs
 * @param size of the vocabulary, `first` and `alphabet` counted
 * @param first tokens that have the first ids
 * @param alphabet tokens that are there whether or not they occur
 */
export function learnVocabulary(
  words: ReadonlyMap<string, number>,
  { split, join }: Spelling,
  { size, first, alphabet }: { readonly size: number; readonly first: number; readonly alphabet: readonly string[] },
): LearnedVocabulary {
  const tokens: string[] = [];
  const ids = new Map<string, number>();
  const idOf = (token: string): number => {
    const known = ids.get(token);
    if (known !== undefined) return known;
    ids.set(token, tokens.length);
    return tokens.push(token) - 1;
  };
  const ordered = [...words].sort(([a], [b]) => (a < b ? -1 : 1));
  const found = new Set(ordered.flatMap(([word]) => split(word)));
  for (const token of [...new Set([...alphabet, ...found])].sort()) idOf(token);
  const list: Word[] = ordered.map(([word, count]) => ({ tokens: split(word).map(idOf), count }));
  const pairs = countedPairs(list);
  const queue = new Queue([...pairs.values()]);
  const merges: Merge[] = [];
  while (first + tokens.length < size) {
    const best = queue.next();
    if (!best) break;
    const [left, right] = [Math.floor(best.key / base), best.key % base];
    const [a, b] = [tokens[left] as string, tokens[right] as string];
    const joined = idOf(join(a, b));
    merges.push([a, b]);
    const touched = joinIn(list, best, [left, right, joined], pairs);
    for (const pair of touched) queue.add(pair);
  }
  return { tokens, merges };
}

function countedPairs(list: readonly Word[]): Map<number, Pair> {
  const pairs = new Map<number, Pair>();
  for (const [at, { tokens, count }] of list.entries()) {
    for (let i = 0; i + 1 < tokens.length; i++) change(pairs, tokens, i, count, at);
  }
  return pairs;
}

/** Counts the pair at a place of a word `by` more; gives it. */
function change(pairs: Map<number, Pair>, tokens: readonly number[], i: number, by: number, word: number): Pair {
  const key = (tokens[i] as number) * base + (tokens[i + 1] as number);
  const pair = pairs.get(key) ?? { key, count: 0, words: new Set<number>() };
  pairs.set(key, pair);
  pair.count += by;
  if (by > 0) pair.words.add(word);
  return pair;
}

/** Joins a pair in all words that have it; gives the pairs that are more frequent now. */
function joinIn(
  list: readonly Word[],
  { key, words }: Pair,
  [left, right, joined]: readonly [number, number, number],
  pairs: Map<number, Pair>,
): ReadonlySet<Pair> {
  const touched = new Set<Pair>();
  for (const at of words) {
    const word = list[at] as Word;
    const { tokens, count } = word;
    const next: number[] = [];
    for (let i = 0; i < tokens.length; i++) {
      if (tokens[i] === left && tokens[i + 1] === right) {
        next.push(joined);
        i++;
      } else next.push(tokens[i] as number);
    }
    if (next.length === tokens.length) continue;
    for (let i = 0; i + 1 < tokens.length; i++) change(pairs, tokens, i, -count, at);
    word.tokens = next;
    for (let i = 0; i + 1 < next.length; i++) touched.add(change(pairs, next, i, count, at));
  }
  pairs.delete(key);
  return touched;
}

/** What was queued: the count that a pair had then. */
interface Queued {
  readonly pair: Pair;
  readonly count: number;
}

/** The most frequent pair first, of equals the one whose tokens are older: a heap, in which what has changed since is queued again. */
class Queue {
  readonly #heap: Queued[] = [];

  constructor(pairs: readonly Pair[]) {
    for (const pair of pairs) this.add(pair);
  }

  add(pair: Pair): void {
    if (pair.count > 0) this.#push({ pair, count: pair.count });
  }

  /** Undefined: no pair is left. */
  next(): Pair | undefined {
    for (let top = this.#pop(); top; top = this.#pop()) {
      const { pair, count } = top;
      if (pair.count === count) return pair;
      this.add(pair);
    }
    return undefined;
  }

  #isBefore(a: Queued, b: Queued): boolean {
    return a.count === b.count ? a.pair.key < b.pair.key : a.count > b.count;
  }

  #push(queued: Queued): void {
    const heap = this.#heap;
    let at = heap.push(queued) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(queued, heap[parent] as Queued)) break;
      heap[at] = heap[parent] as Queued;
      at = parent;
    }
    heap[at] = queued;
  }

  #pop(): Queued | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1] as Queued, heap[child] as Queued)) child++;
      if (!this.#isBefore(heap[child] as Queued, last)) break;
      heap[at] = heap[child] as Queued;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

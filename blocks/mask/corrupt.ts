/** The mask of texts: some tokens are chosen, and most of them enter as [MASK], some as any token, some as they are. */

import type { Random, TypedArray } from "../../graph/index.js";
import { textChannels } from "../arrays.js";
import { choice, int, optional, ratio } from "../params.js";
import { tokenCount } from "../sets.js";
import { defineMask } from "./contract.js";
import { percent, ratioShowing } from "./ratio.js";

interface Values {
  readonly ratio: number;
  readonly round: "nearest" | "drawn";
}

/** Places that may be chosen, at most, of a text of `length` tokens. */
const mostOf = ({ ratio, round }: Values, length: number): number =>
  Math.min(length, Math.max(1, round === "drawn" ? Math.floor(ratio * length) + 1 : Math.round(ratio * length)));

/** How many tokens are chosen of a text of `length` tokens. */
const chosenOf = (p: Values, length: number, random: Random): number =>
  p.round === "drawn"
    ? Math.min(mostOf(p, length), Math.floor(p.ratio * length + random.uniform()))
    : mostOf(p, length);

/** The places of each word, in the order of the text; tokens that are no words have none. */
function wordsOf(word: (place: number) => number, places: number): number[][] {
  const words: number[][] = [];
  let last = 0;
  for (let place = 0; place < places; place++) {
    const number = word(place);
    if (number <= 0) continue;
    if (number === last) words.at(-1)?.push(place);
    else words.push([place]);
    last = number;
  }
  return words;
}

/** Lists in random order, taken as long as they fit into `count`; one that does not fit is passed over. */
function taken(lists: readonly number[][], count: number, random: Random): readonly number[] {
  const order = lists.map((list) => ({ list, key: random.uniform() })).sort((a, b) => a.key - b.key);
  const chosen: number[] = [];
  for (const { list } of order) {
    if (chosen.length === count) break;
    if (chosen.length + list.length <= count) chosen.push(...list);
  }
  return chosen;
}

/** The length of a span in words: geometric with this mean, cut at `most`. */
function spanLength(mean: number, most: number, random: Random): number {
  let length = 1;
  while (length < most && random.uniform() > 1 / mean) length++;
  return length;
}

/** Spans of whole words at random places, until there are `count` tokens; a span that would be too much ends early. */
function spans(
  words: readonly number[][],
  count: number,
  { span, longest }: { readonly span: number; readonly longest: number },
  random: Random,
): readonly number[] {
  const chosen = new Set<number>();
  const all = words.flat().length;
  // Some spans hit what was chosen before: after so many of them the rest is taken word by word.
  for (let tries = 0; tries < 16 * words.length && chosen.size < Math.min(count, all); tries++) {
    const first = random.integer(words.length);
    for (const word of words.slice(first, first + spanLength(span, longest, random))) {
      if (chosen.size + word.filter((place) => !chosen.has(place)).length > count) break;
      for (const place of word) chosen.add(place);
    }
  }
  const rest = words.filter((word) => word.every((place) => !chosen.has(place)));
  return [...chosen, ...taken(rest, count - chosen.size, random)];
}

export const corrupt = defineMask({
  name: "corrupt",
  summary:
    "Chooses tokens of a text, never [CLS] and its like: most enter as [MASK], some as any token of the vocabulary, some as they are.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, section 3.1",
  since: "0.2",
  params: {
    ratio: ratio({
      open: true,
      default: 0.15,
      doc: "Share of the tokens of a text that are chosen, [CLS] and its like counted.",
    }),
    masked: ratio({ default: 0.8, doc: "Share of the chosen that enter as [MASK]." }),
    random: ratio({
      default: 0.1,
      doc: "Share of the chosen that enter as any id of the vocabulary; the rest enter as they are.",
    }),
    unit: choice({
      default: "token",
      options: {
        token: "Each token for itself: BERT and RoBERTa.",
        word: "All tokens of a word together.",
        span: "Words one after the other, as in SpanBERT.",
      },
      doc: "What is chosen as a whole. What enters is drawn for each token.",
    }),
    span: optional(
      int({ min: 1, max: 1024, doc: "Words of a span in the mean, before long ones are cut; if absent, 5." }),
    ),
    longest: optional(int({ min: 1, max: 1024, doc: "Words of a span at most; if absent, 10." })),
    round: choice({
      default: "nearest",
      options: {
        nearest: "The nearest number, one at least: BERT.",
        drawn: "The share plus a number in [0, 1), rounded down: right in the mean, as RoBERTa has it.",
      },
      doc: "How the share becomes a number of tokens.",
    }),
  },
  requires: [
    {
      name: "some-of-each",
      at: "ratio",
      doc: "At least one token is never chosen.",
      holds: (p, { grid }) => mostOf(p, tokenCount(grid)) < tokenCount(grid),
      say: (p, { grid }) => `a ratio of ${percent(p.ratio)} may choose all of ${tokenCount(grid)} tokens`,
      help(p, { grid }) {
        const tokens = tokenCount(grid);
        if (tokens === 1) return "a text of one token has nothing to predict it from; write a greater `length`";
        const visibleAt = (ratio: number): number => tokens - mostOf({ ...p, ratio }, tokens);
        const shares = [tokens - 1, 1].map((visible) => ratioShowing(tokens, visible, visibleAt));
        return `${shares.map(percent).join(" to ")} choose 1 to ${tokens - 1} of ${tokens} tokens`;
      },
    },
    {
      name: "shares-of-one",
      at: "random",
      doc: "`masked` and `random` are shares of the chosen, together at most 100 %.",
      holds: (p) => p.masked + p.random <= 1 + 1e-9,
      say: (p) => `${percent(p.masked)} and ${percent(p.random)} are more than all that is chosen`,
      help: (p) => `write at most \`random: ${percent(1 - p.masked)}\``,
    },
    {
      name: "span-of-spans",
      at: "span",
      doc: "`span` and `longest` stand beside `unit: span`.",
      holds: (p) => p.unit === "span" || (p.span === null && p.longest === null),
      say: (p) => `a ${p.unit} has no length in words`,
      help: () => "write `unit: span`, or remove `span` and `longest`",
    },
  ],
  corrupts: true,
  hiding: () => "corrupt",
  visible: (p, grid) => tokenCount(grid) - mostOf(p, tokenCount(grid)),
  field: (p, { array, grid }) => ({
    shape: [tokenCount(grid)],
    dtype: "int32",
    fed: true,
    compute: ({ array: numbers, random }) => {
      const places = tokenCount(grid);
      const at = (place: number, channel: keyof typeof textChannels): number =>
        numbers[place * array.channels + textChannels[channel]] as number;
      const words = wordsOf((place) => at(place, "word"), places);
      const length = Array.from({ length: places }, (_, place) => place).filter(
        (place) => at(place, "word") >= 0,
      ).length;
      const count = chosenOf(p, length, random);
      const chosen =
        p.unit === "span"
          ? spans(words, count, { span: p.span ?? 5, longest: p.longest ?? 10 }, random)
          : taken(p.unit === "word" ? words : words.flat().map((place) => [place]), count, random);
      const { vocabulary = 0, mask = 0 } = array.ids ?? {};
      const entered = new Int32Array(places).fill(-1);
      for (const place of [...chosen].sort((a, b) => a - b)) {
        const draw = random.uniform();
        entered[place] =
          draw < p.masked ? mask : draw < p.masked + p.random ? random.integer(vocabulary) : at(place, "id");
      }
      return entered;
    },
  }),
  sample: (p, grid, _, entered) =>
    chosenLast(tokenCount(grid), tokenCount(grid) - mostOf(p, tokenCount(grid)), entered),
});

/** The order of the tokens in which the chosen ones come last, at most as many as are hidden. */
function chosenLast(tokens: number, visible: number, entered: TypedArray | undefined): Int32Array {
  const places = Array.from({ length: tokens }, (_, place) => place);
  const isChosen = (place: number): boolean => (entered?.[place] ?? -1) >= 0;
  const [others, chosen] = [places.filter((place) => !isChosen(place)), places.filter(isChosen)];
  return Int32Array.from([...others, ...chosen.slice(0, tokens - visible)]);
}

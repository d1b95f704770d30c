/** Texts in a file: a line a text, or documents that are cut into pieces of one length. */

import { type ArrayShape, arrayLength, textChannels } from "../arrays.js";
import type { Requirement } from "../block.js";
import { choice, optional, type Param, text as textParam } from "../params.js";
import { counted, grouped } from "../wording.js";
import { checkClasses } from "./classes.js";
import {
  DataError,
  type DatasetContext,
  defineDataset,
  type Files,
  NoTestData,
  type SampleIndex,
  type Split,
  type TextTokens,
  type Tokenizer,
  withoutEnding,
} from "./contract.js";
import { amountIn } from "./table.js";
import { type Lines, readLines } from "./text-file.js";

/** Texts that are looked at before training. */
const lookedAt = 1000;

/** Texts by number, as ids. */
interface Texts {
  readonly count: number;
  /** One text, or the two of a pair. */
  readonly parts: (i: number) => readonly TextTokens[];
  /** Of what it is said; if absent, of nothing that has a name. */
  readonly name?: (i: number) => string;
}

/** Each line a text; a tab parts the two texts of a pair. */
const linesAsTexts = (lines: Lines, tokenizer: Tokenizer): Texts => ({
  count: lines.count,
  parts: (i) => lines.line(i).split("\t", 2).map(tokenizer.tokens),
});

/** Of each line what stands behind the first tab; before it stands the file that it is said of. Throws `DataError` for a line without one. */
function linesAsCaptions(lines: Lines, tokenizer: Tokenizer, path: string): Texts {
  const parts = Array.from({ length: lines.count }, (_, i) => {
    const line = lines.line(i);
    const tab = line.indexOf("\t");
    if (tab > 0) return { name: withoutEnding(line.slice(0, tab).trim()), begin: tab + 1 };
    throw new DataError(
      `${path} line ${lines.number(i)} is not the name of a file, a tab and what is said of it: \`${beginning(line)}\``,
      "Write the name of the file, a tab, and the caption; leave out files that have none, in both inputs.",
    );
  });
  return {
    count: lines.count,
    parts: (i) => [tokenizer.tokens(lines.line(i).slice(parts[i]?.begin))],
    name: (i) => parts[i]?.name ?? "",
  };
}

/** Each record of a FASTA file a text: the lines behind one that begins with `>`, up to the next such line. Throws `DataError` for another file. */
function recordsAsTexts(lines: Lines, tokenizer: Tokenizer, path: string): Texts {
  const starts: number[] = [];
  for (let i = 0; i < lines.count; i++) if (lines.line(i).startsWith(">")) starts.push(i);
  if (lines.count > 0 && starts[0] !== 0) {
    throw new DataError(
      `${path} line ${lines.number(0)} does not begin with >, and records of FASTA do`,
      "Name a FASTA file, or write `samples: lines` for a sequence in each line.",
    );
  }
  const bare = starts.findIndex((start, i) => (starts[i + 1] ?? lines.count) === start + 1);
  if (bare !== -1) {
    const start = starts[bare] as number;
    throw new DataError(
      `${path} line ${lines.number(start)} begins a record that has no sequence: \`${beginning(lines.line(start))}\``,
      "Write the sequence behind it, or remove the line.",
    );
  }
  return {
    count: starts.length,
    parts(i) {
      const [first, end] = [(starts[i] as number) + 1, starts[i + 1] ?? lines.count];
      const sequence = Array.from({ length: end - first }, (_, k) => lines.line(first + k));
      return [tokenizer.tokens(sequence.join(""))];
    },
  };
}

/** The tokens of documents, which empty lines part, in pieces of `length`. */
function piecesOfDocuments(lines: Lines, tokenizer: Tokenizer, length: number): Texts {
  const pieces: TextTokens[] = [];
  let [ids, words]: [number[], number[]] = [[], []];
  const cut = (whole: boolean): void => {
    while (ids.length >= length || (whole && ids.length > 0)) {
      pieces.push({ ids: ids.slice(0, length), words: words.slice(0, length) });
      [ids, words] = [ids.slice(length), words.slice(length)];
    }
  };
  for (let i = 0; i < lines.count; i++) {
    if (lines.begins(i)) cut(true);
    const { ids: own, words: numbers } = tokenizer.tokens(lines.line(i));
    const last = words.reduce((most, word) => Math.max(most, word), 0);
    ids.push(...own);
    words.push(...numbers.map((word) => (word === 0 ? 0 : word + last)));
    cut(false);
  }
  cut(true);
  return { count: pieces.length, parts: (i) => [pieces[i] as TextTokens] };
}

/** How many tokens of each part are kept so that all fit into `room`: of the longest the last ones go first. */
function kept(parts: readonly TextTokens[], room: number): readonly number[] {
  const lengths = parts.map(({ ids }) => ids.length);
  let over = lengths.reduce((sum, length) => sum + length, 0) - room;
  while (over > 0) {
    const longest = lengths.indexOf(Math.max(...lengths));
    const others = Math.max(0, ...lengths.filter((_, i) => i !== longest));
    const step = Math.max(1, Math.min(over, (lengths[longest] as number) - others));
    lengths[longest] = (lengths[longest] as number) - step;
    over -= step;
  }
  return lengths;
}

/** What stands around the parts of a text. */
const framesOf = ({ frame }: Tokenizer, parts: number): readonly (readonly number[])[] =>
  parts === 1 ? frame.one : frame.two;

/** The array of a text, [N, 3] as `IdsShape` says. */
function arrayOfText(parts: readonly TextTokens[], tokenizer: Tokenizer, shape: ArrayShape): Float32Array {
  const [{ size: length } = { size: 0 }] = shape.axes;
  const array = new Float32Array(arrayLength(shape));
  let place = 0;
  const put = (id: number, word: number, segment: number): void => {
    if (place === length) return;
    const at = place * shape.channels;
    array[at + textChannels.id] = id;
    array[at + textChannels.word] = word;
    array[at + textChannels.segment] = segment;
    place++;
  };
  const frames = framesOf(tokenizer, parts.length);
  const around = frames.reduce((sum, ids) => sum + ids.length, 0);
  const lengths = kept(parts, Math.max(0, length - around));
  for (const id of frames[0] as readonly number[]) put(id, 0, 0);
  let words = 0;
  for (const [segment, { ids, words: numbers }] of parts.entries()) {
    const count = lengths[segment] as number;
    for (let i = 0; i < count; i++) {
      const word = numbers[i] as number;
      put(ids[i] as number, word === 0 ? 0 : words + word, segment);
    }
    words += numbers.slice(0, count).reduce((most, word) => Math.max(most, word), 0);
    for (const id of frames[segment + 1] as readonly number[]) put(id, 0, segment);
  }
  while (place < length) put(tokenizer.pad, -1, 0);
  return array;
}

/** Throws `DataError` for a vocabulary with other ids than the model's. */
function checkVocabulary({ size, mask }: Tokenizer, { ids }: ArrayShape, path: string): void {
  if (ids === undefined || (ids.vocabulary === size && ids.mask === mask)) return;
  if (mask === null) {
    throw new DataError(
      `${path} has no token [MASK] or <mask>, which stands for what a model is not shown`,
      "Add one to the vocabulary: `mae tokenizer` makes vocabularies that have it.",
    );
  }
  throw new DataError(
    `${path} has ${grouped(size)} ids, [MASK] being ${mask}, and the model reads ${grouped(ids.vocabulary)} with ${ids.mask}`,
    `Write \`text(vocabulary: ${size}, mask: ${mask}, ...)\` in the model's input, or name the vocabulary that it was made for.`,
  );
}

/** What some of the texts say of all: how many are too long, and whether the vocabulary knows their words. */
function look(texts: Texts, tokenizer: Tokenizer, length: number): readonly string[] {
  const count = Math.min(lookedAt, texts.count);
  let [tooLong, tokens, unknown] = [0, 0, 0];
  let first: number | null = null;
  for (let k = 0; k < count; k++) {
    const number = Math.floor((k * texts.count) / count);
    const parts = texts.parts(number);
    const around = framesOf(tokenizer, parts.length).reduce((sum, ids) => sum + ids.length, 0);
    const ids = parts.flatMap((part) => part.ids);
    if (ids.length + around > length) tooLong++;
    tokens += ids.length;
    unknown += ids.filter((id) => id === tokenizer.unknown).length;
    if (unknown > 0) first ??= number + 1;
  }
  const of = `of ${counted(count, "text")} looked at`;
  return [
    ...(tooLong > 0 ? [`${grouped(tooLong)} ${of} are longer than ${length} tokens; their ends are left out`] : []),
    ...(first === null
      ? []
      : [`${shareOf(unknown, tokens)} of the tokens ${of} are not in the vocabulary, first in text ${grouped(first)}`]),
  ];
}

/** `3 %`, or `2 in 1,000` where that would be none. */
const shareOf = (some: number, all: number): string =>
  some < 0.01 * all ? `${grouped(some)} in ${grouped(all)}` : `${Math.round((100 * some) / all)} %`;

type Path = Param<string | null>;

const besideTexts: Requirement<{ readonly test_texts: Path; readonly test_labels: Path }, DatasetContext> = {
  name: "test-labels-need-texts",
  at: "test_labels",
  doc: "`test_labels` stands beside `test_texts`.",
  holds: (p) => p.test_labels === null || p.test_texts !== null,
  say: () => "`test_labels` says what the test texts are, and there are no `test_texts`",
  help: () => "write `test_texts`, or remove `test_labels`",
};

const valuesOfTexts: readonly Requirement<
  {
    readonly test_texts: Path;
    readonly values: Path;
    readonly test_values: Path;
    readonly samples: Param<"lines" | "pieces" | "captions" | "fasta">;
  },
  DatasetContext
>[] = [
  {
    name: "values-of-lines",
    at: "values",
    doc: "Numbers are those of lines or of sequences.",
    holds: (p) => p.values === null || p.samples !== "pieces",
    say: () => "`values` has the number of each text, and documents are cut into pieces",
    help: () => "write `samples: lines`, or remove `values`",
  },
  {
    name: "values-of-both",
    at: "values",
    doc: "The test texts have numbers where the training texts have some, and the other way round.",
    holds: (p) => p.test_texts === null || (p.values === null) === (p.test_values === null),
    say: (p) =>
      p.values === null ? "the test texts have numbers and the training texts none" : "the test texts have no numbers",
    help: (p) => (p.values === null ? "write `values`, or remove `test_values`" : "write `test_values`"),
  },
];

export const text = defineDataset({
  name: "text",
  summary: "Texts in a file of UTF-8, and the vocabulary that makes ids of them.",
  source: "Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, NAACL 2019, appendix A.2",
  since: "0.2",
  params: {
    texts: textParam({ doc: "File with the training texts. A tab in a line parts the two texts of a pair." }),
    vocabulary: textParam({
      doc: "File of the vocabulary: `tokenizer.json` of Hugging Face tokenizers or of `mae tokenizer`, or BERT's `vocab.txt`.",
    }),
    samples: choice({
      default: "lines",
      options: {
        lines: "Each line is a text; empty ones are passed over.",
        pieces: "Empty lines part documents, and each is cut into pieces that fill the model's length.",
        captions:
          "Each line says of a file: its name, a tab, the text. Files of other inputs find it by that name, without its ending.",
        fasta: "A sequence of a protein or of nucleotides, behind each line that begins with `>`.",
      },
      doc: "What a sample is.",
    }),
    labels: optional(
      textParam({ doc: "File with the class of each training text, a line for each; if absent, unlabelled." }),
    ),
    test_texts: optional(textParam({ doc: "File with the test texts; if absent, no test split." })),
    test_labels: optional(textParam({ doc: "File with the classes of the test texts." })),
    values: optional(
      textParam({
        doc: "File with the number of each training text, a line for each, which features are judged by how well they tell, or a head learns to say; if absent, none.",
      }),
    ),
    test_values: optional(textParam({ doc: "File with the numbers of the test texts." })),
  },
  positional: "texts",
  media: ["text"],
  requires: [
    besideTexts,
    {
      name: "labels-of-lines",
      at: "labels",
      doc: "Labels are those of lines or of sequences.",
      holds: (p) => p.labels === null || p.samples !== "pieces",
      say: () => "`labels` names the class of each text, and documents are cut into pieces",
      help: () => "write `samples: lines`, or remove `labels`",
    },
    ...valuesOfTexts,
  ],
  vocabulary: (p) => p.vocabulary,
  async open(p, files, split, { array }) {
    const path = split === "train" ? p.texts : p.test_texts;
    if (path === null) {
      throw new NoTestData("The data has no test texts", 'Add test_texts: "..." (and test_labels) to the dataset.');
    }
    const tokenizer = await files.tokenizer(p.vocabulary);
    checkVocabulary(tokenizer, array, p.vocabulary);
    const lines = await readLines(files, path);
    const length = array.axes[0]?.size ?? 0;
    const [first, last] = tokenizer.frame.one;
    const room = length - first.length - last.length;
    if (room < 1) {
      throw new DataError(
        `the model reads ${counted(length, "token")}, and ${first.length + last.length} stand around a text`,
        "Give the model's input a greater `length`.",
      );
    }
    const texts = {
      lines: () => linesAsTexts(lines, tokenizer),
      pieces: () => piecesOfDocuments(lines, tokenizer, room),
      captions: () => linesAsCaptions(lines, tokenizer, path),
      fasta: () => recordsAsTexts(lines, tokenizer, path),
    }[p.samples]();
    if (texts.count === 0) throw new DataError(`${path} has no texts`, "Name a file with a text in each line.");
    // Records and pieces have lines of their own number.
    const lineOf = p.samples === "lines" || p.samples === "captions" ? lines.number : null;
    const own = { path, count: texts.count, lineOf };
    const { classes, labelOf } = await labelsFor(p, files, split, own);
    const numbers = await readNumbers(files, split === "train" ? p.values : p.test_values, own);
    return {
      length: texts.count,
      sample: (i) => ({
        kind: "array",
        get numbers() {
          return arrayOfText(texts.parts(i), tokenizer, array);
        },
        shape: array,
        label: labelOf(i),
        ...(texts.name ? { name: texts.name(i) } : {}),
      }),
      classes,
      ...(numbers === null ? {} : { values: (i: number) => numbers[i] as number }),
      notes: look(texts, tokenizer, length),
    };
  },
});

/** The classes of both splits, in code unit order, and which one each text of a split has. */
async function labelsFor(
  p: { readonly labels: string | null; readonly test_labels: string | null },
  files: Files,
  split: Split,
  texts: ToldTexts,
): Promise<Pick<SampleIndex, "classes"> & { readonly labelOf: (i: number) => number | null }> {
  const read = async (from: string | null): Promise<Lines | null> => (from === null ? null : readLines(files, from));
  const [train, test] = [await read(p.labels), await read(p.test_labels)];
  const namesIn = (lines: Lines | null): readonly string[] =>
    lines ? Array.from({ length: lines.count }, (_, i) => lines.line(i)) : [];
  const classes = [...new Set([...namesIn(train), ...namesIn(test)])].sort();
  checkClasses(classes.length, (p.labels ?? p.test_labels) as string);
  const own = split === "train" ? train : test;
  if (own === null) return { classes, labelOf: () => null };
  checkInStep(own, texts, "label");
  const numbers = new Map(classes.map((name, i) => [name, i]));
  return { classes, labelOf: (i) => numbers.get(own.line(i)) as number };
}

/** Texts of which a file says something, a line each. */
interface ToldTexts {
  readonly path: string;
  readonly count: number;
  /** The line of a text, from 1; null: texts are no lines. */
  readonly lineOf: ((i: number) => number) | null;
}

/** Throws `DataError` for more or fewer lines than texts, and where an empty line moves those behind it to other texts. */
function checkInStep(said: Lines, { path, count, lineOf }: ToldTexts, what: string): void {
  if (said.count !== count) {
    throw new DataError(
      `there are ${counted(count, "text")} and ${counted(said.count, what)}`,
      `Write the ${what} of each text in a line of its own, in the same order.`,
    );
  }
  if (lineOf === null || said.number(count - 1) === count) return;
  for (let i = 0; i < count; i++) {
    const [line, text] = [said.number(i), lineOf(i)];
    if (line === text) continue;
    throw new DataError(
      `${what} ${grouped(i + 1)} stands in line ${grouped(line)}, and its text in line ${grouped(text)} of ${path}`,
      `Write the ${what} of each text in the line of its number: one of them is missing there.`,
    );
  }
}

/** The number of each text; null: no file has them. Throws `DataError` for a line without a number, and as `checkInStep`. */
async function readNumbers(files: Files, path: string | null, texts: ToldTexts): Promise<Float64Array | null> {
  if (path === null) return null;
  const lines = await readLines(files, path);
  const numbers = Float64Array.from({ length: lines.count }, (_, i) => {
    const number = amountIn(lines.line(i));
    if (number !== null) return number;
    throw new DataError(
      `${path} line ${lines.number(i)} is \`${beginning(lines.line(i))}\`, which is no number`,
      "Leave texts out whose number nobody knows; of classes, write `labels` instead of `values`.",
    );
  });
  checkInStep(lines, texts, "number");
  return numbers;
}

const beginning = (line: string): string => (line.length > 40 ? `${line.slice(0, 40)}...` : line);

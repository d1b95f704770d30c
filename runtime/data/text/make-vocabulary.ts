/**
 * `tokenizer.json` of a vocabulary that is learned from files of text: WordPiece as in BERT, byte-level BPE as in RoBERTa, parts of SMILES, or
 * single letters.
 */

import { DataError, type Files, readLines } from "../../../blocks/index.js";
import { RunError } from "../../run-error.js";
import { nodeFiles } from "../files.js";
import { learnVocabulary, letters, type Merge, pieces, type Spelling, wholeWords } from "./train-vocabulary.js";
import {
  bertFrame,
  bertSpecials,
  bertTokenizer,
  byteLetters,
  smilesPattern,
  smilesTokenizer,
  specialToken,
} from "./vocabulary.js";

export type VocabularyKind = "wordpiece" | "bytes" | "smiles" | "letters";

export interface VocabularyOptions {
  readonly kind: VocabularyKind;
  /** Ids at most. */
  readonly size: number;
  /** Of WordPiece: capitals and accents are kept. */
  readonly cased: boolean;
}

export interface MadeVocabulary {
  /** The content of the file. */
  readonly json: string;
  /** Ids that it has: fewer where the texts have no more pairs to join. */
  readonly size: number;
  readonly mask: number;
  /** Words that were counted, and how many different ones. */
  readonly words: number;
  readonly different: number;
}

const bytesSpecials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] as const;

type Json = Readonly<Record<string, unknown>>;

/** Of files below `root`. Throws `run/data` for files without words, or a size that the letters alone fill. */
export async function vocabularyOf(
  paths: readonly string[],
  root: string,
  options: VocabularyOptions,
): Promise<MadeVocabulary> {
  try {
    return await makeVocabulary(nodeFiles(root), paths, options);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RunError("run/data", { what: error.what, help: error.help }, { cause: error });
  }
}

/** What is made of the words of texts, by kind: the tokens that are no words, the file, and what is known of it without any text. */
interface Kind {
  readonly special: readonly string[];
  readonly mask: string;
  readonly alphabet: readonly string[];
  readonly spelling: Spelling;
  readonly file: (tokens: readonly string[], merges: readonly Merge[]) => Json;
}

const kinds = (cased: boolean): Readonly<Record<VocabularyKind, Kind>> => ({
  wordpiece: {
    special: bertSpecials,
    mask: "[MASK]",
    alphabet: [],
    spelling: pieces,
    file: (tokens) => bertTokenizer([...bertSpecials, ...tokens], !cased),
  },
  bytes: {
    special: bytesSpecials,
    mask: "<mask>",
    alphabet: byteLetters(),
    spelling: letters,
    file: bytesTokenizer,
  },
  smiles: {
    special: bertSpecials,
    mask: "[MASK]",
    alphabet: [],
    spelling: wholeWords,
    file: (tokens) => smilesTokenizer([...bertSpecials, ...tokens]),
  },
  letters: {
    special: bertSpecials,
    mask: "[MASK]",
    alphabet: [],
    spelling: letters,
    file: (tokens) => lettersTokenizer([...bertSpecials, ...tokens]),
  },
});

async function makeVocabulary(
  files: Files,
  paths: readonly string[],
  { kind, size, cased }: VocabularyOptions,
): Promise<MadeVocabulary> {
  const { special, mask, alphabet, spelling, file } = kinds(cased)[kind];
  const counts = await countWords(files, paths, kind, file([], []));
  // Letters and parts of SMILES are not joined.
  const joined = kind === "letters" || kind === "smiles" ? 0 : size;
  const { tokens, merges } = learnVocabulary(counts, spelling, { size: joined, first: special.length, alphabet });
  const all = special.length + tokens.length;
  if (counts.size === 0) {
    throw new DataError(`there are no words in ${paths.join(", ")}`, "Name files with texts.");
  }
  if (all > size) {
    throw new DataError(
      `the ${kind === "smiles" ? "parts of the SMILES" : "letters of the texts"} and ${special.join(" ")} are ${all} tokens already`,
      `Ask for more, such as --size ${2 ** Math.ceil(Math.log2(2 * all))}.`,
    );
  }
  return {
    json: `${JSON.stringify(file(tokens, merges), null, 1)}\n`,
    size: all,
    mask: special.indexOf(mask),
    words: [...counts.values()].reduce((sum, count) => sum + count, 0),
    different: counts.size,
  };
}

/** The words of the files as the tokenizer splits them; of letters, each line a word but for those that begin a record of FASTA. */
async function countWords(
  files: Files,
  paths: readonly string[],
  kind: VocabularyKind,
  json: Json,
): Promise<ReadonlyMap<string, number>> {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const { normalizer, pre_tokenizer } = new Tokenizer(json, {});
  const split = (line: string): readonly string[] => {
    if (kind === "letters") return line.startsWith(">") ? [] : Array.from(line);
    return pre_tokenizer?.pre_tokenize(normalizer ? normalizer.normalize(line) : line) ?? [];
  };
  const counts = new Map<string, number>();
  for (const path of paths) {
    const lines = await readLines(files, path);
    for (let i = 0; i < lines.count; i++) {
      const found = split(lines.line(i));
      if (kind === "smiles") checkSmiles(found, `${path} line ${lines.number(i)}`);
      for (const word of found) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  counts.delete("");
  return counts;
}

const partOfSmiles = new RegExp(`^${smilesPattern}$`);

/** Throws `DataError` for what no SMILES has, and for a bracket that stays open. */
function checkSmiles(parts: readonly string[], where: string): void {
  const odd = parts.find((part) => !partOfSmiles.test(part));
  if (odd !== undefined && odd !== "[" && odd !== "]") {
    throw new DataError(
      `${where} has ${JSON.stringify(odd.slice(0, 40))}, which no SMILES has`,
      "Write one SMILES in each line and nothing else: no name of the molecule, no heading.",
    );
  }
  const bracket = odd ?? bracketLeftOpen(parts);
  if (bracket === null) return;
  const has = /^[[(]/.test(bracket) ? "that is not closed" : "that closes nothing";
  throw new DataError(
    `${where} has a ${JSON.stringify(bracket.slice(0, 40))} ${has}`,
    "Every [ of a SMILES is followed by its ], and every ( by its ): look for what was cut off.",
  );
}

/** The first bracket of a SMILES that has no other half; null: all have. */
function bracketLeftOpen(parts: readonly string[]): string | null {
  // An atom in brackets ends at the first `]`, also at that of another atom.
  const atom = parts.find((part) => /^\[.*[[\s]/.test(part));
  if (atom !== undefined) return atom;
  let open = 0;
  for (const part of parts) {
    if (part === "(") open++;
    else if (part === ")" && --open < 0) return part;
  }
  return open > 0 ? "(" : null;
}

/** Byte-level BPE with the tokens of RoBERTa that are no words. */
function bytesTokenizer(tokens: readonly string[], merges: readonly (readonly string[])[]): Json {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: bytesSpecials.map(specialToken),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: "RobertaProcessing",
      sep: ["</s>", bytesSpecials.indexOf("</s>")],
      cls: ["<s>", bytesSpecials.indexOf("<s>")],
      trim_offsets: true,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([...bytesSpecials, ...tokens].map((token, id) => [token, id])),
      merges,
    },
  };
}

/** Each letter a token, in the frame of BERT: BPE that joins nothing. */
function lettersTokenizer(words: readonly string[]): Json {
  return {
    ...bertFrame(words),
    normalizer: null,
    pre_tokenizer: null,
    decoder: { type: "Fuse" },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "[UNK]",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      merges: [],
    },
  };
}

/** BERT's list of words, a line each, as the file that Hugging Face tokenizers save of it. */

import { DataError } from "../../../blocks/index.js";

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The tokens that are no words, as BERT writes them. */
export const bertSpecials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/** A token that is no word, as Hugging Face tokenizers tell of it. */
export const specialToken = (content: string, id: number) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** What stands around texts in BERT, of a vocabulary with these words. */
export function bertFrame(words: readonly string[]): Readonly<Record<string, unknown>> {
  const ids = new Map(words.map((word, id) => [word, id]));
  const special = bertSpecials.filter((token) => ids.has(token));
  const id = (token: (typeof bertSpecials)[number]): number => ids.get(token) as number;
  const typed = (token: string, type: number) => ({ SpecialToken: { id: token, type_id: type } });
  const sequence = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => specialToken(content, id(content))),
    post_processor: {
      type: "TemplateProcessing",
      single: [typed("[CLS]", 0), sequence("A", 0), typed("[SEP]", 0)],
      pair: [typed("[CLS]", 0), sequence("A", 0), typed("[SEP]", 0), sequence("B", 1), typed("[SEP]", 1)],
      special_tokens: Object.fromEntries(
        (["[CLS]", "[SEP]"] as const).map((token) => [token, { id: token, ids: [id(token)], tokens: [token] }]),
      ),
    },
  };
}

/** WordPiece with BERT's way of splitting texts. `lowercase`: capitals and accents are taken away first. */
export const bertTokenizer = (words: readonly string[], lowercase: boolean): Readonly<Record<string, unknown>> => ({
  ...bertFrame(words),
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
});

/** A file of BERT. It does not say whether capitals count: they do where it has any. */
export function ofWords(bytes: Uint8Array, path: string): Readonly<Record<string, unknown>> {
  const words = new TextDecoder()
    .decode(bytes)
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
  const missing = bertSpecials.filter((token) => !words.includes(token));
  if (missing.length > 0) {
    throw new DataError(
      `${path} is no vocabulary of BERT: it has no ${missing.join(", ")}`,
      "Name a file with a token in each line, those among them; or a tokenizer.json.",
    );
  }
  const seen = new Set<string>();
  const twice = words.find((word) => seen.has(word) || !seen.add(word));
  if (twice !== undefined) {
    throw new DataError(`${path} has ${JSON.stringify(twice)} in two lines`, "Keep each token once.");
  }
  const hasCapitals = words.some((word) => !word.startsWith("[") && /\p{Lu}/u.test(word));
  return bertTokenizer(words, !hasCapitals);
}

/**
 * What SMILES are made of: atoms, in brackets with all that stands there, bonds, branches and rings. Schwaller et al., "Found in Translation",
 * Chemical Science 2018, and others after them split molecules by it.
 */
export const smilesPattern = String.raw`(\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>|\*|\$|\%[0-9]{2}|[0-9])`;

/** Each part of a SMILES a token, in the frame of BERT: WordPiece whose words are whole. */
export function smilesTokenizer(words: readonly string[]): Readonly<Record<string, unknown>> {
  const whole = bertTokenizer(words, false);
  const pattern = { Regex: smilesPattern };
  return {
    ...whole,
    normalizer: null,
    pre_tokenizer: { type: "Split", pattern, behavior: "Isolated", invert: false },
    decoder: { type: "Fuse" },
  };
}

/** The letters that stand for bytes in GPT-2: those that can be seen stand for themselves. */
export function byteLetters(): readonly string[] {
  const seen = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(seen(byte) ? byte : next++));
}

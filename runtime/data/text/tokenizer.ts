/**
 * Vocabularies: `tokenizer.json` as Hugging Face tokenizers save it, and BERT's list of words, read by their library for JavaScript. A file
 * may come from anybody: patterns of its own, which could take any time, are not run; that of SMILES is ours.
 */

import type { Tokenizer as Library } from "@huggingface/tokenizers";
import { DataError, type Tokenizer } from "../../../blocks/index.js";
import { byteLetters, isRecord, ofWords, smilesPattern } from "./vocabulary.js";

/** Models whose ids we know how to tell words in, by what continues a word or begins one. */
const models = ["WordPiece", "BPE", "Unigram"];

/** @param bytes of the file at `path` */
export async function readTokenizer(bytes: Uint8Array, path: string): Promise<Tokenizer> {
  const json = path.endsWith(".txt") ? ofWords(bytes, path) : parsed(bytes, path);
  const { model } = json;
  if (!isRecord(model) || !models.includes(String(model.type ?? "BPE"))) throw noVocabulary(path);
  const pattern = patternIn(json);
  if (pattern !== null) {
    throw new DataError(
      `${path} splits texts by a pattern of its own, ${pattern}`,
      "Use a vocabulary with the parts of BERT or RoBERTa, such as `mae tokenizer` makes.",
    );
  }
  const { Tokenizer: Made } = await import("@huggingface/tokenizers");
  try {
    checkIds(model);
    checkMerges(model);
    const made = tokenizerOf(new Made(json, {}), json, String(model.continuing_subword_prefix ?? ""));
    // Its parts are tried once: a file that the library takes may still say nonsense of them.
    made.tokens("a b");
    return made;
  } catch (error) {
    throw new DataError(
      `${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      "Save it again by a current version of Hugging Face tokenizers.",
    );
  }
}

const noVocabulary = (path: string): DataError =>
  new DataError(
    `${path} is no vocabulary: it has no WordPiece, BPE or Unigram model`,
    'Name a tokenizer.json of Hugging Face tokenizers (tokenizer.save("tokenizer.json")) or of `mae tokenizer`, or a vocab.txt of BERT.',
  );

type Json = Readonly<Record<string, unknown>>;

function parsed(bytes: Uint8Array, path: string): Json {
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isRecord(json)) return json;
  } catch {
    // Said below, whatever is wrong with it.
  }
  throw noVocabulary(path);
}

/** Throws for an id that is no whole number from 0 on, that is too large to be carried, or that two tokens have. */
function checkIds({ type, vocab }: Json): void {
  // Of Unigram the place in a list is the id.
  if (type === "Unigram") return;
  if (!isRecord(vocab)) throw new Error("its model has no table of tokens and their ids");
  const seen = new Map<unknown, string>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= mostIds) {
      throw new Error(`it has the id ${JSON.stringify(id)}`);
    }
    const other = seen.get(id);
    if (other !== undefined) {
      throw new Error(`it has the id ${id} of two tokens, ${JSON.stringify(other)} and ${JSON.stringify(token)}`);
    }
    seen.set(id, token);
  }
}

/** Throws for a pair of parts that BPE would join and that are no tokens. */
function checkMerges({ vocab, merges }: Json): void {
  if (!Array.isArray(merges)) return;
  const known = (part: unknown): boolean => typeof part === "string" && Object.hasOwn(vocab as Json, part);
  const odd = (merges as readonly unknown[]).find((merge) => {
    const parts = typeof merge === "string" ? merge.split(" ") : merge;
    return !Array.isArray(parts) || parts.length !== 2 || !parts.every(known);
  });
  if (odd !== undefined) throw new Error(`it joins ${JSON.stringify(odd).slice(0, 60)}, which are no two tokens of it`);
}

/** The first regular expression that the file would have run, apart from its model, which has none; null: there is none. */
function patternIn({ model: _, ...parts }: Json): string | null {
  const left: unknown[] = [parts];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== "object" || value === null) continue;
    const { Regex: own } = value as { readonly Regex?: unknown };
    if (typeof own === "string" && own !== smilesPattern) return JSON.stringify(own.slice(0, 60));
    for (const inner of Object.values(value)) if (inner !== undefined) left.push(inner);
  }
  return null;
}

/** Ids are carried as floats, which hold whole numbers exactly up to here. */
const mostIds = 2 ** 24;

/** What a space before a word becomes: in letters for bytes, and in pieces. */
const wordBegins = /^[\u0120\u2581]/u;

/** The first of these names that is a token. */
const idOf = (library: Library, ...names: readonly string[]): number | null => {
  for (const name of names) {
    const id = library.token_to_id(name);
    if (id !== undefined) return id;
  }
  return null;
};

function tokenizerOf(library: Library, json: Json, continuing: string): Tokenizer {
  const unknown = idOf(library, "[UNK]", "<unk>");
  // What stands for a word that the vocabulary lacks is a word.
  const special = new Set(
    [...library.get_added_tokens_decoder()].flatMap(([id, token]) => (token.special && id !== unknown ? [id] : [])),
  );
  const ids = [...library.get_vocab(true).values()];
  const isWordPiece = continuing !== "";
  const isOfLetters = joinsNothing(json);
  /** Whether a token is the first of a word. `first`: whether the text begins with it. */
  const begins = (token: string, first: boolean): boolean =>
    first || isOfLetters || (isWordPiece ? !token.startsWith(continuing) : wordBegins.test(token));
  const encode = (text: string, pair: string | null): readonly number[] =>
    library.encode(text, { text_pair: pair }).ids;
  return {
    size: ids.reduce((most, id) => Math.max(most, id + 1), 0),
    mask: idOf(library, "[MASK]", "<mask>"),
    pad: paddingOf(json) ?? idOf(library, "[PAD]", "<pad>") ?? 0,
    unknown,
    frame: frameOf(encode, special),
    tokens(text) {
      const { ids: own, tokens } = library.encode(text, { add_special_tokens: false });
      let word = 0;
      const words = own.map((id: number, i: number) => {
        if (special.has(id)) return 0;
        const isFirst = i === 0 || special.has(own[i - 1] as number);
        if (begins(tokens[i] as string, isFirst)) word++;
        return word;
      });
      return { ids: own, words };
    },
    written: writing(library, json, continuing, special),
  };
}

/** Whether each letter is a token: then each is a word, too. */
const joinsNothing = ({ model }: Json): boolean =>
  isRecord(model) && Array.isArray(model.merges) && model.merges.length === 0;

/** How tokens are written: what marks parts and beginnings of words is taken away, and letters that stand for bytes become those. */
function writing(
  library: Library,
  { pre_tokenizer }: Json,
  continuing: string,
  special: ReadonlySet<number>,
): Tokenizer["written"] {
  const splitting = JSON.stringify(pre_tokenizer ?? null);
  const isBytes = splitting.includes('"ByteLevel"');
  const isSmiles = splitting.includes(JSON.stringify(smilesPattern));
  const byLetter = new Map(byteLetters().map((letter, byte) => [letter, byte]));
  const decoder = new TextDecoder();
  const plain = (token: string): string =>
    isBytes ? decoder.decode(Uint8Array.from(token, (letter) => byLetter.get(letter) ?? 63)) : token;
  return (id) => {
    const token = library.id_to_token(id);
    if (token === undefined || special.has(id)) return { text: token ?? `[${id}]`, joins: false };
    if (continuing !== "") {
      const joins = token.startsWith(continuing);
      return { text: joins ? token.slice(continuing.length) : token, joins: joins || isSmiles };
    }
    const begins = wordBegins.test(token);
    return { text: begins ? plain(token.slice(1)) : plain(token), joins: !begins };
  };
}

function paddingOf({ padding }: Json): number | null {
  const id = isRecord(padding) ? padding.pad_id : null;
  return typeof id === "number" && Number.isInteger(id) && id >= 0 ? id : null;
}

/** What the file puts around texts, seen in what becomes of a short one. */
function frameOf(
  encode: (text: string, pair: string | null) => readonly number[],
  special: ReadonlySet<number>,
): Tokenizer["frame"] {
  /** The special ids in front of the first word, between words, and behind the last. */
  const around = (ids: readonly number[]): number[][] => {
    const found: number[][] = [[]];
    for (const [i, id] of ids.entries()) {
      if (special.has(id)) found.at(-1)?.push(id);
      else if (i === 0 || special.has(ids[i - 1] as number)) found.push([]);
    }
    return found;
  };
  const [first = [], last = []] = around(encode("a", null));
  const pair = around(encode("a", "a"));
  const two = pair.length === 3 ? pair : [first, last, last];
  return { one: [first, last], two: two as [number[], number[], number[]] };
}

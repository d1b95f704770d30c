/**
 * Texts as ids: those of Hugging Face tokenizers (test/reference/vocabularies.py) on lines of all scripts, words and segments, how texts
 * are cut and filled up, vocabularies that are made, and what is said of files that are none.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ArraySample, type ArrayShape, datasets, nameOf, type SampleIndex } from "../../blocks/index.js";
import { createBuilder } from "../../graph/index.js";
import { nodeFiles } from "../../runtime/data/files.js";
import { joinSamples } from "../../runtime/data/join.js";
import { prepareNumbers } from "../../runtime/data/numbers.js";
import { readTokenizer } from "../../runtime/data/text/tokenizer.js";
import { placesIn } from "../../runtime/evaluate/features.js";
import { vocabularyOf } from "../../runtime/index.js";
import { programOfText } from "../support/model.js";

const reference = join(import.meta.dirname, "../reference");
const recorded = JSON.parse(readFileSync(join(reference, "vocabularies.json"), "utf8")) as {
  readonly pieces: readonly string[];
  readonly texts: readonly string[];
  readonly lines: number;
  readonly chunk: number;
} & Readonly<Record<"wordpiece" | "bytes" | "letters", Encoded>>;

interface Encoded {
  readonly digests: readonly string[];
  readonly ids: readonly (readonly number[])[];
  readonly pair: { readonly ids: readonly number[]; readonly segments: readonly number[] };
  readonly whole: readonly number[];
}

const pathOf = (name: string): string => join(reference, "vocabularies", `${name}.json`);
const tokenizerOf = (name: string) => readTokenizer(readFileSync(pathOf(name)), pathOf(name));

/** mulberry32, as in vocabularies.py. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

function linesOf(count: number): readonly string[] {
  const random = numbersFrom(17);
  const { pieces } = recorded;
  return Array.from({ length: count }, () => {
    const parts = 1 + Math.floor(random() * 24);
    return Array.from({ length: parts }, () => {
      const piece = pieces[Math.floor(random() * pieces.length)] as string;
      return piece + (random() < 0.15 ? "" : " ");
    }).join("");
  });
}

/** Folders that tests write into. */
const folder = (files: Readonly<Record<string, string | Uint8Array>>): string => {
  const path = mkdtempSync(join(tmpdir(), "maelang-text-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
};

const shape = (length: number, vocabulary = 600, mask = 4): ArrayShape => ({
  axes: [{ name: "place", size: length }],
  channels: 3,
  ids: { vocabulary, mask },
});

const open = (
  root: string,
  values: Readonly<Record<string, unknown>>,
  array: ArrayShape,
  split: "train" | "test" = "train",
): Promise<SampleIndex> => {
  const none = { labels: null, test_texts: null, test_labels: null, values: null, test_values: null };
  const all = { vocabulary: pathOf("wordpiece"), samples: "lines", ...none };
  return datasets.text.open({ ...all, texts: "texts.txt", ...values } as never, nodeFiles(root), split, { array });
};

/** One channel of a sample. */
const channel = (index: SampleIndex, i: number, at: number): readonly number[] => {
  const sample = index.sample(i);
  if (sample.kind !== "array") throw new Error("a text is an array");
  return Array.from(sample.numbers).filter((_, k) => k % 3 === at);
};

describe.each(["wordpiece", "bytes", "letters"] as const)("ids of %s are those of Hugging Face tokenizers", (name) => {
  const { digests, ids, pair, whole } = recorded[name];
  const lines = linesOf(recorded.lines);

  test(`of ${lines.length} lines`, async () => {
    const { tokens } = await tokenizerOf(name);
    const own = lines.map((line) => tokens(line).ids);
    expect(own.slice(0, ids.length)).toEqual(ids);
    for (const [i, digest] of digests.entries()) {
      const text = own.slice(i * recorded.chunk, (i + 1) * recorded.chunk).map((row) => row.join());
      expect(createHash("sha256").update(text.join("\n")).digest("hex"), `lines from ${i * recorded.chunk}`).toBe(
        digest,
      );
    }
  });

  test("of whole texts and pairs, with what stands around them", async () => {
    const [first, second] = recorded.texts;
    const root = folder({ "texts.txt": `${first}\n${first}\t${second}\n` });
    const { size, mask } = await tokenizerOf(name);
    const index = await open(root, { vocabulary: pathOf(name) }, shape(256, size, mask as number));
    expect(channel(index, 0, 0).slice(0, whole.length)).toEqual(whole);
    expect(channel(index, 1, 0).slice(0, pair.ids.length)).toEqual(pair.ids);
    const ends = name === "bytes" ? undefined : pair.segments;
    if (ends) expect(channel(index, 1, 2).slice(0, ends.length)).toEqual(ends);
    expect(channel(index, 0, 1).filter((word) => word < 0)).toHaveLength(256 - whole.length);
  });
});

test("words are told apart: by what continues one, or by the space before it", async () => {
  const pieces = await tokenizerOf("wordpiece");
  const { ids, words } = pieces.tokens("unhappily reading, [MASK] house");
  const spelt = ids.map((id, i) => [pieces.written(id).text, words[i]] as const);
  expect(spelt.map(([token]) => token)).toContain("[MASK]");
  expect(spelt.find(([token]) => token === "[MASK]")?.[1]).toBe(0);
  for (const [i, [token, word]] of spelt.entries()) {
    expect(token).not.toContain("##");
    if (pieces.written(ids[i] as number).joins) expect(word).toBe(spelt[i - 1]?.[1]);
  }
  expect(new Set(words).size).toBe(5);
  const bytes = await tokenizerOf("bytes");
  expect(Math.max(...bytes.tokens("unhappily reading the house").words)).toBe(4);
});

describe("samples", () => {
  test("a text that is too long loses its end, of a pair the longer one first; what is beyond the end is marked", async () => {
    const root = folder({
      "texts.txt": "the house of the reader reader the\n\n  the\tthe house of the reader the the\nthe\n",
    });
    const index = await open(root, {}, shape(8));
    expect(index.length).toBe(3);
    const { tokens, pad } = await tokenizerOf("wordpiece");
    const [the, house] = tokens("the house").ids as [number, number];
    expect(channel(index, 0, 0).slice(0, 3)).toEqual([2, the, house]);
    expect(channel(index, 0, 0).at(-1)).toBe(3);
    expect(channel(index, 1, 0).slice(0, 4)).toEqual([2, the, 3, the]);
    expect(channel(index, 1, 2)).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
    expect(channel(index, 2, 0)).toEqual([2, the, 3, pad, pad, pad, pad, pad]);
    expect(channel(index, 2, 1)).toEqual([0, 1, 0, -1, -1, -1, -1, -1]);
    expect(index.notes).toEqual([expect.stringMatching(/^2 of 3 texts looked at are longer than 8 tokens/)]);
  });

  test("documents are cut into pieces that fill the length, and end where an empty line stands", async () => {
    const root = folder({ "texts.txt": "the the the\nthe the\n\nthe house\n" });
    const index = await open(root, { samples: "pieces" }, shape(6));
    const { tokens } = await tokenizerOf("wordpiece");
    const [the, house] = tokens("the house").ids as [number, number];
    expect(Array.from({ length: index.length }, (_, i) => channel(index, i, 0))).toEqual([
      [2, the, the, the, the, 3],
      [2, the, 3, 0, 0, 0],
      [2, the, house, 3, 0, 0],
    ]);
    // The words of a document are counted through, also over the ends of lines.
    expect(channel(index, 0, 1)).toEqual([0, 1, 2, 3, 4, 0]);
  });

  test("classes are the lines of another file, in both splits", async () => {
    const root = folder({ "texts.txt": "the\nhouse\n", "l.txt": "b\na\n", "t.txt": "the\n", "tl.txt": "c\n" });
    const values = { labels: "l.txt", test_texts: "t.txt", test_labels: "tl.txt" };
    const [train, held] = [await open(root, values, shape(4)), await open(root, values, shape(4), "test")];
    expect(train.classes).toEqual(["a", "b", "c"]);
    expect([train.sample(0).label, train.sample(1).label, held.sample(0).label]).toEqual([1, 0, 2]);
  });

  test("numbers are the lines of another file, of each split its own", async () => {
    const root = folder({ "texts.txt": "the\nhouse\n", "n.txt": "-1.5\n2e3\n", "t.txt": "the\n", "tn.txt": "7\n" });
    const values = { values: "n.txt", test_texts: "t.txt", test_values: "tn.txt" };
    const [train, held] = [await open(root, values, shape(4)), await open(root, values, shape(4), "test")];
    expect([train.values?.(0), train.values?.(1), held.values?.(0)]).toEqual([-1.5, 2000, 7]);
    expect((await open(root, {}, shape(4))).values).toBeUndefined();
  });
});

test("of letters each is a token and a word; records of FASTA are texts", async () => {
  const fasta = ">sp|P1 one\nMKV\nLA\n\n>sp|P2 two\nKKX\n";
  const root = folder({ "texts.txt": fasta, "lines.txt": "MK\n" });
  const made = await vocabularyOf(["texts.txt"], root, { kind: "letters", size: 100, cased: false });
  expect([made.size, made.mask]).toEqual([5 + "AKLMVX".length, 4]);
  writeFileSync(join(root, "letters.json"), made.json);
  const values = { vocabulary: "letters.json", samples: "fasta" };
  const index = await open(root, values, shape(9, made.size));
  const [A, K, L, M, V, X] = [5, 6, 7, 8, 9, 10];
  expect(Array.from({ length: index.length }, (_, i) => channel(index, i, 0))).toEqual([
    [2, M, K, V, L, A, 3, 0, 0],
    [2, K, K, X, 3, 0, 0, 0, 0],
  ]);
  expect(channel(index, 0, 1)).toEqual([0, 1, 2, 3, 4, 5, 0, -1, -1]);
  const none = open(root, { ...values, texts: "lines.txt" }, shape(9, made.size));
  await expect(none).rejects.toThrow(/lines\.txt line 1 does not begin with >/);
  writeFileSync(join(root, "bare.txt"), ">one\nMK\n>two\n>three\nMK\n");
  const bare = open(root, { ...values, texts: "bare.txt" }, shape(9, made.size));
  await expect(bare).rejects.toThrow("bare.txt line 3 begins a record that has no sequence: `>two`");
  writeFileSync(join(root, "odd.txt"), `>one\nMK\n>two\nM*${"K".repeat(200)}\n`);
  const odd = await open(root, { ...values, texts: "odd.txt" }, shape(9, made.size));
  expect(odd.notes?.at(-1)).toBe(
    "1 in 204 of the tokens of 2 texts looked at are not in the vocabulary, first in text 2",
  );
});

test("latents that stand for a text are no places of it, and all count", () => {
  const program = programOfText(`edition 2026
model Asked {
  input   text(length: 8, vocabulary: 20, mask: 4)
  tokens  embedding
  positions learned
  mask    latent_guided(ratio: 25%, queries: 2)
  encoder embedded(width: 8)
  latents asking(count: 3, width: 8, depth: 1, heads: 2)
  decoder queries(depth: 0, width: 8, heads: 2)
  target  ids
  loss    id_cross_entropy
}`);
  expect(placesIn(createBuilder({ batch: 1 }), program, {})).toBeNull();
  expect(program.latents).toBe(3);
});

test("molecules are split as Python's own regular expressions split them, and what is none is said", async () => {
  const { molecules, ids, strange, strange_ids } = JSON.parse(readFileSync(join(reference, "smiles.json"), "utf8"));
  const root = folder({ "all.txt": `${molecules.join("\n")}\n`, "named.txt": "CCO\nCCO ethanol\n" });
  const options = { kind: "smiles", size: 64, cased: false } as const;
  const made = await vocabularyOf(["all.txt"], root, options);
  expect(made.json).toBe(readFileSync(pathOf("smiles"), "utf8"));
  const { tokens, written, unknown } = await tokenizerOf("smiles");
  expect(molecules.map((smiles: string) => tokens(smiles).ids)).toEqual(ids);
  expect(strange.map((smiles: string) => tokens(smiles).ids)).toEqual(strange_ids);
  expect(strange_ids[0][1]).toBe(unknown);
  const [aspirin] = ids;
  expect(aspirin.map((id: number) => written(id).text).join("")).toBe(molecules[0]);
  await expect(vocabularyOf(["named.txt"], root, options)).rejects.toThrow(
    /named\.txt line 2 has " etha", which no SMILES/,
  );
  const unclosed = [
    ["CC[NH CC[Na]", /line 1 has a "\[NH CC\[Na\]" that is not closed/],
    ["CC[NH", /has a "\[" that is not closed/],
    ["CC(C", /has a "\(" that is not closed/],
    ["CC)C", /has a "\)" that closes nothing/],
  ] as const;
  for (const [smiles, words] of unclosed) {
    await expect(vocabularyOf(["a.txt"], folder({ "a.txt": `${smiles}\n` }), options)).rejects.toThrow(words);
  }
  await expect(vocabularyOf(["all.txt"], root, { ...options, size: 9 })).rejects.toThrow(/the parts of the SMILES and/);
});

test("vocabularies are made of texts, the same of the same texts, and read back", async () => {
  const text = "low lower lowest newer newest wider widest\n".repeat(9);
  const root = folder({ "a.txt": text });
  const options = { kind: "wordpiece", size: 30, cased: false } as const;
  const made = await vocabularyOf(["a.txt"], root, options);
  expect(await vocabularyOf(["a.txt"], root, options)).toEqual(made);
  expect([made.size, made.mask, made.different]).toEqual([30, 4, 7]);
  const { tokens, written } = await readTokenizer(Buffer.from(made.json), "a.json");
  const spelt = tokens("Lowest widest").ids.map(written);
  expect(spelt.map(({ text, joins }) => `${joins ? "" : " "}${text}`).join("")).toBe(" lowest widest");
  expect(spelt.length).toBeLessThan(6);
  const bytes = await vocabularyOf(["a.txt"], root, { kind: "bytes", size: 300, cased: false });
  const byLetter = await readTokenizer(Buffer.from(bytes.json), "b.json");
  expect(byLetter.unknown === null || !byLetter.tokens("日本 ẞ").ids.includes(byLetter.unknown)).toBe(true);
  await expect(vocabularyOf(["a.txt"], root, { ...options, size: 12 })).rejects.toThrow(/tokens already/);
});

describe("what cannot be used says so", () => {
  const size = 600;
  const own = JSON.parse(readFileSync(pathOf("wordpiece"), "utf8"));
  const changed = (parts: object): string => JSON.stringify({ ...own, ...parts });
  const cases: readonly (readonly [
    string,
    Readonly<Record<string, string | Uint8Array>>,
    object,
    ArrayShape,
    RegExp,
  ])[] = [
    [
      "a vocabulary that is not there",
      {},
      { vocabulary: "no.json" },
      shape(8),
      /no\.json does not exist(.|\n)*mae tokenizer/,
    ],
    ["ids of another vocabulary", {}, {}, shape(8, size + 1), /has 600 ids, \[MASK\] being 4, and the model reads 601/],
    ["another [MASK]", {}, {}, shape(8, size, 5), /mask: 4/],
    ["no JSON", { "v.json": "{" }, { vocabulary: "v.json" }, shape(8), /v\.json is no vocabulary/],
    [
      "another JSON",
      { "v.json": '{"model":{"type":"Tree"}}' },
      { vocabulary: "v.json" },
      shape(8),
      /no WordPiece, BPE/,
    ],
    [
      "patterns of its own",
      { "v.json": '{"model":{"type":"BPE"},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+$"}}}' },
      { vocabulary: "v.json" },
      shape(8),
      /a pattern of its own, "\(a\+\)\+\$"/,
    ],
    [
      "nonsense around texts",
      { "v.json": changed({ post_processor: { type: "TemplateProcessing", single: 5 } }) },
      { vocabulary: "v.json" },
      shape(8),
      /v\.json cannot be used: /,
    ],
    [
      "ids beyond all floats",
      { "v.json": changed({ model: { type: "WordPiece", unk_token: "[UNK]", vocab: { "[UNK]": 0, a: 1e15 } } }) },
      { vocabulary: "v.json" },
      shape(8),
      /it has the id 1000000000000000/,
    ],
    [
      "lists in lists without end",
      { "v.json": `{"model":{"type":"BPE"},"a":${"[".repeat(3e4)}${"]".repeat(3e4)}}` },
      { vocabulary: "v.json" },
      shape(8),
      /v\.json/,
    ],
    [
      "a list of words without [CLS]",
      { "v.txt": "a\nb\n" },
      { vocabulary: "v.txt" },
      shape(8),
      /it has no \[PAD\], \[UNK\]/,
    ],
    [
      "Latin 1",
      { "texts.txt": Buffer.from("the\ncaf\xe9\n", "latin1") },
      {},
      shape(8),
      /texts\.txt line 2 is not UTF-8/,
    ],
    ["FASTQ", { "texts.txt": "@r1\nACGT\n+\nI#II\n" }, {}, shape(8), /texts\.txt is FASTQ/],
    ["UTF-16", { "texts.txt": Buffer.from("\ufeffthe\n", "utf16le") }, {}, shape(8), /texts\.txt is in UTF-16/],
    [
      "UTF-16 without its mark",
      { "texts.txt": Buffer.from("the\n", "utf16le") },
      {},
      shape(8),
      /seems to be in UTF-16.*iconv -f UTF-16LE/,
    ],
    ["a file without a text", { "texts.txt": "\n \n" }, {}, shape(8), /texts\.txt has no texts/],
    [
      "an id that two tokens have",
      { "v.json": changed({ model: { ...own.model, vocab: { ...own.model.vocab, the: 5 } } }) },
      { vocabulary: "v.json" },
      shape(8),
      /it has the id 5 of two tokens, ".+" and "the"/,
    ],
    [
      "a list where ids are",
      { "v.json": changed({ model: { ...own.model, vocab: Object.keys(own.model.vocab) } }) },
      { vocabulary: "v.json" },
      shape(8),
      /its model has no table of tokens and their ids/,
    ],
    [
      "parts that are joined and are no tokens",
      { "v.json": changed({ model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [["a", "x"]] } }) },
      { vocabulary: "v.json" },
      shape(8),
      /it joins \["a","x"\], which are no two tokens of it/,
    ],
    ["a line without end", { "texts.txt": "a".repeat(2 ** 20 + 1) }, {}, shape(8), /line 1 has 1,048,577 characters/],
    ["no room for a word", {}, {}, shape(2), /the model reads 2 tokens, and 2 stand around a text/],
    ["fewer labels than texts", { "l.txt": "a\n" }, { labels: "l.txt" }, shape(8), /there are 2 texts and 1 label/],
    ["more numbers than texts", { "n.txt": "1\n2\n3\n" }, { values: "n.txt" }, shape(8), /2 texts and 3 numbers/],
    [
      "a line that is no number",
      { "n.txt": "1\n\nNA\n" },
      { values: "n.txt" },
      shape(8),
      /n\.txt line 3 is `NA`, which is no number\. Leave texts out whose number nobody knows/,
    ],
    [
      "a label that is left empty",
      { "texts.txt": "the house\n\nof the reader\n", "l.txt": "a\n\n\nb\n" },
      { labels: "l.txt" },
      shape(8),
      /label 2 stands in line 4, and its text in line 3 of texts\.txt/,
    ],
  ];
  test.each(cases)("%s", async (_, files, values, array, message) => {
    const root = folder({ "texts.txt": "the house\nof the reader\n", ...files });
    await expect(open(root, values as Readonly<Record<string, unknown>>, array)).rejects.toThrow(message);
  });

  test.each<readonly [string, number, object[], RegExp]>([
    [
      "an id outside of the vocabulary",
      600,
      [],
      /sample 0 has the id 600 at place 3, and the model's vocabulary has 0 to 599/,
    ],
    ["a part of an id", 1.5, [], /has the id 1\.5/],
    ["a text that is augmented", 5, [{ kind: "normalize" }], /the recipe augments a text/],
  ])("%s", async (_, id, steps, message) => {
    const array = shape(8);
    const numbers = new Float32Array(24).fill(1);
    numbers[9] = id;
    const plan = { name: "steps", plan: () => steps, params: {}, changes: "channels" };
    const preparation = {
      augment: [{ definition: plan, values: {} }],
      arrays: { text: array },
      seed: 0,
      mode: "train",
    };
    const item = { sample: 0, epoch: 0, sources: {}, label: null };
    const prepared = prepareNumbers(
      { numbers, shape: array },
      item,
      { name: "text", shape: array },
      preparation as never,
    );
    await expect(prepared).rejects.toThrow(message);
  });

  test("words that the vocabulary does not know are counted", async () => {
    const root = folder({ "texts.txt": "the ꙮ ꙮ ꙮ\n" });
    const index = await open(root, {}, shape(16));
    expect(channel(index, 0, 1).slice(0, 6)).toEqual([0, 1, 2, 3, 4, 0]);
    expect(index.notes).toEqual([expect.stringMatching(/75 % of the tokens .* not in the/)]);
  });
});

test("captions are said of files, by the names of which pictures find them", async () => {
  const root = folder({ "texts.txt": "cats/1.jpg\tthe house\ncats/2\tthe\tthe\n", "bad.txt": "the house\n" });
  const index = await open(root, { samples: "captions" }, shape(6));
  const { tokens } = await tokenizerOf("wordpiece");
  const [the, house] = tokens("the house").ids as [number, number];
  expect(channel(index, 0, 0)).toEqual([2, the, house, 3, 0, 0]);
  expect(channel(index, 1, 0)).toEqual([2, the, the, 3, 0, 0]);
  expect([0, 1].map((i) => nameOf(index.sample(i) as ArraySample))).toEqual(["cats/1", "cats/2"]);
  const array = shape(6);
  const pictures = (names: readonly string[]): SampleIndex => ({
    ...{ length: names.length, classes: [], notes: [] },
    sample: (i) => ({ kind: "file", path: names[i] as string, within: names[i] as string, label: null }),
  });
  const joined = (names: readonly string[]) =>
    joinSamples([
      { name: "image", index: pictures(names) },
      { name: "text", index },
    ]);
  const pairs = joined(["cats/2.png", "cats/1.png"]);
  expect(Object.values(partsOf(pairs, 0)).map((part) => nameOf(part))).toEqual(["cats/2", "cats/2"]);
  expect(() => joined(["cats/1.png"])).toThrow(/1 sample of text has no image: cats\/2/);
  expect(() => joined(["cats/1.png", "cats/2.png", "dogs/1.png"])).toThrow(/1 sample of image has no text: dogs\/1/);
  await expect(open(root, { samples: "captions", texts: "bad.txt" }, array)).rejects.toThrow(
    /bad\.txt line 1 is not the name of a file, a tab and what is said of it: `the house`/,
  );
});

const partsOf = (index: SampleIndex, i: number) => {
  const sample = index.sample(i);
  return sample.kind === "joined" ? sample.parts : {};
};

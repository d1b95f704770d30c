/** The commands about data that models read: what they take, and how `--help` teaches them. */

import { type Command, Option } from "commander";
import { wholeNumber } from "./arguments.js";
import { addText, command } from "./help.js";

/** Commands that look at data before a model is written. */
export function addDataCommands(program: Command): void {
  addTokenizer(program);
  addColumns(program);
}

/** What makes the vocabulary that the data of a text model names. */
const addTokenizer = (program: Command): void =>
  addText(
    command(program, "tokenizer", "Make the vocabulary of a text model: parts of words, of files of text.")
      .argument("<files...>", "files in UTF-8, a text a line")
      .addOption(
        new Option("--size <n>", "ids at most; with fewer pairs of letters there are fewer")
          .argParser(wholeNumber(6, 2 ** 24))
          .default(8192),
      )
      .addOption(
        new Option(
          "--kind <kind>",
          "parts of words as in BERT, of bytes as in RoBERTa, atoms and bonds of SMILES, or single letters",
        )
          .choices(["wordpiece", "bytes", "smiles", "letters"])
          .default("wordpiece"),
      )
      .addOption(new Option("--cased", "of wordpiece: keep capitals and accents"))
      .option("-o, --out <file>", "where it goes", "tokenizer.json")
      .option("--force", "replace a file that is already there")
      .option("--json", "print one JSON document")
      .action(async (files: string[], options) => (await import("./commands/tokenizer.js")).tokenizer(files, options)),
    [
      ["mae tokenizer data/texts.txt --size 8192", "into tokenizer.json, which data text(...) names"],
      ["mae tokenizer a.txt b.txt --kind bytes --size 50265 -o bytes.json", "byte-level BPE, as RoBERTa has it"],
      ["mae tokenizer proteins.fasta --kind letters -o letters.json", "of sequences of proteins"],
      ["mae tokenizer molecules.txt --kind smiles --size 128 -o smiles.json", "of a SMILES in each line"],
    ],
  );

/** What writes the columns that a model of tables reads. */
const addColumns = (program: Command): void =>
  addText(
    command(program, "columns", "Say what the columns of a table are, as the input of a model writes them.")
      .argument("<file>", "comma-separated values or Parquet; of training rows, as means and deviations are told")
      .option("--without <names>", "columns that the model is not to read, such as the label; separated by commas")
      .option("--names <names>", "of the columns, where the file's first line has none")
      .option("--json", "print one JSON document")
      .action(async (file: string, options) => (await import("./commands/columns.js")).columns(file, options)),
    [
      ["mae columns data/train.csv --without label", "print table(columns: ...), for the model's input"],
      ["mae columns data/train.parquet --json", "the same for programs"],
    ],
  );

/** Texts with the tokens that a model of text guessed in them, and how often it is right, in words. */

import type { Tokenizer, Written } from "../../blocks/index.js";
import type { GuessErrors, Guessed } from "../../runtime/index.js";
import { runFailure } from "../words/failure.js";
import { type Colors, count, grouped, percent } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";
import { type Drawable, type PictureOptions, shownBatch, shownSamples } from "./pictures.js";

/** Whether there is a text among what a model reads. */
export const readsText = ({ arrays }: Drawable["program"]): boolean =>
  Object.values(arrays).some(({ ids }) => ids !== undefined);

/** Whether it reads nothing else. */
export const isText = ({ arrays }: Drawable["program"]): boolean =>
  Object.values(arrays).every(({ ids }) => ids !== undefined);

/** `sample`: what the tokens are of. */
export const sayGuesses = (
  { samples, tokens, accuracy, perplexity, frequency }: GuessErrors,
  sample = "text",
): string =>
  `${percent(accuracy)} of ${grouped(tokens)} masked tokens of ${count(samples, sample)} right, by the commonest token ${percent(frequency.accuracy)}; perplexity ${perplexity.toFixed(2)}, by how frequent tokens are ${frequency.perplexity.toFixed(2)}`;

/** How well texts that are spread evenly over the data are guessed; null: the model predicts no ids. */
export async function guessesOf(run: Drawable, options: Omit<PictureOptions, "path">): Promise<GuessErrors | null> {
  const { errorsOfGuesses } = await import("../../runtime/index.js");
  const texts = await guessedIn(run, options);
  return (
    texts &&
    errorsOfGuesses(
      texts.length,
      texts.flatMap(({ guesses }) => guesses),
    )
  );
}

export interface ShownTexts {
  readonly texts: readonly Guessed[];
  readonly tokenizer: Tokenizer;
}

/** The same with what their ids are written as. */
export async function guessedTexts(run: Drawable, options: Omit<PictureOptions, "path">): Promise<ShownTexts | null> {
  const texts = await guessedIn(run, options);
  if (!texts) return null;
  const { tokenizerOf } = await import("../../runtime/index.js");
  const data = run.training.data.find(({ definition }) => definition.vocabulary !== undefined);
  const tokenizer = data && (await tokenizerOf(data, run.root));
  if (!tokenizer) throw runFailure("the data of this run name no vocabulary", { help: "its texts cannot be written" });
  return { texts, tokenizer };
}

/** Guesses of texts that are spread evenly over the data. */
async function guessedIn(run: Drawable, options: Omit<PictureOptions, "path">): Promise<readonly Guessed[] | null> {
  const { program, weights } = run;
  if (!readsText(program) && !program.codes) return null;
  const { openGuesser } = await import("../../runtime/index.js");
  const index = await shownSamples(run, options);
  const guesser = await openGuesser({ program, weights }, index.length, options);
  if (!guesser) return null;
  try {
    const { arrays, samples } = await shownBatch(index, run, options);
    return await guesser.run(arrays, samples);
  } finally {
    await guesser.close();
  }
}

/** Each text with what was asked in brackets, as it entered the model, and as the model wrote it, where right with a tick. */
export function textsWithGuesses({ texts, tokenizer }: ShownTexts, colors: Colors): string {
  const blocks = texts.map(({ ids, guesses }, i) => {
    const byPlace = new Map(guesses.map((guess) => [guess.place, guess]));
    const written = (change: (guess: Guessed["guesses"][number]) => string): string =>
      joined(
        ids.map((id, place) => {
          const guess = byPlace.get(place);
          const token = tokenizer.written(id);
          return guess ? { ...token, text: change(guess) } : token;
        }),
      );
    const word = (id: number): string => visibleText(tokenizer.written(id).text);
    // [MASK] and its like have brackets of their own.
    const bracketed = (id: number, after = ""): string =>
      after === "" && /^[[<]/.test(word(id)) ? word(id) : `[${word(id)}${after}]`;
    const told = written(({ id, guessed }) =>
      guessed === id ? colors.green(bracketed(guessed, " ✓")) : colors.red(bracketed(guessed)),
    );
    return [
      `${i + 1}  text   ${written(({ id }) => colors.bold(bracketed(id)))}`,
      `   seen   ${written(({ entered, id }) => (entered === id ? word(id) : colors.dim(bracketed(entered))))}`,
      `   model  ${told}`,
    ].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

/** Tokens as a text: parts of a word follow each other without a space. */
const joined = (tokens: readonly Written[]): string =>
  tokens.map(({ text, joins }, i) => `${i === 0 || joins ? "" : " "}${text}`).join("");

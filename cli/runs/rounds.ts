/** How a model of codes generates what comes later, as the command line says or as usual, and how near that is, in words. */

import type { ModelProgram } from "../../blocks/index.js";
import type { GenerationErrors, Rounds } from "../../runtime/index.js";
import { usageFailure } from "../words/failure.js";
import { count } from "../words/terminal.js";

/** What the command line says; if absent, as usual. */
export type RoundsFlags = Partial<Rounds>;

/** How a model of codes generates, where nobody says. */
export const usualRounds: Rounds = { rounds: 8, temperature: 4.5, curve: "cosine" };

/** null: the model does not generate. Throws a usage failure where it is told how all the same. */
export async function roundsOf(
  program: ModelProgram,
  { rounds, temperature, curve }: RoundsFlags,
): Promise<Rounds | null> {
  const { canGenerate } = await import("../../runtime/index.js");
  if (canGenerate(program)) {
    return {
      rounds: rounds ?? usualRounds.rounds,
      temperature: temperature ?? usualRounds.temperature,
      curve: curve ?? usualRounds.curve,
    };
  }
  const asked = Object.entries({ rounds, temperature, curve }).find(([, value]) => value !== undefined);
  if (!asked) return null;
  throw usageFailure(`--${asked[0]} is for models that generate codes, and ${program.name} does not`, {
    help: "leave it out; such a model has the target `codes` and a mask that gives the first frames, `future`",
  });
}

export function sayGenerated(
  { samples, psnr, lastPsnr, codesPsnr, rounds: { rounds, temperature, curve } }: GenerationErrors,
  sample: string,
): string {
  const [own, last, codes] = [psnr, lastPsnr, codesPsnr].map((ratio) => `${ratio.toFixed(2)} dB`);
  return (
    `Generated frames of ${count(samples, sample)}, ${count(rounds, "round")}, temperature ${temperature}, ${curve}: PSNR ${own}; ` +
    `of the last given frame, copied, ${last}; of the true codes ${codes}`
  );
}

/** How far the frames that a model generates are from those of samples that it was not trained on, beside frames that show no motion. */

import { type ArrayShape, arrayLength, tokenCount } from "../../blocks/index.js";
import type { Training } from "../train/contract.js";
import { coloursOf } from "./colours.js";
import type { EvaluateOptions } from "./contract.js";
import type { Trained } from "./frozen.js";
import { drawnOf, drawsFrom, generate, laterPictured, type Rounds } from "./generate.js";
import { decibels } from "./reconstruction.js";

/** Mean squared errors of pixels in [0, 1] behind the given frames, before they are cut to that range, and their peak signal-to-noise ratios in dB. */
export interface GenerationErrors {
  readonly rounds: Rounds;
  /** Samples looked at. */
  readonly samples: number;
  readonly mse: number;
  readonly psnr: number;
  /** Of the last given frame, copied. */
  readonly lastMse: number;
  readonly lastPsnr: number;
  /** Of the true codes: no guess of codes is much nearer. */
  readonly codesMse: number;
  readonly codesPsnr: number;
}

/** Generates what comes later of the test samples of a model that can, each by draws of its own. Throws what reading data throws. */
export async function generationErrors(
  model: Trained,
  augment: Training["augment"],
  { data, executor, seed, report }: Pick<EvaluateOptions, "data" | "executor" | "seed" | "report">,
  rounds: Rounds,
): Promise<GenerationErrors> {
  const { program } = model;
  const colours = coloursOf(augment, program.arrays);
  const sums = { generated: 0, last: 0, codes: 0 };
  let samples = 0;
  for await (const { arrays, count } of data.test()) {
    const before = samples;
    const draws = (sample: number, round: number) => drawsFrom(seed)(before + sample, round);
    const { given, codes, drawn } = await generate(model, arrays, { ...rounds, executor, draws });
    const { shown, pictures } = laterPictured(program, given, colours);
    const errorsOf = (values: Float32Array): number =>
      pictures(arrays, values)
        .slice(0, count)
        .reduce((sum, { errors }) => sum + errors.pixelMse, 0);
    const [first] = shown.grid;
    const frames = (given / tokenCount(shown.grid.slice(1))) * (first?.size ?? 1);
    const all = arrays[shown.name] as Float32Array;
    sums.generated += errorsOf(drawn);
    sums.last += errorsOf(withoutMotion(all, shown.shape, frames));
    sums.codes += errorsOf(await drawnOf(model, codes, all.length / arrayLength(shown.shape), executor));
    samples += count;
    report?.({ stage: "generation", done: samples, total: null });
  }
  const [mse, lastMse, codesMse] = [sums.generated / samples, sums.last / samples, sums.codes / samples];
  const ratios = { psnr: decibels(mse), lastPsnr: decibels(lastMse), codesPsnr: decibels(codesMse) };
  return { rounds, samples, mse, lastMse, codesMse, ...ratios };
}

/** Samples in which all frames behind the given ones are the last of these. */
function withoutMotion(all: Float32Array, shape: ArrayShape, given: number): Float32Array {
  const length = arrayLength(shape);
  const frame = length / (shape.axes[0]?.size ?? 1);
  return all.map((value, at) => {
    const place = at % length;
    const own = Math.floor(place / frame);
    return own < given ? value : (all[at - (own - given + 1) * frame] as number);
  });
}

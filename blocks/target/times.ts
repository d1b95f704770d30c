/** Targets of some times of an input that begins with time, such as a clip: which ones, and what stands in the place of the others. */

import type { Tensor } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import type { Code } from "../code.js";
import { patchify, takeTimes, unpatchify } from "../nn/index.js";
import { claim } from "../nn/layer.js";
import { int, optional, type Param } from "../params.js";
import type { Picture } from "../program.js";
import type { TargetContext } from "./contract.js";

export const timesParam = optional(
  int({
    min: 1,
    max: 65_536,
    doc: "How many of the input's times are predicted, evenly spread from the first to the last. If absent, all.",
  }),
);

/** Numbers of times that give each token as many, which divide its own; none where the input does not begin with time. */
function fittingTimes({ grid: [time] }: Pick<ModelContext, "grid">): readonly number[] {
  if (time?.name !== "time") return [];
  const each = Array.from({ length: time.size }, (_, i) => i + 1).filter((share) => time.size % share === 0);
  return each.map((share) => share * time.count);
}

export const wholeTimes: Requirement<{ readonly times: Param<number | null> }, ModelContext> = {
  name: "whole-times",
  at: "times",
  doc: "Where `times` are written, the input begins with time, and each token has as many of them, which divide its own.",
  holds: ({ times }, context) => times === null || fittingTimes(context).includes(times),
  say: ({ times }, { grid: [time] }) =>
    time?.name === "time"
      ? `${times} of ${time.count * time.size} times are no whole share of the ${time.size} that each token has`
      : "the input does not begin with time",
  help(_, context) {
    const fitting = fittingTimes(context);
    return fitting.length === 0 ? "remove `times`" : `write ${fitting.slice(-4).join(", ")}, or remove \`times\``;
  },
};

/** `count` numbers from 0 to `last`, evenly spread and rounded down, as `torch.linspace` and `long`. */
const spread = (count: number, last: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.floor((i * last) / (count - 1))));

/** Some times of an input. */
export interface SomeTimes {
  /** The array of these times, and the tokens as they lie in it. */
  readonly fewer: TargetContext;
  /** Which of all they are. */
  readonly taken: readonly number[];
  /** Which of them stands in the place of each of all. */
  readonly shown: readonly number[];
}

export const someTimes = (times: number, context: TargetContext): SomeTimes =>
  takenTimes(spread(times, (context.array.axes[0]?.size ?? 1) - 1), context);

/** The middle one of each token's times; of an even number the one behind the middle. */
export function middleTimes(context: TargetContext): SomeTimes {
  const { count = 1, size = 1 } = context.grid[0] ?? {};
  return takenTimes(
    Array.from({ length: count }, (_, i) => i * size + Math.floor(size / 2)),
    context,
  );
}

function takenTimes(taken: readonly number[], { array, grid }: TargetContext): SomeTimes {
  const [time, ...others] = array.axes as [TargetContext["array"]["axes"][number]];
  const [tokens, ...beside] = grid as [TargetContext["grid"][number]];
  const times = taken.length;
  return {
    fewer: {
      array: { ...array, axes: [{ ...time, size: times }, ...others] },
      grid: [{ ...tokens, size: times / tokens.count }, ...beside],
    },
    taken,
    shown: Array.from({ length: time.size }, (_, i) => Math.floor((i * times) / time.size)),
  };
}

/** Predicted patches of some times, as pixels [B, N, P'] -> patches of all times, [B, N, P]. */
export function patchesOfAll(code: Code, pixels: Tensor, { fewer, shown }: SomeTimes, { array, grid }: TargetContext) {
  const few = code.let("few", unpatchify, pixels, fewer.grid, { channels: array.channels });
  return code.let("filled", patchify, code.let("all", takeTimes, few, shown), grid);
}

/** Values of an input, of these times. */
function valuesAt(values: Float32Array, all: number, times: readonly number[]): Float32Array {
  const length = values.length / all;
  const result = new Float32Array(times.length * length);
  for (const [i, time] of times.entries()) result.set(values.subarray(time * length, (time + 1) * length), i * length);
  return result;
}

/** A picture of some times, in which each stands in the place of those beside it too. `of`: that of the array of these times. */
export function pictureOfAll({ inGraph, pixels, unaided }: Picture, { taken, shown }: SomeTimes): Picture {
  const few = (values: Float32Array) => valuesAt(values, shown.length, taken);
  const all = (values: Float32Array) => valuesAt(values, taken.length, shown);
  return {
    pixels: (prediction, seen) => all(pixels(prediction, few(seen))),
    ...(unaided && { unaided: (prediction, seen, isHidden) => all(unaided(prediction, few(seen), isHidden)) }),
    truth: (seen) => all(few(seen)),
    ...(inGraph && {
      inGraph(g, prediction, seen) {
        const at = (x: Tensor, times: readonly number[]) => takeTimes(g, claim<["B", number, ...number[]]>(x), times);
        return at(inGraph(g, prediction, at(seen, taken)), shown);
      },
    }),
  };
}

/** Parameters and conditions of blocks that attend within windows, those that the encoder and the decoder of Swin share foremost. */

import type { ModelContext, Requirement } from "./block.js";
import { divisorsBeside } from "./divisors.js";
import { int, type Params, real, reals, type ValuesOf } from "./params.js";

export const windowParams = {
  heads: reals({ min: 1, max: 1024, doc: "Attention heads of each stage." }),
  window: int({ min: 1, max: 1024, default: 7, doc: "Places of a window along each axis; of a map with fewer, all." }),
  mlp_ratio: real({
    min: 0,
    openMin: true,
    max: 64,
    default: 4,
    doc: "Hidden features of the perceptron, as a multiple of the width.",
  }),
  norm_epsilon: real({
    min: 0,
    openMin: true,
    max: 1,
    default: 1e-5,
    doc: "Added to the variance in every LayerNorm.",
  }),
};

type WindowParams = typeof windowParams & { readonly depths: Params[string] };
type Values = ValuesOf<typeof windowParams> & { readonly depths: readonly number[] };

/** Of a stage: the places of its map along each axis, and its features. */
interface Stage {
  readonly counts: readonly number[];
  readonly width: number;
}

/** The first map that windows do not divide. */
const uneven = <M extends Pick<Stage, "counts">>(window: number, maps: readonly M[]): M | undefined =>
  maps.find(({ counts }) => counts.some((count) => count > window && count % window !== 0));

/** `mapsOf`: the places along each axis of all maps that are cut into windows. */
export const wholeWindows = <P extends Params & Pick<typeof windowParams, "window">>(
  mapsOf: (p: ValuesOf<P>, context: ModelContext) => readonly Pick<Stage, "counts">[],
): Requirement<P, ModelContext> => ({
  name: "whole-windows",
  at: "window",
  doc: "Every map with more places along an axis than a window has consists of whole windows.",
  holds: (p, context) => uneven(p.window as number, mapsOf(p, context)) === undefined,
  say(p, context) {
    const counts = uneven(p.window as number, mapsOf(p, context))?.counts ?? [];
    return `a map of ${counts.join("x")} places does not consist of windows of ${p.window} a side`;
  },
  help(p, context) {
    const maps = mapsOf(p, context);
    const most = Math.max(...maps.flatMap(({ counts }) => counts));
    const near = Array.from({ length: most }, (_, i) => i + 1)
      .filter((window) => uneven(window, maps) === undefined)
      .sort((a, b) => Math.abs(a - (p.window as number)) - Math.abs(b - (p.window as number)));
    return `windows that fit: ${near.slice(0, 2).join(" and ")}`;
  },
});

/** What depths, heads and windows have to do with each other. `stagesOf`: the stages, as many as there are depths. */
export const windowsFit = <P extends Params>(
  stagesOf: (p: ValuesOf<P>, context: ModelContext) => readonly Stage[],
): readonly Requirement<P, ModelContext>[] => {
  const all: readonly Requirement<WindowParams, ModelContext>[] = [
    {
      name: "whole-numbers",
      at: "depths",
      doc: "Stages have whole numbers of blocks and of heads.",
      holds: (p) => [...(p as Values).depths, ...p.heads].every(Number.isInteger),
      say: (p) => `${[...(p as Values).depths, ...p.heads].find((n) => !Number.isInteger(n))} is no whole number`,
    },
    {
      name: "heads-of-each-stage",
      at: "heads",
      doc: "There are as many numbers of heads as depths, one of each stage.",
      holds: (p) => (p as Values).depths.length === p.heads.length && p.heads.length > 0,
      say: (p) => `there are ${(p as Values).depths.length} depths and ${p.heads.length} numbers of heads`,
      help: () =>
        "write one depth and one number of heads for each stage, such as `depths: (2, 2, 6, 2), heads: (3, 6, 12, 24)`",
    },
    {
      name: "heads-divide-width",
      at: "heads",
      doc: "The heads of a stage divide its features.",
      holds: (p, context) => stagesOf(p as never, context).every(({ width }, i) => width % (p.heads[i] ?? 1) === 0),
      say(p, context) {
        const stages = stagesOf(p as never, context);
        const at = stages.findIndex(({ width }, i) => width % (p.heads[i] ?? 1) !== 0);
        return `the ${stages[at]?.width} features of stage ${at + 1} are not divisible by ${p.heads[at]} heads`;
      },
      help(p, context) {
        const stages = stagesOf(p as never, context);
        const at = stages.findIndex(({ width }, i) => width % (p.heads[i] ?? 1) !== 0);
        const width = stages[at]?.width ?? 1;
        return `nearest numbers of heads that divide ${width}: ${divisorsBeside(width, p.heads[at] ?? 1).join(" and ")}`;
      },
    },
    {
      name: "whole-perceptron",
      at: "mlp_ratio",
      doc: "Features times `mlp_ratio` are a whole number.",
      holds: (p, context) => stagesOf(p as never, context).every(({ width }) => Number.isInteger(width * p.mlp_ratio)),
      say: (p) => `a perceptron of ${p.mlp_ratio} times the features would have no whole number of them`,
    },
    wholeWindows<WindowParams>(stagesOf as never),
  ];
  return all as unknown as readonly Requirement<P, ModelContext>[];
};

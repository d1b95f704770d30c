/** What masks share that the model itself decides: when they begin, how much is left to chance, and numbers drawn for them. */

import type { Random } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import { duration, int, optional, type Param, type Params, schedule, type ValuesOf } from "../params.js";
import { inSteps, type Progress, valueAt } from "../progress.js";
import { type Lattice, tokenCount } from "../sets.js";
import { latentFrom } from "../sources.js";
import { random } from "./random.js";
import { hiding, someOfEach } from "./ratio.js";

/** The parameters of a mask that is decided by features. */
export const featureParams = {
  ...hiding,
  layer: optional(
    int({
      min: 1,
      doc: "Layer of the encoder whose features are read, counted from the last, which is 1. If absent, the one before the last.",
    }),
  ),
  warmup: duration({
    default: { amount: 0, unit: "epochs" },
    doc: "Time at the beginning in which masks are uniformly random.",
  }),
  of: latentFrom,
};

interface Values {
  readonly layer: number | null;
  readonly warmup: Parameters<typeof inSteps>[0];
}

/** Of an encoder of one layer, that one. */
export const layerOf = ({ layer }: Pick<Values, "layer">): number => layer ?? 2;

export const featureRequirements: readonly Requirement<typeof featureParams & Params, ModelContext>[] = [
  someOfEach,
  {
    name: "has-the-layer",
    at: "layer",
    doc: "The encoder has the layer whose features are read.",
    holds: (p, { layers }) => layers === null || layerOf(p) <= layers,
    say: (p, { layers }) => `layer ${layerOf(p)} from the last, in an encoder that has ${layers}`,
    help: (_, { layers }) => `write \`layer\` with a number from 1 to ${layers}`,
  },
];

/** The parameter of a mask that is decided by parts of the image. */
export const partsParam = (usual: number) => int({ min: 2, max: 64, default: usual, doc: "Parts of an image." });

export const partsRequirements: readonly Requirement<
  typeof featureParams & { readonly parts: Param<number> } & Params,
  ModelContext
>[] = [
  ...featureRequirements,
  {
    name: "fewer-parts",
    at: "parts",
    doc: "There are more patches than parts.",
    holds: (p, { grid }) => p.parts < tokenCount(grid),
    say: (p, { grid }) => `${p.parts} parts of ${tokenCount(grid)} patches`,
    help: (_, { grid }) => `write fewer than ${tokenCount(grid)}`,
  },
];

/** A part that moves: how much of a mask is random, 1 until the guide begins. */
export const waiting =
  (p: Pick<Values, "warmup">) =>
  (progress: Progress): number =>
    progress.step < inSteps(p.warmup, progress) ? 1 : 0;

/** A share that is nothing until the guide begins, and moves from then on. */
export const movingShare =
  (share: Parameters<typeof valueAt>[0], p: Pick<Values, "warmup">) =>
  (progress: Progress): number => {
    const start = inSteps(p.warmup, progress);
    return progress.step < start ? 0 : valueAt(share, "linear", progress, start);
  };

export const shareParam = (o: { readonly default: number; readonly doc: string }) => schedule({ of: "ratio", ...o });

/** The random order from which a guide draws. */
export const drawnOrder = (p: ValuesOf<typeof hiding>, grid: Lattice, stream: Random): Int32Array =>
  random.sample({ ...p, share: "sample", along: null, each: null, cell: null, hidden: null, on: null }, grid, stream);

export const uniformNumbers = (count: number, stream: Random): Float32Array =>
  Float32Array.from({ length: count }, () => stream.uniform());

/** What encoders of maps have in common whose stages are written as lists, `depths` and `widths`: their maps, and what the lists must be. */

import type { Requirement } from "../block.js";
import type { Param } from "../params.js";
import type { MapLevel } from "./contract.js";

/** The first stage has a place of each box of side `stem`, each next one half as many along each axis. */
export const stageLevels = ({
  stem,
  widths,
}: {
  readonly stem: number;
  readonly widths: readonly number[];
}): readonly MapLevel[] => widths.map((width, stage) => ({ stride: stem * 2 ** stage, width }));

type Stages = { readonly depths: Param<readonly number[]>; readonly widths: Param<readonly number[]> };

export const wholeStages: Requirement<Stages, unknown> = {
  name: "whole-numbers",
  at: "depths",
  doc: "Stages have whole numbers of blocks and of features.",
  holds: ({ depths, widths }) => [...depths, ...widths].every(Number.isInteger),
  say: ({ depths, widths }) => `${[...depths, ...widths].find((n) => !Number.isInteger(n))} is no whole number`,
};

export const oddKernel: Requirement<{ readonly kernel: Param<number> }, unknown> = {
  name: "odd-window",
  at: "kernel",
  doc: "Windows have a middle.",
  holds: ({ kernel }) => kernel % 2 === 1,
  say: ({ kernel }) => `a window of ${kernel} has no middle`,
  help: ({ kernel }) => `use ${kernel - 1} or ${kernel + 1}`,
};

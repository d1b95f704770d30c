/** Transformer blocks that attend first within each frame, then within tubes: small windows through all frames. */

import { invariant, type Tensor } from "../../graph/index.js";
import type { ModelContext, Requirement } from "../block.js";
import type { Code } from "../code.js";
import { frameTubeBlock, frameTubeBlockParameters, layerNorm, layerNormParameters, repeat } from "../nn/index.js";
import { type Params, sides, type ValuesOf } from "../params.js";
import { axesText, countsOf, type Lattice } from "../sets.js";
import { blockOptions, normEpsilon, transformerParams, transformerRequirements } from "../vision-transformer.js";
import { defineEncoder, type TokenOrigin } from "./contract.js";

const params = {
  ...transformerParams("encoder"),
  tube: sides({ doc: "Tokens of a tube along each axis but the first, such as `4x4`; it passes through all frames." }),
  norm_epsilon: normEpsilon,
};

type Values = ValuesOf<typeof params>;

const frameCounts = (grid: Lattice): readonly number[] => countsOf(grid).slice(1);

const requires: readonly Requirement<typeof params & Params, ModelContext>[] = [
  ...(transformerRequirements as readonly Requirement<typeof params & Params, ModelContext>[]),
  {
    name: "frames",
    at: null,
    doc: "Tokens lie in frames: along a first axis, and along others within each frame.",
    holds: (_, { grid }) => grid.length > 1,
    say: (_, { grid }) => `a tube passes through frames, and the tokens have ${axesText(grid)} alone`,
    help: () => "use `vit`, or read a `video`",
  },
  {
    name: "whole-tubes",
    at: "tube",
    doc: "A tube has a side for each axis but the first, and divides each frame.",
    holds: ({ tube }, { grid }) =>
      tube.length === grid.length - 1 && frameCounts(grid).every((count, i) => count % (tube[i] as number) === 0),
    say: ({ tube }, { grid }) =>
      tube.length === grid.length - 1
        ? `tubes of ${tube.join("x")} tokens do not divide frames of ${frameCounts(grid).join("x")}`
        : `a tube of ${tube.join("x")} has ${tube.length} sides, and a frame ${grid.length - 1} axes`,
    help: (_, { grid }) =>
      `write sides that divide ${frameCounts(grid).join("x")}, such as ${frameCounts(grid)
        .map((count) => (count % 2 === 0 ? count / 2 : count))
        .join("x")}`,
  },
];

const normOptions = ({ norm_epsilon }: Values): readonly { readonly epsilon: number }[] =>
  norm_epsilon === null ? [] : [{ epsilon: norm_epsilon }];

/** What a block is told after its weights. */
function options(p: Values, { grid }: TokenOrigin) {
  invariant(grid, "the checker lets through only tokens of one input of which all pass");
  return { ...blockOptions(p), counts: countsOf(grid), tube: p.tube };
}

/** What the blocks make of tokens, one after the other, from some number of them on. */
const through = (code: Code, p: Values, blocks: readonly unknown[], tokens: Tensor, seen: TokenOrigin): Tensor =>
  blocks.length === 0 ? tokens : code.fold("x", blocks, tokens, frameTubeBlock, options(p, seen));

export const tubes = defineEncoder({
  name: "tubes",
  summary:
    "Pairs of transformer blocks: of each the first attends within each frame, the second within tubes through all frames.",
  source: "Gupta et al., MaskViT: Masked Visual Pre-Training for Video Prediction, ICLR 2023, section 3.2",
  since: "0.2",
  params,
  requires,
  everyToken: true,
  width: (p) => p.width,
  layers: (p) => p.depth,
  extraTokens: () => 0,
  parameters: (p) => ({
    blocks: repeat(p.depth, frameTubeBlockParameters({ width: p.width, hidden: p.width * p.mlp_ratio })),
    norm: layerNormParameters(p.width),
  }),
  encode: (code, p, w, tokens, seen) =>
    code.let("latent", layerNorm, through(code, p, w.blocks, tokens, seen), w.norm, ...normOptions(p)),
  outputs(code, p, w, tokens, seen, count) {
    const x = through(code, p, w.blocks.slice(0, p.depth - count), tokens, seen);
    const given: Tensor[] = [];
    for (const block of w.blocks.slice(p.depth - count))
      given.push(code.let("deep", frameTubeBlock, given.at(-1) ?? x, block, options(p, seen)));
    return given;
  },
  normalize: (code, p, w, tokens) => code.let("renormalized", layerNorm, tokens, w.norm, ...normOptions(p)),
});

/** Patches, each mapped to a token by one linear layer: the patch embedding of ViT, and that of AST, whose patches overlap. */

import { invariant } from "../../graph/index.js";
import { type ArrayShape, type Axis, type AxisName, isPicture } from "../arrays.js";
import type { Requirement } from "../block.js";
import { divisorsBeside } from "../divisors.js";
import {
  embedOverlapping,
  layerNorm,
  linear,
  normedPatchEmbedParameters,
  patchEmbedParameters,
  patchify,
} from "../nn/index.js";
import { choice, optional, type Param, sides } from "../params.js";
import { axesText, boxLength, cutInto, cutWithStrides, isOverlapping, type Lattice } from "../sets.js";
import { defineTokens, type TokensContext } from "./contract.js";

const divisorsInWords = (length: number, wanted: number): string => {
  const near = divisorsBeside(length, wanted);
  return near.length === 1 ? `${near[0]} is` : `${near.join(" and ")} are`;
};

type Normed = ReturnType<typeof normedPatchEmbedParameters<number, number>>;
type PatchEmbed = Pick<Normed, "proj"> & Partial<Normed>;

interface Values {
  readonly size: readonly number[];
  readonly stride?: readonly number[] | null;
}

/** An axis and the side of the patch along it. */
interface Cut extends Axis {
  readonly side: number;
}

const cutsOf = ({ size }: Values, { axes }: ArrayShape): readonly Cut[] =>
  axes.flatMap((axis, i) => {
    const side = size[i];
    return side === undefined ? [] : [{ ...axis, side }];
  });

/** The first of some axes that the patch does not divide; patches with strides need not. */
const uneven = (p: Values, array: ArrayShape, isMeant: (name: AxisName) => boolean): Cut | null =>
  p.stride ? null : (cutsOf(p, array).find(({ name, size, side }) => isMeant(name) && size % side !== 0) ?? null);

/** The condition that the patch divides some axes; `axis`: what one of them is called. */
const divides = (
  name: string,
  doc: string,
  isMeant: (name: AxisName) => boolean,
  axis: (cut: Cut) => string,
): Requirement<{ readonly size: Param<readonly number[]> }, TokensContext> => ({
  name,
  at: "size",
  doc,
  holds: (p, { array }) => uneven(p, array, isMeant) === null,
  say(p, { array }) {
    const cut = uneven(p, array, isMeant) as Cut;
    const whole = isPicture(array) ? "image" : "input";
    return `${whole} ${axis(cut)} ${cut.size} is not divisible by patch ${axis(cut)} ${cut.side}`;
  },
  help(p, { array }) {
    const { size, side } = uneven(p, array, isMeant) as Cut;
    return `${size} is not divisible by ${side}: ${divisorsInWords(size, side)}`;
  },
});

/** The lattice of equal boxes of these sides. */
export const latticeOf = ({ size, stride }: Values, array: ArrayShape): Lattice => {
  const lattice = stride ? cutWithStrides(array, size, stride) : cutInto(array, size);
  invariant(lattice, "the checker lets through only patches with a side for each axis");
  return lattice;
};

export const sizeParam = sides({
  doc: "Sides of a patch, one for each axis of the input: `16x16` of an image, `2x16x16` of a video; must divide it.",
});

type SizeRequirement = Requirement<{ readonly size: Param<readonly number[]> }, TokensContext>;

export const sideForEachAxis: SizeRequirement = {
  name: "side-for-each-axis",
  at: "size",
  doc: "A patch has a side for each axis of the input.",
  holds: (p, { array }) => p.size.length === array.axes.length,
  say: (p, { array }) =>
    `a patch of ${p.size.join("x")} has ${p.size.length} sides, and the input ${array.axes.length} axes: ${axesText(array.axes)}`,
  help: (_, { array }) => `write ${array.axes.length} sides, in the order ${axesText(array.axes)}`,
};

/** The conditions that a patch divides the input. */
export const dividesAxes: readonly SizeRequirement[] = [
  divides(
    "divides-height",
    "The patch's height divides the input's.",
    (name) => name === "row",
    () => "height",
  ),
  divides(
    "divides-width",
    "The patch's width divides the input's.",
    (name) => name === "column",
    () => "width",
  ),
  divides(
    "divides-axis",
    "Every other side of the patch divides its axis of the input.",
    (name) => name !== "row" && name !== "column",
    ({ name }) => name,
  ),
];

export const patch = defineTokens({
  name: "patch",
  summary: "Cuts the input into equal patches and maps each to a token by one linear layer.",
  source: "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, section 3.1",
  since: "0.1",
  params: {
    size: sizeParam,
    stride: optional(
      sides({
        doc: "From where a patch begins to where the next one does, along each axis: smaller than its side, so that patches overlap, as those of AST do. What no whole patch has at the end of an axis is not seen. If absent, patches lie side by side.",
      }),
    ),
    norm: optional(
      choice({
        options: { around: "Of the values of each patch before the linear layer, and of the token behind it." },
        doc: "A LayerNorm beside the linear layer. If absent, none.",
      }),
    ),
  },
  requires: [
    sideForEachAxis,
    ...dividesAxes,
    {
      name: "overlapping",
      at: "stride",
      doc: "A stride has a number for each side of the patch, none is larger than the side, and one at least is smaller.",
      holds: ({ size, stride }) =>
        stride === null ||
        (stride.length === size.length &&
          stride.every((step, i) => step <= (size[i] as number)) &&
          stride.some((step, i) => step < (size[i] as number))),
      say({ size, stride }) {
        const strides = stride ?? [];
        if (strides.length !== size.length)
          return `a stride of ${strides.join("x")} has ${strides.length} numbers, and the patch ${size.length} sides`;
        return strides.some((step, i) => step > (size[i] as number))
          ? `strides of ${strides.join("x")} leave out what lies between patches of ${size.join("x")}`
          : `patches of ${size.join("x")} at strides of ${strides.join("x")} do not overlap`;
      },
      help: ({ size }) =>
        `write smaller numbers, such as ${size.map((side) => Math.ceil((side * 5) / 8)).join("x")}, or remove \`stride\``,
    },
    {
      name: "within",
      at: "size",
      doc: "A patch that overlaps others is no longer than the input along any axis.",
      holds: (p, { array }) => p.stride === null || cutsOf(p, array).every(({ size, side }) => side <= size),
      say(p, { array }) {
        const cut = cutsOf(p, array).find(({ size, side }) => side > size) as Cut;
        return `patch ${cut.name} ${cut.side} is longer than input ${cut.name} ${cut.size}`;
      },
      help: (_, { array }) => `write sides of at most ${array.axes.map(({ size }) => size).join("x")}`,
    },
    {
      name: "norm-apart",
      at: "norm",
      doc: "Patches that overlap have no LayerNorm beside the linear layer.",
      holds: ({ norm, stride }) => norm === null || stride === null,
      say: () => "the patches overlap, and only those that lie apart are normalised",
      help: () => "remove `norm: around` or `stride`",
    },
  ],
  grid: latticeOf,
  overlaps: ({ stride }) => stride !== null,
  parameters(p, { array, width }) {
    const values = boxLength(latticeOf(p, array)) * array.channels;
    const declared: PatchEmbed =
      p.norm === "around" ? normedPatchEmbedParameters(values, width) : patchEmbedParameters(values, width);
    return { patch_embed: declared };
  },
  embed(code, _, w, array, grid) {
    const { patch_norm, proj, norm } = w.patch_embed;
    if (isOverlapping(grid)) return code.let("tokens", embedOverlapping, array, proj, grid);
    const patches = code.let("patches", patchify, array, grid); // [B, N, values]
    const even = patch_norm ? code.let("even", layerNorm, patches, patch_norm) : patches;
    const tokens = code.let("tokens", linear, even, proj);
    return norm ? code.let("tokens", layerNorm, tokens, norm) : tokens;
  },
});

/** An encoder of maps whose deepest map has few values: each of its places is one of so many codes, by finite scalar quantisation. */

import type { ModelContext, Requirement } from "../block.js";
import { blockParam, soundWithin } from "../block-values.js";
import { codesOfLevels, levelsOfCodes, linear, linearParameters, nearestLevels, zeroHidden } from "../nn/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import { type Params, reals, type ValuesOf } from "../params.js";
import { deepest, defineMapEncoder, type Encoder, type MapLevel, type Maps, type TokenOrigin } from "./contract.js";

const params = {
  through: blockParam<Encoder>({
    of: "encoder",
    doc: "The encoder whose deepest map it quantises, such as `convnext(depths: (1, 2), widths: (16, 32), stem: 2)`.",
  }),
  levels: reals({
    min: 2,
    max: 256,
    doc: "Values that each number of a place can have; their product is the number of codes: `(8, 5, 5, 5)` makes 1000.",
  }),
};

type Values = ValuesOf<typeof params>;

const mostCodes = 65_536;

const codesIn = ({ levels }: Pick<Values, "levels">): number => levels.reduce((product, n) => product * n, 1);

/** The maps below, and those of the encoder that gives them; none of one that gives tokens. */
const levelsBelow = ({ through: { block, values } }: Values): readonly MapLevel[] =>
  block.maps?.levels(values as never) ?? [];

const requires: readonly Requirement<typeof params & Params, ModelContext>[] = [
  soundWithin<ModelContext>("through") as unknown as Requirement<typeof params & Params, ModelContext>,
  {
    name: "maps",
    at: "through",
    doc: "The encoder gives maps whose hidden places are zeros.",
    holds: ({ through }) => through.block.maps?.hiding === "zero",
    say: ({ through }) =>
      through.block.maps
        ? `\`${through.block.name}\` puts a learned vector at hidden places, and codes have none of it`
        : `\`${through.block.name}\` gives tokens, and places of maps become codes`,
    help: () => "use an encoder such as `convnext` or `resnet`",
  },
  {
    name: "whole-levels",
    at: "levels",
    doc: "There is at least one number, and each has a whole number of levels.",
    holds: ({ levels }) => levels.length > 0 && levels.every(Number.isInteger),
    say: ({ levels }) =>
      levels.length === 0
        ? "no number is left of a place"
        : `${levels.find((n) => !Number.isInteger(n))} is no whole number`,
    help: () => "write whole numbers, such as `levels: (8, 5, 5, 5)`",
  },
  {
    name: "not-too-many",
    at: "levels",
    doc: `There are at most ${mostCodes} codes.`,
    holds: (p) => codesIn(p) <= mostCodes,
    say: (p) => `${p.levels.join(" x ")} levels make ${codesIn(p)} codes`,
    help: () => `write levels whose product is at most ${mostCodes}`,
  },
];

/** What the norm that ends it is told: its places are no tokens. */
const origin: TokenOrigin = { positions: null, input: null, padding: null };

/** The encoder below, as this one's weights hold it. */
const mapsOf = ({ through }: Values): Maps => through.block.maps as Maps;

export const quantized = defineMapEncoder({
  name: "quantized",
  summary: "Quantises the deepest map of an encoder: each place becomes a few numbers of few levels, which are a code.",
  source:
    "Mentzer et al., Finite Scalar Quantization: VQ-VAE Made Simple, ICLR 2024; van den Oord et al., Neural Discrete Representation Learning, NeurIPS 2017",
  since: "0.2",
  params,
  requires,
  parameters(p, context): ParameterTree {
    const { block, values } = p.through;
    return {
      ...(block.parameters(values as never, context) as Readonly<Record<string, ParameterTree>>),
      quantize: linearParameters(deepest(levelsBelow(p)).width, p.levels.length),
    };
  },
  drops: ({ through: { block, values } }) => block.drops?.(values as never) ?? [],
  maps: {
    levels: (p) => [{ stride: deepest(levelsBelow(p)).stride, width: p.levels.length }],
    reads: ({ through: { block, values } }) => block.maps?.reads(values as never) ?? "",
    hiding: "zero",
    encode(code, p, w, array, seen) {
      const { block, values } = p.through;
      const map = mapsOf(p)
        .encode(code, values as never, w as Weights<never>, array, seen)
        .at(-1);
      const normed = block.normalize?.(code, values as never, w as Weights<never>, map as never, origin) ?? map;
      const narrow = code.let("narrow", linear, normed, (w as { readonly quantize: unknown }).quantize);
      const quantized = code.let("quantized", nearestLevels, narrow, { levels: p.levels });
      return [
        seen.kept ? code.let("kept", zeroHidden, quantized, seen.kept(deepest(levelsBelow(p)).stride)) : quantized,
      ];
    },
    codes: {
      count: codesIn,
      of: (code, { levels }, map) => code.let("codes", codesOfLevels, map, { levels }),
      map: (code, { levels }, codes, counts) => code.let("levels", levelsOfCodes, codes, { levels, counts }),
    },
  },
});

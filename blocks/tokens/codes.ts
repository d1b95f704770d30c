/** Tokens of codes: what a network that others have trained names the places of each frame by, looked up in a learned table. */

import { invariant, type Tensor } from "../../graph/index.js";
import type { ArrayShape } from "../arrays.js";
import type { ModelContext, Requirement } from "../block.js";
import { type BlockValue, blockParam, soundWithin } from "../block-values.js";
import type { Code } from "../code.js";
import type { Decoder, DecoderContext } from "../decoder/index.js";
import { deepest, type Encoder, type Maps } from "../encoder/index.js";
import {
  embedCodes,
  embeddingParameters,
  everyPlace,
  framesApart,
  framesInRows,
  framesTogether,
  givenNetwork,
  placesInRow,
  unpatchify,
} from "../nn/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import type { Params, ValuesOf } from "../params.js";
import { axesText, type Lattice, tokenCount } from "../sets.js";
import { defineTokens, type TokensContext } from "./contract.js";

const params = {
  by: blockParam<Encoder>({
    of: "encoder",
    doc: "The encoder that gives codes, such as `quantized(through: convnext(depths: (1, 1), widths: (32, 64), stem: 4), levels: (8, 6, 5))`. Its weights come from an earlier stage or a file, and stay as they are.",
  }),
  drawn: blockParam<Decoder>({
    of: "decoder",
    doc: "The decoder that it was trained with, which draws frames of codes. Its weights come from there too.",
  }),
};

type Values = ValuesOf<typeof params>;

const mapsOf = ({ by }: Pick<Values, "by">): Maps => by.block.maps as Maps;

/** One frame of an array: its rows and columns. */
const frameOf = ({ axes, channels }: ArrayShape): ArrayShape => ({ axes: axes.slice(-2), channels });

/** Frames of an array. */
const framesOf = ({ axes }: ArrayShape): number => axes.slice(0, -2).reduce((count, { size }) => count * size, 1);

const strideOf = (p: Pick<Values, "by">): number => deepest(p.by.block.maps?.levels(p.by.values as never) ?? []).stride;

/** The places of a frame that have a code, and how they lie. */
const cellsOf = (p: Pick<Values, "by">, { axes }: ArrayShape): Lattice =>
  axes.map(({ name, size }) => ({ name, count: Math.floor(size / strideOf(p)), size: strideOf(p) }));

/** What the network's blocks are told of the model: a frame is all that they see. */
function ofFrame(context: TokensContext, p: Readonly<Record<string, unknown>>): TokensContext | null {
  const { by } = p as { readonly by: BlockValue<Encoder> };
  if (!hasRowsAndColumns(context) || by.block.maps?.codes === undefined) return null;
  const { levels, hiding } = by.block.maps;
  const frame = frameOf(context.array);
  const maps = { levels: levels(by.values as never), hiding };
  return { array: frame, grid: cellsOf({ by }, frame), maps, inner: false } as Partial<ModelContext> as TokensContext;
}

const hasRowsAndColumns = ({ array: { axes } }: TokensContext): boolean =>
  axes.length >= 2 && axes.length <= 3 && axes.at(-2)?.name === "row" && axes.at(-1)?.name === "column";

const own: readonly Requirement<Params, TokensContext>[] = [
  {
    name: "rows-and-columns",
    at: null,
    doc: "The input has rows and columns, and one other axis at most.",
    holds: (_, context) => hasRowsAndColumns(context),
    say: (_, { array }) => `frames have rows and columns, and the input has ${axesText(array.axes)}`,
    help: () => "read a `video` or an `image`",
  },
  {
    name: "gives-codes",
    at: "by",
    doc: "The encoder gives codes.",
    holds: ({ by }) => (by as Values["by"]).block.maps?.codes !== undefined,
    say: ({ by }) => `\`${(by as Values["by"]).block.name}\` gives no codes`,
    help: () => "write `quantized(through: ...)` around it",
  },
  soundWithin<TokensContext>("by", ofFrame),
  {
    name: "draws-maps",
    at: "drawn",
    doc: "The decoder reads the map of codes.",
    holds: ({ drawn }) => (drawn as Values["drawn"]).block.reads === "maps",
    say: ({ drawn }) => `\`${(drawn as Values["drawn"]).block.name}\` reads tokens, and codes are places of a map`,
    help: () => "use a decoder of maps, such as `map_vit` or `convnext_block`",
  },
  soundWithin<TokensContext>("drawn", ofFrame),
];

/** What the decoder is told where its weights are declared. */
function drawingContext(p: Values, array: ArrayShape): DecoderContext {
  const { by } = p;
  const stride = strideOf(p);
  return {
    encoderWidth: by.block.width(by.values as never),
    outputs: stride ** 2 * array.channels,
    ...{ codeWidth: null, sequences: 1, inputs: [], whole: true, grid: cellsOf(p, frameOf(array)) },
    maps: {
      levels: mapsOf(p).levels(by.values as never),
      sizes: frameOf(array).axes.map(({ size }) => size),
      cell: stride,
    },
  };
}

/** array [B, ...axes, C] -> the codes of all frames, int32 [B, N] */
function codesOf(code: Code, p: Values, w: Weights<never>, array: Tensor, shape: ArrayShape): Tensor {
  const frames = framesOf(shape);
  const { codes, encode } = mapsOf(p);
  const rows = shape.axes.length > 2 ? code.let("frames", framesInRows, array) : array;
  const map = encode(code, p.by.values as never, w, rows, { kept: null, places: null }).at(-1) as Tensor;
  const each = (codes as NonNullable<typeof codes>).of(code, p.by.values as never, map);
  return shape.axes.length > 2 ? code.let("codes", framesTogether, each, { frames }) : each;
}

function beginsAtMap(): never {
  invariant(false, "a decoder of maps begins at the map");
}

/** codes int32 [B, N] -> what the network draws of them, [B, ...axes, C] */
function drawnOf(code: Code, p: Values, w: Weights<never>, given: Tensor, grid: Lattice, shape: ArrayShape): Tensor {
  const frames = framesOf(shape);
  const cells = grid.slice(-2);
  const isVideo = shape.axes.length > 2;
  const each = isVideo ? code.let("frames", framesApart, given, { frames, count: tokenCount(cells) }) : given;
  const { codes } = mapsOf(p);
  const counts = cells.map(({ count }) => count);
  const map = (codes as NonNullable<typeof codes>).map(code, p.by.values as never, each, counts);
  const drawn = p.drawn.block.decode(code, p.drawn.values as never, w, {
    get latent() {
      return code.let("places", placesInRow, map);
    },
    maps: [map],
    kept: () => code.let("kept", everyPlace, map),
    ...{ places: null, encoded: null, table: null, joint: null, padding: null, front: null, blocks: null },
    ...{ whole: true, extra: 0, groups: [], own: 0, asked: [], grid: cells, count: tokenCount(cells) },
    behind: beginsAtMap,
  });
  const patches = isVideo ? code.let("patches", framesTogether, drawn, { frames }) : drawn;
  return code.let("drawn", unpatchify, patches, grid, { channels: shape.channels });
}

interface CodeWeights {
  readonly code_embed: { readonly weight: Tensor };
  readonly code_encoder: Weights<never>;
  readonly code_decoder: Weights<never>;
}

const weightsIn = (w: unknown): CodeWeights => w as CodeWeights;

export const codes = defineTokens({
  name: "codes",
  summary:
    "Names the places of each frame by the codes of a network that others have trained, and looks each code up in a learned table.",
  source: "Gupta et al., MaskViT: Masked Visual Pre-Training for Video Prediction, ICLR 2023, section 3.1",
  since: "0.2",
  params,
  requires: own as unknown as readonly Requirement<typeof params & Params, TokensContext>[],
  grid: (p, { axes }) => [
    ...axes.slice(0, -2).map(({ name, size }) => ({ name, count: size, size: 1 })),
    ...cellsOf(p, { axes: axes.slice(-2), channels: 1 }),
  ],
  parameters(p, { array, width }): ParameterTree {
    const frame = frameOf(array);
    const seen = { array: frame, grid: cellsOf(p, frame), masked: true, inputs: [] };
    return {
      code_embed: embeddingParameters(mapsOf(p).codes?.count(p.by.values as never) ?? 1, width),
      code_encoder: givenNetwork(p.by.block.parameters(p.by.values as never, seen)),
      code_decoder: givenNetwork(
        p.drawn.block.parameters(p.drawn.values as never, drawingContext(p, array)),
        "decoder",
      ),
    };
  },
  embed(code, p, w, array, _, shape) {
    return code.let(
      "tokens",
      embedCodes,
      codesOf(code, p, weightsIn(w).code_encoder, array, shape),
      weightsIn(w).code_embed,
    );
  },
  table: (w) => weightsIn(w).code_embed.weight,
  codes: {
    count: (p) => mapsOf(p).codes?.count(p.by.values as never) ?? 1,
    of: (code, p, w, array, shape) => codesOf(code, p, weightsIn(w).code_encoder, array, shape),
    embed: (code, _, w, given) => code.let("tokens", embedCodes, given, weightsIn(w).code_embed),
    draw: (code, p, w, given, grid, shape) => drawnOf(code, p, weightsIn(w).code_decoder, given, grid, shape),
  },
});

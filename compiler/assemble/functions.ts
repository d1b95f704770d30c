/**
 * The functions of a model, put together from its blocks: encode, decode, predict, loss, features. Each is written once,
 * over `FunctionCode`; running it traces the model, recording it gives the statements that `emit` prints.
 */

import {
  addPositions,
  type Batch,
  type Code,
  type ParameterTree,
  takeTokens,
  tokenCount,
  type Weights,
  weightedSum,
} from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import type { Part, Parts } from "./parts.js";

/** Weights of the whole model: tensors nested under the names of a checkpoint. */
export type WeightTree = Weights<{ readonly [name: string]: ParameterTree }>;

/** What a function of the model may do besides calling layers. */
export interface FunctionCode extends Code {
  /** `const name = f(g, w, ...args)` */
  call(name: string, f: ModelFunction, ...args: readonly unknown[]): Tensor;
}

/** What a function gives: a tensor, or for the loss its parts. */
export type Result = Tensor | { readonly total: Tensor; readonly terms: Readonly<Record<string, Tensor>> };

export interface ModelFunction {
  readonly name: string;
  /** One sentence with shapes. */
  readonly doc: string;
  /** Arguments after `g` and `w`. */
  readonly inputs: readonly ("batch" | "image" | "latent" | "layers")[];
  readonly body: (code: FunctionCode, w: WeightTree, inputs: FunctionInputs) => Result;
}

export interface FunctionInputs {
  readonly batch: Batch;
  readonly image: Tensor;
  readonly latent: Tensor;
}

/** Weight names that the assembly itself gives. */
export const encoderPositions = "pos_embed";
export const decoderPositions = "decoder_pos_embed";

interface Layout {
  readonly extra: number;
  readonly count: number;
  readonly visible: number;
  readonly total: number;
}

export function layoutOf(parts: Parts): Layout {
  const extra = parts.encoder.definition.extraTokens(parts.encoder.values);
  const count = tokenCount(parts.grid);
  return { extra, count, visible: parts.mask.definition.visible(parts.mask.values, parts.grid), total: extra + count };
}

const embed = (code: Code, parts: Parts, w: WeightTree, image: Tensor): Tensor =>
  parts.tokens.definition.embed(code, parts.tokens.values, w, image, parts.grid);

const place = (code: Code, parts: Parts, w: WeightTree, tokens: Tensor): Tensor =>
  code.let("placed", addPositions, tokens, w[encoderPositions], { extra: layoutOf(parts).extra });

const encodeTokens = (code: Code, parts: Parts, w: WeightTree, tokens: Tensor): Tensor =>
  parts.encoder.definition.encode(code, parts.encoder.values, w, tokens, w[encoderPositions] as Tensor);

function encodeFunction(parts: Parts): ModelFunction {
  const enter = parts.decoder.definition.enter?.bind(parts.decoder.definition);
  return {
    name: "encode",
    doc: enter
      ? "The latent of every token, hidden ones entered as learned tokens."
      : "The latent of the visible tokens.",
    inputs: ["batch"],
    body(code, w, { batch }) {
      const tokens = embed(code, parts, w, batch.image); // [B, N, D]
      if (!enter)
        return encodeTokens(code, parts, w, code.let("seen", takeTokens, place(code, parts, w, tokens), batch.visible));
      const seen = code.let("seen", takeTokens, tokens, batch.visible); // [B, V, D]
      return encodeTokens(
        code,
        parts,
        w,
        place(code, parts, w, enter(code, parts.decoder.values, w, seen, batch.restore)),
      );
    },
  };
}

const featuresFunction = (parts: Parts): ModelFunction => ({
  name: "features",
  doc: "The latent of every token of the whole image, in raster order, after the first `layers` layers.",
  inputs: ["image", "layers"],
  body: (code, w, { image }) => encodeTokens(code, parts, w, place(code, parts, w, embed(code, parts, w, image))),
});

const decodeFunction = (parts: Parts): ModelFunction => ({
  name: "decode",
  doc: "A prediction for every patch from the latent.",
  inputs: ["latent", "batch"],
  body(code, w, { latent, batch }) {
    const { extra, count } = layoutOf(parts);
    const positions = (w[decoderPositions] ?? null) as Tensor | null;
    const { definition, values } = parts.decoder;
    return definition.decode(code, values, w, { latent, restore: batch.restore, positions, extra, count });
  },
});

const predictFunction = (encode: ModelFunction, decode: ModelFunction): ModelFunction => ({
  name: "predict",
  doc: "A prediction for every patch of the masked image.",
  inputs: ["batch"],
  body: (code, _, { batch }) => code.call("prediction", decode, code.call("latent", encode, batch), batch),
});

function lossFunction(parts: Parts, predict: ModelFunction): ModelFunction {
  return {
    name: "loss",
    doc: "The training loss: the weighted sum, and each term before its weight.",
    inputs: ["batch"],
    body(code, _, { batch }) {
      const prediction = code.call("prediction", predict, batch); // [B, N, P]
      const target = parts.target.definition.build(code, parts.target.values, batch.image, parts);
      const inputs = { prediction, target, visible: batch.visible, hidden: batch.hidden };
      const terms = parts.losses.map((loss) => loss.definition.build(code, loss.values, inputs));
      const names = termNames(parts.losses);
      return {
        total: sumOf(code, parts.losses, terms),
        terms: Object.fromEntries(terms.map((term, i) => [names[i], term])),
      };
    },
  };
}

/** The weighted sum; a single loss of weight 1 is its own sum. */
function sumOf(code: Code, losses: Parts["losses"], terms: readonly Tensor[]): Tensor {
  const weights = losses.map((loss) => loss.definition.weight(loss.values));
  if (terms.length === 1 && weights[0] === 1) return terms[0] as Tensor;
  return code.let(
    "total",
    weightedSum,
    terms.map((term, i) => [weights[i], term]),
  );
}

/** Names of the losses; a second one of the same block gets a number. */
function termNames(losses: readonly Part<{ readonly name: string }>[]): readonly string[] {
  return losses.map(({ definition: { name } }, i) => {
    const before = losses.slice(0, i).filter((other) => other.definition.name === name).length;
    return before === 0 ? name : `${name}_${before + 1}`;
  });
}

/** The functions of a model, each after those that it calls. */
export function functionsOf(parts: Parts): readonly ModelFunction[] {
  const encode = encodeFunction(parts);
  const decode = decodeFunction(parts);
  const predict = predictFunction(encode, decode);
  return [encode, featuresFunction(parts), decode, predict, lossFunction(parts, predict)];
}

/**
 * The functions of a model, put together from its blocks: encode, decode for each objective, predict, loss, features. Each is
 * written once, over `FunctionCode`; running it traces the model, recording it gives the statements that `emit` prints.
 */

import { addPositions, type Batch, type Code, type LossInputs, takeTokens, weightedSum } from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { layoutOf } from "./layout.js";
import type { Objective, Part, Parts } from "./parts.js";
import {
  decoderPositions,
  encoderPositions,
  type ObjectiveBranches,
  type WeightTree,
  weightsUnder,
} from "./weights.js";

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

const embed = (code: Code, parts: Parts, w: WeightTree, image: Tensor): Tensor =>
  parts.tokens.definition.embed(code, parts.tokens.values, w, image, parts.grid);

const place = (code: Code, parts: Parts, w: WeightTree, tokens: Tensor): Tensor =>
  code.let("placed", addPositions, tokens, w[encoderPositions], { extra: layoutOf(parts).extra });

const encodeTokens = (code: Code, parts: Parts, w: WeightTree, tokens: Tensor): Tensor =>
  parts.encoder.definition.encode(code, parts.encoder.values, w, tokens, w[encoderPositions] as Tensor);

function encodeFunction(parts: Parts): ModelFunction {
  const [{ decoder }] = parts.objectives;
  const enter = decoder.definition.enter?.bind(decoder.definition);
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
      return encodeTokens(code, parts, w, place(code, parts, w, enter(code, decoder.values, w, seen, batch.restore)));
    },
  };
}

const featuresFunction = (parts: Parts): ModelFunction => ({
  name: "features",
  doc: "The latent of every token of the whole image, in raster order, after the first `layers` layers.",
  inputs: ["image", "layers"],
  body: (code, w, { image }) => encodeTokens(code, parts, w, place(code, parts, w, embed(code, parts, w, image))),
});

/** `decode`, or `decodeRegion` for the objective with that label. */
const decodeFunction = (parts: Parts, { label, decoder }: Objective, branch: string | null): ModelFunction => ({
  name: `decode${pascal(label ?? "")}`,
  doc:
    label === null
      ? "A prediction for every patch from the latent."
      : `What \`${label}\` predicts for every patch from the latent.`,
  inputs: ["latent", "batch"],
  body(code, w, { latent, batch }) {
    const { extra, count } = layoutOf(parts);
    const own = weightsUnder(w, branch);
    const positions = (own[decoderPositions] ?? null) as Tensor | null;
    return decoder.definition.decode(code, decoder.values, own, {
      latent,
      restore: batch.restore,
      positions,
      extra,
      count,
    });
  },
});

const pascal = (name: string): string => name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());

const predictFunction = (encode: ModelFunction, decode: ModelFunction): ModelFunction => ({
  name: "predict",
  doc: "A prediction for every patch of the masked image.",
  inputs: ["batch"],
  body: (code, _, { batch }) => code.call("prediction", decode, code.call("latent", encode, batch), batch),
});

/** An objective with its function and the places of its weights. */
interface Judged {
  readonly objective: Objective;
  readonly decode: ModelFunction;
  readonly branches: ObjectiveBranches;
}

/** A loss of the model: its scalar before its weight. */
interface Term {
  readonly name: string;
  readonly weight: number;
  readonly value: Tensor;
}

/** One latent serves all losses. */
const lossFunction = (parts: Parts, encode: ModelFunction, judged: readonly Judged[]): ModelFunction => ({
  name: "loss",
  doc: "The training loss: the weighted sum, and each term before its weight.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const latent = code.call("latent", encode, batch);
    const terms = judged.flatMap((one) => objectiveTerms(code, parts, w, one, { batch, latent }));
    return { total: sumOf(code, terms), terms: Object.fromEntries(terms.map(({ name, value }) => [name, value])) };
  },
});

function objectiveTerms(
  code: FunctionCode,
  parts: Parts,
  w: WeightTree,
  { objective, decode, branches }: Judged,
  { batch, latent }: { readonly batch: Batch; readonly latent: Tensor },
): readonly Term[] {
  const { encoder } = parts;
  const { label, target, losses } = objective;
  const prediction = once(() => code.call(variable("prediction", label), decode, latent, batch)); // [B, N, P]
  const wanted = once(() => target.definition.build(code, target.values, batch.image, parts)); // [B, N, P]
  const inputs: LossInputs = {
    get prediction() {
      return prediction();
    },
    get target() {
      return wanted();
    },
    visible: batch.visible,
    hidden: batch.hidden,
    latent,
    extra: layoutOf(parts).extra,
    normalize: (tokens) => encoder.definition.normalize?.(code, encoder.values, w, tokens) ?? tokens,
  };
  const own = weightsUnder(w, branches.branch);
  const names = termNames(losses);
  return losses.map(({ definition, values }, i) => ({
    name: label === null ? (names[i] as string) : `${label}.${names[i]}`,
    weight: definition.weight(values),
    value: definition.build(code, values, inputs, weightsUnder(own, branches.losses[i] ?? null)),
  }));
}

const variable = (name: string, label: string | null): string => (label === null ? name : `${name}_${label}`);

function once<V>(compute: () => V): () => V {
  let known: { readonly value: V } | null = null;
  return () => {
    known ??= { value: compute() };
    return known.value;
  };
}

/** The weighted sum; a single loss of weight 1 is its own sum. */
function sumOf(code: Code, terms: readonly Term[]): Tensor {
  const [only, another] = terms;
  if (only && !another && only.weight === 1) return only.value;
  return code.let(
    "total",
    weightedSum,
    terms.map(({ weight, value }) => [weight, value]),
  );
}

/** Names of the losses; a second one of the same block gets a number. */
function termNames(losses: readonly Part<{ readonly name: string }>[]): readonly string[] {
  return losses.map(({ definition: { name } }, i) => {
    const before = losses.slice(0, i).filter((other) => other.definition.name === name).length;
    return before === 0 ? name : `${name}_${before + 1}`;
  });
}

/** Names apart: `low_pass` and `lowPass` would both be `decodeLowPass`. */
const apart = (functions: readonly ModelFunction[]): readonly ModelFunction[] =>
  functions.map((f, i) => {
    const before = functions.slice(0, i).filter((other) => other.name === f.name).length;
    return before === 0 ? f : { ...f, name: `${f.name}${before + 1}` };
  });

/** The functions of a model, each after those that it calls. `objectives`: where their weights are. */
export function functionsOf(parts: Parts, objectives: readonly ObjectiveBranches[]): readonly ModelFunction[] {
  const encode = encodeFunction(parts);
  const decodes = apart(
    parts.objectives.map((objective, i) => decodeFunction(parts, objective, objectives[i]?.branch ?? null)),
  );
  const judged = parts.objectives.map((objective, i) => ({
    objective,
    decode: decodes[i] as ModelFunction,
    branches: objectives[i] as ObjectiveBranches,
  }));
  const predict = predictFunction(encode, decodes[0] as ModelFunction);
  return [encode, featuresFunction(parts), ...decodes, predict, lossFunction(parts, encode, judged)];
}

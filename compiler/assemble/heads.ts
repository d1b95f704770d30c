/** The functions of heads: a logit for each class, of whole arrays, and where a mask hides some of them, of what is seen. */

import { placesOfText, type Saying, saidBy } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { type Dropping, droppedIn, lastLayerOf, mapsOfLayers, normalizationOf, toldOf } from "./backbone.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import { fieldsAsked } from "./fields.js";
import { callingIn, type FunctionCode, type ModelFunction } from "./function.js";
import { arrayIn, type Placed, type Sight } from "./input-tokens.js";
import type { InputFunctions } from "./inputs.js";
import { extraTokensOf, headInput, headInputs, isDropping, maskOver, variesOver } from "./layout.js";
import { distinct, pascal } from "./names.js";
import { textOf } from "./padding.js";
import { type EncoderPart, type HeadPart, isEncoder } from "./parts.js";
import { nothingBetween, onlyInputs, type Term, termsOf } from "./terms.js";
import type { ModelWeights } from "./weights.js";

/** A head with what it says of whole arrays, and what its losses judge. */
export interface HeadFunctions {
  readonly head: HeadPart;
  readonly predict: ModelFunction;
  /** The same function as `predict`, where nothing is hidden or left out below it. */
  readonly judged: ModelFunction;
}

const docs: Readonly<Record<Saying, string>> = {
  classes: "A logit for each class",
  number: "A number of the sample",
  objects: "What each place says of objects",
  places: "A logit for each class at each place",
  values: "A number of each place",
  moves: "Where each place of the second array lies in the first, in places from itself along each axis",
};

const noMaps = { maps: [], isPyramid: false } as const;

/** What a head that reads maps is not given. */
const unread = {
  get tokens(): Tensor {
    return noTokens();
  },
  normalize: (x: Tensor) => x,
  extra: 0,
  count: null,
  places: null,
};

function noTokens(): never {
  invariant(false, "a head that reads maps reads no tokens");
}

export function headFunctions(
  parts: Placed,
  weights: ModelWeights,
  { tokensFor }: Pick<InputFunctions, "tokensFor">,
): readonly HeadFunctions[] {
  const taken = new Set<string>();
  return parts.heads.map((head, i) => {
    const isMasked = headInputs(head).some((input) => maskOver(parts, input));
    // What is left out of encoders below is left out where they are given a batch.
    const isApart = isMasked || (head.latent.encoder.reads.some(isEncoder) && isDropping(head.latent.encoder));
    const body =
      (sight: Sight): ModelFunction["body"] =>
      (code, w, { batch }) => {
        const { block, label, latent } = head;
        const calling = callingIn(code, batch);
        const isJudged = sight === "seen" || !isApart;
        const dropped = (part: EncoderPart | HeadPart): Dropping => (isJudged ? droppedIn(parts, batch, part) : {});
        const own = weightsUnder(w, weights.branchOf(label));
        const { grid, array: shape } = headInput(head);
        const seen = { grid, shape, arrays: headInputs(head).map((input) => arrayIn(input, batch)) };
        const { layers } = block.definition;
        if (layers) {
          const { definition, values } = latent.encoder.block;
          const read = layers.call(block.definition, block.values, definition.layers(values));
          const { normalizesAll = false } = block.definition;
          const asked = { layers: read, normalizesAll, ...dropped(latent.encoder) };
          const maps = mapsOfLayers(code, parts, latent, w, batch, asked);
          const isPyramid = definition.maps !== undefined;
          const given = Object.assign(Object.create(unread), { ...seen, maps, isPyramid, ...dropped(head) });
          return block.definition.classify(code, block.values, own, given);
        }
        const tokens = tokensFor(code, w, { batch, calling }, latent, sight, dropped(latent.encoder));
        const last = latent.encoder.block.definition.maps
          ? { tokens, normalize: normalizationOf(code, parts, latent.encoder, w) }
          : lastLayerOf(code, parts, latent.encoder, w, tokens, {
              input: latent.input,
              ...toldOf(code, parts, latent.encoder, w, batch, sight, latent.input),
              ...dropped(latent.encoder),
            });
        const text = textOf(latent.encoder);
        const places = text && code.let("places", placesOfText, arrayIn(text, batch));
        const extra = extraTokensOf(latent.encoder, latent.input);
        const varies = sight === "seen" && headInputs(head).some((input) => variesOver(parts, input));
        const count = varies ? null : (last.tokens.shape[1] as number) - extra;
        return block.definition.classify(code, block.values, own, {
          ...{ ...last, ...seen, ...noMaps },
          ...{ extra, count, places },
          ...dropped(head),
        });
      };
    const name = distinct(i === 0 ? "predict" : `classify${pascal(head.label ?? "")}`, (other) => taken.has(other));
    taken.add(name);
    const doc = `${docs[saidBy(head.block.definition)]}${head.label === null ? "" : ` of \`${head.label}\``}`;
    const predict: ModelFunction = {
      name,
      doc: `${doc}${isApart ? ", of whole arrays" : ""}.`,
      inputs: [isApart ? "arrays" : "batch"],
      body: body("whole"),
    };
    const seen = isMasked ? "of what the mask shows" : "in training";
    const judged: ModelFunction = isApart
      ? { name: `${name}Seen`, doc: `${doc}, ${seen}.`, inputs: ["batch"], body: body("seen") }
      : predict;
    return { head, predict, judged };
  });
}

/** What the losses of a head give. */
export function headTerms(
  code: FunctionCode,
  parts: Placed,
  weights: ModelWeights,
  w: WeightTree,
  i: number,
  from: {
    readonly batch: Readonly<Record<string, Tensor>>;
    readonly heads: readonly HeadFunctions[];
    readonly latent: (encoder: EncoderPart) => Tensor;
  },
): readonly Term[] {
  const { head, judged } = from.heads[i] as HeadFunctions;
  const { label, block, latent, losses } = head;
  const { encoder, input } = latent;
  const field = fieldsAsked(parts).find(({ part }) => part === block);
  let prediction: Tensor | null = null;
  const given = {
    get prediction() {
      prediction ??= code.call(label === null ? "prediction" : `prediction_${label}`, judged, from.batch);
      return prediction;
    },
    get target() {
      invariant(field, "a loss of labels judges a head that is trained with some");
      return from.batch[field.name] as Tensor;
    },
    get pair(): readonly [Tensor, Tensor] {
      const [moving, fixed] = headInputs(head).map((one) => arrayIn(one, from.batch));
      invariant(moving && fixed, "the checker lets through only displacements between two arrays");
      return [moving, fixed];
    },
    flags: null,
    masked: false,
    get between() {
      return nothingBetween();
    },
    get latent() {
      return from.latent(encoder);
    },
    extra: extraTokensOf(encoder, input),
    latents: false,
    normalize: normalizationOf(code, parts, encoder, w, input),
  };
  const inputs = onlyInputs(given, "a loss of classes reads no mask and no array");
  const branches = weights.heads[i] ?? [];
  const terms = termsOf(code, losses, inputs, weightsUnder(w, weights.branchOf(label)), branches);
  return label === null ? terms : terms.map((term) => ({ ...term, name: `${label}.${term.name}` }));
}

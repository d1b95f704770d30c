/** What parts ask of the sources that they read: of definitions, never of blocks by name. */

import {
  asKind,
  type Decoder,
  type Definition,
  type Encoder,
  type Input,
  type Latents,
  type Mask,
  type NumberKind,
  numberKinds,
  type Target,
} from "../../blocks/index.js";

/** What a source must have for a port to read it. */
export interface Demand {
  met(source: Definition, reader: Definition): boolean;
  /** What is wrong with a source that lacks it: follows "an encoder `vit`, ". */
  readonly otherwise: string;
}

export const needsBlocks: Demand = {
  met: (source) => asKind("decoder", source)?.blocks !== undefined,
  otherwise: "behind whose blocks no other decoder can begin",
};

export const needsGuide: Demand = {
  met: (source, mask) =>
    (mask as Mask).guide?.asks === "features"
      ? (source as Encoder).outputs !== undefined
      : (source as Encoder).attention !== undefined,
  otherwise: "which cannot say what its tokens attend to, or what its layers give",
};

/** What decides a mask: the attention of latents or of tokens, or features of the patches; null: it is drawn. */
export function guidedBy(mask: Definition): "latents" | "tokens" | "features" | null {
  const { guide } = mask as Mask;
  return guide ? (guide.asks ?? "tokens") : null;
}

export const needsAsking: Demand = {
  met: (source) => (source as Latents).attention !== undefined,
  otherwise: "which ask nothing",
};

export const needsTokens: Demand = {
  met: (source) => asKind("target", source)?.tokens !== undefined,
  otherwise: "which cannot be encoded",
};

/** What the numbers are that tokens are made of, or that an encoder of maps reads. */
export const numbersOf = (set: Definition): NumberKind => asKind("tokens", set)?.numbers ?? "amounts";

export const areIds = (tokens: Definition): boolean => numbersOf(tokens) === "ids";

export const numbersIn = (input: Definition): NumberKind => (input as Input).numbers ?? "amounts";

const kinds = Object.values(numberKinds);
const otherKinds = `and the two are not for the same kind of numbers: ${kinds.slice(0, -1).join(", ")}, or ${kinds.at(-1)}`;

export const sameNumbers: Demand = {
  met: (input, tokens) => numbersIn(input) === numbersOf(tokens),
  otherwise: otherKinds,
};

export const idsToChoose: Demand = {
  met: (tokens, mask) => areIds(tokens) || (mask as Mask).corrupts !== true,
  otherwise: "and it chooses ids of a text",
};

export const endsKnown: Demand = {
  met: (tokens, encoder) => !areIds(tokens) || (encoder as Encoder).padding === true,
  otherwise: "whose texts have ends, and it would read on behind them",
};

/** Whether tokens lie in space. */
export const inSpace = (tokens: Definition): boolean => asKind("tokens", tokens)?.cloud !== undefined;

export const placesInSpace: Demand = {
  met: (tokens, positions) => inSpace(tokens) === (asKind("positions", positions)?.computed !== undefined),
  otherwise: "and only one of the two is for tokens that lie in space",
};

export const readsCoordinates: Demand = {
  met: (positions, reader) =>
    asKind("positions", positions)?.computed === undefined ||
    (asKind("encoder", reader) ?? asKind("decoder", reader))?.readsCoordinates === true,
  otherwise: "which are computed of each sample, and it reads tables of places",
};

export const idsToPredict: Demand = {
  met: (target, decoder) => (target as Target).predicts === "ids" || (decoder as Decoder).predicts !== "ids",
  otherwise: "and it gives a logit for each id of a text",
};

export const idsToBeTarget: Demand = {
  met: (tokens, target) => {
    const { predicts = "amounts", madeOf = predicts, fromTeacher, ofCodes } = target as Target;
    if (ofCodes && asKind("tokens", tokens)?.codes === undefined) return false;
    return madeOf === numbersOf(tokens) || (madeOf === "amounts" && fromTeacher === true);
  },
  otherwise: otherKinds,
};

export const amountsToSee: Demand = {
  met: (input) => numbersIn(input) === "amounts",
  otherwise: "whose numbers are no amounts, and maps are made of amounts",
};

export const readsTokens: Demand = {
  met: (source) => !givesMaps(source),
  otherwise: "which gives maps and no tokens",
};

/** What a loss of views compares is no logit of a class. */
export const onlyVectors: Demand = {
  met: (source) => asKind("head", source) === undefined || givesVectors(source),
  otherwise: "which tells classes apart, and the loss compares views",
};

/** Heads of vectors read encoders or each other; all others read encoders. */
export const needsVectors: Demand = {
  met: (source, reader) => asKind("head", source) === undefined || (givesVectors(source) && givesVectors(reader)),
  otherwise: "and only heads of vectors read each other",
};

/** Whether a head gives vectors, and no classes. */
export const givesVectors = (definition: Definition | undefined): boolean =>
  asKind("head", definition)?.vectors !== undefined;

/** Whether a loss compares views of a sample. */
export const comparesViews = (definition: Definition | undefined): boolean =>
  asKind("loss", definition)?.compares === "views";

/** Whether an encoder reads an array itself: what a mask hides are then cells of the array, and no tokens. */
export const givesMaps = (definition: Definition | undefined): boolean =>
  (definition as Encoder | undefined)?.maps !== undefined;

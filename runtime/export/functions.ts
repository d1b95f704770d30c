/** What of a model can be exported, and what goes in and comes out of it, in a graph and in words. */

import {
  afterTraining,
  arrayInputs,
  arrayOf,
  type Batch,
  type ModelProgram,
  maskedBatch,
  type Weights,
} from "../../blocks/index.js";
import type { Builder, Tensor, Values } from "../../graph/index.js";
import { pooled } from "../evaluate/features.js";
import { RunError } from "../run-error.js";
import { movingFeeds } from "../train/inputs.js";
import type { Colours } from "./colours.js";

export const exportedFunctions = ["encode", "reconstruct", "classify"] as const;
export type ExportedFunction = (typeof exportedFunctions)[number];

type ProgramWeights = Weights<ModelProgram["parameters"]>;

export interface Exported {
  /** -> what comes out, by name. */
  readonly outputs: (g: Builder, w: ProgramWeights) => Readonly<Record<string, Tensor>>;
  /** Feeds that are always the same. */
  readonly fixed: Values;
  /** Of all that may go in or come out, by name. */
  readonly docs: Readonly<Record<string, string>>;
}

/**
 * A function of a model that takes images as `colours` says.
 * @throws RunError `run/features` for what the model does not have.
 */
export function exportedFunction(what: ExportedFunction, program: ModelProgram, colours: Colours): Exported {
  const docs = { [arrayOf(program).name]: colours.doc };
  const seeing = throughColours(program, colours);
  switch (what) {
    case "encode":
      return { fixed: {}, docs: { ...docs, ...encodingDocs }, outputs: (g, w) => encoding(g, seeing, w) };
    case "classify":
      checkClasses(program);
      return {
        fixed: {},
        docs: { ...docs, logits: "What the head says of each class, [batch, classes]; softmax makes probabilities." },
        outputs: (g, w) => ({ logits: seeing.predict(g, w, arrayInputs(g, program)) }),
      };
    case "reconstruct":
      checkPixels(program);
      return {
        fixed: movingFeeds(program, afterTraining),
        docs: { ...docs, ...reconstructionDocs },
        outputs: (g, w) => reconstruction(g, seeing, w, colours),
      };
  }
}

/** The same model for images as they go into the file. */
function throughColours(program: ModelProgram, { inward }: Colours): ModelProgram {
  const { name } = arrayOf(program);
  const seen = (g: Builder, batch: Batch): Batch => ({ ...batch, [name]: inward(g, batch[name] as Tensor) });
  const { guide } = program;
  return {
    ...program,
    features: (g, w, arrays, layers) => program.features(g, w, seen(g, arrays), layers),
    predict: (g, w, batch) => program.predict(g, w, seen(g, batch)),
    ...(guide ? { guide: (g, w, batch) => guide.call(program, g, w, seen(g, batch)) } : {}),
  };
}

function encoding(g: Builder, program: ModelProgram, w: ProgramWeights): Readonly<Record<string, Tensor>> {
  const tokens = program.features(g, w, arrayInputs(g, program));
  return {
    tokens,
    ...(program.extraTokens > 0 ? { cls: pooled(g, program, tokens, "cls") } : {}),
    mean: pooled(g, program, tokens, "mean"),
  };
}

const encodingDocs = {
  tokens: "Features of the class token, where there is one, and of every patch, row by row: [batch, tokens, features].",
  cls: "Features of the class token, [batch, features].",
  mean: "Mean of the features of the patches, [batch, features].",
};

function reconstruction(
  g: Builder,
  program: ModelProgram,
  w: ProgramWeights,
  { inward, outward }: Colours,
): Readonly<Record<string, Tensor>> {
  const seen = maskedBatch(g, program, w);
  const prediction = program.predict(g, w, seen);
  const pixels = program.picture?.inGraph?.(g, prediction, inward(g, seen[arrayOf(program).name] as Tensor));
  return {
    prediction,
    ...(pixels ? { pixels: outward(g, pixels) } : {}),
    ...(program.guide ? { hidden_patches: seen.hidden as Tensor } : {}),
  };
}

const reconstructionDocs = {
  visible: "Places of the patches that the model sees, counted from 0 row by row, [batch, visible].",
  hidden: "Places of the other patches, [batch, hidden].",
  restore: "Where each patch stands in [visible, hidden]: the argsort of both together, [batch, patches].",
  draws: "Random numbers in 0..1 from which the mask is drawn, [batch, numbers].",
  prediction: "Predicted patches in the scale of the target, [batch, patches, values]; row by row, channel fastest.",
  pixels: "Predicted patches as an image in the scale of the input, [batch, height, width, channels].",
  hidden_patches: "Places of the patches that the model decided to hide, [batch, hidden].",
};

function checkPixels({ name, picture, classes }: ModelProgram): void {
  if (picture !== undefined) return;
  throw new RunError("run/features", {
    what: `${name} does not predict pixels`,
    help: `Export its encoder instead (encode)${classes === undefined ? "" : ", or what it predicts (classify)"}.`,
  });
}

function checkClasses({ name, classes }: ModelProgram): void {
  if (classes !== undefined) return;
  throw new RunError("run/features", {
    what: `${name} predicts no classes`,
    help: "Export its encoder instead (encode), or train it on with a head.",
  });
}

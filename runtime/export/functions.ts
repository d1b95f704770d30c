/** What of a model can be exported, and what goes in and comes out of it, in a graph and in words. */

import {
  afterTraining,
  arrayInputs,
  type Batch,
  hasClassToken,
  headOutput,
  type ModelProgram,
  maskedBatch,
  masksOf,
  outputNames,
  predictOf,
  type Weights,
} from "../../blocks/index.js";
import type { Builder, Tensor, Values } from "../../graph/index.js";
import { noOutput, placesIn, pooled } from "../evaluate/features.js";
import { decidedPlaces, shownBy } from "../evaluate/reconstruct.js";
import { RunError } from "../run-error.js";
import { movingFeeds } from "../train/inputs.js";
import type { Colours } from "./colours.js";

/** The functions of a model by name. `features`, `prediction` and what `headOutput` says are other words for them. */
export const exportedFunctions = ["encode", "reconstruct", "classify"] as const;

const otherWords: Readonly<Record<string, (typeof exportedFunctions)[number]>> = {
  features: "encode",
  prediction: "reconstruct",
};

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
export function exportedFunction(
  what: string,
  program: ModelProgram,
  colours: Readonly<Record<string, Colours>>,
): Exported {
  const docs = Object.fromEntries(Object.entries(colours).map(([name, { doc }]) => [name, doc]));
  const seeing = throughColours(program, colours);
  const head = headOutput(program);
  const word = what === head ? "classify" : (otherWords[what] ?? what);
  switch (word) {
    case "encode":
      return { fixed: {}, docs: { ...docs, ...encodingDocs }, outputs: (g, w) => encoding(g, seeing, w) };
    case "classify":
      if (head === null) throw noHead(program);
      return {
        fixed: {},
        docs: { ...docs, [head]: headDoc(program) },
        outputs: (g, w) => ({ [head]: predictOf(seeing)(g, w, arrayInputs(g, program)) }),
      };
    case "reconstruct":
      checkPixels(program);
      return {
        fixed: movingFeeds(program, afterTraining),
        docs: { ...docs, ...placeDocs(program), ...reconstructionDocs, ...predictionDocs(program) },
        outputs: (g, w) => reconstruction(g, seeing, w, colours),
      };
    default: {
      const encoding = outputNamed(seeing, what);
      return { fixed: {}, docs: { ...docs, ...encodingDocs }, outputs: (g, w) => encoding(g, w) };
    }
  }
}

/** The same model for arrays as they go into the file. */
function throughColours(program: ModelProgram, colours: Readonly<Record<string, Colours>>): ModelProgram {
  const seen = (g: Builder, batch: Batch): Batch => ({
    ...batch,
    ...Object.fromEntries(
      Object.entries(colours).map(([name, { inward }]) => [name, inward(g, batch[name] as Tensor)]),
    ),
  });
  const { guides, encodings, predictions } = program;
  return {
    ...program,
    features: (g, w, arrays, layers) => program.features(g, w, seen(g, arrays), layers),
    ...(program.predict ? { predict: (g, w, batch) => predictOf(program)(g, w, seen(g, batch)) } : {}),
    ...(encodings
      ? {
          encodings: mapped(encodings, (one) => ({
            ...one,
            features: (g, w, arrays) => one.features(g, w, seen(g, arrays)),
          })),
        }
      : {}),
    ...(predictions
      ? {
          predictions: mapped(predictions, (one) => ({
            ...one,
            predict: (g, w, batch) => one.predict(g, w, seen(g, batch)),
          })),
        }
      : {}),
    ...(guides
      ? { guides: mapped(guides, (one) => ({ order: (g, w, batch) => one.order(g, w, seen(g, batch)) })) }
      : {}),
  };
}

/** Each value changed, by the same names. */
const mapped = <V>(all: Readonly<Record<string, V>>, change: (one: V) => V): Readonly<Record<string, V>> =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, change(one)]));

function encoding(g: Builder, program: ModelProgram, w: ProgramWeights): Readonly<Record<string, Tensor>> {
  const arrays = arrayInputs(g, program);
  return tokensAndMeans(g, program, program.features(g, w, arrays), placesIn(g, program, arrays));
}

const tokensAndMeans = (
  g: Builder,
  encoding: Pick<ModelProgram, "extraTokens" | "separators">,
  tokens: Tensor,
  places: Tensor | null = null,
): Readonly<Record<string, Tensor>> => ({
  tokens,
  ...(hasClassToken(encoding, {}) || places ? { cls: pooled(g, encoding, tokens, { pool: "cls" }) } : {}),
  mean: pooled(g, encoding, tokens, { pool: "mean", places }),
});

/**
 * What one encoder of a model of several arrays gives.
 * @throws RunError `run/features` for a name that the model does not have.
 */
function outputNamed(program: ModelProgram, name: string): Exported["outputs"] {
  const { encodings = {} } = program;
  const found = Object.hasOwn(encodings, name) ? encodings[name] : undefined;
  if (found === undefined) throw noOutput(program, name, outputNames(program));
  return (g, w) => tokensAndMeans(g, found, found.features(g, w, arrayInputs(g, program)));
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
  colours: Readonly<Record<string, Colours>>,
): Readonly<Record<string, Tensor>> {
  const seen = maskedBatch(g, program, w);
  const all = shownBy(program);
  const outputs = all.flatMap(({ name, array, predict, picture }): (readonly [string, Tensor])[] => {
    const { inward, outward } = colours[array] as Colours;
    const of = all.length === 1 ? "" : `${name}_`;
    const prediction = predict(g, w, seen);
    const pixels = picture.inGraph?.(g, prediction, inward(g, seen[array] as Tensor));
    const shown = pixels ? [[`${of}pixels`, outward(g, pixels)] as const] : [];
    return [[`${of}prediction`, prediction], ...shown];
  });
  const decided = Object.entries(decidedPlaces(program, seen)).map(([feed, places]) => [decidedName(feed), places]);
  return { ...Object.fromEntries(outputs), ...Object.fromEntries(decided) };
}

/** What decided places are called where they come out: `hidden_patches`, of several masks `audioHidden_patches`. */
const decidedName = (feed: string): string => `${feed}_patches`;

/** Of what each mask is fed. */
const placeDocs = (program: ModelProgram): Readonly<Record<string, string>> =>
  Object.fromEntries(
    masksOf(program).flatMap(({ feeds, name }, _, { length }) => {
      const of = length === 1 ? "" : ` of ${name}`;
      return [
        [feeds.visible, `Places of the patches${of} that the model sees, counted from 0 row by row, [batch, visible].`],
        [feeds.hidden, `Places of the other patches${of}, [batch, hidden].`],
        [
          feeds.restore,
          `Where each patch${of} stands in [visible, hidden]: the argsort of both together, [batch, patches].`,
        ],
      ];
    }),
  );

/** Of each of several predictions. */
const predictionDocs = ({ predictions = {} }: ModelProgram): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.keys(predictions).flatMap((name) => [
      [`${name}_prediction`, `Predicted patches of ${name} in the scale of the target, [batch, patches, values].`],
      [`${name}_pixels`, `Predicted patches of ${name} in the scale and with the axes of the input.`],
    ]),
  );

const reconstructionDocs = {
  draws: "Random numbers in 0..1 from which the mask is drawn, [batch, numbers].",
  prediction: "Predicted patches in the scale of the target, [batch, patches, values]; row by row, channel fastest.",
  pixels:
    "Predicted patches as an image in the scale of the input, [batch, height, width, channels]. Of normalised patches with the mean and deviation that each has in the input.",
  hidden_patches: "Places of the patches that the model decided to hide, [batch, hidden].",
};

function checkPixels(program: ModelProgram): void {
  if (shownBy(program).length > 0) return;
  const { name } = program;
  throw new RunError("run/features", {
    what: `${name} does not predict pixels`,
    help: `Export its encoder instead (encode)${headOutput(program) === null ? "" : ", or what its head says (classify)"}.`,
  });
}

/** What the head's output is. */
function headDoc({ detector, number, places, registers, severalClasses, values }: ModelProgram): string {
  if (number) return "The number that the head says, in its own unit, [batch, 1].";
  if (values) return "The number that the head says of each place, in its own unit, [batch, ...places, 1].";
  if (registers) {
    return `How far from each place of ${registers.fixed} its content lies in ${registers.moving}, in places along each axis, [batch, ...places, axes].`;
  }
  if (detector) {
    return `What the head says at each place, [batch, places, numbers], map by map, rows first: logits of ${detector.classes} classes, distances of the box to the left, up, to the right and down in strides of the map, a logit of centredness${detector.mask > 0 ? `, logits of ${detector.mask}x${detector.mask} cells of the outline` : ""}.`;
  }
  const shares = `${severalClasses ? "a sigmoid of each" : "softmax"} makes probabilities`;
  return `What the head says of each class${places ? " at each place, [batch, ...places, classes]" : ", [batch, classes]"}; ${shares}.`;
}

const noHead = ({ name }: ModelProgram): RunError =>
  new RunError("run/features", {
    what: `${name} has no head`,
    help: "Export its encoder instead (encode), or train it on with a head.",
  });

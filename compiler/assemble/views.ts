/**
 * A model as it sees views of a sample: its functions for the views of each stream, what a teacher makes of them, and the loss that judges
 * and compares them.
 */

import {
  type Batch,
  type Code,
  dropsInput,
  feedName,
  firstToken,
  type LossInputs,
  meanToken,
  patchesOf,
  type Standing,
  takeTokens,
  type ViewInputs,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { deepestPlaces, encodeWhole, lastLayerOf, latentIn, mapsFor, tokensFor } from "./backbone.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import { type Calling, callingIn, type FunctionCode, type ModelFunction } from "./function.js";
import { vectorsOf } from "./head-weights.js";
import { maskedPlaces, type Placed, placesOf } from "./input-tokens.js";
import { extraTokensOf, hidingOf, onlyInput, variesOver } from "./layout.js";
import { type Judged, type LatentOf, latentName, losses, objectiveTerms } from "./losses.js";
import { camel, pascal } from "./names.js";
import {
  type EncoderPart,
  isVectors,
  type LabelledLoss,
  type Objective,
  type Parts,
  type StreamPart,
  type VectorPart,
} from "./parts.js";
import { onlyInputs, type Term, termNames, termsOf } from "./terms.js";
import { type ModelWeights, teacherBranch } from "./weights.js";

/** A model whose input is a view of a stream; its weights are those of the model. */
export function seeing(parts: Placed, stream: StreamPart): Placed {
  const { input, mask, name } = stream;
  const encoders = parts.encoders.map((encoder) => ({ ...encoder, reads: [input], inputs: [input] }));
  const [encoder] = encoders;
  invariant(encoder, "the checker lets through only models of views with one encoder");
  const ofView = (objective: Objective): Objective => ({
    ...objective,
    ...{ input, latent: encoder },
    behind: objective.behind && ofView(objective.behind),
    imitates: objective.imitates && ofView(objective.imitates),
  });
  return {
    ...parts,
    stream: name,
    inputs: [input],
    masks: mask ? [mask] : [],
    encoders,
    encoder,
    objectives: parts.objectives.map(ofView),
    heads: [],
  };
}

/** The functions of the views of a stream. */
export interface StreamFunctions {
  readonly stream: StreamPart;
  /** The model as it sees them. */
  readonly seen: Placed;
  /** What the others call, each after those that it calls. */
  readonly before: readonly ModelFunction[];
  readonly encode: ModelFunction;
  readonly latentOf: (encoder: EncoderPart) => ModelFunction;
  /** What is predicted of them; none: they are only compared. */
  readonly judged: readonly Judged[];
  /** What the teacher makes of them; null: it does not see them, or predicts what is hidden of them. */
  readonly taught: ModelFunction | null;
}

/** What the teacher's encoder makes of every token of the views: it has no mask. */
export const taughtFunction = (seen: Placed): ModelFunction => ({
  name: `teach${pascal(seen.stream ?? "")}`,
  doc: `What the teacher makes of every token of the views \`${seen.stream}\`.`,
  inputs: ["batch"],
  body(code, w, { batch }) {
    const { encoder, teacher } = seen;
    const own = w[teacherBranch] as WeightTree;
    if (teacher?.block.definition.normed?.(teacher.block.values) ?? true)
      return encodeWhole(code, seen, encoder, own, batch);
    if (encoder.block.definition.maps) return deepestPlaces(code, mapsFor(code, seen, encoder, own, batch, "whole"));
    const tokens = tokensFor(code, seen, encoder, own, batch, "whole");
    return lastLayerOf(code, seen, encoder, own, tokens, {}).tokens;
  },
});

/** What a teacher that has decoders predicts of the views, by functions of the model with its own weights. */
export const taughtPrediction = (seen: Placed, { name, inputs, body }: ModelFunction): ModelFunction => ({
  name: name.replace(/^decode/, "teach"),
  doc: `What the teacher predicts for every patch of the views \`${seen.stream}\`, of which it sees what the mask shows.`,
  inputs: ["batch"],
  body(code, w, { batch }) {
    const own = w[teacherBranch] as WeightTree;
    // It leaves out nothing at random.
    const { [feedName(seen.stream, dropsInput)]: _, ...whole } = batch;
    const given = inputs.flatMap((input) =>
      typeof input === "string"
        ? []
        : [
            [
              input.name,
              input.from.body(code, own, { batch: whole, given: {} }) as Tensor | readonly Tensor[],
            ] as const,
          ],
    );
    return body(code, own, { batch: whole, given: Object.fromEntries(given) });
  },
});

/** The scalars of losses that move, with the name of the loss's term in front, and those losses. */
export function movingOf({ viewComparisons }: Pick<Parts, "viewComparisons">): readonly {
  readonly term: string;
  readonly loss: LabelledLoss;
}[] {
  const names = termNames(viewComparisons.map(({ loss }) => loss));
  return viewComparisons.flatMap(({ loss }, i) =>
    loss.definition.moving ? [{ term: camel(names[i] as string), loss }] : [],
  );
}

/** The losses of a model that sees views: what is predicted of each, and what they have to do with each other. */
export const viewLossFunction = (
  parts: Placed,
  weights: ModelWeights,
  streams: readonly StreamFunctions[],
): ModelFunction => ({
  name: "loss",
  doc: "The training loss: the weighted sum, and each term before its weight.",
  inputs: ["batch"],
  body(code, w, { batch }) {
    const calling = callingIn(code, batch);
    const judging = streams.filter(({ judged }) => judged.length > 0);
    return losses(code, [
      ...judging.flatMap((one) => predictionTerms(code, w, one, judging.length, batch, calling)),
      ...comparisonTerms(code, parts, weights, w, streams, batch, calling),
    ]);
  },
});

/** What is predicted of the views of a stream; of several streams the mean counts. */
function predictionTerms(
  code: FunctionCode,
  w: WeightTree,
  { stream, seen, latentOf, judged }: StreamFunctions,
  streams: number,
  batch: Batch,
  calling: Calling,
): readonly Term[] {
  const latent: LatentOf = (encoder) =>
    latentIn(code, encoder, calling(`${latentName(encoder)}_${stream.name}`, latentOf(encoder)));
  const terms = judged.flatMap((one) => objectiveTerms(code, seen, w, one, { batch, latent, calling }));
  if (streams === 1) return terms;
  return terms.map((term) => ({ ...term, name: `${stream.name}.${term.name}`, weight: term.weight / streams }));
}

/** The losses between views. */
function comparisonTerms(
  code: FunctionCode,
  parts: Placed,
  weights: ModelWeights,
  w: WeightTree,
  streams: readonly StreamFunctions[],
  batch: Batch,
  calling: Calling,
): readonly Term[] {
  const { viewComparisons } = parts;
  const all = viewComparisons.map(({ loss }) => loss);
  const names = termNames(all);
  const standing = new Standings(code, parts, w, batch, calling);
  const inputsOf = (i: number): LossInputs => {
    const { loss, of } = viewComparisons[i] as Parts["viewComparisons"][number];
    const find = (name: string): StreamFunctions => {
      const found = streams.find(({ stream }) => stream.name === name);
      invariant(found, `no views are called ${name}`);
      return found;
    };
    const moving = Object.keys(loss.definition.moving?.(loss.values) ?? {});
    const views: ViewInputs = {
      streams: streams.map(({ stream: { name, count, isTaught, mask } }) => ({
        ...{ name, count, isTaught },
        isMasked: mask !== null,
      })),
      student: (name, what) => standing.of(find(name), of, what, "student"),
      taught: (name, what) => standing.of(find(name), of, what, "teacher"),
      predicted: (name) => find(name).judged.map(({ decode }) => calling("prediction", decode)),
      hidden: (name) => {
        const { seen } = find(name);
        return maskedPlaces(seen, batch, onlyInput(seen)).hidden;
      },
      moving: Object.fromEntries(
        moving.map((name) => [name, batch[feedName(camel(names[i] as string), name)] as Tensor]),
      ),
    };
    const nothing = { masked: false, extra: 0, latents: false, normalize: (x: Tensor) => x };
    return onlyInputs({ ...nothing, views }, "a loss between views reads no prediction, target or mask");
  };
  return termsOf(code, all, inputsOf, w, weights.viewComparisons);
}

type Who = "student" | "teacher";

/** What stands for views, of each part once: later losses read what earlier ones have made. */
class Standings {
  readonly #code: FunctionCode;
  readonly #parts: Placed;
  readonly #w: WeightTree;
  readonly #batch: Batch;
  readonly #calling: Calling;
  readonly #known = new Map<string, Tensor>();

  constructor(code: FunctionCode, parts: Placed, w: WeightTree, batch: Batch, calling: Calling) {
    this.#code = code;
    this.#parts = parts;
    this.#w = w;
    this.#batch = batch;
    this.#calling = calling;
  }

  /** What a part makes of what stands for the views of a stream. */
  of(stream: StreamFunctions, part: EncoderPart | VectorPart, standing: Standing, who: Who): Tensor {
    const key = JSON.stringify([stream.stream.name, this.#place(part), standing, who]);
    const known = this.#known.get(key);
    if (known) return known;
    const made = this.#make(stream, part, standing, who);
    this.#known.set(key, made);
    return made;
  }

  #place(part: EncoderPart | VectorPart): number {
    return isVectors(part) ? this.#parts.vectors.indexOf(part) : -1;
  }

  #make(stream: StreamFunctions, part: EncoderPart | VectorPart, standing: Standing, who: Who): Tensor {
    if (!isVectors(part)) return this.#pooled(stream, this.#tokens(stream, part, who), standing, who);
    if (this.#passes(part, who)) return this.of(stream, part.reads, standing, who);
    if (vectorsOf(part).ofTokens) return this.#pooled(stream, this.#tokens(stream, part, who), standing, who);
    return this.#applied(stream, part, this.of(stream, part.reads, standing, who), who);
  }

  /** Whether a teacher has no copy of a head. */
  #passes(part: VectorPart, who: Who): boolean {
    return who === "teacher" && !this.#parts.teacher?.vectors.includes(part);
  }

  #applied({ seen }: StreamFunctions, part: VectorPart, x: Tensor, who: Who): Tensor {
    const { block, label } = part;
    const all = who === "teacher" ? (this.#w[teacherBranch] as WeightTree) : this.#w;
    const own = weightsUnder(all, this.#parts.branchOf(label));
    const input = onlyInput(seen);
    const places = who === "student" && hidingOf(seen, input) === "drop" ? placesOf(seen, this.#batch, input) : null;
    return vectorsOf(part).apply(this.#code, block.values, own, { x, extra: extraTokensOf(seen.encoder), places });
  }

  /** Tokens of the views of a stream. */
  #tokens(stream: StreamFunctions, part: EncoderPart | VectorPart, who: Who): Tensor {
    if (isVectors(part)) {
      const read = this.#tokens(stream, part.reads, who);
      return this.#passes(part, who) ? read : this.#applied(stream, part, read, who);
    }
    const { name } = stream.stream;
    if (who === "student") return this.#calling(`latent_${name}`, stream.encode);
    invariant(stream.taught, `the teacher sees ${name}`);
    return this.#calling(`taught_${name}`, stream.taught);
  }

  #pooled({ seen, stream }: StreamFunctions, x: Tensor, standing: Standing, who: Who): Tensor {
    const code = this.#code;
    const extra = extraTokensOf(seen.encoder);
    const input = onlyInput(seen);
    if (standing === "class_token") return code.let(`first_${stream.name}`, firstToken, x);
    const count = who === "student" && variesOver(seen, input) ? null : (x.shape[1] as number) - extra;
    const patches = patchesOf(code as Code, `patches_${stream.name}`, x, { extra, count });
    if (standing === "patches") return patches;
    if (standing === "mean") return code.let(`mean_${stream.name}`, meanToken, patches);
    return code.let(`hidden_${stream.name}`, takeTokens, patches, maskedPlaces(seen, this.#batch, input).hidden);
  }
}

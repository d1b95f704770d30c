/** How a decoder reads the latent of several inputs: as groups of tokens, and for several targets at once. */

import {
  type Batch,
  type Code,
  type LatentInputs,
  type TokenGroup,
  tokenCount,
  tokensFrom,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import type { ModelFunction } from "./function.js";
import { arrayIn, type Placed, placesIn, placesOf } from "./input-tokens.js";
import type { InputFunctions } from "./inputs.js";
import { frontOf, inputsOf, isWhole, jointMask, startIn, variesOver } from "./layout.js";
import { pascal } from "./names.js";
import { paddingIn } from "./padding.js";
import type { InputPart, Objective } from "./parts.js";
import { computedPositions, isPlacedAgain, turnedBy, withFront } from "./placing.js";
import { decoderMark, decoderPositions, inputWeights, latentPlaces, type ModelWeights, readsWhole } from "./weights.js";

/** What the decoder of an objective reads. */
export function groupsOf(
  code: Code,
  parts: Placed,
  objective: Objective,
  w: WeightTree,
  latent: Tensor,
  batch: Batch,
): LatentInputs {
  const { latents } = objective.latent;
  const joint = latents ? null : jointMask(parts);
  const groups = inputsOf(objective).map((input): TokenGroup => {
    const own = inputWeights(parts.branchOf, objective, input, w);
    const isSeen = !latents && objective.latent.inputs.includes(input);
    const places = joint || !isSeen || isWhole(parts, input) ? null : placesOf(parts, batch, input);
    const count = tokenCount(input.grid);
    const computed = input.positions?.definition.computed ? positionsIn(code, objective, input, own, batch) : null;
    return {
      input: input.label,
      count,
      visible: isSeen ? (joint ? null : places ? (places.visible.shape[1] as number) : count) : 0,
      varies: isSeen && variesOver(parts, input),
      places,
      positions: computed ? computed.positions : ((own[decoderPositions] ?? null) as Tensor | null),
      again: computed?.again ?? null,
      turned: turnedBy(code, input, frontOf(objective.latent), null),
      mark: (own[decoderMark] ?? null) as Tensor | null,
    };
  });
  return {
    latent,
    whole: readsWhole(parts, objective),
    extra: frontOf(objective.latent),
    front: latentPlaces(parts.branchOf, objective, w),
    groups,
    get padding() {
      return paddingOf(code, objective, batch);
    },
    joint: joint && placesIn(joint, batch),
  };
}

/** What keeps a decoder that attends to every token from what is behind the end of a text; null: there is no text, or it needs nothing. */
function paddingOf(code: Code, objective: Objective, batch: Batch): Tensor | null {
  const { width, padding } = objective.decoder.definition;
  if (!padding || width(objective.decoder.values) === null) return null;
  return paddingIn(code, inputsOf(objective), batch, { front: frontOf(objective.latent) });
}

/** What a decoder adds to tokens of an input, or before each layer, of positions that are made of where those are. */
function positionsIn(
  code: Code,
  { latent }: Objective,
  input: InputPart,
  w: WeightTree,
  batch: Batch,
): Pick<TokenGroup, "positions" | "again"> {
  const own = w[decoderPositions] as WeightTree | undefined;
  if (!own) return { positions: null, again: null };
  const positions = withFront(code, computedPositions(code, input, own, arrayIn(input, batch)), own);
  invariant(latent.inputs.length === 1 || !own.class, "tokens in front are those of one input");
  return isPlacedAgain(input) ? { positions: null, again: positions } : { positions, again: null };
}

/** A decoder of several targets: what it makes of all tokens, and the prediction of each target from that. */
export interface SharedFunctions {
  readonly decode: ModelFunction;
  /** null: another decoder predicts it. */
  readonly predictionOf: (objective: Objective) => ModelFunction | null;
}

/** null: no decoder predicts several targets. */
export function sharedFunctions(
  parts: Placed,
  weights: ModelWeights,
  latentOf: InputFunctions["latentOf"],
): SharedFunctions | null {
  const shared = parts.objectives.find(({ together }) => together);
  if (!shared) return null;
  const { definition, values } = shared.decoder;
  const { several } = definition;
  invariant(several, "the checker lets through only decoders that predict one target, or several");
  const extra = frontOf(shared.latent);
  const decode: ModelFunction = {
    name: "decode",
    doc: "What the decoder makes of every token of all inputs.",
    inputs: [{ name: "latent", from: latentOf(shared.latent) }, "batch"],
    body: (code, w, { given, batch }) =>
      several.decode(code, values, w, groupsOf(code, parts, shared, w, given.latent as Tensor, batch)),
  };
  const predictionOf = (objective: Objective): ModelFunction | null => {
    const { label, input, together } = objective;
    if (!together) return null;
    const start = extra + startIn(inputsOf(shared), input);
    return {
      name: `decode${pascal(label ?? "")}`,
      doc: `What \`${label}\` predicts for every patch, of what the decoder made of all.`,
      inputs: [{ name: "decoded", from: decode }],
      body(code, w, { given }) {
        const own = { start, count: tokenCount(input.grid) };
        const tokens = code.let("patches", tokensFrom, given.decoded, own);
        const head = weightsUnder(w, weights.branchOf(label));
        return several.predict(code, values, w, head, tokens);
      },
    };
  };
  return { decode, predictionOf };
}

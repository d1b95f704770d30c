/** How a decoder reads the latent of several inputs: as groups of tokens, and for several targets at once. */

import { type Batch, type LatentInputs, type TokenGroup, tokenCount, tokensFrom } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { type Placed, placesIn, placesOf } from "./backbone.js";
import type { ModelFunction } from "./function.js";
import { extraTokensOf, hidingOf, jointMask, startIn } from "./layout.js";
import { pascal } from "./names.js";
import type { InputPart, Objective } from "./parts.js";
import {
  decoderMark,
  decoderPositions,
  type ModelWeights,
  sourcesBranch,
  type WeightTree,
  weightsUnder,
} from "./weights.js";

/** What a decoder knows of an input: beside the input, or with the decoder of a target of its own. */
function sourceWeights(
  { branchOf }: Placed,
  { label, together }: Pick<Objective, "label" | "together">,
  input: InputPart,
  w: WeightTree,
): WeightTree {
  const own = together ? null : label;
  if (own === null || input.label === null) return weightsUnder(w, branchOf(own ?? input.label));
  const sources = weightsUnder(w, branchOf(own))[sourcesBranch] as WeightTree | undefined;
  return (sources?.[input.label] ?? {}) as WeightTree;
}

/** What the decoder of an objective reads. */
export function groupsOf(
  parts: Placed,
  objective: Pick<Objective, "label" | "together">,
  w: WeightTree,
  latent: Tensor,
  batch: Batch,
): LatentInputs {
  const joint = jointMask(parts);
  const groups = parts.encoder.inputs.map((input): TokenGroup => {
    const own = sourceWeights(parts, objective, input, w);
    const places = joint ? null : placesOf(parts, batch, input);
    return {
      input: input.label,
      count: tokenCount(input.grid),
      visible: places && (places.visible.shape[1] as number),
      places,
      positions: (own[decoderPositions] ?? null) as Tensor | null,
      mark: (own[decoderMark] ?? null) as Tensor | null,
    };
  });
  return {
    latent,
    whole: hidingOf(parts) !== "drop",
    extra: extraTokensOf(parts.encoder),
    groups,
    joint: joint && placesIn(parts, joint, batch),
  };
}

/** A decoder of several targets: what it makes of all tokens, and the prediction of each target from that. */
export interface SharedFunctions {
  readonly decode: ModelFunction;
  /** null: another decoder predicts it. */
  readonly predictionOf: (objective: Objective) => ModelFunction | null;
}

/** null: no decoder predicts several targets. */
export function sharedFunctions(parts: Placed, weights: ModelWeights, latent: ModelFunction): SharedFunctions | null {
  const shared = parts.objectives.find(({ together }) => together);
  if (!shared) return null;
  const { definition, values } = shared.decoder;
  const { several } = definition;
  invariant(several, "the checker lets through only decoders that predict one target, or several");
  const extra = extraTokensOf(parts.encoder);
  const decode: ModelFunction = {
    name: "decode",
    doc: "What the decoder makes of every token of all inputs.",
    inputs: [{ name: "latent", from: latent }, "batch"],
    body: (code, w, { given, batch }) =>
      several.decode(code, values, w, groupsOf(parts, shared, w, given.latent as Tensor, batch)),
  };
  const predictionOf = (objective: Objective): ModelFunction | null => {
    const { label, input, together } = objective;
    if (!together) return null;
    const start = extra + startIn(parts.encoder.inputs, input);
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

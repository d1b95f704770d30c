/** Positions that are made of where the tokens of a sample are in space, by weights of the model. */

import { type Code, type Places, prependPosition, takeTokens } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import type { InputPart } from "./parts.js";

/** Whether the positions of an input are added before each layer, and not to its tokens. */
export const isPlacedAgain = ({ positions }: InputPart): boolean =>
  positions?.definition.computed?.added(positions.values) === "every_block";

/** Where the tokens of an input are in space, [B, N, 3]. */
function centresOf(code: Code, { tokens }: InputPart, array: Tensor): Tensor {
  const cloud = tokens?.definition.cloud;
  invariant(tokens && cloud, "the checker lets through only tokens in space here");
  return cloud.centres(code, tokens.values, array);
}

/** Positions that are made of where tokens are, [B, N, D]. `seen`: those of some tokens alone. */
export function computedPositions(code: Code, input: InputPart, w: unknown, array: Tensor, seen?: Places): Tensor {
  const { positions } = input;
  const computed = positions?.definition.computed;
  invariant(positions && computed, "the checker lets through only positions of coordinates here");
  const centres = centresOf(code, input, array);
  const own = seen ? code.let("seen_centres", takeTokens, centres, seen.visible) : centres;
  return computed.positions(code, positions.values, w, own);
}

/** The same with the position of a token in front, where there is one, [B, extra + N, D]. */
export const withFront = (code: Code, positions: Tensor, w: { readonly class?: unknown }): Tensor =>
  w.class ? code.let("again", prependPosition, positions, w.class) : positions;

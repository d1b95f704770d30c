/** Positions that are no table: made of where the tokens of a sample are in space, by weights of the model, or turning queries and keys. */

import {
  type Code,
  countsOf,
  type Places,
  prependPosition,
  rotaryTurns,
  rotaryTurnsOf,
  type Turned,
  takeTokens,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import type { InputPart } from "./parts.js";

/** Whether the positions of an input are added before each layer, and not to its tokens. */
export const isPlacedAgain = ({ positions }: InputPart): boolean =>
  positions?.definition.computed?.added(positions.values) === "every_block";

/** Whether queries and keys are turned by the places of an input, and nothing is added. */
export const isTurned = ({ positions }: InputPart): boolean => positions?.definition.turned !== undefined;

/** How queries and keys are turned behind `front` tokens that stand for no place; null: not at all. `seen`: of some tokens alone. */
export function turnedBy(
  code: Code,
  { positions, grid }: InputPart,
  front: number,
  seen: Places | null,
): Turned | null {
  const turning = positions?.definition.turned?.(positions.values);
  if (!turning) return null;
  const known = new Map<string, Tensor>();
  const turns = (width: number, behind = 0): Tensor => {
    const key = `${width} ${behind}`;
    const table = { counts: countsOf(grid), width, front, behind, ...turning };
    const made =
      known.get(key) ??
      (seen ? code.let("turns", rotaryTurnsOf, seen.visible, table) : code.let("turns", rotaryTurns, table));
    known.set(key, made);
    return made;
  };
  return { turns, options: { pairs: turning.pairs, axes: grid.length } };
}

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

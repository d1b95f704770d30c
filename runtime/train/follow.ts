/** How the weights of a teacher follow those that are trained: the last phases of a step. */

import { type ModelProgram, namedParameters } from "../../blocks/index.js";
import { createBuilder, simplify, sizeOf, type Tensor } from "../../graph/index.js";
import type { Phase } from "./step.js";

/** Feed []: the share of the way to the weight that it follows which each one goes. */
export const paceInput = "pace";

/** Numbers that one phase moves at most, unless a single weight has more: new values stand beside the old until it ends. */
const mostNumbers = 2 ** 24;

interface Follower {
  readonly name: string;
  readonly follows: string;
  readonly shape: number[];
}

/** Those that follow a weight that moves; a copy of a fixed table stays what it is. */
function followers({ parameters }: ModelProgram): readonly Follower[] {
  const named = new Map(namedParameters(parameters));
  return [...named].flatMap(([name, { follows, shape }]) =>
    follows !== undefined && named.get(follows)?.trainable ? [{ name, follows, shape: shape.map(Number) }] : [],
  );
}

/** In their order, cut where a phase would move too much. */
function portions(all: readonly Follower[]): readonly (readonly Follower[])[] {
  const cut: Follower[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const follower of all) {
    size += sizeOf(follower.shape);
    if (size > mostNumbers) {
      cut.push([]);
      size = sizeOf(follower.shape);
    }
    cut.at(-1)?.push(follower);
  }
  return cut;
}

/** slow + pace (fast - slow): a follower that has arrived stays exactly where it is. */
export const followingPhases = (program: ModelProgram): readonly Phase[] =>
  portions(followers(program)).map((portion) => {
    const g = createBuilder({ batch: 1 });
    const pace = g.input(paceInput, []);
    const updates = portion.map(({ name, follows, shape }): [string, Tensor] => {
      const [slow, fast] = [g.state(name, shape), g.state(follows, shape)];
      return [name, g.add(slow, g.mul(g.sub(fast, slow), pace))];
    });
    const graph = g.finish({ outputs: {}, updates: Object.fromEntries(updates) });
    return { name: "follow", graph: simplify(graph), changes: portion.map(({ name }) => name) };
  });

/** How the weights of a teacher follow those that are trained: the last phase of a step. */

import { type ModelProgram, namedParameters } from "../../blocks/index.js";
import { createBuilder, simplify, type Tensor } from "../../graph/index.js";
import type { Phase } from "./contract.js";

/** Feed []: the share of its old value that each follower keeps. */
export const momentumInput = "momentum";

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

/** momentum x slow + (1 - momentum) x fast, summed up where the slow weight lies: no second copy of all of them is made. */
export function followingPhase(program: ModelProgram): Phase {
  const g = createBuilder({ batch: 1 });
  const momentum = g.input(momentumInput, []);
  // Exact in float32 for a momentum of at least a half, so that the two shares are one together.
  const rest = g.sub(g.constant(1), momentum);
  const moved = followers(program);
  const updates = moved.map(({ name, follows, shape }): [string, Tensor] => {
    const [slow, fast] = [g.state(name, shape), g.state(follows, shape)];
    return [name, g.accumulate(slow, g.mul(fast, rest), momentum, 1)];
  });
  const graph = g.finish({ outputs: {}, updates: Object.fromEntries(updates) });
  return { name: "follow", graph: simplify(graph), changes: moved.map(({ name }) => name) };
}

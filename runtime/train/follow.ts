/** Weights that follow those that are trained, a teacher's and running averages: the last phases of a step. */

import { type ModelProgram, namedParameters, parameterShapes, trainedNames } from "../../blocks/index.js";
import { type Builder, createBuilder, simplify, type Tensor } from "../../graph/index.js";
import { averageName } from "../checkpoint/stored.js";
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

/** The running averages of the weights that are trained. */
export function averagingPhase(program: ModelProgram, keep: number): Phase {
  const shapes = parameterShapes(program.parameters);
  const averages = trainedNames(program).map(
    (follows): Follower => ({ name: averageName(follows), follows, shape: [...(shapes.get(follows) ?? [])] }),
  );
  return phaseOf("average", averages, (g) => g.constant(keep));
}

/** As `followingPhase`, for what follows whatever. */
function phaseOf(name: string, moved: readonly Follower[], momentumIn: (g: Builder) => Tensor<[]>): Phase {
  const g = createBuilder({ batch: 1 });
  const momentum = momentumIn(g);
  // Exact in float32 for a momentum of at least a half, so that the two shares are one together.
  const rest = g.sub(g.constant(1), momentum);
  const updates = moved.map(({ name: slowName, follows, shape }): [string, Tensor] => {
    const [slow, fast] = [g.state(slowName, shape), g.state(follows, shape)];
    return [slowName, g.accumulate(slow, g.mul(fast, rest), momentum, 1)];
  });
  const graph = g.finish({ outputs: {}, updates: Object.fromEntries(updates) });
  return { name, graph: simplify(graph), changes: moved.map((follower) => follower.name) };
}

/** momentum x slow + (1 - momentum) x fast, summed up where the slow weight lies: no second copy of all of them is made. */
export const followingPhase = (program: ModelProgram): Phase =>
  phaseOf("follow", followers(program), (g) => g.input(momentumInput, []));

/** A model's losses and their gradients as graphs, as a training step has them: what plans count. */

import { type ModelProgram, maskedBatch, namedWeights, phasesOf, weightsOf } from "../blocks/index.js";
import { createBuilder, type Graph, gradients, type Recompute, simplify, type Tensor } from "../graph/index.js";

/** The losses of so many images. */
export function lossGraph(program: ModelProgram, batch: number): Graph {
  const g = createBuilder({ batch, training: true });
  const weights = weightsOf(g, program.parameters);
  const { total, terms } = program.loss(g, weights, maskedBatch(g, program, weights, "training"));
  return g.finish({ outputs: { total, ...terms } });
}

/** The phases of a training step: losses and the gradients of the weights that they train. */
export const trainingGraphs = (
  program: ModelProgram,
  batch: number,
  recompute: Recompute = "nothing",
): readonly Graph[] =>
  phasesOf(program).map((trainees) => {
    const g = createBuilder({ batch, training: true });
    const weights = weightsOf(g, program.parameters);
    const named = namedWeights(program.parameters, weights);
    const inputs = maskedBatch(g, program, weights, "training");
    const outputs = trainees.flatMap(({ loss, names }) => {
      const { total, terms, balanced } = loss(g, weights, inputs);
      const scalars = balanced ? [total, terms[balanced.term] as Tensor] : [total];
      const wrt = names.map((name) => named.get(name) as Tensor);
      return scalars.flatMap((scalar) => [scalar, ...gradients(g, scalar, wrt, recompute)]);
    });
    const graph = g.finish({ outputs: Object.fromEntries(outputs.map((output, i) => [String(i), output])) });
    // What two losses of one phase share is computed once.
    return trainees.length > 1 ? simplify(graph) : graph;
  });

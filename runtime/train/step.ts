/** The graph of one training step: loss, gradients, clipping, and the optimizer's update of weights and moments. */

import {
  batchInputs,
  type ModelProgram,
  namedParameters,
  namedWeights,
  type UpdateInputs,
  weightsOf,
} from "../../blocks/index.js";
import {
  type Builder,
  createBuilder,
  type Graph,
  gradients,
  type StateSlot,
  simplify,
  sizeOf,
  type Tensor,
} from "../../graph/index.js";
import { momentName } from "../checkpoint/checkpoint.js";
import type { Training } from "./contract.js";
import type { WeightValues } from "./weights.js";

/** Names of a step's outputs; the terms of the loss follow `termPrefix`. */
export const lossOutput = "loss";
export const gradientNormOutput = "gradient_norm";
export const termPrefix = "loss/";

export interface TrainingStep {
  /** Feeds: those of a batch, `lr` [] and `step` [] (from 1). Outputs: the loss, its terms, and the norm when clipped. */
  readonly graph: Graph;
  /** Weights, then the moments of those that are trained. */
  readonly slots: readonly StateSlot[];
}

/** As in torch.nn.utils.clip_grad_norm_: keeps the division finite. */
const clipEpsilon = 1e-6;

/** Traces a step of `training.batch` samples and simplifies it. */
export function trainingStep(
  program: ModelProgram,
  training: Pick<Training, "batch" | "clip" | "optimizer">,
): TrainingStep {
  const g = createBuilder({ batch: training.batch });
  const weights = weightsOf(g, program.parameters);
  const named = namedWeights(program.parameters, weights);
  const { total, terms } = program.loss(g, weights, batchInputs(g, program));
  const trained = [...namedParameters(program.parameters)].flatMap(([name, { trainable }]) =>
    trainable ? [name] : [],
  );
  const raw = gradients(
    g,
    total,
    trained.map((name) => named.get(name) as Tensor),
  );
  const clipped = g.scope("clip", () => clip(g, raw, training.clip));
  const rate = { lr: g.input("lr", []), step: g.input("step", []) };
  const updates = trained.map((name, i) => {
    const parameter = named.get(name) as Tensor;
    return update(g, training.optimizer, name, { parameter, gradient: clipped.gradients[i] as Tensor, ...rate });
  });
  const graph = g.finish({
    outputs: { [lossOutput]: total, ...clipped.outputs, ...prefixed(terms) },
    updates: Object.fromEntries(updates.flat()),
  });
  return { graph: simplify(graph), slots: slotsOf(program, trained, training) };
}

const prefixed = (terms: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(terms).map(([name, term]) => [termPrefix + name, term]));

/** Scales all gradients so that their global norm is at most `limit`. */
function clip(g: Builder, raw: readonly Tensor[], limit: number | null) {
  if (limit === null) return { gradients: raw, outputs: {} };
  const squares = raw.map((gradient) => g.sum(g.mul(gradient, gradient)));
  const norm = g.sqrt(squares.reduce((a, b) => g.add(a, b)));
  const factor = g.minimum(g.div(g.constant(limit), g.add(norm, clipEpsilon)), 1);
  return { gradients: raw.map((gradient) => g.mul(gradient, factor)), outputs: { [gradientNormOutput]: norm } };
}

/** New values of one weight and its moments, by state name. */
function update(
  g: Builder,
  { definition, values }: Training["optimizer"],
  name: string,
  inputs: Pick<UpdateInputs, "parameter" | "gradient" | "lr" | "step">,
): [string, Tensor][] {
  const shape = [...inputs.parameter.shape];
  const names = definition.state.map((state) => momentName(state, name));
  const next = g.scope(`update/${name}`, () =>
    definition.update(g, values as never, {
      ...inputs,
      state: names.map((moment) => g.state(moment, shape)),
      // Matrices decay; biases, norms and other vectors do not.
      decay: shape.length > 1,
    }),
  );
  return [[name, next.parameter], ...names.map((moment, i): [string, Tensor] => [moment, next.state[i] as Tensor])];
}

function slotsOf(
  program: ModelProgram,
  trained: readonly string[],
  { optimizer }: Pick<Training, "optimizer">,
): readonly StateSlot[] {
  const shapes = new Map(
    [...namedParameters(program.parameters)].map(([name, { shape }]) => [name, shape.map(Number)]),
  );
  const slot = (name: string, weight: string): StateSlot => ({
    name,
    shape: shapes.get(weight) as number[],
    dtype: "float32",
  });
  return [
    ...[...shapes.keys()].map((name) => slot(name, name)),
    ...optimizer.definition.state.flatMap((state) =>
      trained.map((name) => ({ ...slot(momentName(state, name), name), beside: name })),
    ),
  ];
}

/** The state before the first step: the weights, and moments of zero. */
export const startingState = (slots: readonly StateSlot[], weights: WeightValues): WeightValues =>
  Object.fromEntries(slots.map(({ name, shape }) => [name, weights[name] ?? new Float32Array(sizeOf(shape))]));

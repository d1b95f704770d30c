/**
 * The graphs of one training step: loss, gradients, clipping, and the optimizer's update of weights and moments. A program
 * with an adversary or a teacher has several phases, run one after the other.
 */

import {
  batchInputs,
  type Losses,
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
  /** Run one after the other; together they are one step. */
  readonly phases: readonly Phase[];
  /** Weights, then the moments of those that are trained. */
  readonly slots: readonly StateSlot[];
}

/**
 * A graph of a step. Feeds: those of a batch, `lr` [] and `step` [] (from 1), or `momentum` []. Outputs: the loss, its terms,
 * and the norm when clipped, of the phases that train.
 */
export interface Phase {
  readonly name: string;
  readonly graph: Graph;
  /** The weights that it changes. */
  readonly changes: readonly string[];
}

/** As in torch.nn.utils.clip_grad_norm_: keeps the division finite. */
const clipEpsilon = 1e-6;
/** Keeps the ratio of two gradients' norms finite. */
const balanceEpsilon = 1e-6;

type Settings = Pick<Training, "batch" | "clip" | "optimizer">;

/** A loss of the program and the weights that it trains. */
interface Trainee {
  readonly loss: ModelProgram["loss"];
  readonly names: readonly string[];
}

/** Traces the phases of a step of `training.batch` samples and simplifies them. */
export function trainingStep(program: ModelProgram, training: Settings): TrainingStep {
  const phases = traineesOf(program).map((trainees, i, all) => {
    const counts = (name: string): Turn => ({
      before: all.slice(0, i).filter((others) => isTrained(others, name)).length,
      of: all.filter((others) => isTrained(others, name)).length,
    });
    return trainingPhase(program, training, trainees, counts);
  });
  const trained = trainedNames(program);
  return {
    phases: [...phases, ...(program.teacher ? [followingPhase(program)] : [])],
    slots: slotsOf(program, trained, training),
  };
}

const trainedNames = ({ parameters }: ModelProgram): readonly string[] =>
  [...namedParameters(parameters)].flatMap(([name, { trainable }]) => (trainable ? [name] : []));

const isUnder = (branches: readonly string[], name: string): boolean =>
  branches.some((branch) => name === branch || name.startsWith(`${branch}.`));

const isTrained = (trainees: readonly Trainee[], name: string): boolean =>
  trainees.some(({ names }) => names.includes(name));

/** The losses of each phase: the model's alone, and an adversary's beside it or after it. */
function traineesOf(program: ModelProgram): readonly (readonly Trainee[])[] {
  const trained = trainedNames(program);
  const { adversary } = program;
  const loss: Trainee["loss"] = (g, w, batch) => program.loss(g, w, batch);
  if (!adversary) return [[{ loss, names: trained }]];
  const model = { loss, names: trained.filter((name) => !isUnder(adversary.own, name)) };
  const against = {
    loss: adversary.loss,
    names: trained.filter((name) => isUnder([...adversary.own, ...adversary.shared], name)),
  };
  return adversary.update === "joint" ? [[model, against]] : [[model], [against]];
}

/** Of the updates that a weight gets in one step: those before this one, and all. */
interface Turn {
  readonly before: number;
  readonly of: number;
}

function trainingPhase(
  program: ModelProgram,
  training: Settings,
  trainees: readonly Trainee[],
  turnOf: (name: string) => Turn,
): Phase {
  const g = createBuilder({ batch: training.batch });
  const weights = weightsOf(g, program.parameters);
  const named = namedWeights(program.parameters, weights);
  const batch = batchInputs(g, program);
  const judged = trainees.map(({ loss, names }) => {
    const losses = loss(g, weights, batch);
    return lossGradients(
      g,
      losses,
      names.map((name) => [name, named.get(name) as Tensor] as const),
    );
  });
  const names = trainedNames(program).filter((name) => isTrained(trainees, name));
  const raw = names.map((name) => judged.flatMap((one) => one.gradients.get(name) ?? []).reduce((a, b) => g.add(a, b)));
  const clipped = g.scope("clip", () => clip(g, raw, training.clip));
  const [lr, step] = [g.input("lr", []), g.input("step", [])];
  const updates = names.flatMap((name, i) => {
    const parameter = named.get(name) as Tensor;
    const inputs = {
      parameter,
      gradient: clipped.gradients[i] as Tensor,
      lr,
      step: updateCount(g, step, turnOf(name)),
    };
    return update(g, training.optimizer, name, inputs);
  });
  // The first one's word where two tell of the same.
  const outputs = Object.assign({}, ...judged.map((one) => one.outputs).reverse()) as Readonly<Record<string, Tensor>>;
  const graph = g.finish({ outputs: { ...outputs, ...clipped.outputs }, updates: Object.fromEntries(updates) });
  return { name: "train", graph: simplify(graph), changes: names };
}

/** The number of a weight's update, from 1, which optimizers correct their moments by. */
const updateCount = (g: Builder, step: Tensor, { before, of }: Turn): Tensor =>
  of === 1 ? step : g.add(g.mul(step, of), before + 1 - of);

/** Gradients of the losses by name, with the balanced term's share; and what a step tells of them. */
function lossGradients(g: Builder, { total, terms, balanced }: Losses, wrt: readonly (readonly [string, Tensor])[]) {
  const tensors = wrt.map(([, tensor]) => tensor);
  const byName = (found: readonly Tensor[]) => new Map(wrt.map(([name], i) => [name, found[i] as Tensor]));
  const own = gradients(g, total, tensors);
  if (!balanced) return { gradients: byName(own), outputs: { [lossOutput]: total, ...prefixed(terms) } };
  const other = gradients(g, balanced.term, tensors);
  return g.scope("balance", () => {
    const ratio = g.div(norm(g, own), g.add(norm(g, other), balanceEpsilon));
    const weight = g.mul(ratio, balanced.factor);
    const sum = own.map((gradient, i) => g.add(gradient, g.mul(other[i] as Tensor, weight)));
    const outputs = { [lossOutput]: g.add(total, g.mul(balanced.term, weight)), ...prefixed({ ...terms, weight }) };
    return { gradients: byName(sum), outputs };
  });
}

const norm = (g: Builder, parts: readonly Tensor[]): Tensor =>
  g.sqrt(parts.map((part) => g.sum(g.mul(part, part))).reduce((a, b) => g.add(a, b)));

/** Moves the weights that follow others towards them. */
function followingPhase(program: ModelProgram): Phase {
  const g = createBuilder({ batch: 1 });
  const momentum = g.input("momentum", []);
  const rest = g.sub(g.constant(1), momentum);
  const pairs = [...namedParameters(program.parameters)].flatMap(([name, { follows, shape }]) =>
    follows === undefined ? [] : [{ name, follows, shape: shape.map(Number) }],
  );
  const updates = pairs.map(({ name, follows, shape }): [string, Tensor] => {
    const [slow, fast] = [g.state(name, shape), g.state(follows, shape)];
    return [name, g.add(g.mul(slow, momentum), g.mul(fast, rest))];
  });
  const graph = g.finish({ outputs: {}, updates: Object.fromEntries(updates) });
  return { name: "follow", graph: simplify(graph), changes: pairs.map(({ name }) => name) };
}

const prefixed = (terms: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(terms).map(([name, term]) => [termPrefix + name, term]));

/** Scales all gradients so that their global norm is at most `limit`. */
function clip(g: Builder, raw: readonly Tensor[], limit: number | null) {
  if (limit === null) return { gradients: raw, outputs: {} };
  const length = norm(g, raw);
  const factor = g.minimum(g.div(g.constant(limit), g.add(length, clipEpsilon)), 1);
  return { gradients: raw.map((gradient) => g.mul(gradient, factor)), outputs: { [gradientNormOutput]: length } };
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

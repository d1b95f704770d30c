/**
 * The graphs of one training step: loss, gradients, clipping, and the optimizer's update of weights and moments. A program
 * with an adversary or a teacher has several phases, run one after the other.
 */

import {
  type Freezing,
  frozenBy,
  type Losses,
  layerScales,
  type ModelProgram,
  maskedBatch,
  namedParameters,
  namedWeights,
  parameterShapes,
  phasesOf,
  type Trainee,
  trainedNames,
  type UpdateInputs,
  weightsOf,
} from "../../blocks/index.js";
import {
  type Builder,
  createBuilder,
  type Graph,
  gradients,
  invariant,
  type StateSlot,
  simplify,
  sizeOf,
  type Tensor,
} from "../../graph/index.js";
import { averageName, averageState, momentName } from "../checkpoint/stored.js";
import type { Phase, Training } from "./contract.js";
import { averagingPhase, followingPhase } from "./follow.js";
import type { WeightValues } from "./weights.js";

/** Names of a step's outputs; the terms of the loss follow `termPrefix`. */
export const lossOutput = "loss";
export const gradientNormOutput = "gradient_norm";
export const termPrefix = "loss/";

export interface TrainingStep {
  /** Run one after the other; together they are one step. */
  readonly phases: readonly Phase[];
  /** Weights, then the moments of those that are trained: what a checkpoint keeps. */
  readonly slots: readonly StateSlot[];
  /** Gradients summed over the micro-batches of a step, where there are several; of no use after it. */
  readonly sums: readonly StateSlot[];
}

/** As in torch.nn.utils.clip_grad_norm_: keeps the division finite. */
const clipEpsilon = 1e-6;
/** Keeps the ratio of two gradients' norms finite. */
const balanceEpsilon = 1e-6;

/** Feed []: 0 for the first micro-batch of a step, with which its sums begin; 1 for the others. */
export const keepInput = "keep";

/** Feed []: the number of an update of the prototypes that end heads, from 1; 0: they stay as they are in this step. */
export const lastStepInput = "last_step";

type Settings = Freezing &
  Pick<Training, "batch" | "microBatch" | "recompute" | "clip" | "gradientNorm" | "optimizer"> &
  Partial<Pick<Training, "average">> & {
    /** The feed [] that counts the updates of a weight, from 1; if absent, `step` counts those of all. */
    readonly counterOf?: (weight: string) => string;
  };

/** Micro-batches of a step. */
export const microBatchesOf = ({ batch, microBatch = batch }: Pick<Training, "batch" | "microBatch">): number => {
  const count = batch / microBatch;
  invariant(Number.isInteger(count), `a batch of ${batch} has whole micro-batches of ${microBatch}`);
  return count;
};

/**
 * Traces the phases of a step of `training.batch` samples and simplifies them; `watch` hears of each phase as it was traced.
 */
export function trainingStep(
  whole: ModelProgram,
  training: Settings,
  watch?: (phase: string, traced: Graph) => void,
): TrainingStep {
  const program = frozenBy(whole, training);
  const trained = trainedNames(program);
  const traced = phasesOf(program).flatMap((trainees, i, all) => {
    const counts = (name: string): UpdateOrder => ({
      before: all.slice(0, i).filter((others) => isTrained(others, name)).length,
      of: all.filter((others) => isTrained(others, name)).length,
    });
    return trainingPhases(program, training, trainees, counts);
  });
  for (const { name, graph } of traced) watch?.(name, graph);
  const phases = traced.map((phase) => ({ ...phase, graph: simplify(phase.graph) }));
  return {
    phases: [
      ...(program.teacher?.first ? [followingPhase(program)] : []),
      ...phases,
      ...(program.teacher && !program.teacher.first ? [followingPhase(program)] : []),
      ...(training.average == null ? [] : [averagingPhase(program, training.average)]),
    ],
    slots: slotsOf(program, trained, training),
    sums: microBatchesOf(training) === 1 ? [] : sumSlots(program, trained),
  };
}

const isTrained = (trainees: readonly Trainee[], name: string): boolean =>
  trainees.some(({ names }) => names.includes(name));

/** Of the updates that a weight gets in one step: those before this one, and all. */
interface UpdateOrder {
  readonly before: number;
  readonly of: number;
}

/** The phases of some losses: one that also updates, or where a batch has several parts, one that sums and one that updates. */
function trainingPhases(
  program: ModelProgram,
  training: Settings,
  trainees: readonly Trainee[],
  orderOf: (name: string) => UpdateOrder,
): readonly Phase[] {
  const count = microBatchesOf(training);
  const { g, trained, outputs } = judge(program, training, trainees);
  const changes = trained.map(({ name }) => name);
  if (count === 1) {
    const { updates, told } = updateAll(g, training, trained, orderOf);
    const graph = g.finish({ outputs: { ...outputs, ...told }, updates });
    return [{ name: "train", each: "micro-batch", graph, changes }];
  }
  const keep = g.input(keepInput, []);
  const sums = g.scope("sum", () =>
    trained.map(({ name, parameter, gradient }): [string, Tensor] => {
      const sum = g.state(sumName(name), [...parameter.shape]);
      return [sumName(name), g.accumulate(sum, gradient, keep, 1 / count)];
    }),
  );
  const summing = g.finish({ outputs, updates: Object.fromEntries(sums) });
  return [
    { name: "sum", each: "micro-batch", graph: summing, changes: [] },
    { name: "update", graph: updateFromSums(training, trained, orderOf), changes },
  ];
}

/** A weight with its gradient, on one trace. */
interface Trained {
  readonly name: string;
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** Whether it is a learned token or positions. */
  readonly token: boolean;
  /** Whether it is one of the prototypes that a recipe may leave as they are for a while. */
  readonly last: boolean;
  /** Its share of the learning rate. */
  readonly share: number;
}

/** Traces losses of a micro-batch with the gradients of all weights that they train. */
function judge(program: ModelProgram, training: Settings, trainees: readonly Trainee[]) {
  const g = createBuilder({ batch: training.batch / microBatchesOf(training), training: true });
  const weights = weightsOf(g, program.parameters);
  const named = namedWeights(program.parameters, weights);
  const batch = maskedBatch(g, program, weights, "training");
  const judged = trainees.map(({ loss, names }) => {
    const losses = loss(g, weights, batch);
    const wrt = names.map((name) => [name, named.get(name) as Tensor] as const);
    return lossGradients(g, losses, wrt, training.recompute);
  });
  const names = trainedNames(program).filter((name) => isTrained(trainees, name));
  const parameters = new Map(namedParameters(program.parameters));
  const shares = sharesOf(program, training);
  const trained = names.map((name): Trained => {
    const gradient = judged.flatMap((one) => one.gradients.get(name) ?? []).reduce((a, b) => g.add(a, b));
    const share = shares.get(name) as number;
    const { token = false, last = false } = parameters.get(name) ?? {};
    return { name, parameter: named.get(name) as Tensor, gradient, token, last, share };
  });
  // The first one's word where two tell of the same.
  const told: Record<string, Tensor> = {};
  for (const { outputs } of judged) for (const [name, output] of Object.entries(outputs)) told[name] ??= output;
  return { g, trained, outputs: told };
}

/** Clips the gradients and gives new values of weights and moments, by state name; and what is told of that. */
function updateAll(
  g: Builder,
  training: Settings,
  trained: readonly Trained[],
  orderOf: (name: string) => UpdateOrder,
) {
  const raw = trained.map(({ gradient }) => gradient);
  const clipped = g.scope("clip", () => clip(g, raw, training));
  const whole = g.input("lr", []);
  const stepOf = stepsIn(g, trained, training);
  const { definition, values } = training.optimizer;
  const moving = Object.fromEntries(
    Object.keys(definition.moving?.(values) ?? {}).map((scalar) => [scalar, g.input(scalar, [])]),
  );
  const held = training.freezeLast && trained.some(({ last }) => last) ? g.input(lastStepInput, []) : null;
  const updates = trained.flatMap(({ name, parameter, token, last, share }, i) => {
    const gradient = clipped.gradients[i] as Tensor;
    const lr = share === 1 ? whole : g.mul(whole, share);
    const own = last && held ? g.maximum(held, 1) : stepOf(name);
    const inputs = { parameter, gradient, token, lr, step: updateCount(g, own, orderOf(name)), moving };
    return update(g, training.optimizer, name, inputs, last ? held : null);
  });
  return { updates: Object.fromEntries(updates), told: clipped.outputs };
}

/** The step of each weight: how often it has been updated, with this time. */
function stepsIn(g: Builder, trained: readonly Trained[], { counterOf = () => "step" }: Settings) {
  const feeds = new Set(trained.map(({ name }) => counterOf(name)));
  const steps = new Map([...feeds].map((feed) => [feed, g.input(feed, [])]));
  return (name: string): Tensor => steps.get(counterOf(name)) as Tensor;
}

/** The update whose gradients are the sums of a step. */
function updateFromSums(
  training: Settings,
  trained: readonly Trained[],
  orderOf: (name: string) => UpdateOrder,
): Graph {
  const g = createBuilder({ batch: 1 });
  const own = trained.map(({ name, parameter, ...same }): Trained => {
    const shape = [...parameter.shape];
    return { ...same, name, parameter: g.state(name, shape), gradient: g.state(sumName(name), shape) };
  });
  const { updates, told } = updateAll(g, training, own, orderOf);
  return g.finish({ outputs: told, updates });
}

/** The shares of the learning rate that the weights have. */
const sharesOf = (program: ModelProgram, { optimizer }: Settings): ReadonlyMap<string, number> =>
  layerScales(program, optimizer.definition.layerDecay?.(optimizer.values) ?? 1);

/** The state in which the gradient of a weight is summed. */
const sumName = (weight: string): string => `gradient.${weight}`;

/** The number of a weight's update, from 1, which optimizers correct their moments by. */
const updateCount = (g: Builder, step: Tensor, { before, of }: UpdateOrder): Tensor =>
  of === 1 ? step : g.add(g.mul(step, of), before + 1 - of);

/** Gradients of the losses by name, with the balanced term's share; and what a step tells of them. */
function lossGradients(
  g: Builder,
  { total, terms, balanced }: Losses,
  wrt: readonly (readonly [string, Tensor])[],
  recompute: Training["recompute"],
) {
  const tensors = wrt.map(([, tensor]) => tensor);
  const byName = (found: readonly Tensor[]) => new Map(wrt.map(([name], i) => [name, found[i] as Tensor]));
  const own = gradients(g, total, tensors, recompute);
  if (!balanced) return { gradients: byName(own), outputs: { [lossOutput]: total, ...prefixed(terms) } };
  const term = terms[balanced.term] as Tensor;
  const other = gradients(g, term, tensors, recompute);
  return g.scope("balance", () => {
    const ratio = g.div(norm(g, own), g.add(norm(g, other), balanceEpsilon));
    const weight = g.mul(ratio, balanced.factor);
    const sum = own.map((gradient, i) => g.add(gradient, g.mul(other[i] as Tensor, weight)));
    const told = prefixed({ ...terms, [`${balanced.term}.weight`]: weight });
    return { gradients: byName(sum), outputs: { [lossOutput]: g.add(total, g.mul(term, weight)), ...told } };
  });
}

const norm = (g: Builder, parts: readonly Tensor[]): Tensor =>
  g.sqrt(parts.map((part) => g.sum(g.mul(part, part))).reduce((a, b) => g.add(a, b)));

const prefixed = (terms: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(terms).map(([name, term]) => [termPrefix + name, term]));

/** Scales all gradients so that their global norm is at most the limit; tells it where there is one, and where that is asked for. */
function clip(g: Builder, raw: readonly Tensor[], { clip: limit, gradientNorm }: Settings) {
  if (limit === null && !gradientNorm) return { gradients: raw, outputs: {} };
  const length = norm(g, raw);
  const outputs = { [gradientNormOutput]: length };
  if (limit === null) return { gradients: raw, outputs };
  const factor = g.minimum(g.div(g.constant(limit), g.add(length, clipEpsilon)), 1);
  return { gradients: raw.map((gradient) => g.mul(gradient, factor)), outputs };
}

/** New values of one weight and its moments, by state name. `held`: while this scalar is 0, they stay as they are; null: they never do. */
function update(
  g: Builder,
  { definition, values }: Training["optimizer"],
  name: string,
  inputs: Omit<UpdateInputs, "state" | "decay">,
  held: Tensor | null,
): [string, Tensor][] {
  const shape = [...inputs.parameter.shape];
  const names = definition.state.map((state) => momentName(state, name));
  return g.scope(`update/${name}`, () => {
    const state = names.map((moment) => g.state(moment, shape));
    // Matrices decay; biases, norms and other vectors do not.
    const next = definition.update(g, values, { ...inputs, state, decay: shape.length > 1 });
    const kept = (was: Tensor, is: Tensor): Tensor => (held ? g.select(g.equal(held, 0), was, is) : is);
    return [
      [name, kept(inputs.parameter, next.parameter)],
      ...names.map((moment, i): [string, Tensor] => [moment, kept(state[i] as Tensor, next.state[i] as Tensor)]),
    ];
  });
}

function slotsOf(
  program: ModelProgram,
  trained: readonly string[],
  { optimizer, average }: Settings,
): readonly StateSlot[] {
  const shapes = parameterShapes(program.parameters);
  const weights = [...shapes.keys()].map((name) => slotLike(shapes, name, name));
  const kept = [...optimizer.definition.state, ...(average == null ? [] : [averageState])];
  const moments = kept.flatMap((state) =>
    trained.map((name) => ({ ...slotLike(shapes, momentName(state, name), name), beside: name })),
  );
  return [...weights, ...moments];
}

function sumSlots(program: ModelProgram, trained: readonly string[]): readonly StateSlot[] {
  const shapes = parameterShapes(program.parameters);
  return trained.map((name) => ({ ...slotLike(shapes, sumName(name), name), beside: name }));
}

/** A slot of the shape of a weight. */
const slotLike = (shapes: ReadonlyMap<string, readonly number[]>, name: string, weight: string): StateSlot => ({
  name,
  shape: shapes.get(weight) as readonly number[],
  dtype: "float32",
});

/** The state before the first step: the weights, averages that equal them, and moments of zero. */
export function startingState(slots: readonly StateSlot[], weights: WeightValues): WeightValues {
  const start = ({ name, shape, beside }: StateSlot): Float32Array => {
    const copied = beside !== undefined && name === averageName(beside) ? weights[beside] : undefined;
    return weights[name] ?? copied?.slice() ?? new Float32Array(sizeOf(shape));
  };
  return Object.fromEntries(slots.map((slot) => [slot.name, start(slot)]));
}

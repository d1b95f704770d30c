/**
 * What a model and its training will cost, before anything runs: tokens, parameters, FLOPs, memory, learning rate, steps,
 * time. All from tracing the model itself; no block has a formula for its cost.
 */

import {
  countsOf,
  frozenBy,
  hasStates,
  type Loss,
  layerScales,
  type ModelProgram,
  mixesPairs,
  type Optimizer,
  outputNames,
  tokenCount,
  trainedNames,
  varyingMasks,
  wordsOf,
} from "../blocks/index.js";
import { cost, type Recompute } from "../graph/index.js";
import { type Assembly, assemble, programOf } from "./assemble/assemble.js";
import { widthOf } from "./assemble/head-weights.js";
import { frontOf, layoutOf, maskOver, visibleOf } from "./assemble/layout.js";
import { type DevicePlan, type Devices, devicePlan } from "./device-plan.js";
import {
  countWeights,
  type DataMemory,
  type EngineMemory,
  isTrained,
  type MemoryOptions,
  type MemoryPlan,
  memoryPlan,
  type Splitting,
} from "./memory-plan.js";
import type { Filled, Model, Recipe } from "./model.js";
import { freezingOf, repeatOf, trainingOf } from "./settings.js";
import { lossGraph, trainingGraphs } from "./training-graphs.js";
import { type WiringNode, wiringTree } from "./wiring-tree.js";

export interface Plan {
  readonly model: string;
  readonly recipe: string | null;
  /** What one of its samples is called. */
  readonly sample: string;
  /** Numbers in all weights, fixed position tables included. */
  readonly parameters: number;
  /** Those that training changes. */
  readonly trainable: number;
  /** Those that follow trained ones: a teacher's. */
  readonly following: number;
  /** By the first part of the weight's name. */
  readonly parts: readonly { readonly name: string; readonly parameters: number }[];
  /** Where the number of visible tokens varies, of batches with the most; `fewest` of those with the least. */
  readonly tokens: {
    readonly total: number;
    readonly visible: number;
    readonly hidden: number;
    readonly fewest?: number;
    /** Latents that alone go on of what the encoder makes of them, and the numbers of one. */
    readonly latents?: { readonly count: number; readonly width: number };
  };
  /** Of each array that the model reads: tokens along each axis and in all, and those that are visible; of one mask over all arrays, null. */
  readonly sets: readonly {
    readonly name: string;
    readonly counts: readonly number[];
    readonly total: number;
    readonly visible: number | null;
  }[];
  /** Of the views that training sees of a sample, those that pass together: how many, tokens along each axis of one and in all, and visible ones. */
  readonly views: readonly {
    readonly name: string;
    readonly count: number;
    readonly counts: readonly number[];
    readonly total: number;
    readonly visible: number;
    /** Whether a teacher sees them too. */
    readonly taught: boolean;
  }[];
  /** What a trained model can be asked for, by name. */
  readonly outputs: readonly string[];
  /** Which part reads which. */
  readonly wiring: readonly WiringNode[];
  /** Matrix products for one sample, a multiply-add counted as 2; before any simplification. */
  readonly flops: { readonly forward: number; readonly training: number };
  /** Bytes of a training process. */
  readonly memory: MemoryPlan;
  /** Bytes on each of several devices; null where they were not asked for. */
  readonly devices: DevicePlan | null;
  readonly learningRate: (LearningRatePlan & Layered) | null;
  readonly steps: StepsPlan | null;
  readonly time: TimePlan | null;
}

export interface LearningRatePlan {
  readonly base: number;
  readonly per: number | null;
  readonly peak: number;
  /** `1.5e-4 x 4096 / 256 = 2.4e-3` */
  readonly arithmetic: string;
}

interface Layered {
  /** The lowest peak of a weight that is trained; null: all have the same. */
  readonly lowest: number | null;
}

export interface StepsPlan {
  /** Samples of the data; null when it was not looked at. */
  readonly samples: number | null;
  readonly perEpoch: number | null;
  readonly total: number | null;
}

export interface TimePlan {
  readonly secondsPerStep: number;
  readonly seconds: number | null;
  readonly rate: MeasuredRate;
}

/** How fast this machine trained before, in operations of matrix products. */
export interface MeasuredRate {
  readonly flopsPerSecond: number;
  /** Of one pass: of a micro-batch, or of a batch that is not cut. */
  readonly flopsAtOnce: number;
  readonly device: string;
}

export interface PlanOptions {
  readonly recipe?: Recipe;
  /** Overrides the recipe's batch for memory and learning rate. */
  readonly batch?: number;
  readonly samples?: number;
  /** Of a recipe whose steps take turns with those of others, its own; if absent, every step is. */
  readonly steps?: StepsPlan;
  /** Of passes of any sizes; that of the nearest size counts. */
  readonly rates?: readonly MeasuredRate[];
  /** How a batch is cut; if absent, it is not. */
  readonly splitting?: Splitting;
  readonly recompute?: Recompute;
  /** What trains it; if absent, memory is that of tensors alone. */
  readonly engine?: EngineMemory;
  /** What its data needs; if absent, nothing is counted. */
  readonly data?: DataMemory;
  /** That train it together; if absent, none is told of. */
  readonly devices?: Devices;
}

/** 29.23 GFLOP: the prefix that leaves one to three digits in front. */
export function flopText(value: number): string {
  const [prefix, size] = value >= 1e12 ? ["T", 1e12] : value >= 1e9 ? ["G", 1e9] : ["M", 1e6];
  return `${(value / size).toFixed(2)} ${prefix}FLOP`;
}

/** Batch for which memory is told when no recipe says one. */
const defaultBatch = 1;

/** 2.4e-3 as people write it in recipes. */
export const showRate = (value: number): string =>
  value !== 0 && Math.abs(value) < 0.01
    ? value.toExponential().replace(/(\.\d{3})\d+/, "$1")
    : String(Number(value.toPrecision(6)));

/** What a step of so many samples is taken with. */
export function learningRateOf(recipe: Recipe, batch: number): LearningRatePlan {
  const { value, per } = (recipe.optimizer.definition as Optimizer).lr(recipe.optimizer.values);
  const peak = per === null ? value : (value * batch) / per;
  const arithmetic = per === null ? `${showRate(value)}` : `${showRate(value)} x ${batch} / ${per} = ${showRate(peak)}`;
  return { base: value, per, peak, arithmetic };
}

function layeredRateOf(recipe: Recipe, program: ModelProgram, batch: number): LearningRatePlan & Layered {
  const rate = learningRateOf(recipe, batch);
  const { definition, values } = recipe.optimizer;
  const shares = layerScales(program, (definition as Optimizer).layerDecay?.(values) ?? 1);
  const least = Math.min(1, ...trainedNames(program).map((name) => shares.get(name) ?? 1));
  return { ...rate, lowest: least === 1 ? null : rate.peak * least };
}

function stepsOf(recipe: Recipe, batch: number, samples: number | null): StepsPlan {
  const perEpoch = samples === null ? null : Math.floor((samples * repeatOf(recipe)) / batch);
  const setting = (name: string): number | null => (recipe.settings[name]?.value as number | undefined) ?? null;
  const epochs = setting("epochs");
  const total = setting("steps") ?? (epochs !== null && perEpoch !== null ? epochs * perEpoch : null);
  return { samples, perEpoch, total };
}

/** What a model costs without its training's memory and length. */
export type Cost = Pick<Plan, "parameters" | "trainable" | "following" | "tokens" | "flops">;

/** The cost of a model without findings: the cheaper part of its plan. */
export const costOf = (model: Model): Cost => {
  const assembly = assemble(model);
  return costOfAssembly(assembly, programOf(assembly));
};

/** Operations of matrix products that training with one sample takes. */
const trainingFlops = (program: ModelProgram): number =>
  trainingGraphs(program, 1).reduce((sum, graph) => sum + cost(graph).matmul, 0);

function costOfAssembly(assembly: Assembly, program: ModelProgram): Cost {
  const { encoder } = assembly.parts;
  const { count: total, visible } = layoutOf(assembly.parts);
  const varying = varyingMasks(program);
  const less = varying.reduce((sum, { mask, varies }) => sum + mask.visible - (varies.counts[0] as number), 0);
  const forward = cost(lossGraph(program, 1)).matmul;
  return {
    parameters: countWeights(assembly.parameters),
    trainable: countWeights(program.parameters, isTrained),
    following: countWeights(assembly.parameters, ({ follows }) => follows !== undefined),
    tokens: {
      ...{ total, visible, hidden: total - visible },
      ...(varying.length === 0 ? {} : { fewest: visible - less }),
      ...(encoder.latents ? { latents: { count: frontOf(encoder), width: widthOf(encoder) } } : {}),
    },
    flops: { forward, training: trainingFlops(program) },
  };
}

/** Numbers kept for each weight that is trained: the optimizer's, and a running average. */
const momentsOf = (recipe: Recipe): number => {
  const { optimizer, average } = trainingOf(recipe);
  return optimizer.definition.state.length + (average == null ? 0 : 1);
};

/** A model as its recipe trains it. */
const trainedBy = (program: ModelProgram, recipe: Recipe | undefined): ModelProgram =>
  recipe ? frozenBy(program, freezingOf(recipe)) : program;

const batchOf = ({ batch, recipe }: PlanOptions): number =>
  batch ?? (recipe?.settings.batch?.value as number | undefined) ?? defaultBatch;

/** What the memory of a step is planned by. */
const memoryOptions = (
  model: Model,
  program: ModelProgram,
  options: PlanOptions,
  flopsOfSample: () => number,
): MemoryOptions => ({
  batch: batchOf(options),
  moments: options.recipe ? momentsOf(options.recipe) : 0,
  recompute: options.recompute ?? "nothing",
  splitting: splittingOf(model, program, options),
  pairs: options.recipe !== undefined && mixesPairs(trainingOf(options.recipe)),
  ...(options.engine ? { engine: options.engine } : {}),
  ...(options.data ? { data: options.data } : {}),
  flopsOfSample,
});

/** Where parts of a batch teach something else than all of it, it is cut for memory, but not for time. */
function splittingOf(model: Model, program: ModelProgram, { splitting }: PlanOptions): Splitting {
  if (splitting?.by !== "room") return splitting ?? { by: "nothing" };
  // Parts would be normed by statistics of their own.
  if (hasStates(program.parameters)) return { by: "nothing" };
  const asOne = program.adversary !== undefined || lossesAcrossSamples(model).length > 0;
  return asOne ? { by: "room", bytes: splitting.bytes } : splitting;
}

/** The program that a recipe trains of a model without findings, and what its memory is planned by. */
function trainedProgram(model: Model, options: PlanOptions): readonly [ModelProgram, MemoryOptions] {
  const program = trainedBy(programOf(assemble(model)), options.recipe);
  return [program, memoryOptions(model, program, options, () => trainingFlops(program))];
}

/** The memory of a training step of a model without findings. */
export const planMemory = (model: Model, options: PlanOptions): MemoryPlan =>
  memoryPlan(...trainedProgram(model, options));

/** The same on devices. */
export const planDevices = (model: Model, devices: Devices, options: PlanOptions): DevicePlan =>
  devicePlan(...trainedProgram(model, options), devices);

/** Losses of a model that compare samples of a batch with each other. */
export function lossesAcrossSamples(model: Model): readonly string[] {
  const named = (filled: readonly Filled[]): string[] =>
    filled.flatMap(({ slot, use, inner }) => [
      ...(slot === "loss" && (use.definition as Loss).acrossSamples ? [use.definition.name] : []),
      ...named(inner),
    ]);
  return named(model.slots);
}

/** How many times as much work, or as little, a pass may have had whose rate says something of another's. */
const comparable = 1000;

/** Time at the rate of the measured pass that is most like these; null where none is like them. */
function timeOf(
  flopsAtOnce: number,
  flopsOfStep: number,
  steps: number | null,
  rates: readonly MeasuredRate[],
): TimePlan | null {
  const distance = (rate: MeasuredRate): number => Math.abs(Math.log(rate.flopsAtOnce / flopsAtOnce));
  const [rate] = rates
    .filter((measured) => distance(measured) <= Math.log(comparable))
    .sort((a, b) => distance(a) - distance(b));
  if (!rate) return null;
  const secondsPerStep = flopsOfStep / rate.flopsPerSecond;
  return { secondsPerStep, seconds: steps === null ? null : steps * secondsPerStep, rate };
}

const setsOf = ({ parts }: Assembly): Plan["sets"] =>
  parts.inputs.map((input) => {
    const total = tokenCount(input.grid);
    const mask = maskOver(parts, input);
    const visible = mask === null ? total : mask.over.length > 1 ? null : visibleOf(mask);
    return { name: input.name, counts: countsOf(input.grid), total, visible };
  });

const viewsOf = ({ parts }: Assembly): Plan["views"] =>
  parts.streams.map(({ name, count, input: { grid }, mask, isTaught }) => {
    const total = tokenCount(grid);
    return { name, count, counts: countsOf(grid), total, visible: mask ? visibleOf(mask) : total, taught: isTaught };
  });

/** The plan of a model without findings; with a recipe, of its training too. */
export function plan(model: Model, options: PlanOptions = {}): Plan {
  const { recipe, samples, rates = [] } = options;
  const assembly = assemble(model);
  const batch = batchOf(options);
  const program = trainedBy(programOf(assembly), recipe);
  const costs = costOfAssembly(assembly, program);
  const steps = recipe ? (options.steps ?? stepsOf(recipe, batch, samples ?? null)) : null;
  const asked = memoryOptions(model, program, options, () => costs.flops.training);
  const devices = options.devices ? devicePlan(program, asked, options.devices) : null;
  const memory = memoryPlan(
    program,
    devices ? { ...asked, splitting: { by: "size", samples: devices.microBatch } } : asked,
  );
  const { training } = costs.flops;
  return {
    model: model.name,
    recipe: recipe?.name ?? null,
    sample: wordsOf(program.arrays).sample,
    ...costs,
    sets: setsOf(assembly),
    views: viewsOf(assembly),
    outputs: outputNames(program),
    wiring: wiringTree(model),
    parts: Object.entries(assembly.parameters).map(([name, branch]) => ({ name, parameters: countWeights(branch) })),
    memory,
    devices,
    learningRate: recipe ? layeredRateOf(recipe, program, batch) : null,
    steps,
    time: timeOf(training * memory.microBatch, training * batch, steps?.total ?? null, rates),
  };
}

/** `mae plan`: what a model and its training cost, before anything runs. */

import type { SampleIndex } from "../../blocks/index.js";
import {
  arraysOf,
  flopText,
  type MemoryPlan,
  type Model,
  type Pipeline,
  type Plan,
  plan as planOf,
  type Recipe,
  type RecipeStart,
  repeatOf,
  type Stage,
  settingsOf,
  showRate,
  trainingOf,
  wiringLines,
} from "../../compiler/index.js";
import { readRates } from "../machine/measured-rate.js";
import { cutting, type MemoryFlags, splittingNotes } from "../machine/micro-batches.js";
import { dataMemory, type MeasuredBackend } from "../machine/process-memory.js";
import { recipeOfStage } from "../runs/stages.js";
import { startOf } from "../runs/weights-from.js";
import { choose, openNamed } from "../specs/choose.js";
import { keyMapLines, mappingDocument, startText } from "../words/key-map.js";
import { duration } from "../words/progress.js";
import { type Colors, count, grouped, print, printJson, stdoutColors } from "../words/terminal.js";

export interface PlanOptions extends MemoryFlags {
  readonly json?: boolean;
  readonly batch?: number;
  readonly samples?: number;
  readonly config?: string;
  /** What is to train it. */
  readonly backend: MeasuredBackend;
  /** Print the graphs of a step instead; a name: the graph after that pass. */
  readonly graph?: string | true;
}

export async function plan(file: string, name: string | undefined, options: PlanOptions): Promise<void> {
  const analysis = await openNamed(file, options.config, name);
  const pipeline = name === undefined ? undefined : analysis.pipelines.get(name);
  if (pipeline) {
    await planStages(pipeline, options);
    return;
  }
  const { model, recipe } = choose(analysis, name);
  const { graph } = options;
  if (graph !== undefined) {
    await (await import("./plan-graph.js")).planGraph(model, recipe, { ...options, graph });
    return;
  }
  const start = recipe && (await startOf(model, recipe, analysis.vocabulary));
  const plan = await planned(model, recipe, options);
  if (options.json) printJson({ format_version: "1.0", ...document(plan), ...startDocument(start) });
  else print(`${[...table(plan, notesOf(model, plan), stdoutColors()), ...startRows(start)].join("\n")}\n`);
}

const startRows = (start: RecipeStart | null): readonly string[] =>
  start ? keyMapLines(start, stdoutColors()).map((line) => `  ${line}`) : [];

/** What a document says of where weights come from; null as weights: a file is not here. */
const startDocument = (start: RecipeStart | null) =>
  start && { from: start.takes.map(startText), weights: start.mappings?.map(mappingDocument) ?? null };

const notesOf = (model: Model, { memory }: Plan): readonly string[] =>
  memory.microBatch < memory.batch ? splittingNotes(model, memory) : [];

async function planned(model: Model, recipe: Recipe | null, options: PlanOptions): Promise<Plan> {
  const index = recipe ? await openedData(model, recipe) : null;
  const samples = options.samples ?? index?.length ?? null;
  const batch = options.batch ?? (recipe ? settingsOf(recipe).batch : 1);
  if (samples !== null) {
    const { lengthOf } = await import("../../runtime/index.js");
    lengthOf({ batch, repeat: recipe ? repeatOf(recipe) : 1, epochs: null, steps: 1 }, samples);
  }
  return planOf(model, {
    ...(recipe ? { recipe } : {}),
    batch,
    ...cutting(batch, options, options.backend),
    ...(recipe ? { data: await dataMemory(model, recipe, index) } : {}),
    ...(samples === null ? {} : { samples }),
    rates: readRates(),
  });
}

/** Each stage as a plan of its own, and what its weights start with. */
async function planStages({ name, stages }: Pipeline, options: PlanOptions): Promise<void> {
  const plans: { readonly stage: Stage; readonly plan: Plan }[] = [];
  for (const stage of stages) {
    plans.push({ stage, plan: await planned(stage.model, recipeOfStage(stage), options) });
  }
  if (options.json) {
    printJson({ format_version: "1.0", pipeline: name, stages: plans.map(stageDocument) });
    return;
  }
  const colors = stdoutColors();
  const sections = plans.map(({ stage, plan }) => [
    colors.bold(`stage ${stage.name}`),
    ...keyMapLines(stage, colors).map((line) => `  ${line}`),
    ...table(plan, notesOf(stage.model, plan), colors).map((line) => (line === "" ? "" : `  ${line}`)),
  ]);
  const head = `${colors.bold(name)}: ${count(stages.length, "stage")}`;
  print(`${[[head], ...sections].map((lines) => lines.join("\n")).join("\n\n")}\n`);
}

const stageDocument = ({ stage, plan }: { readonly stage: Stage; readonly plan: Plan }) => ({
  stage: stage.name,
  from: stage.takes.map(startText),
  fresh: stage.fresh,
  evaluate: stage.evaluate.map(({ definition }) => definition.name),
  plan: document(plan),
  weights: stage.mappings?.map(mappingDocument) ?? null,
});

/** A recipe's data; null when it is not here, which is no mistake before training. */
async function openedData(model: Model, recipe: Recipe): Promise<SampleIndex | null> {
  const { openData, RunError } = await import("../../runtime/index.js");
  try {
    return await openData(trainingOf(recipe).data, "train", process.cwd(), { arrays: arraysOf(model) });
  } catch (error) {
    if (error instanceof RunError) return null;
    throw error;
  }
}

/** The document's fields are documented in `docs/cli.md`. */
function document(plan: Plan) {
  const { learningRate: lr, steps, time } = plan;
  return {
    model: plan.model,
    recipe: plan.recipe,
    parameters: plan.parameters,
    trainable: plan.trainable,
    following: plan.following,
    parts: plan.parts,
    tokens: plan.tokens,
    sets: plan.sets,
    views: plan.views,
    outputs: plan.outputs,
    wiring: plan.wiring,
    flops: plan.flops,
    memory: memoryDocument(plan.memory),
    learning_rate: lr && {
      base: lr.base,
      per: lr.per,
      peak: lr.peak,
      arithmetic: lr.arithmetic,
      ...(lr.lowest === null ? {} : { lowest: lr.lowest }),
    },
    steps: steps && { samples: steps.samples, per_epoch: steps.perEpoch, total: steps.total },
    time: time && {
      seconds_per_step: time.secondsPerStep,
      seconds: time.seconds,
      flops_per_second: time.rate.flopsPerSecond,
      flops_at_once: time.rate.flopsAtOnce,
      device: time.rate.device,
    },
  };
}

const memoryDocument = ({ microBatch, ...memory }: MemoryPlan) => ({ ...memory, micro_batch: microBatch });

/** `196: 49 visible, 147 hidden`; where that varies, what follows is of batches with the most. */
const tokensText = ({ latents, ...tokens }: Plan["tokens"]): string =>
  `${seenText(tokens)}${latents ? `; ${grouped(latents.count)} latents of ${grouped(latents.width)} numbers go on` : ""}`;

const seenText = ({ total, visible, hidden, fewest }: Plan["tokens"]): string =>
  fewest === undefined
    ? `${grouped(total)}: ${grouped(visible)} visible, ${grouped(hidden)} hidden`
    : `${grouped(total)}: ${grouped(fewest)} to ${grouped(visible)} visible; the most of them counted below`;

/** Of several arrays, the tokens of each. */
function setRows({ sets }: Plan): readonly string[] {
  const widest = Math.max(...sets.map(({ name }) => name.length));
  return sets.map(({ name, counts, total, visible }) => {
    const shown = visible === null ? "" : `: ${grouped(visible)} visible, ${grouped(total - visible)} hidden`;
    return `    ${name.padEnd(widest)}  ${counts.join("x")} = ${grouped(total)}${shown}`;
  });
}

/** Of a model that is trained on views of samples, what of them passes. */
function viewRows({ views, sample }: Plan, row: (name: string, value: string) => string): readonly string[] {
  if (views.length === 0) return [];
  const widest = Math.max(...views.map(({ name }) => name.length));
  const tokens = views.reduce((sum, { count, total }) => sum + count * total, 0);
  return [
    row("views", `${grouped(tokens)} tokens of one ${sample} in training`),
    ...views.map(({ name, count, counts, total, visible, taught }) => {
      const shown = visible === total ? "" : `, ${grouped(visible)} visible`;
      return `    ${name.padEnd(widest)}  ${count} of ${counts.join("x")} = ${grouped(total)}${shown}${taught ? "; the teacher sees them" : ""}`;
    }),
  ];
}

const wiringRows = ({ wiring }: Plan): readonly string[] => [
  "  wiring",
  ...wiringLines(wiring).map((line) => `    ${line}`),
];

function bytes(value: number): string {
  return value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(2)} GiB` : `${(value / 2 ** 20).toFixed(1)} MiB`;
}

function table(plan: Plan, notes: readonly string[], colors: Colors): string[] {
  const { tokens, memory } = plan;
  const widest = Math.max(...plan.parts.map((part) => part.name.length));
  const parts = plan.parts.map((part) => `    ${part.name.padEnd(widest)}  ${grouped(part.parameters)}`);
  const fixed = plan.parameters - plan.trainable - plan.following;
  const untrained = [
    ...(fixed > 0 ? [`${grouped(fixed)} of them fixed`] : []),
    ...(plan.following > 0 ? [`${grouped(plan.following)} of them a slow copy`] : []),
  ];
  const row = (name: string, value: string) => `  ${name.padEnd(14)} ${value}`;
  return [
    colors.bold(plan.model),
    row("tokens", tokensText(tokens)),
    ...viewRows(plan, row),
    ...(plan.sets.length > 1 ? [...setRows(plan), ...wiringRows(plan)] : []),
    row("parameters", `${grouped(plan.parameters)}${untrained.length > 0 ? ` (${untrained.join(", ")})` : ""}`),
    ...parts,
    ...(plan.sets.length > 1 ? [row("outputs", plan.outputs.join(", "))] : []),
    row(
      `for one ${plan.sample}`,
      `${flopText(plan.flops.forward)} forward, ${flopText(plan.flops.training)} in training`,
    ),
    ...memoryRows(memory, row),
    ...notes.map((note) => `    ${note}`),
    ...recipeRows(plan, row, colors),
  ];
}

function memoryRows(memory: MemoryPlan, row: (name: string, value: string) => string): string[] {
  const parts = [
    `weights ${bytes(memory.weights)}`,
    `optimizer ${bytes(memory.moments)}`,
    ...(memory.sums > 0 ? [`summed gradients ${bytes(memory.sums)}`] : []),
    `activations and gradients ${bytes(memory.working)}`,
    `engine ${bytes(memory.engine)}`,
    ...(memory.data > 0 ? [`data ${bytes(memory.data)}`] : []),
  ];
  const again = memory.recompute === "layers" ? ", with layers computed again for their gradients" : "";
  return [
    row("memory", `about ${bytes(memory.total)} at the process's peak, for steps of ${grouped(memory.batch)}${again}`),
    `    ${parts.join(", ")}`,
  ];
}

const rateText = ({ arithmetic, lowest }: NonNullable<Plan["learningRate"]>): string =>
  lowest === null ? arithmetic : `${arithmetic}, down to ${showRate(lowest)} in the first layer that is trained`;

function recipeRows(plan: Plan, row: (name: string, value: string) => string, colors: Colors): string[] {
  const { recipe, learningRate, steps, time } = plan;
  if (recipe === null) return [];
  const total = steps?.total == null ? [] : [`${grouped(steps.total)} in all`];
  const perEpoch = steps?.perEpoch == null ? [] : [`${grouped(steps.perEpoch)} in an epoch`];
  const known = [...total, ...perEpoch];
  const seconds = time && (time.seconds === null ? `${duration(time.secondsPerStep)} a step` : duration(time.seconds));
  return [
    "",
    colors.bold(recipe),
    ...(learningRate ? [row("learning rate", rateText(learningRate))] : []),
    row(
      "steps",
      known.length > 0
        ? known.join(", ")
        : "unknown: the data is not here; say how many samples there are with --samples",
    ),
    ...(time
      ? [
          row("time", `about ${seconds} at ${flopText(time.rate.flopsPerSecond)}/s, as in a run on this machine`),
          `    with ${flopText(time.rate.flopsAtOnce)} at once, on ${time.rate.device}`,
        ]
      : []),
  ];
}

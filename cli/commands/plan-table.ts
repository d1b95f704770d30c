/** A plan as a document and as a table for people. */

import { bytesText } from "../../blocks/index.js";
import {
  type DevicePlan,
  flopText,
  type MemoryPlan,
  type Model,
  type Plan,
  type RecipeStart,
  type SharedMemory,
  showRate,
  wiringLines,
} from "../../compiler/index.js";
import { splittingNotes } from "../machine/micro-batches.js";
import { keyMapLines, mappingDocument, startText } from "../words/key-map.js";
import { duration } from "../words/progress.js";
import { type Colors, grouped, stdoutColors } from "../words/terminal.js";

export const startRows = (start: RecipeStart | null): readonly string[] =>
  start ? keyMapLines(start, stdoutColors()).map((line) => `  ${line}`) : [];

/** What a document says of where weights come from; null as weights: a file is not here. */
export const startDocument = (start: RecipeStart | null) =>
  start && { from: start.takes.map(startText), weights: start.mappings?.map(mappingDocument) ?? null };

export const notesOf = (model: Model, { memory, devices }: Plan): readonly string[] =>
  memory.microBatch < memory.batch ? splittingNotes(model, devices ?? memory) : [];

/** The document's fields are documented in `docs/cli.md`. */
export function planDocument(plan: Plan) {
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
    ...(plan.devices ? { devices: devicesDocument(plan.devices) } : {}),
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

const devicesDocument = (plan: DevicePlan) => ({
  ...{ count: plan.count, shard_state: plan.shardState, micro_batch: plan.microBatch, samples: plan.samples },
  ...{ weights: plan.weights, moments: plan.moments, sums: plan.sums, working: plan.working },
  ...{ total: plan.total, room: plan.room, bound: plan.bound },
});

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
function viewRows({ views, sample }: Plan): readonly string[] {
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

/** Of a line under a table's head. */
export const row = (name: string, value: string): string => `  ${name.padEnd(14)} ${value}`;

export function planTable(plan: Plan, notes: readonly string[], colors: Colors): string[] {
  const { tokens, memory } = plan;
  const widest = Math.max(...plan.parts.map((part) => part.name.length));
  const parts = plan.parts.map((part) => `    ${part.name.padEnd(widest)}  ${grouped(part.parameters)}`);
  const fixed = plan.parameters - plan.trainable - plan.following;
  const untrained = [
    ...(fixed > 0 ? [`${grouped(fixed)} of them fixed`] : []),
    ...(plan.following > 0 ? [`${grouped(plan.following)} of them a slow copy`] : []),
  ];
  return [
    colors.bold(plan.model),
    row("tokens", tokensText(tokens)),
    ...viewRows(plan),
    ...(plan.sets.length > 1 ? [...setRows(plan), ...wiringRows(plan)] : []),
    row("parameters", `${grouped(plan.parameters)}${untrained.length > 0 ? ` (${untrained.join(", ")})` : ""}`),
    ...parts,
    ...(plan.sets.length > 1 ? [row("outputs", plan.outputs.join(", "))] : []),
    row(
      `for one ${plan.sample}`,
      `${flopText(plan.flops.forward)} forward, ${flopText(plan.flops.training)} in training`,
    ),
    ...(plan.devices
      ? deviceRows(plan.devices)
      : memoryRows(memory, `steps of ${grouped(memory.batch)}${againText[memory.recompute]}`)),
    ...notes.map((note) => `    ${note}`),
    ...recipeRows(plan, colors),
  ];
}

const againText = { nothing: "", layers: ", with layers computed again for their gradients" } as const;

function deviceRows({ count, shardState, samples, batch, recompute, ...held }: DevicePlan): string[] {
  const state = shardState ? ", its share of the state" : "";
  const what = `${grouped(samples)} samples at once${state}, of steps of ${grouped(batch)}${againText[recompute]}`;
  const whose = count === 1 ? "on the device" : `on each of ${grouped(count)} devices`;
  return [row("memory", `about ${bytesText(held.total)} ${whose}: ${what}`), `    ${stepParts(held).join(", ")}`];
}

/** What a step holds, in words. */
const stepParts = (held: Pick<DevicePlan, "weights" | "moments" | "sums" | "working">): readonly string[] => [
  `weights ${bytesText(held.weights)}`,
  `optimizer ${bytesText(held.moments)}`,
  ...(held.sums > 0 ? [`summed gradients ${bytesText(held.sums)}`] : []),
  `activations and gradients ${bytesText(held.working)}`,
];

export function memoryRows(memory: SharedMemory, what: string): string[] {
  const parts = [
    ...stepParts(memory),
    `engine ${bytesText(memory.engine)}`,
    ...(memory.data > 0 ? [`data ${bytesText(memory.data)}`] : []),
  ];
  return [
    row("memory", `about ${bytesText(memory.total)} at the process's peak, for ${what}`),
    `    ${parts.join(", ")}`,
  ];
}

const rateText = ({ arithmetic, lowest }: NonNullable<Plan["learningRate"]>): string =>
  lowest === null ? arithmetic : `${arithmetic}, down to ${showRate(lowest)} in the first layer that is trained`;

/** Why the number of steps is not known, where it is not. */
const unknownSamples = "the data is not here; say how many samples there are with --samples";

/** `640 in all, 32 in an epoch` */
export function stepsText(steps: Pick<NonNullable<Plan["steps"]>, "total" | "perEpoch"> | null): string {
  const total = steps?.total == null ? [] : [`${grouped(steps.total)} in all`];
  const perEpoch = steps?.perEpoch == null ? [] : [`${grouped(steps.perEpoch)} in an epoch`];
  const known = [...total, ...perEpoch];
  return known.length > 0 ? known.join(", ") : `unknown: ${unknownSamples}`;
}

function recipeRows(plan: Plan, colors: Colors): string[] {
  const { recipe, learningRate, steps, time } = plan;
  if (recipe === null) return [];
  const seconds = time && (time.seconds === null ? `${duration(time.secondsPerStep)} a step` : duration(time.seconds));
  return [
    "",
    colors.bold(recipe),
    ...(learningRate ? [row("learning rate", rateText(learningRate))] : []),
    row("steps", stepsText(steps)),
    ...(time
      ? [
          row("time", `about ${seconds} at ${flopText(time.rate.flopsPerSecond)}/s, as in a run on this machine`),
          `    with ${flopText(time.rate.flopsAtOnce)} at once, on ${time.rate.device}`,
        ]
      : []),
  ];
}

/**
 * What a run does with other hosts: they agree on what they train, start with the state of the first, and sum their gradients. How they
 * reach each other is the matter of `hosts/`, how they end that of `end-together.ts`.
 */

import { hasStates, type ModelProgram } from "../../blocks/index.js";
import { type StateSlot, sizeOf, type TypedArray, type Values } from "../../graph/index.js";
import type { Session } from "../executors/executor.js";
import type { Hosts } from "../hosts/hosts.js";
import { version } from "../package.js";
import { RunError } from "../run-error.js";
import type { Phase, Training, TrainOptions } from "./contract.js";
import { scalar } from "./inputs.js";
import type { Length } from "./pace.js";
import type { OpenSource } from "./source.js";
import { microBatchesOf } from "./step.js";

/** Whether this host keeps log and checkpoints. */
export const isFirst = ({ hosts }: Pick<TrainOptions, "hosts">): boolean => (hosts?.host ?? 0) === 0;

/** Where the checkpoints are, for those that keep none. */
export const theirFolder = "the folder of the first host";

/** Refuses what several hosts would train otherwise than one. */
export function checkHosts(
  { name, parameters }: ModelProgram,
  training: Training,
  { hosts, beside = [], debugNan }: Pick<TrainOptions, "hosts" | "beside" | "debugNan">,
): void {
  if (!hosts) return;
  const { count } = hosts;
  const refuse = (what: string, help: string, why?: string): RunError =>
    new RunError("run/hosts", { what, ...(why === undefined ? {} : { why }), help });
  if (hasStates(parameters))
    throw refuse(
      `${name} keeps statistics of whole batches, and each of ${count} hosts sees a part of them`,
      "Train it on one host.",
      "A batch norm, a centre or a queue would be moved by each part alone: another model would be trained.",
    );
  for (const one of [training, ...beside.map((other) => other.training)]) {
    if (microBatchesOf(one) % count === 0) continue;
    throw refuse(
      `A batch of ${one.batch}, computed in parts of ${one.microBatch ?? one.batch}, has no equal shares for ${count} hosts`,
      `Choose a batch that ${count} divides, and \`--micro-batch\` so that each host has as many parts.`,
    );
  }
  if (training.onNan === "rollback" || debugNan)
    throw refuse(
      "On several hosts a step that broke is not searched, nor left out",
      "Write `on_nan stop` in the recipe and leave `--debug-nan` out, or go on with one host to find what breaks.",
    );
}

/**
 * Hosts that train otherwise are refused, and all get the state of the first. Gives the steps that it has behind it; alone, `step`.
 */
export async function agreeAndStart(
  { hosts, spec }: TrainOptions,
  {
    sources,
    session,
    slots,
    length,
  }: {
    readonly sources: readonly OpenSource[];
    readonly session: Session;
    readonly slots: readonly StateSlot[];
    readonly length: Length;
  },
  step: number,
): Promise<number> {
  if (!hosts) return step;
  await hosts.agree({
    version,
    spec,
    seed: String(sources[0]?.training.seed),
    "number of steps": String(length.totalSteps),
    state: slots.map(({ name, shape }) => `${name} ${shape.join("x")}`).join("\n"),
    ...Object.assign(
      {},
      ...sources.map(({ training, index, digest }, i) => {
        const of = i === 0 ? "" : ` of recipe ${i + 1}`;
        return {
          [`batch${of}`]: String(training.batch),
          [`micro-batch${of}`]: String(training.microBatch ?? training.batch),
          [`number of samples${of}`]: String(index.length),
          [`data${of}`]: JSON.stringify(digest),
        };
      }),
    ),
  });
  await eachGroup(session, slots, hosts.host === 0 ? "read" : "write", (values) => hosts.share(values));
  return Number(await hosts.fromFirst(step));
}

/** Numbers of state that are on their way at once. */
const mostAtOnce = 2 ** 22;

/** Goes through state in groups, each as one array: read, written by `act`, and what it leaves there kept again as `how` says. */
async function eachGroup(
  session: Session,
  slots: readonly StateSlot[],
  how: "read" | "write" | "both",
  act: (values: Float32Array) => Promise<void>,
): Promise<void> {
  for (const group of groupsOf(slots)) {
    const all = new Float32Array(group.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
    const parts = partsIn(all, group);
    if (how !== "write") {
      const read = await session.read(group.map(({ name }) => name));
      for (const [name, part] of Object.entries(parts)) part.set(read[name] as TypedArray);
    }
    await act(all);
    if (how !== "read") await session.write(parts);
  }
}

function groupsOf(slots: readonly StateSlot[]): readonly (readonly StateSlot[])[] {
  const groups: StateSlot[][] = [];
  let room = 0;
  for (const slot of slots) {
    const size = sizeOf(slot.shape);
    if (size > room) {
      groups.push([]);
      room = mostAtOnce;
    }
    groups.at(-1)?.push(slot);
    room -= size;
  }
  return groups;
}

function partsIn(all: Float32Array, group: readonly StateSlot[]): Record<string, Float32Array> {
  let at = 0;
  return Object.fromEntries(
    group.map(({ name, shape }) => {
      const part = all.subarray(at, at + sizeOf(shape));
      at += part.length;
      return [name, part];
    }),
  );
}

/** Sums what a phase has summed over the micro-batches of each host. Gives the mean of what all of them tell. */
export async function overHosts(
  hosts: Hosts,
  { session, sums: all }: { readonly session: Session; readonly sums: readonly StateSlot[] },
  phase: Phase,
  own: Values,
): Promise<Values> {
  if (phase.each !== "micro-batch") return own;
  const names = [...phase.graph.outputs.keys()];
  const outputs = Float64Array.from(names, (name) => own[name]?.[0] as number);
  await hosts.sum(outputs);
  const sums = new Map(all.map((slot) => [slot.name, slot]));
  const summed = [...phase.graph.updates.keys()].flatMap((name) => sums.get(name) ?? []);
  if (session.sumOverHosts) await hosts.until(session.sumOverHosts(summed.map(({ name }) => name)));
  else await eachGroup(session, summed, "both", (values) => hosts.sum(values));
  return Object.fromEntries(names.map((name, i) => [name, scalar((outputs[i] as number) / hosts.count)]));
}

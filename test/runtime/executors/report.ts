/** The agreement cases and the training run on one executor, as plain data: for the devices that need a process or a
 * browser of their own. */

import { evaluate, type OperationName } from "../../../graph/index.js";
import type { Executor } from "../../../runtime/executors/executor.js";
import { disagreement, toleranceOf } from "./case.js";
import { cases } from "./cases.js";
import { train } from "./training.js";
import { disagreeingUpdates } from "./updates.js";

export interface Report {
  readonly backend: string;
  readonly device: string;
  readonly compared: number;
  /** `linear 2: differs by 0.3`. */
  readonly findings: readonly string[];
  readonly losses: readonly number[];
  /** Live tensors after each training step. */
  readonly tensors: readonly number[];
}

/**
 * @param keep which cases to run; software devices compile each shader on the processor, so all would take minutes.
 */
export async function reportOf(
  executor: Executor,
  steps: number,
  keep: (operation: OperationName, number: number) => boolean = () => true,
): Promise<Report> {
  const session = await executor.open([], {});
  const findings: string[] = [];
  const chosen = cases.filter(({ operation, number }) => keep(operation, number));
  for (const { name, operation, graph, feeds } of chosen) {
    const run = await session.load(graph);
    const difference = disagreement(await run(feeds), evaluate(graph, feeds).outputs);
    if (difference >= toleranceOf(operation, executor.backend)) findings.push(`${name}: differs by ${difference}`);
  }
  await session.close();
  findings.push(...(await disagreeingUpdates(executor)));
  const { losses, memory } = await train(executor, steps);
  return {
    backend: executor.backend,
    device: executor.device,
    compared: chosen.length,
    findings,
    losses,
    tensors: memory.map(({ tensors }) => tensors),
  };
}

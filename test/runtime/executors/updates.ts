/** Every rule that updates state, several parameters each, over several runs: what is written where state lies must be what the reference computes. */

import {
  createBuilder,
  evaluate,
  type Graph,
  randomStream,
  type StateSlot,
  sizeOf,
  type Tensor,
  type Values,
} from "../../../graph/index.js";
import type { Executor } from "../../../runtime/executors/executor.js";
import { disagreement } from "./case.js";

const shapes = [[3, 5], [70], [2, 2, 2]] as const;
const runs = 3;

/** The rules of two groups each where a setting differs; the last parameter of `sgd` is an output as it was. */
function updatingGraph(): { readonly graph: Graph; readonly slots: readonly StateSlot[] } {
  const g = createBuilder({ batch: 1 });
  const [lr, step, keep] = [g.input("lr", []), g.input("step", []), g.input("keep", [])];
  const slots: StateSlot[] = [];
  const updates: Record<string, Tensor> = {};
  const state = (name: string, shape: readonly number[]): Tensor => {
    slots.push({ name, shape, dtype: "float32" });
    return g.state(name, [...shape]);
  };
  let asItWas: Tensor | undefined;
  shapes.forEach((shape, i) => {
    const x = g.input(`x${i}`, [...shape]);
    const [p, m, v] = ["p", "m", "v"].map((kind) => state(`adamw.${i}.${kind}`, shape)) as [Tensor, Tensor, Tensor];
    const adam = { beta1: 0.9, beta2: i === 2 ? 0 : 0.999, epsilon: 1e-8, decay: i === 0 ? 0 : 0.1 };
    const [newP, newM, newV] = g.adamw(p, g.mul(x, p), m, v, lr, step, adam);
    const [q, n] = ["q", "n"].map((kind) => state(`sgd.${i}.${kind}`, shape)) as [Tensor, Tensor];
    const [newQ, newN] = g.sgd(q, g.add(x, q), n, lr, { momentum: 0.9, decay: 0.1, nesterov: i > 0 });
    const sum = state(`sum.${i}`, shape);
    asItWas = q;
    Object.assign(updates, {
      ...{ [`adamw.${i}.p`]: newP, [`adamw.${i}.m`]: newM, [`adamw.${i}.v`]: newV },
      ...{ [`sgd.${i}.q`]: newQ, [`sgd.${i}.n`]: newN, [`sum.${i}`]: g.accumulate(sum, x, keep, 0.5) },
    });
  });
  return { graph: g.finish({ outputs: { asItWas: asItWas as Tensor }, updates }), slots };
}

/** What differs from the reference after some runs, in words; empty where nothing does. */
export async function disagreeingUpdates(executor: Executor): Promise<readonly string[]> {
  const { graph, slots } = updatingGraph();
  const random = randomStream(3, "init");
  const numbers = (shape: readonly number[]): Float32Array =>
    Float32Array.from({ length: sizeOf(shape) }, () => 0.1 + Math.abs(random.normal()));
  let expected: Values = Object.fromEntries(slots.map(({ name, shape }) => [name, numbers(shape)]));
  const session = await executor.open(slots, expected);
  const run = await session.load(graph);
  const findings: string[] = [];
  for (let step = 1; step <= runs; step++) {
    const feeds = {
      ...Object.fromEntries(shapes.map((shape, i) => [`x${i}`, numbers(shape)])),
      ...{ lr: Float32Array.of(0.01), step: Float32Array.of(step), keep: Float32Array.of(step === 1 ? 0 : 1) },
    };
    const outputs = await run(feeds);
    const reference = evaluate(graph, feeds, expected);
    expected = { ...expected, ...reference.updates };
    const difference = disagreement({ ...outputs, ...(await session.read()) }, { ...reference.outputs, ...expected });
    if (difference >= 1e-5) findings.push(`updates after run ${step}: differ by ${difference}`);
  }
  await session.close();
  return findings;
}

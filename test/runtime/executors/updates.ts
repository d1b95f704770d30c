/**
 * Every rule that updates state, several parameters each, over several runs: what is written where state lies, and what is
 * computed for many parameters at once, must be what the reference computes.
 */

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

/** One of them longer than what a workgroup goes through. */
const shapes = [[3, 5], [70], [2, 2, 2], [1], [41, 103]] as const;
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
  const length = (x: Tensor): Tensor => g.sqrt(g.sum(g.mul(x, x)));
  const gradients = shapes.map((shape, i) => g.input(`x${i}`, [...shape]));
  const norm = g.sqrt(gradients.map((x) => g.sum(g.mul(x, x))).reduce((a, b) => g.add(a, b)));
  const factor = g.minimum(g.div(g.constant(1), g.add(norm, 1e-6)), 1);
  let asItWas: Tensor | undefined;
  shapes.forEach((shape, i) => {
    const x = gradients[i] as Tensor;
    const clipped = g.mul(x, factor);
    const [p, m, v] = ["p", "m", "v"].map((kind) => state(`adamw.${i}.${kind}`, shape)) as [Tensor, Tensor, Tensor];
    const adam = { beta1: 0.9, beta2: i === 2 ? 0 : 0.999, epsilon: 1e-8, decay: i === 0 ? 0 : 0.1 };
    const [newP, newM, newV] = g.adamw(p, g.mul(clipped, p), m, v, g.mul(lr, 0.5 + i), step, adam);
    const [q, n] = ["q", "n"].map((kind) => state(`sgd.${i}.${kind}`, shape)) as [Tensor, Tensor];
    const [newQ, newN] = g.sgd(q, g.add(x, q), n, lr, { momentum: 0.9, decay: 0.1, nesterov: i > 0 });
    const sum = state(`sum.${i}`, shape);
    asItWas = q;
    // As Lion: the new weight reads the momentum that changes beside it, and its decay is a rate of its own.
    const [w, e] = ["w", "e"].map((kind) => state(`sign.${i}.${kind}`, shape)) as [Tensor, Tensor];
    const direction = g.sign(g.add(g.mul(e, 0.9), g.mul(clipped, 0.1)));
    const newW = g.sub(w, g.mul(g.add(direction, g.mul(w, 0.1)), lr));
    // As LARS: each by the lengths of its own weights and gradient.
    const [r, u] = ["r", "u"].map((kind) => state(`trust.${i}.${kind}`, shape)) as [Tensor, Tensor];
    const decayed = g.add(x, g.mul(r, 0.01));
    const nothing = g.equal(g.mul(length(r), length(decayed)), 0);
    const trust = g.select(nothing, g.constant(1), g.div(length(r), g.select(nothing, g.constant(1), length(decayed))));
    const [newR, newU] = g.sgd(r, g.mul(decayed, trust), u, lr, { momentum: 0.9, decay: 0, nesterov: false });
    const slow = state(`slow.${i}`, shape);
    Object.assign(updates, {
      ...{ [`adamw.${i}.p`]: newP, [`adamw.${i}.m`]: newM, [`adamw.${i}.v`]: newV },
      ...{ [`sgd.${i}.q`]: newQ, [`sgd.${i}.n`]: newN, [`sum.${i}`]: g.accumulate(sum, x, keep, 0.5) },
      ...{ [`sign.${i}.w`]: newW, [`sign.${i}.e`]: g.add(g.mul(e, 0.99), g.mul(clipped, 0.01)) },
      ...{ [`trust.${i}.r`]: newR, [`trust.${i}.u`]: newU },
      [`slow.${i}`]: g.accumulate(slow, g.mul(w, g.sub(g.constant(1), keep)), keep, 1),
    });
  });
  return { graph: g.finish({ outputs: { asItWas: asItWas as Tensor, norm }, updates }), slots };
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
    const computed = { ...outputs, ...(await session.read()) };
    for (const [name, values] of Object.entries({ ...reference.outputs, ...expected })) {
      const difference = disagreement({ [name]: computed[name] ?? new Float32Array() }, { [name]: values });
      if (difference >= 1e-5) findings.push(`${name} after run ${step}: differs by ${difference}`);
    }
  }
  await session.close();
  return findings;
}

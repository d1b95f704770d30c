/** Contestant: our own training step, on the executor and with the threads that it is told. `node compiled.mjs '{...}'` */

import { type Precision, registry } from "../blocks/index.js";
import { invariant, sizeOf, type Values } from "../graph/index.js";
import { type Backend, initialWeights, openExecutor, trainingStep } from "../runtime/index.js";
import { serve } from "./serve.js";
import { type Contested, feedsOf, programFor } from "./sizes.js";

export interface CompiledSettings {
  readonly size: Contested;
  readonly backend: Backend;
  readonly threads?: number;
  readonly spin?: boolean;
  readonly products?: "rows" | "blocks";
  readonly precision?: Precision;
}

const { size, backend, precision, ...settings } = JSON.parse(process.argv[2] ?? "") as CompiledSettings;

/** Seconds by what they were spent on. */
const times: Record<string, number> = {};
async function timed<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  times[what] = (performance.now() - began) / 1000;
  return result;
}

const definition = registry.optimizer.find(({ name }) => name === "adamw");
invariant(definition !== undefined, "there is an optimizer adamw");
const values = { lr: { value: 1e-4, per: null }, betas: [0.9, 0.95], weight_decay: 0.05, epsilon: 1e-8 };

const program = programFor(size);
const step = await timed("trace and simplify", () =>
  trainingStep(program, { batch: size.batch, clip: null, optimizer: { definition, values } }),
);
/** As `train` does, the values of the start are not held longer than it takes to hand them over. */
function initialState(): Values {
  const weights = initialWeights(program.parameters, 1);
  return Object.fromEntries(
    step.slots.map(({ name, shape }) => [name, weights[name] ?? new Float32Array(sizeOf(shape))]),
  );
}

const executor = await openExecutor(backend, () => {}, settings);
const [phase] = step.phases;
invariant(phase !== undefined, "a step has a phase");
const session = await executor.open(step.slots, initialState());
const run = await timed("lower and load", () => session.load(phase.graph, precision));

let steps = 0;
const feeds = [1, 2, 3, 4].map((number) => feedsOf(size, program, number));
await serve({ compile: times, device: executor.device }, async () => {
  const { loss } = await run({ ...feeds[steps % feeds.length], step: Float32Array.of(++steps) });
  return loss?.[0] as number;
});

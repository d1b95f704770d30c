/**
 * A small masked autoencoder's training step as one graph: tokens taken and put back, attention, MLP, AdamW on state.
 * What executors must agree on beyond single operations: that errors do not grow over steps and that state is kept.
 */

import type { Precision } from "../../../blocks/index.js";
import {
  type Builder,
  createBuilder,
  type Graph,
  gradients,
  randomStream,
  type StateSlot,
  type Tensor,
  type Values,
} from "../../../graph/index.js";
import type { Executor } from "../../../runtime/executors/executor.js";

const batch = 4;
const tokens = 9;
const visible = 5;
const pixels = 12;
const width = 16;
const heads = 2;

/** Weights by name, as they are declared. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  "embed.weight": [width, pixels],
  "embed.bias": [width],
  positions: [tokens, width],
  "norm1.gamma": [width],
  "norm1.beta": [width],
  "qkv.weight": [3 * width, width],
  "qkv.bias": [3 * width],
  "projection.weight": [width, width],
  "projection.bias": [width],
  "norm2.gamma": [width],
  "norm2.beta": [width],
  "up.weight": [4 * width, width],
  "up.bias": [4 * width],
  "down.weight": [width, 4 * width],
  "down.bias": [width],
  mask: [width],
  "head.weight": [pixels, width],
  "head.bias": [pixels],
};

type Weights = Readonly<Record<string, Tensor>>;

const weight = (w: Weights, name: string): Tensor => w[name] as Tensor;

const linear = (g: Builder, w: Weights, name: string, x: Tensor): Tensor =>
  g.linear(
    x as Tensor<[...number[], number]>,
    weight(w, `${name}.weight`) as never,
    weight(w, `${name}.bias`) as never,
  );

const norm = (g: Builder, w: Weights, name: string, x: Tensor): Tensor =>
  g.layerNorm(x, weight(w, `${name}.gamma`), weight(w, `${name}.beta`), 1e-6)[0];

function attend(g: Builder, w: Weights, x: Tensor): Tensor {
  const [b, n] = x.shape as [number, number];
  const d = width / heads;
  const qkv = g.transpose(g.reshape(linear(g, w, "qkv", x), [b, n, 3, heads, d]), [2, 0, 3, 1, 4]);
  const part = (i: number): Tensor => g.reshape(g.slice(qkv, [i, 0, 0, 0, 0], [1, b, heads, n, d]), [b, heads, n, d]);
  const [y] = g.attention(part(0), part(1), part(2), 1 / Math.sqrt(d));
  return linear(g, w, "projection", g.reshape(g.transpose(y, [0, 2, 1, 3]), [b, n, width]));
}

/** Mean square error on hidden tokens; `index` names the visible ones. */
function lossOf(g: Builder, w: Weights, x: Tensor, index: Tensor): Tensor {
  const embedded = g.add(linear(g, w, "embed", x), weight(w, "positions"));
  let y: Tensor = g.takeTokens(embedded as never, index as never);
  y = g.add(y, attend(g, w, norm(g, w, "norm1", y)));
  y = g.add(y, linear(g, w, "down", g.gelu(linear(g, w, "up", norm(g, w, "norm2", y)))));
  const seen = g.putTokens(g.constant(1, [batch, visible, 1]), index, tokens);
  const hidden = g.sub(g.constant(1), seen);
  const full = g.add(g.putTokens(y, index, tokens), g.mul(hidden, weight(w, "mask")));
  const error = g.sub(linear(g, w, "head", g.add(full, weight(w, "positions"))), x);
  return g.div(g.sum(g.mul(g.mul(error, error), hidden)), g.mul(g.sum(hidden), pixels));
}

const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.05 };

const names = Object.keys(shapes);
const momentNames = names.flatMap((name) => [`${name}#m`, `${name}#v`]);

/** Weights and their two moments. */
export const slots: readonly StateSlot[] = [...names, ...momentNames].map((name) => ({
  name,
  shape: shapes[name.split("#")[0] as string] as readonly number[],
  dtype: "float32",
}));

export function trainingGraph(): Graph {
  const g = createBuilder({ batch });
  const x = g.input("x", ["B", tokens, pixels]);
  const index = g.input("visible", ["B", visible], "int32");
  const lr = g.input("lr", []);
  const step = g.input("step", []);
  const w = Object.fromEntries(names.map((name) => [name, g.state(name, shapes[name] as number[])]));
  const loss = lossOf(g, w, x, index);
  const updates: Record<string, Tensor> = {};
  gradients(g, loss, Object.values(w)).forEach((gradient, i) => {
    const name = names[i] as string;
    const shape = shapes[name] as number[];
    const moments = [g.state(`${name}#m`, shape), g.state(`${name}#v`, shape)] as const;
    const [p, m, v] = g.adamw(weight(w, name), gradient, moments[0], moments[1], lr, step, settings);
    Object.assign(updates, { [name]: p, [`${name}#m`]: m, [`${name}#v`]: v });
  });
  return g.finish({ outputs: { loss }, updates });
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Small random matrices, gammas of one, zeros. */
export function initialState(): Values {
  const random = randomStream(1, "init");
  const start = (name: string, shape: readonly number[]): Float32Array => {
    if (name.includes("#")) return new Float32Array(size(shape));
    const from = name.endsWith("gamma") ? 1 : 0;
    return Float32Array.from({ length: size(shape) }, () => from + 0.2 * random.normal());
  };
  return Object.fromEntries(slots.map(({ name, shape }) => [name, start(name, shape)]));
}

/** What step `step`, from 1, is fed. */
export function feedsOf(step: number): Values {
  const random = randomStream(2, "shuffle", step);
  const order = (): number[] => {
    const left = Array.from({ length: tokens }, (_, i) => i);
    return Array.from({ length: visible }, () => left.splice(random.integer(left.length), 1)[0] as number);
  };
  return {
    x: Float32Array.from({ length: batch * tokens * pixels }, () => random.normal()),
    visible: Int32Array.from(Array.from({ length: batch }, order).flat()),
    lr: Float32Array.of(0.01),
    step: Float32Array.of(step),
  };
}

export interface Trained {
  readonly losses: readonly number[];
  /** Live tensors and bytes after each step. */
  readonly memory: readonly { readonly bytes: number; readonly tensors: number }[];
  /** After the last step. */
  readonly state: Values;
}

interface Circumstances {
  readonly precision?: Precision | undefined;
  /** What a run goes on from, and the step before it; if absent, it begins. */
  readonly from?: { readonly state: Values; readonly step: number } | undefined;
}

/** Makes steps up to this one. */
export async function train(executor: Executor, steps: number, o: Circumstances = {}): Promise<Trained> {
  const { precision, from = { state: initialState(), step: 0 } } = o;
  const session = await executor.open(slots, from.state);
  const run = await session.load(trainingGraph(), precision);
  const losses: number[] = [];
  const memory: { bytes: number; tensors: number }[] = [];
  for (let step = from.step + 1; step <= steps; step++) {
    const { loss } = await run(feedsOf(step));
    losses.push(loss?.[0] ?? Number.NaN);
    memory.push(session.memory());
  }
  const state = await session.read();
  await session.close();
  return { losses, memory, state };
}

/**
 * The optimizer on WebGPU: all parameters with one rule in one dispatch, where their state lies. Each kind of state of
 * such parameters is one buffer, whose parts the session holds; gradients are copied one behind the other, which costs
 * no dispatch.
 */

import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../../../graph/index.js";
import type { Update } from "../in-place.js";
import type { Updated, UpdateTogether } from "./kernel.js";
import type { PartsBackend } from "./webgpu-backend.js";

/** What a rule does to element `i` of its state, the gradient being `g`; scalars are arrays of one element. */
interface Rule {
  readonly state: readonly string[];
  readonly scalars: readonly string[];
  readonly numbers: Readonly<Record<string, number>>;
  readonly declarations?: string;
  readonly code: string;
}

/**
 * 1 - beta^step: what a running mean that started from zero has seen. Near 0 by its series, because float32 would keep
 * three or four digits of 1 - 0.999, and the power of a GPU fewer.
 */
const seen = `
  fn seen(logBeta : f32, step : f32) -> f32 {
    let z = step * logBeta;
    if (z < -0.5) { return 1.0 - exp(z); }
    var sum = 1.0;
    for (var n = 7.0; n > 1.0; n -= 1.0) { sum = 1.0 + sum * z / n; }
    return -z * sum;
  }`;

/** A beta of 0 has seen all there is, and no logarithm. */
const seenBy = (beta: number, name: string): string => (beta === 0 ? "1.0" : `seen(${name}, step[0])`);
const logOf = (beta: number): number => (beta === 0 ? 0 : Math.log(beta));

function ruleOf(update: Pick<Update, "operation" | "attributes">): Rule {
  const { operation, attributes } = update as Update;
  switch (operation) {
    case "adamw": {
      const { beta1, beta2, epsilon, decay } = attributes;
      return {
        state: ["p", "m", "v"],
        scalars: ["lr", "step"],
        numbers: {
          ...{ beta1, rest1: 1 - beta1, log1: logOf(beta1) },
          ...{ beta2, rest2: 1 - beta2, log2: logOf(beta2), epsilon, decay },
        },
        declarations: seen,
        code: `
          m[i] = beta1 * m[i] + rest1 * g[i];
          v[i] = beta2 * v[i] + rest2 * g[i] * g[i];
          let rate = lr[0] / ${seenBy(beta1, "log1")};
          let scale = inverseSqrt(${seenBy(beta2, "log2")});
          p[i] = p[i] * (1.0 - lr[0] * decay) - rate * m[i] / (sqrt(v[i]) * scale + epsilon);`,
      };
    }
    case "sgd": {
      const { momentum, decay, nesterov } = attributes;
      return {
        state: ["p", "m"],
        scalars: ["lr"],
        numbers: { momentum, decay },
        code: `
          let decayed = g[i] + decay * p[i];
          m[i] = momentum * m[i] + decayed;
          p[i] = p[i] - lr[0] * (${nesterov ? "decayed + momentum * m[i]" : "m[i]"});`,
      };
    }
    case "accumulate":
      return {
        state: ["sum"],
        scalars: ["keep"],
        numbers: { share: attributes.share },
        code: "sum[i] = sum[i] * keep[0] + share * g[i];",
      };
  }
}

/** Where parameters lie in a buffer, in elements. */
interface Layout {
  readonly begins: readonly number[];
  readonly length: number;
}

/** Each begins where a part may. */
function layoutOf(shapes: readonly (readonly number[])[], alignment: number): Layout {
  const begins: number[] = [];
  let length = 0;
  for (const shape of shapes) {
    begins.push(length);
    length += Math.ceil(sizeOf(shape) / alignment) * alignment;
  }
  return { begins, length };
}

/** The buffer in which the tensors lie as laid out already, or undefined. */
function bufferOf(backend: PartsBackend, tensors: readonly tf.Tensor[], layout: Layout): tf.TensorInfo | undefined {
  const parts = tensors.map((tensor) => backend.partOf(tensor));
  const whole = parts[0]?.whole;
  const asLaidOut = parts.every((part, i) => part?.whole === whole && part?.begin === layout.begins[i]);
  return whole && asLaidOut ? { dataId: whole, shape: [layout.length], dtype: "float32" } : undefined;
}

/** A new buffer with copies of the tensors, as laid out. */
function gathered(backend: PartsBackend, tensors: readonly tf.Tensor[], { begins, length }: Layout): tf.TensorInfo {
  const whole = backend.make([length]);
  tensors.forEach((tensor, i) => {
    backend.copy(tensor, whole, begins[i] as number);
  });
  return whole;
}

/** Where state can be changed: what something else holds too, as an output that is the state itself, is copied. */
function changeable(backend: PartsBackend, tensors: readonly tf.Tensor[], layout: Layout): tf.TensorInfo {
  const isShared = tensors.some(({ dataId }) => backend.refCount(dataId) > 1);
  return (isShared ? undefined : bufferOf(backend, tensors, layout)) ?? gathered(backend, tensors, layout);
}

/** As many members in a row as fit into one buffer each time. */
function inBuffers(members: readonly Updated[], most: number): Updated[][] {
  const chunks: Updated[][] = [];
  let room = 0;
  for (const member of members) {
    if (member.gradient.size > room) {
      chunks.push([]);
      room = most;
    }
    chunks.at(-1)?.push(member);
    room -= member.gradient.size;
  }
  return chunks;
}

const lanes = 256;

/** Records the shader that changes `state` by the gradients `g`. */
function record(
  backend: PartsBackend,
  { state, scalars, ...rule }: Rule,
  name: string,
  given: Readonly<Record<"state" | "scalars", readonly tf.TensorInfo[]>> & { readonly g: tf.TensorInfo },
): void {
  const named = (names: readonly string[], tensors: readonly tf.TensorInfo[]): Record<string, tf.TensorInfo> =>
    Object.fromEntries(names.map((one, i) => [one, tensors[i] as tf.TensorInfo]));
  const count = sizeOf(given.g.shape);
  backend.run({
    ...rule,
    name,
    inputs: { g: given.g, ...named(scalars, given.scalars) },
    outputs: {},
    changed: named(state, given.state),
    sizes: { count },
    code: `let i = group * ${lanes}u + lane; if (i >= count) { return; } ${rule.code}`,
    lanes,
    groups: Math.ceil(count / lanes),
  });
}

export const updateTogether: UpdateTogether = (update, scalars, members) => {
  const backend = tf.backend() as PartsBackend;
  const { maxStorageBufferBindingSize, maxBufferSize, minStorageBufferOffsetAlignment } = backend.device.limits;
  const alignment = minStorageBufferOffsetAlignment / Float32Array.BYTES_PER_ELEMENT;
  const most = Math.min(maxStorageBufferBindingSize, maxBufferSize) / Float32Array.BYTES_PER_ELEMENT;
  const rule = ruleOf(update);
  const name = [update.operation, ...Object.values(update.attributes)].join(" ");
  return inBuffers(members, most - members.length * alignment).flatMap((chunk) => {
    const gradients = chunk.map(({ gradient }) => gradient);
    const shapes = gradients.map(({ shape }) => shape);
    const layout = layoutOf(shapes, alignment);
    const state = rule.state.map((_, kind) => {
      const tensors = chunk.map((member) => member.state[kind] as tf.Tensor);
      return changeable(backend, tensors, layout);
    });
    const known = bufferOf(backend, gradients, layout);
    // A buffer that changes cannot be read beside: where gradients are the weights themselves, they are copied.
    const isApart = known && state.every(({ dataId }) => dataId !== known.dataId);
    const g = isApart ? known : gathered(backend, gradients, layout);
    record(backend, rule, name, { state, scalars, g });
    return shapes.map((shape, i) => state.map((whole) => backend.part(whole, layout.begins[i] as number, shape)));
  });
};

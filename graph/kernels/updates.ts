/** Reference kernels of the optimizers: one step of one parameter. */

import type { OperationName } from "../operations.js";
import { type Kernels, type Value, zeros } from "./kernel.js";

const scalar = (x: Value): number => x.data[0] as number;

export const updates = {
  adamw: ([p, gradient, m, v, lr, step], { beta1, beta2, epsilon, decay }) => {
    const out = { p: zeros(p), m: zeros(m), v: zeros(v) };
    const [rate, t] = [scalar(lr), scalar(step)];
    for (const [i, g] of gradient.data.entries()) {
      const first = beta1 * (m.data[i] as number) + (1 - beta1) * g;
      const second = beta2 * (v.data[i] as number) + (1 - beta2) * g * g;
      const direction = first / (1 - beta1 ** t) / (Math.sqrt(second / (1 - beta2 ** t)) + epsilon);
      const before = p.data[i] as number;
      out.p[i] = before - rate * (direction + decay * before);
      out.m[i] = first;
      out.v[i] = second;
    }
    return [out.p, out.m, out.v];
  },
  sgd: ([p, gradient, m, lr], { momentum, decay, nesterov }) => {
    const out = { p: zeros(p), m: zeros(m) };
    const rate = scalar(lr);
    for (const [i, value] of gradient.data.entries()) {
      const before = p.data[i] as number;
      const g = value + decay * before;
      const velocity = momentum * (m.data[i] as number) + g;
      out.p[i] = before - rate * (nesterov ? g + momentum * velocity : velocity);
      out.m[i] = velocity;
    }
    return [out.p, out.m];
  },
  accumulate: ([sum, x, keep], { share }) => {
    const out = zeros(sum);
    for (const [i, value] of x.data.entries()) out[i] = scalar(keep) * (sum.data[i] as number) + share * value;
    return [out];
  },
} satisfies Partial<Kernels<OperationName>>;

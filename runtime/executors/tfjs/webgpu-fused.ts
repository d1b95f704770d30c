/**
 * Operations that are one WGSL shader each instead of five to fifteen of TensorFlow.js's: a dispatch costs some 30
 * microseconds of this thread whatever its size, and AdamW alone would be most of them.
 */

import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { adamwScalars } from "./adamw-scalars.js";
import type { Kernels } from "./kernel.js";

interface Expression {
  /** Tells its shader from others. */
  readonly name: string;
  /** WGSL over the inputs' and numbers' names. */
  readonly code: string;
  /** Functions that the code calls. */
  readonly functions?: string;
}

const workgroup = 128;

/** One thread an element; inputs have the shape of the first, or are scalars. */
function program(
  { name, code, functions = "" }: Expression,
  inputs: Readonly<Record<string, tf.Tensor>>,
  numbers: readonly string[],
): Parameters<WebGPUBackend["runWebGPUProgram"]>[0] {
  const names = Object.keys(inputs);
  const [first] = Object.values(inputs) as [tf.Tensor];
  const reads = Object.entries(inputs).map(([input, { size }]) => {
    const from = `get${input[0]?.toUpperCase()}${input.slice(1)}`;
    return `let ${input} = ${size === 1 ? `${from}()` : `${from}(index)`};`;
  });
  return {
    variableNames: names,
    outputShape: [first.size],
    workgroupSize: [workgroup, 1, 1],
    dispatchLayout: { x: [0] },
    dispatch: [Math.ceil(first.size / workgroup), 1, 1],
    size: true,
    shaderKey: `mae ${name} ${Object.values(inputs).map(({ size }) => size === 1)}`,
    ...(numbers.length === 0 ? {} : { uniforms: numbers.map((number) => `${number} : f32,`).join(" ") }),
    getUserCode: () => `
      ${functions}
      fn main(index : i32) {
        if (index < uniforms.size) {
          ${reads.join("\n")}
          ${numbers.map((number) => `let ${number} = uniforms.${number};`).join("\n")}
          setOutputAtIndex(index, ${code});
        }
      }`,
  };
}

function fused(
  expression: Expression,
  inputs: Readonly<Record<string, tf.Tensor>>,
  numbers: Readonly<Record<string, number>> = {},
): tf.Tensor {
  const [first] = Object.values(inputs) as [tf.Tensor];
  const flat = Object.values(inputs).map(({ dataId, size, dtype }) => ({
    dataId,
    dtype,
    shape: size === 1 ? [] : [size],
  }));
  const uniforms = Object.values(numbers).map((value) => ({ type: "float32", data: [value] }));
  const backend = tf.backend() as WebGPUBackend;
  const made = backend.runWebGPUProgram(program(expression, inputs, Object.keys(numbers)), flat, "float32", uniforms);
  return tf.reshape(tf.engine().makeTensorFromTensorInfo(made), first.shape);
}

/** Phi, with erf to 1.5e-7 (Abramowitz and Stegun, 7.1.26). */
const normalCdf = `
  fn normalCdf(x : f32) -> f32 {
    let z = abs(x) * 0.70710678;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let half = 0.5 * tail * exp(-z * z);
    return select(1.0 - half, half, x < 0.0);
  }`;

const gelu: Expression = { name: "gelu", code: "x * normalCdf(x)", functions: normalCdf };
const geluGrad: Expression = {
  name: "geluGrad",
  code: "dy * (normalCdf(x) + x * 0.39894228 * exp(-0.5 * x * x))",
  functions: normalCdf,
};
const runningMean: Expression = { name: "runningMean", code: "beta * m + rest * g" };
const runningSquare: Expression = { name: "runningSquare", code: "beta * v + rest * g * g" };
const moved: Expression = { name: "adamw", code: "p * remaining - rate * m / (sqrt(v) * scale + epsilon)" };

export const fusedKernels: Pick<Kernels, "gelu" | "geluGrad" | "adamw"> = {
  gelu: ([x]) => [fused(gelu, { x })],
  geluGrad: ([dy, x]) => [fused(geluGrad, { x, dy })],
  adamw: ([p, g, m, v, lr, step], attributes, _, shared) => {
    const { beta1, beta2, epsilon } = attributes;
    const mean = fused(runningMean, { m, g }, { beta: beta1, rest: 1 - beta1 });
    const square = fused(runningSquare, { v, g }, { beta: beta2, rest: 1 - beta2 });
    const scalars = adamwScalars(lr, step, attributes, shared);
    return [fused(moved, { p, m: mean, v: square, ...scalars }, { epsilon }), mean, square];
  },
};

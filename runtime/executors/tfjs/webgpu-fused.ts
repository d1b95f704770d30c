/**
 * Operations that are one or two WGSL shaders each instead of five to fifteen of TensorFlow.js's, and moves of leading
 * parts that need none: a dispatch costs some 30 microseconds of this thread whatever its size. What is computed for
 * many parameters at once is in `webgpu-flat.ts`.
 */

import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../../../graph/index.js";
import { type Formula, functions, literal } from "./formula.js";
import type { Kernels } from "./kernel.js";
import type { PartsBackend, Shader } from "./webgpu-backend.js";

/** The backend that TensorFlow.js runs on; its module is loaded with the optional package, so it is not named here. */
export const backendInUse = (): PartsBackend => tf.backend() as PartsBackend;

type Text = Pick<Shader, "name" | "inputs" | "code"> & Partial<Pick<Shader, "key" | "numbers" | "declarations">>;

const elementLanes = 256;

/** A thread an element: `made[i]` of the inputs' elements `i`, which have the shape of the first. */
function eachElement({ code, ...text }: Text): tf.Tensor {
  const [first] = Object.values(text.inputs) as [tf.TensorInfo];
  const count = sizeOf(first.shape);
  const [made] = backendInUse().run({
    ...text,
    outputs: { made: first.shape },
    sizes: { count },
    code: `
      let i = group * ${elementLanes}u + lane;
      if (i >= count) { return; }
      made[i] = ${code};`,
    lanes: elementLanes,
    groups: Math.ceil(count / elementLanes),
  });
  return made as tf.Tensor;
}

const rowLanes = 64;

/** A function that combines a value of each lane into one that all lanes know. */
const acrossLanes = (name: string, lanes: number, combine: (a: string, b: string) => string): string => `
  fn ${name}(lane : u32, value : f32) -> f32 {
    lanes[lane] = value;
    workgroupBarrier();
    for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {
      if (lane < half) { lanes[lane] = ${combine("lanes[lane]", "lanes[lane + half]")}; }
      workgroupBarrier();
    }
    let all = lanes[0];
    workgroupBarrier();
    return all;
  }`;

/** The function `total`: the sum of a value of each lane; with the memory of a workgroup for it. */
export const totalAcross = (lanes: number): string => `
  var<workgroup> lanes : array<f32, ${lanes}>;
  ${acrossLanes("total", lanes, (a, b) => `${a} + ${b}`)}`;

const rowFunctions = [totalAcross(rowLanes), acrossLanes("largest", rowLanes, (a, b) => `max(${a}, ${b})`)].join("\n");

/** For each element of the row, by its number `i` in the row and `at` in the tensor. */
const along = (code: string): string =>
  `for (var i = lane; i < width; i += ${rowLanes}u) { let at = start + i; ${code} }`;

/** A workgroup a row of the first input, seen as [rows, width]. */
function eachRow({ code, ...text }: Text, outputs: Shader["outputs"]): tf.Tensor[] {
  const [first] = Object.values(text.inputs) as [tf.TensorInfo];
  const width = first.shape.at(-1) ?? 1;
  return backendInUse().run({
    ...text,
    outputs,
    sizes: { width },
    declarations: `${rowFunctions}${text.declarations ?? ""}`,
    code: `let start = group * width; ${code}`,
    lanes: rowLanes,
    groups: sizeOf(first.shape) / width,
  });
}

const [columns, rowsAtOnce] = [8, 32];

/** Sums over the rows of the first input, seen as [rows, width]: a vector for each expression of the element `at`. */
function sumColumns({ code: sums, ...text }: Omit<Text, "code"> & { readonly code: readonly string[] }): tf.Tensor[] {
  const [first] = Object.values(text.inputs) as [tf.TensorInfo];
  const width = first.shape.at(-1) ?? 1;
  const lanes = columns * rowsAtOnce;
  return backendInUse().run({
    ...text,
    outputs: Object.fromEntries(sums.map((_, n) => [`made${n}`, [width]])),
    sizes: { width, rows: sizeOf(first.shape) / width },
    declarations: sums.map((_, n) => `var<workgroup> lanes${n} : array<f32, ${lanes}>;`).join("\n"),
    code: `
      let i = group * ${columns}u + lane % ${columns}u;
      ${sums.map((_, n) => `var sum${n} = 0.0;`).join(" ")}
      if (i < width) {
        for (var row = lane / ${columns}u; row < rows; row += ${rowsAtOnce}u) {
          let at = row * width + i;
          ${sums.map((sum, n) => `sum${n} += ${sum};`).join(" ")}
        }
      }
      ${sums.map((_, n) => `lanes${n}[lane] = sum${n};`).join(" ")}
      workgroupBarrier();
      for (var half = ${lanes / 2}u; half >= ${columns}u; half >>= 1u) {
        if (lane < half) { ${sums.map((_, n) => `lanes${n}[lane] += lanes${n}[lane + half];`).join(" ")} }
        workgroupBarrier();
      }
      if (lane < ${columns}u && i < width) { ${sums.map((_, n) => `made${n}[i] = lanes${n}[lane];`).join(" ")} }`,
    lanes,
    groups: Math.ceil(width / columns),
  });
}

const activations: Pick<Kernels, "gelu" | "geluGrad"> = {
  gelu: ([x]) => [eachElement({ name: "gelu", inputs: { x }, declarations: functions, code: "gelu(x[i])" })],
  geluGrad: ([dy, x]) => [
    eachElement({
      name: "geluGrad",
      inputs: { dy, x },
      declarations: functions,
      code: "dy[i] * geluSlope(x[i])",
    }),
  ],
};

const norms: Pick<Kernels, "layerNorm"> = {
  layerNorm: ([x, gamma, beta], { epsilon }) => {
    const perRow = [...x.shape.slice(0, -1), 1];
    const code = `
      var sum = 0.0;
      ${along("sum += x[at];")}
      let mean = total(lane, sum) / f32(width);
      var squares = 0.0;
      ${along("squares += (x[at] - mean) * (x[at] - mean);")}
      let rstd = inverseSqrt(total(lane, squares) / f32(width) + epsilon);
      ${along("y[at] = (x[at] - mean) * rstd * gamma[i] + beta[i];")}
      if (lane == 0u) { means[group] = mean; rstds[group] = rstd; }`;
    const outputs = { y: x.shape, means: perRow, rstds: perRow };
    return eachRow({ name: "layerNorm", inputs: { x, gamma, beta }, numbers: { epsilon }, code }, outputs);
  },
};

/**
 * (dy, x, gamma, mean, rstd, more tensors) -> what a formula makes of each element of dx, its first tensor, and of the others.
 */
export function layerNormGrad(
  given: readonly tf.Tensor[],
  formula: Formula,
  outputs: readonly { readonly shape: readonly number[] }[],
): tf.Tensor[] {
  const [dy, x, gamma, mean, rstd, ...others] = given as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const scaled = "dy[at] * gamma[i]";
  const normal = "(x[at] - mean[group]) * rstd[group]";
  const code = `
    var sum = 0.0;
    var product = 0.0;
    ${along(`sum += ${scaled}; product += ${scaled} * ${normal};`)}
    let meanSum = total(lane, sum) / f32(width);
    let meanProduct = total(lane, product) / f32(width);
    ${along(`
      let x0 = (${scaled} - meanSum - ${normal} * meanProduct) * rstd[group];
      ${others.map((_, j) => `let x${j + 1} = x${j + 1}s[at];`).join("\n")}
      ${formula.constants.map((constant, j) => `let c${j} = ${literal(constant)};`).join("\n")}
      ${formula.code}
      ${formula.results.map((result, j) => `made${j}[at] = ${result};`).join("\n")}`)}`;
  const inputs = {
    ...{ dy, x, gamma, mean, rstd },
    ...Object.fromEntries(others.map((other, j) => [`x${j + 1}s`, other] as const)),
  };
  const made = Object.fromEntries(outputs.map(({ shape }, j) => [`made${j}`, shape] as const));
  return eachRow({ name: "layerNormGrad", key: code, inputs, declarations: functions, code }, made);
}

/** (dy, x, mean, rstd) -> dgamma, dbeta */
export function layerNormSums([dy, x, mean, rstd]: readonly tf.Tensor[]): tf.Tensor[] {
  const inputs = { dy, x, mean, rstd } as Record<string, tf.Tensor>;
  const code = ["dy[at] * (x[at] - mean[row]) * rstd[row]", "dy[at]"];
  return sumColumns({ name: "layerNormSums", inputs, code });
}

/** Over the last axis. */
export function softmax(x: tf.Tensor): tf.Tensor {
  const code = `
    var most = -3.4e38;
    ${along("most = max(most, x[at]);")}
    let top = largest(lane, most);
    var sum = 0.0;
    ${along("let e = exp(x[at] - top); y[at] = e; sum += e;")}
    let all = total(lane, sum);
    ${along("y[at] = y[at] / all;")}`;
  const [y] = eachRow({ name: "softmax", inputs: { x }, code }, { y: x.shape });
  return y as tf.Tensor;
}

/** The gradient with respect to what softmax was applied to. */
export function softmaxGrad(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const code = `
    var sum = 0.0;
    ${along("sum += dy[at] * y[at];")}
    let all = total(lane, sum);
    ${along("dx[at] = y[at] * (dy[at] - all);")}`;
  const [dx] = eachRow({ name: "softmaxGrad", inputs: { dy, y }, code }, { dx: y.shape });
  return dx as tf.Tensor;
}

const softmaxes: Pick<Kernels, "softmax" | "softmaxGrad"> = {
  softmax: ([x]) => [softmax(x)],
  softmaxGrad: ([dy, y]) => [softmaxGrad(dy, y)],
};

const isWhole = (size: number): boolean => size === 1;

/** A slice along the first axis that is longer than 1 is a part of the buffer, where a part may begin there. */
const slice =
  ({ slice: plain }: Kernels): Kernels["slice"] =>
  (inputs, attributes, wanted, shared) => {
    const [x] = inputs;
    const { begin, size } = attributes;
    const axis = x.shape.findIndex((length) => !isWhole(length));
    const only = size.every((length, i) => i === axis || length === x.shape[i]);
    const first = (begin[axis] ?? 0) * sizeOf(x.shape.slice(axis + 1));
    if (axis < 0 || !only || !backendInUse().beginsAt(first)) return plain(inputs, attributes, wanted, shared);
    return [backendInUse().part(x, first, size)];
  };

/** Parts along the first axis that is longer than 1 lie one behind the other, and are copied there. */
const concat =
  ({ concat: plain }: Kernels): Kernels["concat"] =>
  (inputs, attributes, wanted, shared) => {
    const { axis } = attributes;
    const parts = inputs.filter((part) => part.size > 0);
    const [first] = parts;
    const behind = first?.dtype === "float32" && first.shape.slice(0, axis).every(isWhole);
    if (!first || parts.length === 1 || !behind) return plain(inputs, attributes, wanted, shared);
    const length = parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
    const made = backendInUse().make(first.shape.with(axis, length));
    let begin = 0;
    for (const part of parts) {
      backendInUse().copy(part, made, begin);
      begin += part.size;
    }
    return [made];
  };

/** The table of TensorFlow.js's kernels, with ours in their place. */
export const withFused = (plain: Kernels): Kernels => ({
  ...plain,
  ...activations,
  ...norms,
  ...softmaxes,
  slice: slice(plain),
  concat: concat(plain),
});

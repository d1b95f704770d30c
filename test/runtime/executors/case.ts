/**
 * How a small graph becomes a case: numbers for its inputs, its outputs and their gradients, and how far two executors
 * may differ. Read by the agreement test in Node and by the page that runs it in a browser, so nothing here needs Node.
 */

import {
  type Builder,
  createBuilder,
  type Graph,
  gradients,
  type OperationName,
  randomStream,
  sizeOf,
  type Tensor,
  type TypedArray,
  type Values,
} from "../../../graph/index.js";

export type Fill =
  /** Normal numbers. */
  | "signed"
  /** In 0.5 .. 2. */
  | "positive"
  /** -2 .. 2 in halves, so that ties occur. */
  | "tied"
  | "bool"
  /** Distinct whole numbers below `below` in each row. */
  | { readonly below: number }
  | readonly number[];

export interface InputSpec {
  readonly shape: readonly number[];
  readonly fill: Fill;
  readonly dtype: "float32" | "int32" | "bool";
}

export interface CaseSpec {
  readonly inputs: readonly InputSpec[];
  readonly build: (g: Builder, ...inputs: readonly Tensor[]) => Tensor | readonly Tensor[];
}

export interface Case {
  /** `operation 1` */
  readonly name: string;
  readonly operation: OperationName;
  /** From 1, among the cases of the operation. */
  readonly number: number;
  readonly graph: Graph;
  readonly feeds: Values;
}

/** Operations whose gradient is an error: optimizers, and gradients of gradients. */
const undifferentiated: ReadonlySet<OperationName> = new Set([
  "linearGrad",
  "layerNormGrad",
  "softmaxGrad",
  "geluGrad",
  "attentionGrad",
  "maxPoolGrad",
  "adamw",
  "sgd",
  "accumulate",
]);

/** Values that float32 holds exactly, so that the reference in float64 computes from the same numbers. */
function valuesOf({ shape, fill, dtype }: InputSpec, seed: number): TypedArray {
  const random = randomStream(seed, "probe");
  const draw = (next: () => number): TypedArray => Float32Array.from({ length: sizeOf(shape) }, next);
  if (Array.isArray(fill)) return dtype === "int32" ? Int32Array.from(fill) : Float32Array.from(fill);
  if (typeof fill === "object" && "below" in fill) {
    const width = shape.at(-1) ?? 1;
    const rows = width === 0 ? 0 : sizeOf(shape) / width;
    const row = (): number[] => {
      const numbers = Array.from({ length: fill.below }, (_, i) => i);
      return Array.from({ length: width }, () => numbers.splice(random.integer(numbers.length), 1)[0] as number);
    };
    return Int32Array.from(Array.from({ length: rows }, row).flat());
  }
  if (fill === "bool") return Uint8Array.from({ length: sizeOf(shape) }, () => random.integer(2));
  if (fill === "positive") return draw(() => 0.5 + 1.5 * random.uniform());
  return fill === "tied" ? draw(() => (random.integer(9) - 4) / 2) : draw(() => random.normal());
}

/** The outputs, and the gradient of a weighted sum of them with respect to every float input. */
export function caseOf(operation: OperationName, spec: CaseSpec, number: number): Case {
  const g = createBuilder({ batch: 1 });
  const inputs = spec.inputs.map(({ shape, dtype }, i) => g.input(`x${i}`, shape as number[], dtype));
  const feeds = Object.fromEntries(spec.inputs.map((input, i) => [`x${i}`, valuesOf(input, 100 * number + i)]));
  const built = spec.build(g, ...inputs);
  const made = Array.isArray(built) ? (built as readonly Tensor[]) : [built as Tensor];
  const outputs = Object.fromEntries(made.map((output, i) => [`y${i}`, output]));

  const floats = inputs.filter((input) => input.dtype === "float32" && sizeOf(input.shape) > 0);
  const derived = made.filter((output) => output.dtype === "float32");
  if (!undifferentiated.has(operation) && floats.length > 0 && derived.length > 0) {
    const weighted = derived.map((y, i) => {
      const weights = valuesOf({ shape: y.shape, fill: "signed", dtype: "float32" }, 7000 + i);
      return g.sum(g.mul(y, g.constant(weights, [...y.shape]) as Tensor));
    });
    const loss = weighted.reduce((a, b) => g.add(a, b));
    for (const [i, gradient] of gradients(g, loss, floats).entries()) outputs[`d${i}`] = gradient;
  }
  return { name: `${operation} ${number}`, operation, number, graph: g.finish({ outputs }), feeds };
}

/**
 * How far float32 may be from float64: the largest difference in an output, over the larger of 1 and the reference's
 * largest magnitude. Sums of a few dozen products of numbers around 1 lose some 1e-6.
 * WGSL and GLSL promise sin and cos to 2^-11 only, and software devices take it.
 */
export const toleranceOf = (operation: OperationName, backend: string): number =>
  /web(?:gpu|gl)$/.test(backend) && (operation === "sin" || operation === "cos") ? 2 ** -10 : 1e-5;

/** The largest such difference over all outputs; infinite where one is not a number or of another length. */
export function disagreement(actual: Values, expected: Values): number {
  const differences = Object.entries(expected).map(([name, reference]) => {
    const values = actual[name];
    if (values?.length !== reference.length) return Number.POSITIVE_INFINITY;
    let scale = 1;
    let worst = 0;
    for (const [i, r] of reference.entries()) {
      scale = Math.max(scale, Math.abs(r));
      const difference = Math.abs((values[i] as number) - r);
      worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    }
    return worst / scale;
  });
  return Math.max(0, ...differences);
}

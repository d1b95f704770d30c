/**
 * Elementwise nodes as WGSL: one element of their results, computed from one element of each input. Which nodes are computed
 * together, and where the elements lie, is left to the callers.
 */

import {
  type Attributes,
  fillOf,
  invariant,
  isA,
  type Node,
  type OperationName,
  sizeOf,
  type Tensor,
} from "../../../graph/index.js";

/** A float32 number in WGSL. */
export function literal(value: number): string {
  const rounded = Math.fround(value);
  invariant(Number.isFinite(rounded), `WGSL writes finite numbers, not ${value}`);
  return `f32(${rounded})`;
}

/**
 * Functions that formulas call. erf is good to 1.5e-7 (Abramowitz and Stegun, 7.1.26). `biasCorrection` is 1 - beta^step of a
 * running mean that started from zero. Near 0 it is computed by its series, because float32 would keep three or four digits of
 * 1 - 0.999, and the power of a GPU fewer. `minOrNan` and `maxOrNan` keep a NaN, which WGSL's own functions may drop.
 */
export const functions = `
  fn upperTail(z : f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * z);
    return t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * exp(-z * z);
  }
  fn erf(x : f32) -> f32 { return sign(x) * (1.0 - upperTail(abs(x))); }
  fn normalCdf(x : f32) -> f32 {
    let half = 0.5 * upperTail(abs(x) * 0.70710678);
    return select(1.0 - half, half, x < 0.0);
  }
  fn gelu(x : f32) -> f32 { return x * normalCdf(x); }
  fn geluSlope(x : f32) -> f32 { return normalCdf(x) + x * 0.39894228 * exp(-0.5 * x * x); }
  fn isNan(x : f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
  fn minOrNan(a : f32, b : f32) -> f32 { return select(min(a, b), a + b, isNan(a) || isNan(b)); }
  fn maxOrNan(a : f32, b : f32) -> f32 { return select(max(a, b), a + b, isNan(a) || isNan(b)); }
  fn biasCorrection(logBeta : f32, step : f32) -> f32 {
    let z = step * logBeta;
    if (z < -0.5) { return 1.0 - exp(z); }
    var sum = 1.0;
    for (var n = 7.0; n > 1.0; n -= 1.0) { sum = 1.0 + sum * z / n; }
    return -z * sum;
  }`;

/** Of a beta of 0, which has no logarithm, it is 1. */
const biasCorrectionOf = (beta: number, step: string): string =>
  beta === 0 ? "1.0" : `biasCorrection(${literal(Math.log(beta))}, ${step})`;

type Texts = readonly string[];

/** The results of an operation; `keep` assigns a text that is used more than once to a variable and gives its name. */
type Write<O extends OperationName> = (
  inputs: Texts,
  attributes: Attributes[O],
  keep: (text: string) => string,
) => Texts;

const calling =
  (name: string) =>
  (inputs: Texts): Texts => [`${name}(${inputs.join(", ")})`];
const between =
  (operator: string) =>
  ([a, b]: Texts): Texts => [`(${a} ${operator} ${b})`];
const same = ([x]: Texts): Texts => [x as string];

const operations = {
  neg: ([x]) => [`(-${x})`],
  exp: calling("exp"),
  log: calling("log"),
  sqrt: calling("sqrt"),
  rsqrt: calling("inverseSqrt"),
  abs: calling("abs"),
  sign: calling("sign"),
  erf: calling("erf"),
  sigmoid: ([x]) => [`(1.0 / (1.0 + exp(-${x})))`],
  sin: calling("sin"),
  cos: calling("cos"),
  floor: calling("floor"),
  add: between("+"),
  sub: between("-"),
  mul: between("*"),
  div: between("/"),
  maximum: calling("maxOrNan"),
  minimum: calling("minOrNan"),
  less: between("<"),
  lessEqual: between("<="),
  equal: between("=="),
  select: ([condition, a, b]) => [`select(${b}, ${a}, ${condition})`],
  stopGradient: same,
  barrier: same,
  gelu: calling("gelu"),
  geluGrad: ([dy, x]) => [`(${dy} * geluSlope(${x}))`],
  adamw: ([p, g, m, v, lr, step], { beta1, beta2, epsilon, decay }, keep) => {
    const mean = keep(`${literal(beta1)} * ${m} + ${literal(1 - beta1)} * ${g}`);
    const square = keep(`${literal(beta2)} * ${v} + ${literal(1 - beta2)} * ${g} * ${g}`);
    const size = `(sqrt(${square}) * inverseSqrt(${biasCorrectionOf(beta2, step as string)}) + ${literal(epsilon)})`;
    const rate = `(${lr} / ${biasCorrectionOf(beta1, step as string)})`;
    return [keep(`${p} * (1.0 - ${lr} * ${literal(decay)}) - ${rate} * ${mean} / ${size}`), mean, square];
  },
  sgd: ([p, g, m, lr], { momentum, decay, nesterov }, keep) => {
    const decayed = keep(`${g} + ${literal(decay)} * ${p}`);
    const mean = keep(`${literal(momentum)} * ${m} + ${decayed}`);
    const direction = nesterov ? `(${decayed} + ${literal(momentum)} * ${mean})` : mean;
    return [keep(`${p} - ${lr} * ${direction}`), mean];
  },
  accumulate: ([sum, x, keeps], { share }) => [`(${sum} * ${keeps} + ${literal(share)} * ${x})`],
} satisfies { readonly [O in OperationName]?: Write<O> };

export type Elementwise = keyof typeof operations;

export const isComparison = (node: Node): node is Node<"less" | "lessEqual" | "equal"> =>
  isA(node, "less") || isA(node, "lessEqual") || isA(node, "equal");

/**
 * Whether a formula can say what a node computes: from float32 numbers, or from a choice by a comparison of them; and of
 * inputs that each have as many elements as the results, or one.
 */
export const isElementwise = (node: Node): node is Node<Elementwise> =>
  node.operation in operations &&
  node.inputs.every(
    ({ node: from, shape, dtype }) =>
      (dtype === "float32" || (isComparison(from) && isElementwise(from))) &&
      (sizeOf(shape) === 1 || sizeOf(shape) === sizeOf((node.outputs[0] as Tensor).shape)),
  );

/** The number that fills a constant, where it is one that WGSL can write; undefined for other tensors. */
export function filling({ node, dtype }: Tensor): number | undefined {
  const value = fillOf(node)?.[0];
  return value !== undefined && dtype === "float32" && Number.isFinite(Math.fround(value)) ? value : undefined;
}

export interface Formula {
  /**
   * Statements, the same for all nodes that compute alike, whatever their inputs. They read `x0`, `x1` ... (an
   * element of each of `tensors`), `s0` ... (`scalars`) and `c0` ... (`constants`).
   */
  readonly code: string;
  /** The names of the results in `code`. */
  readonly results: Texts;
  /** Of as many elements as the results. */
  readonly tensors: readonly Tensor[];
  /** Of one element. */
  readonly scalars: readonly Tensor[];
  readonly constants: readonly number[];
}

/**
 * @param roots of one number of elements.
 * @param isInside whether the formula looks into a node that is elementwise; comparisons are always looked into.
 */
export function formulaOf(roots: readonly Tensor[], isInside: (node: Node) => boolean): Formula {
  const size = sizeOf((roots[0] as Tensor).shape);
  const lines: string[] = [];
  const known = new Map<Tensor, string>();
  const leaves = { x: [] as Tensor[], s: [] as Tensor[], c: [] as Tensor[] };
  const leaf = (tensor: Tensor): string => {
    if (filling(tensor) !== undefined) return `c${leaves.c.push(tensor) - 1}`;
    const kind = sizeOf(tensor.shape) === size ? "x" : "s";
    return `${kind}${leaves[kind].push(tensor) - 1}`;
  };
  const keep = (text: string): string => {
    const name = `v${lines.length}`;
    lines.push(`let ${name} = ${text};`);
    return name;
  };
  const textOf = (tensor: Tensor): string => {
    const before = known.get(tensor);
    if (before !== undefined) return before;
    const { node } = tensor;
    if (!isElementwise(node) || !(isInside(node) || isComparison(node))) {
      known.set(tensor, leaf(tensor));
    } else {
      const write = operations[node.operation] as Write<Elementwise>;
      const texts = write(node.inputs.map(textOf), node.attributes, keep);
      node.outputs.forEach((output, i) => {
        known.set(output, keep(texts[i] as string));
      });
    }
    return known.get(tensor) as string;
  };
  const results = roots.map(textOf);
  return {
    code: lines.join("\n"),
    results,
    tensors: leaves.x,
    scalars: leaves.s,
    constants: leaves.c.map((tensor) => filling(tensor) as number),
  };
}

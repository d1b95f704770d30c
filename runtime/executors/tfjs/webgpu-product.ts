/**
 * Products of matrices in WGSL. They read operands through views, compute a formula of each element before it is stored, and
 * store results through views. Which products there are is left to `webgpu-steps.ts`.
 */

import { sizeOf } from "../../../graph/index.js";
import { type Formula, functions, literal } from "./formula.js";
import { joinedAxes, type View } from "./views.js";
import type { Shader } from "./webgpu-backend.js";

/** A view whose axes are those of matrices. */
export interface Operand extends View {
  /** Which of them are numbered by the matrix, by its row and by its column. */
  readonly axes: readonly [batch: readonly number[], first: readonly number[], second: readonly number[]];
}

/** A tensor of matrices: all axes but the last two number them. */
export function matrices(view: View, transposed = false): Operand {
  const rank = view.shape.length;
  const batch = Array.from({ length: rank - 2 }, (_, axis) => axis);
  const [rows, columns] = transposed ? [rank - 1, rank - 2] : [rank - 2, rank - 1];
  return { ...view, axes: [batch, [rows], [columns]] };
}

/** One matrix: all axes but the last are rows. */
export function rowsOf(view: View, transposed = false): Operand {
  const last = view.shape.length - 1;
  const leading = Array.from({ length: last }, (_, axis) => axis);
  return { ...view, axes: transposed ? [[], [last], leading] : [[], leading, [last]] };
}

/** The offset, in WGSL, of the element with this number along some of a view's axes. */
function along({ shape, strides }: View, axes: readonly number[], number: string): string {
  const joined = joinedAxes(
    axes.map((axis) => shape[axis] as number),
    axes.map((axis) => strides[axis] as number),
  );
  const terms = joined.flatMap(({ stride }, i) => {
    const inner = sizeOf(joined.slice(i + 1).map(({ size }) => size));
    const divided = inner === 1 ? number : `${number} / ${inner}u`;
    const coordinate = i === 0 ? divided : `(${divided}) % ${joined[i]?.size}u`;
    return stride === 0 ? [] : [`(${coordinate}) * ${stride}u`];
  });
  return terms.length === 0 ? "0u" : terms.join(" + ");
}

const sizeAlong = ({ shape }: View, axes: readonly number[]): number =>
  sizeOf(axes.map((axis) => shape[axis] as number));

/** Where the element of a matrix lies, in WGSL, given the names of its numbers of batch, row and column. */
const placeIn = (operand: Operand, names: readonly [string, string, string]): string =>
  [`${operand.offset}u`, ...operand.axes.map((axes, i) => along(operand, axes, names[i] as string))].join(" + ");

/** Whether the elements of a row are neighbours in memory. */
const hasContiguousRows = ({ strides, axes: [, , second] }: Operand): boolean => strides[second.at(-1) ?? 0] === 1;

export interface Product {
  /** [batch, rows, inner] */
  readonly a: Operand;
  /** [batch, inner, columns] */
  readonly b: Operand;
  /** A factor of all sums. */
  readonly scale?: number;
  /** [batch, rows, columns], added to sums. */
  readonly added?: Operand | undefined;
  /** Computed of each element, its first tensor `x0`, and of the elements of other tensors at the same place; by default nothing. */
  readonly formula?: Formula | undefined;
  /** Where each of the results lies, [batch, rows, columns]. */
  readonly into: readonly Operand[];
  /** Whether a second result is made: the sum of each row of `a`. */
  readonly sumsRows?: boolean;
}

/** Inner numbers that a workgroup holds at once. */
const depth = 8;

/** A thread makes so many rows of so many elements. */
const perThread = 4;

/** Squares of 64 by 64 read less than those of 32 by 32. They are taken where there are so many that they occupy a whole GPU. */
const fewestLarge = 128;

/** Loads an operand's inner numbers from `k0` on into memory of the workgroup, four rows (or columns) together. */
function loading(name: "a" | "b", operand: Operand, side: number, lanes: number): string {
  const groups = side / perThread;
  const [line, lines] = name === "a" ? ["m", "rows"] : ["n", "columns"];
  const innerFirst = hasContiguousRows(operand) === (name === "a");
  const [k, at] = innerFirst ? [`t % ${depth}u`, `t / ${depth}u`] : [`t / ${groups}u`, `t % ${groups}u`];
  const place = (component: number): string => {
    const number = `(first + ${component}u)`;
    const [x, y] = name === "a" ? [number, "inside"] : ["inside", number];
    return [along(operand, operand.axes[1], x), along(operand, operand.axes[2], y)].join(" + ");
  };
  return `
    for (var t = lane; t < ${depth * groups}u; t += ${lanes}u) {
      let inside = k0 + ${k};
      let first = ${line}0 + (${at}) * ${perThread}u;
      let values = vec4f(${[0, 1, 2, 3].map((i) => `${name}[${name}0 + ${place(i)}]`).join(", ")});
      let isThere = vec4u(first, first + 1u, first + 2u, first + 3u) < vec4u(select(0u, ${lines}, inside < inner));
      ${name}Tile[(${k}) * ${groups + 1}u + ${at}] = select(vec4f(), values, isThere);
    }`;
}

/** The function `finish`, which stores an element given its sum. */
function finishing({ scale = 1, added, formula, into }: Product): string {
  const sum = scale === 1 ? "sum" : `sum * ${literal(scale)}`;
  const names = ["batch", "m", "n"] as const;
  const value = added ? `${sum} + added[${placeIn(added, names)}]` : sum;
  const results = formula?.results ?? ["x0"];
  const others = (formula?.tensors ?? []).slice(1).map((_, j) => `let x${j + 1} = x${j + 1}s[i];`);
  return `
  fn finish(batch : u32, m : u32, n : u32, sum : f32) {
    if (m >= rows || n >= columns) { return; }
    let i = (batch * rows + m) * columns + n;
    let x0 = ${value};
    ${others.join("\n")}
    ${(formula?.constants ?? []).map((constant, j) => `let c${j} = ${literal(constant)};`).join("\n")}
    ${formula?.code ?? ""}
    ${results.map((result, j) => `made${j}[${placeIn(into[j] as Operand, names)}] = ${result};`).join("\n")}
  }`;
}

/** Sums four by four elements into `sums0` ... `sums3`; `depth` inner numbers of both operands are loaded at a time. */
function summing({ a, b, sumsRows }: Product, side: number, lanes: number): string {
  const groups = side / perThread;
  return `
    let down = lane / ${groups}u;
    let right = lane % ${groups}u;
    ${[0, 1, 2, 3].map((r) => `var sums${r} = vec4f();`).join(" ")}
    ${sumsRows ? "var ofRows = vec4f();" : ""}
    for (var k0 = 0u; k0 < inner; k0 += ${depth}u) {
      ${loading("a", a, side, lanes)}
      ${loading("b", b, side, lanes)}
      workgroupBarrier();
      for (var k = 0u; k < ${depth}u; k++) {
        let left = aTile[k * ${groups + 1}u + down];
        let top = bTile[k * ${groups + 1}u + right];
        ${[0, 1, 2, 3].map((r) => `sums${r} += left[${r}] * top;`).join(" ")}
        ${sumsRows ? "ofRows += left;" : ""}
      }
      workgroupBarrier();
    }`;
}

type ProductShader = Omit<Shader, "inputs" | "outputs" | "changed">;

/** The shader of a product: reads `a`, `b`, `added` and the formula's other tensors `x1s` ..., makes `made0` ... and `sums`. */
export function productShader(name: string, product: Product): ProductShader {
  const { a, b } = product;
  const [rows, inner, columns] = [sizeAlong(a, a.axes[1]), sizeAlong(a, a.axes[2]), sizeAlong(b, b.axes[2])];
  const batch = Math.max(sizeAlong(a, a.axes[0]), sizeAlong(b, b.axes[0]));
  const tilesOf = (side: number): number => Math.ceil(rows / side) * Math.ceil(columns / side) * batch;
  const side = tilesOf(64) >= fewestLarge ? 64 : 32;
  const [tall, wide] = [Math.ceil(rows / side), Math.ceil(columns / side)];
  const lanes = (side / perThread) ** 2;
  const code = `
    let tile = group % ${tall * wide}u;
    let batch = group / ${tall * wide}u;
    let m0 = (tile / ${wide}u) * ${side}u;
    let n0 = (tile % ${wide}u) * ${side}u;
    let a0 = ${a.offset}u + ${along(a, a.axes[0], "batch")};
    let b0 = ${b.offset}u + ${along(b, b.axes[0], "batch")};
    ${summing(product, side, lanes)}
    for (var r = 0u; r < ${perThread}u; r++) {
      let m = m0 + down * ${perThread}u + r;
      ${product.sumsRows ? "if (n0 == 0u && right == 0u && m < rows) { sums[m] = ofRows[r]; }" : ""}
      var line = sums0;
      ${[1, 2, 3].map((other) => `if (r == ${other}u) { line = sums${other}; }`).join(" ")}
      for (var c = 0u; c < ${perThread}u; c++) { finish(batch, m, n0 + right * ${perThread}u + c, line[c]); }
    }`;
  const tile = (operand: string): string =>
    `var<workgroup> ${operand}Tile : array<vec4f, ${depth * (side / perThread + 1)}>;`;
  const called = product.formula ? functions : "";
  const declarations = [tile("a"), tile("b"), called, finishing(product)].join("\n");
  return {
    ...{ name, key: declarations + code, declarations, code },
    ...{ sizes: { rows, columns, inner }, lanes, groups: tilesOf(side) },
  };
}

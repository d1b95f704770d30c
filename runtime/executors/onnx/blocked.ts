/**
 * Linear layers, their gradients and the gelu between two of them by the pointwise convolutions of onnxruntime's own blocked layout, which
 * many processors compute faster than its Gemm. Says which nodes are computed so, and moves tensors from one layout to another. Whether it
 * is worth it on this processor, `products.ts` finds out.
 *
 * A matrix [R, C] lies as rows, `blocked` as [C / b][R][b], or `turned` as [R / b][C][b], which is its transpose, blocked. A convolution
 * multiplies a blocked [M, K] by a blocked [K, N] to a blocked [M, N]; what the sides have to be follows from that. Rows are filled up to
 * whole blocks, since gradients of weights sum over them.
 */

import { type Graph, type Node, sizeOf, type Tensor } from "../../../graph/index.js";
import { int, ints, NCHWC } from "./fields.js";
import { geluWithSlope, type Slopes } from "./lowering.js";
import type { OnnxModel } from "./model.js";
import { reshaped } from "./moves.js";

export interface Blocks {
  /** Numbers of a block: the library has its own for each processor. */
  readonly size: number;
  /** From what size on products are computed in them; null: never. */
  readonly least: Least | null;
}

/** From how many rows, and from which sides of a weight on, products are computed in blocks. */
export interface Least {
  readonly rows: number;
  readonly side: number;
}

/** Below these, moving what is multiplied costs more than a faster product brings. */
export const worthMoving: Least = { rows: 256, side: 128 };
export const everywhere: Least = { rows: 1, side: 1 };

const isLarge = (x: Tensor, weight: Tensor, { rows, side }: Least): boolean =>
  matrixOf(x)[0] >= rows && weight.shape.every((n) => n >= side);

/** Whether any product is large enough for blocks. */
export const gainsByBlocks = (graph: Graph, least: Least): boolean =>
  graph.nodes.some(
    ({ operation, inputs: [x, weight] }) => operation === "linear" && isLarge(x as Tensor, weight as Tensor, least),
  );

export interface Blocked {
  /** The name of a tensor as rows. */
  readonly rowsOf: (tensor: Tensor) => string;
  /** Adds what computes a node; false: it is computed on rows. */
  readonly lower: (node: Node, wanted: readonly boolean[]) => boolean;
}

/** @param rows names of tensors as rows; those of tensors that are moved to rows are added */
export function blockedProducts(
  m: OnnxModel,
  rows: Map<Tensor, string>,
  block: number,
  least: Least,
  slopes: Slopes,
): Blocked {
  const forms = createForms(m, rows, block);
  const { blocked, turned } = forms;

  const fits = (x: Tensor, weight: Tensor): boolean =>
    isLarge(x, weight, least) && weight.shape.every((side) => side % block === 0);

  /** Of a blocked input and filter, [M, K] by [K, N]. */
  function multiplied(
    input: string,
    filter: string,
    [rows, inner, columns]: Sides,
    bias: readonly string[] = [],
  ): string {
    const places = reshaped(m, input, [1, inner, rows, 1]);
    const kernels = reshaped(m, filter, [columns, inner, 1, 1]);
    const made = m.op("Conv", [places, kernels, ...bias], { kernel_shape: ints([1, 1]) }, NCHWC);
    return reshaped(m, made, [columns, rows]);
  }

  function linear({ inputs, outputs }: Node): boolean {
    const [x, weight, bias] = inputs as readonly [Tensor, Tensor, Tensor];
    if (!fits(x, weight)) return false;
    const [wide, narrow] = matrixOf(weight);
    const y = multiplied(blocked(x), turned(weight), [forms.filled(x), narrow, wide], [forms.rows(bias)]);
    forms.keep("blocked", outputs[0] as Tensor, y);
    return true;
  }

  /** dx is dy W. dW is dy^T x, and its transpose is x^T dy: of the two sides, one that is there as rows is turned. */
  function linearGrad({ inputs, outputs }: Node, [forX, forWeight, forBias]: readonly boolean[]): boolean {
    const [dy, x, weight] = inputs as readonly [Tensor, Tensor, Tensor];
    const [dx, dweight, dbias] = outputs as readonly [Tensor, Tensor, Tensor];
    if (!fits(x, weight)) return false;
    const [o, i] = matrixOf(weight);
    const count = forms.filled(x);
    if (forX) forms.keep("blocked", dx, multiplied(blocked(dy), blocked(weight), [count, o, i]));
    if (forWeight && forms.madeBlocked(x)) {
      forms.keep("blocked", dweight, multiplied(turned(dy), blocked(x), [o, count, i]));
    } else if (forWeight) forms.keep("turned", dweight, multiplied(turned(x), blocked(dy), [i, count, o]));
    // At once, so that onnxruntime computes it before it goes on.
    if (forWeight) forms.rows(dweight);
    if (forBias) forms.keep("rows", dbias, sumOfRows(dy));
    return true;
  }

  function sumOfRows(dy: Tensor): string {
    const sum = (x: string, axis: number): string => m.op("ReduceSum", [x, m.sizes([axis])], { keepdims: int(0) });
    const [count, columns] = matrixOf(dy);
    if (!forms.madeBlocked(dy)) return sum(reshaped(m, forms.rows(dy), [count, columns]), 0);
    const apart = reshaped(m, blocked(dy), [columns / block, forms.filled(dy), block]);
    const own = forms.filled(dy) === count ? apart : sliced(m, apart, count, 1);
    return reshaped(m, sum(own, 1), [columns]);
  }

  function gelu({ inputs, outputs }: Node): boolean {
    const [x] = inputs as readonly [Tensor];
    if (!forms.madeBlocked(x)) return false;
    const when = slopes.wanted.get(x);
    if (when === undefined) forms.keep("blocked", outputs[0] as Tensor, m.op("Gelu", [blocked(x)]));
    else {
      const { y, slope } = geluWithSlope(m, blocked(x));
      slopes.made.set(x, slope);
      if (when === "now") m.early(slope, matrixOf(x));
      forms.keep("blocked", outputs[0] as Tensor, y);
    }
    return true;
  }

  function geluGrad({ inputs, outputs }: Node): boolean {
    const [dy, x] = inputs as readonly [Tensor, Tensor];
    if (!forms.madeBlocked(x)) return false;
    const slope = slopes.made.get(x) ?? geluWithSlope(m, blocked(x)).slope;
    forms.keep("blocked", outputs[0] as Tensor, m.op("Mul", [blocked(dy), slope]));
    return true;
  }

  const lowerings: { readonly [operation: string]: Blocked["lower"] } = { linear, linearGrad, gelu, geluGrad };
  return { rowsOf: forms.rows, lower: (node, wanted) => lowerings[node.operation]?.(node, wanted) ?? false };
}

/** M, K and N of a product. */
type Sides = readonly [number, number, number];

/** [..., C] as [R, C]. */
const matrixOf = ({ shape }: Tensor): readonly [number, number] => [sizeOf(shape.slice(0, -1)), shape.at(-1) as number];

const sliced = (m: OnnxModel, x: string, count: number, axis: number): string =>
  m.op("Slice", [x, m.sizes([0]), m.sizes([count]), m.sizes([axis])]);

/** The forms of each tensor, made from one another where they are first asked for. Blocked and turned ones have two axes, blocks together. */
function createForms(m: OnnxModel, rows: Map<Tensor, string>, block: number) {
  const names = { rows, blocked: new Map<Tensor, string>(), turned: new Map<Tensor, string>() };
  const computed = new Set<Tensor>();
  const filled = (x: Tensor): number => Math.ceil(matrixOf(x)[0] / block) * block;

  const remembered =
    (form: keyof typeof names, make: (x: Tensor) => string) =>
    (x: Tensor): string => {
      const name = names[form].get(x) ?? make(x);
      names[form].set(x, name);
      return name;
    };

  const rowsOf = remembered("rows", (x) => {
    const [count, columns] = matrixOf(x);
    const turned = names.turned.get(x);
    if (turned !== undefined) {
      const made = m.op(
        "ReorderOutput",
        [reshaped(m, turned, [1, count, columns, 1])],
        { channels: int(count) },
        NCHWC,
      );
      return reshaped(m, made, x.shape);
    }
    const places = reshaped(m, names.blocked.get(x) as string, [1, columns, filled(x), 1]);
    const made = m.op("ReorderOutput", [places], { channels: int(columns), channels_last: int(1) }, NCHWC);
    return reshaped(m, filled(x) === count ? made : sliced(m, made, count, 1), x.shape);
  });

  /** The rows as a tensor of four axes, with as many of zeros behind them. */
  const withZeros = (x: Tensor, shape: readonly number[], more: number): string => {
    const own = reshaped(m, rowsOf(x), shape);
    return more === 0 ? own : m.op("Pad", [own, m.sizes([0, 0, 0, 0, 0, more, 0, 0])]);
  };

  const blocked = remembered("blocked", (x) => {
    const [count, columns] = matrixOf(x);
    const places = withZeros(x, [1, count, 1, columns], filled(x) - count);
    return reshaped(m, m.op("ReorderInput", [places], { channels_last: int(1) }, NCHWC), [columns, filled(x)]);
  });

  const turned = remembered("turned", (x) => {
    const [count, columns] = matrixOf(x);
    // It fills the last block with zeros itself, but takes only multiples of four.
    const places = withZeros(x, [1, count, columns, 1], count % 4 === 0 ? 0 : filled(x) - count);
    return reshaped(m, m.op("ReorderInput", [places], {}, NCHWC), [filled(x), columns]);
  });

  return {
    filled,
    rows: rowsOf,
    blocked,
    turned,
    keep(form: keyof typeof names, x: Tensor, name: string): void {
      names[form].set(x, name);
      if (form === "blocked") computed.add(x);
    },
    /** Whether it was computed so, and not moved there. */
    madeBlocked: (x: Tensor): boolean => computed.has(x),
  };
}

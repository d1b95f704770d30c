/** Where the windows of convolutions and of pooling lie: sizes, and which number of the input each of theirs is. */

import { type Expect, type Form, float, onlyFloat } from "./form.js";
import type { Attributes, Convolution, Windows } from "./operations.js";
import { sameShape, showShape, sizeOf } from "./shape.js";

/** Pooling has no dilations. */
type Walk = Windows & Partial<Pick<Convolution, "dilations">>;

/** From the first to the last number of a window. */
export const spanOf = (kernel: readonly number[], { dilations }: Walk): readonly number[] =>
  kernel.map((n, axis) => (dilations?.[axis] ?? 1) * (n - 1) + 1);

/** How many places windows have along each axis. */
const placesOf = (size: readonly number[], kernel: readonly number[], windows: Walk): readonly number[] => {
  const spans = spanOf(kernel, windows);
  const { strides, before, after } = windows;
  return size.map((n, axis) => {
    const room = n + (before[axis] ?? 0) + (after[axis] ?? 0) - (spans[axis] ?? 1);
    return Math.floor(room / (strides[axis] ?? 1)) + 1;
  });
};

/** What would have to hold for windows to fit. */
function windowProblem(size: readonly number[], kernel: readonly number[], windows: Walk): string | undefined {
  const { strides, before, after, dilations = strides.map(() => 1) } = windows;
  const lists = [kernel, strides, dilations, before, after];
  if (lists.some((list) => list.length !== size.length))
    return `one number of a window for each of ${size.length} axes`;
  const whole = (least: number, ...numbers: readonly (readonly number[])[]): boolean =>
    numbers.flat().every((n) => Number.isInteger(n) && n >= least);
  if (!whole(1, kernel, strides, dilations) || !whole(0, before, after)) {
    return "windows, strides and dilations from 1, padding from 0";
  }
  return placesOf(size, kernel, windows).every((n) => n >= 1)
    ? undefined
    : `room for a window ${showShape(kernel)} in ${showShape(size)} with its padding`;
}

/** x [B, ...S, C]; the sizes S and where windows lie along them. */
function windowPlaces(
  expect: Expect,
  x: readonly number[],
  kernel: readonly number[],
  windows: Windows & Partial<Convolution>,
): readonly number[] {
  const problem = windowProblem(x.slice(1, -1), kernel, windows);
  expect(problem === undefined, problem ?? "");
  return placesOf(x.slice(1, -1), kernel, windows);
}

/** x [B, ...S, I] and weight [O, I / groups, ...K] -> y [B, ...T, O]. */
function convolved(
  expect: Expect,
  x: readonly number[],
  weight: readonly number[],
  attributes: Convolution,
): readonly number[] {
  const [o = 0, inner = 0, ...kernel] = weight;
  const { groups } = attributes;
  expect(x.length >= 3 && x.length <= 5 && weight.length === x.length, "x [B, ...S, I] and a weight [O, I, ...K]");
  expect(
    Number.isInteger(groups) && groups >= 1 && x.at(-1) === inner * groups && o % groups === 0,
    `${inner * groups} channels in ${groups} groups for a weight ${showShape(weight)}`,
  );
  return [x[0] ?? 0, ...windowPlaces(expect, x, kernel, attributes), o];
}

/** x [B, ...S, C] under windows of its own -> [B, ...T, C]. */
function pooled(expect: Expect, { shape }: Form, attributes: Attributes["maxPool"]): readonly number[] {
  const { kernel, before, after } = attributes;
  expect(shape.length >= 3 && shape.length <= 5, "x [B, ...S, C]");
  const places = windowPlaces(expect, shape, kernel, attributes);
  expect(
    kernel.every((n, axis) => (before[axis] ?? 0) < n && (after[axis] ?? 0) < n),
    `padding narrower than the window ${showShape(kernel)}`,
  );
  return [shape[0] ?? 0, ...places, shape.at(-1) ?? 1];
}

type Pair = readonly [Form, Form];

/** The shape rules of windows. */
export const windowRules = {
  conv: ([x, weight]: Pair, attributes: Convolution, expect: Expect): readonly Form[] => {
    onlyFloat(expect, x, weight);
    return [float(convolved(expect, x.shape, weight.shape, attributes))];
  },
  convInput: ([y, weight]: Pair, attributes: Attributes["convInput"], expect: Expect): readonly Form[] => {
    onlyFloat(expect, y, weight);
    const shape = [y.shape[0] ?? 0, ...attributes.size, (weight.shape[1] ?? 0) * attributes.groups];
    const made = convolved(expect, shape, weight.shape, attributes);
    expect(sameShape(made, y.shape), `y ${showShape(made)} of x ${showShape(shape)}`);
    return [float(shape)];
  },
  convWeight: ([x, y]: Pair, attributes: Attributes["convWeight"], expect: Expect): readonly Form[] => {
    onlyFloat(expect, x, y);
    const inner = Math.floor((x.shape.at(-1) ?? 0) / attributes.groups);
    const shape = [y.shape.at(-1) ?? 0, inner, ...attributes.kernel];
    const made = convolved(expect, x.shape, shape, attributes);
    expect(sameShape(made, y.shape), `y ${showShape(made)} of a weight ${showShape(shape)}`);
    return [float(shape)];
  },
  maxPool: ([x]: readonly [Form], attributes: Attributes["maxPool"], expect: Expect): readonly Form[] => {
    onlyFloat(expect, x);
    return [float(pooled(expect, x, attributes))];
  },
  maxPoolGrad: ([dy, x]: Pair, attributes: Attributes["maxPoolGrad"], expect: Expect): readonly Form[] => {
    onlyFloat(expect, dy, x);
    const made = pooled(expect, x, attributes);
    expect(sameShape(made, dy.shape), `dy ${showShape(made)} of x ${showShape(x.shape)}`);
    return [float(x.shape)];
  },
};

/**
 * For each place of a window and each number in it, both in raster order: which number of the input it is, -1 in padding.
 */
export function taps(size: readonly number[], kernel: readonly number[], windows: Walk): Int32Array {
  const places = placesOf(size, kernel, windows);
  const [count, width] = [sizeOf(places), sizeOf(kernel)];
  const list = new Int32Array(count * width);
  for (let i = 0; i < list.length; i++) {
    let place = Math.floor(i / width);
    let tap = i % width;
    let at = 0;
    let step = 1;
    for (let axis = size.length - 1; axis >= 0 && at >= 0; axis--) {
      const n = size[axis] as number;
      const wide = kernel[axis] as number;
      const many = places[axis] as number;
      const from = (place % many) * (windows.strides[axis] as number) - (windows.before[axis] as number);
      const here = from + (tap % wide) * (windows.dilations?.[axis] ?? 1);
      at = here >= 0 && here < n ? at + here * step : -1;
      step *= n;
      place = Math.floor(place / many);
      tap = Math.floor(tap / wide);
    }
    list[i] = at;
  }
  return list;
}

/** Reference kernels of convolutions and of pooling. */

import type { Convolution, OperationName } from "../operations.js";
import { sizeOf, type TypedArray } from "../shape.js";
import { taps } from "../windows.js";
import { type Kernels, type Value, zeros } from "./kernel.js";

/** Shapes of x [B, ...S, I], weight [O, I / groups, ...K] and y [B, ...T, O]. */
interface Shapes {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly y: readonly number[];
}

/** Which products of a convolution to sum: `inner` of them from here on, along x one by one, along weight `width` apart; they belong to one y. */
type Visit = (x: number, weight: number, y: number, inner: number, width: number) => void;

/** Shows where the products of a convolution lie, those of one number of y and of one number of its window at a time. */
function walk(shapes: Shapes, attributes: Convolution, visit: Visit): void {
  const { x, weight, y } = shapes;
  const [o = 0, inner = 0, ...kernel] = weight;
  const [size, channels, width] = [x.slice(1, -1), inner * attributes.groups, sizeOf(kernel)];
  const [places, inputs, ofGroup] = [sizeOf(y.slice(1, -1)), sizeOf(size), o / attributes.groups];
  const at = taps(size, kernel, attributes);
  for (let sample = 0; sample < (y[0] ?? 0); sample++) {
    for (let i = 0; i < at.length; i++) {
      const place = at[i] as number;
      if (place < 0) continue;
      const row = (sample * inputs + place) * channels;
      const out = (sample * places + Math.floor(i / width)) * o;
      for (let to = 0; to < o; to++) {
        visit(row + Math.floor(to / ofGroup) * inner, to * inner * width + (i % width), out + to, inner, width);
      }
    }
  }
}

/** Shows the place of the first of the largest numbers of each window of x, and the window's own place. */
function walkLargest(
  { data, shape }: Value,
  attributes: Parameters<Kernels<"maxPool">["maxPool"]>[1],
  visit: (x: number, y: number) => void,
): void {
  const [size, channels] = [shape.slice(1, -1), shape.at(-1) ?? 1];
  const [inputs, width] = [sizeOf(size), sizeOf(attributes.kernel)];
  const at = taps(size, attributes.kernel, attributes);
  const places = at.length / width;
  for (let i = 0; i < (shape[0] ?? 0) * places * channels; i++) {
    const [window, channel] = [Math.floor(i / channels), i % channels];
    const sample = Math.floor(window / places) * inputs;
    let best = -1;
    for (const place of at.subarray((window % places) * width, ((window % places) + 1) * width)) {
      const here = (sample + place) * channels + channel;
      if (place >= 0 && (best < 0 || (data[here] as number) > (data[best] as number))) best = here;
    }
    visit(best, i);
  }
}

const add = (to: TypedArray, at: number, value: number): void => {
  to[at] = (to[at] as number) + value;
};

export const windows = {
  conv: ([x, weight], attributes, [form]) => {
    const out = zeros(form);
    const shapes = { x: x.shape, weight: weight.shape, y: form.shape };
    walk(shapes, attributes, (atX, atWeight, atY, inner, width) => {
      let sum = 0;
      for (let c = 0; c < inner; c++) {
        sum += (x.data[atX + c] as number) * (weight.data[atWeight + c * width] as number);
      }
      add(out, atY, sum);
    });
    return [out];
  },
  convInput: ([y, weight], attributes, [form]) => {
    const out = zeros(form);
    const shapes = { x: form.shape, weight: weight.shape, y: y.shape };
    walk(shapes, attributes, (atX, atWeight, atY, inner, width) => {
      const slope = y.data[atY] as number;
      for (let c = 0; c < inner; c++) add(out, atX + c, slope * (weight.data[atWeight + c * width] as number));
    });
    return [out];
  },
  convWeight: ([x, y], attributes, [form]) => {
    const out = zeros(form);
    const shapes = { x: x.shape, weight: form.shape, y: y.shape };
    walk(shapes, attributes, (atX, atWeight, atY, inner, width) => {
      const slope = y.data[atY] as number;
      for (let c = 0; c < inner; c++) add(out, atWeight + c * width, slope * (x.data[atX + c] as number));
    });
    return [out];
  },
  maxPool: ([x], attributes, [form]) => {
    const out = zeros(form);
    walkLargest(x, attributes, (i, o) => add(out, o, x.data[i] as number));
    return [out];
  },
  maxPoolGrad: ([dy, x], attributes, [form]) => {
    const out = zeros(form);
    walkLargest(x, attributes, (i, o) => add(out, i, dy.data[o] as number));
    return [out];
  },
} satisfies Partial<Kernels<OperationName>>;

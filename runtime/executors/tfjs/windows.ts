/**
 * Convolutions and pooling. What TensorFlow.js has on every backend are convolutions along two axes, of all channels or of
 * each alone; gradients are brought into that form, since wasm lacks kernels of their own. The rest is made of slices and
 * products: the numbers of each tap of the window stand side by side, and a convolution is one product.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type Convolution, sizeOf } from "../../../graph/index.js";
import type { Kernels } from "./kernel.js";
import type { Lowering } from "./lowering.js";

type Shape = readonly number[];
type Walk = Pick<Convolution, "strides" | "before" | "after"> & Partial<Pick<Convolution, "dilations">>;

/** One axis of x, seen as [outer, n, inner], in a new form. */
function along(x: tf.Tensor, axis: number, change: (x: tf.Tensor3D) => tf.Tensor): tf.Tensor {
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const changed = change(tf.reshape(x, [sizeOf(before), x.shape[axis] as number, sizeOf(after)]));
  return tf.reshape(changed, [...before, changed.shape[1] as number, ...after]);
}

const paddedBy = (x: tf.Tensor3D, before: number, after: number, value: number): tf.Tensor3D =>
  before === 0 && after === 0
    ? x
    : tf.pad(
        x,
        [
          [0, 0],
          [before, after],
          [0, 0],
        ],
        value,
      );

/** [outer, n, inner] -> [outer, n stride, inner], zeros behind each row. */
const spreadOut = (x: tf.Tensor3D, stride: number): tf.Tensor3D => {
  const [outer, n, inner] = x.shape;
  return stride === 1
    ? x
    : tf.reshape(paddedBy(tf.reshape(x, [outer * n, 1, inner]), 0, stride - 1, 0), [outer, n * stride, inner]);
};

/** Along one or two axes; with gaps in windows or steps between them, not both. */
const isBuiltIn = (kernel: Shape, { strides, dilations }: Walk): boolean =>
  kernel.length <= 2 && (strides.every((n) => n === 1) || (dilations ?? []).every((n) => n === 1));

/** [B, n, C] -> [B, 1, n, C] */
const asImage = (x: tf.Tensor): tf.Tensor4D => {
  const [batch, n, channels] = x.shape as [number, number, number];
  return tf.reshape(x, [batch, 1, n, channels]);
};

/** By the kernels of TensorFlow.js; x has its padding. */
function builtIn(x: tf.Tensor, weight: tf.Tensor, { strides, dilations }: Walk, byChannel: boolean): tf.Tensor {
  const [o, inner, ...kernel] = weight.shape as [number, number, ...number[]];
  const flat = kernel.length === 1;
  const pair = (list: Shape): [number, number] =>
    flat ? [1, list[0] as number] : [list[0] as number, list[1] as number];
  const image = flat ? asImage(x) : (x as tf.Tensor4D);
  const [rows, columns] = pair(kernel);
  const filter = tf.transpose(tf.reshape(weight, [o, inner, rows, columns]), byChannel ? [2, 3, 0, 1] : [2, 3, 1, 0]);
  const [steps, gaps] = [pair(strides), pair(dilations ?? kernel.map(() => 1))];
  const made = byChannel
    ? tf.depthwiseConv2d(image, filter as tf.Tensor4D, steps, "valid", "NHWC", gaps)
    : tf.conv2d(image, filter as tf.Tensor4D, steps, "valid", "NHWC", gaps);
  return flat ? tf.squeeze(made, [1]) : made;
}

/** Matrices and slices of one backend, put together. */
export function windowKernels({
  matmul,
  slice,
}: Lowering): Pick<Kernels, "conv" | "convInput" | "convWeight" | "maxPool" | "maxPoolGrad"> {
  const part = (x: tf.Tensor, axis: number, begin: number, size: number): tf.Tensor =>
    size === x.shape[axis] ? x : along(x, axis, (y) => slice(y, begin, size));

  /** Zeros, or `value`, around each of the axes between samples and channels; a negative number takes rows away. */
  const surrounded = (x: tf.Tensor, before: Shape, after: Shape, value = 0): tf.Tensor =>
    before.reduce((y, begin, i) => {
      const end = after[i] as number;
      const wide = along(y, i + 1, (z) => paddedBy(z, Math.max(begin, 0), Math.max(end, 0), value));
      const size = (y.shape[i + 1] as number) + begin + end;
      return part(wide, i + 1, Math.max(-begin, 0), size);
    }, x);

  /** Every `stride`-th of `count` rows. */
  const rows = (x: tf.Tensor, axis: number, begin: number, count: number, stride: number): tf.Tensor => {
    if (stride === 1) return part(x, axis, begin, count);
    const near = part(x, axis, begin, (count - 1) * stride + 1);
    return along(near, axis, (y) => {
      const [outer, n, inner] = y.shape;
      const whole = tf.reshape(paddedBy(y, 0, count * stride - n, 0), [outer * count, stride, inner]) as tf.Tensor3D;
      return tf.reshape(slice(whole, 0, 1), [outer, count, inner]);
    });
  };

  /** What each tap of the windows meets, [B, ...T, C] each; x has its padding. */
  const tapsOf = (x: tf.Tensor, kernel: Shape, { strides, dilations }: Walk): readonly tf.Tensor[] =>
    kernel.reduce<readonly tf.Tensor[]>(
      (taps, n, axis) => {
        const [stride, dilation] = [strides[axis] as number, dilations?.[axis] ?? 1];
        const count = Math.floor(((x.shape[axis + 1] as number) - dilation * (n - 1) - 1) / stride) + 1;
        return taps.flatMap((tap) =>
          Array.from({ length: n }, (_, k) => rows(tap, axis + 1, k * dilation, count, stride)),
        );
      },
      [x],
    );

  const asRows = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, x.shape.at(-1) as number]);
  const joined = (parts: readonly tf.Tensor[], axis: number): tf.Tensor =>
    parts.length === 1 ? (parts[0] as tf.Tensor) : tf.concat([...parts], axis);
  const sum = (parts: readonly tf.Tensor[]): tf.Tensor => parts.reduce((a, b) => tf.add(a, b));

  /** [O, I / groups, ...K] -> [taps, I / groups, O] */
  const byTap = (weight: tf.Tensor): tf.Tensor3D => {
    const [o, inner, ...kernel] = weight.shape as [number, number, ...number[]];
    return tf.transpose(tf.reshape(weight, [o, inner, sizeOf(kernel)]), [2, 1, 0]) as tf.Tensor3D;
  };

  const isByChannel = (weight: Shape, groups: number): boolean => weight[1] === 1 && weight[0] === groups;

  /** x has its padding. */
  const convolved = (x: tf.Tensor, weight: tf.Tensor, walk: Walk, groups: number): tf.Tensor => {
    const [o, inner, ...kernel] = weight.shape as [number, number, ...number[]];
    const byChannel = isByChannel(weight.shape, groups);
    if (isBuiltIn(kernel, walk) && (byChannel || groups === 1)) return builtIn(x, weight, walk, byChannel);
    const taps = tapsOf(x, kernel, walk);
    const weights = byTap(weight);
    if (byChannel) {
      return sum(taps.map((tap, k) => tf.mul(tap, tf.reshape(part(weights, 0, k, 1), [o]))));
    }
    const products = Array.from({ length: groups }, (_, group) => {
      const own = taps.map((tap) => asRows(part(tap, tap.rank - 1, group * inner, inner)));
      const ofGroup = part(weights, 2, (group * o) / groups, o / groups);
      return matmul(joined(own, 1), tf.reshape(ofGroup, [-1, o / groups]), false, false);
    });
    return tf.reshape(joined(products, 1), [...(taps[0] as tf.Tensor).shape.slice(0, -1), o]);
  };

  /** [O, I / groups, ...K] for the other direction: [I, O / groups, ...K], its windows turned about. */
  const turnedAbout = (weight: tf.Tensor, groups: number): tf.Tensor => {
    const [o, inner, ...kernel] = weight.shape as [number, number, ...number[]];
    const grouped = tf.reshape(weight, [groups, o / groups, inner, sizeOf(kernel)]);
    const exchanged = tf.transpose(grouped, [0, 2, 1, 3]);
    return tf.reshape(tf.reverse(tf.reshape(exchanged, [-1, sizeOf(kernel)]), 1), [
      groups * inner,
      o / groups,
      ...kernel,
    ]);
  };

  /**
   * x [B, ...S, C], y [B, ...T, C] -> [C, 1, ...K]: each channel of each sample convolved with its own y, as channels of one sample; then
   * the sum over samples.
   */
  const ofEachSample = (x: tf.Tensor, y: tf.Tensor, kernel: Shape, walk: Walk): tf.Tensor => {
    const [batch, channels] = [x.shape[0] as number, x.shape.at(-1) as number];
    const samplesLast = (z: tf.Tensor): tf.Tensor => {
      const rest = z.shape.slice(1, -1);
      const flat = tf.reshape(z, [batch, sizeOf(rest), channels]);
      return tf.reshape(tf.transpose(flat, [1, 0, 2]), [1, ...rest, batch * channels]);
    };
    const windows = y.shape.slice(1, -1);
    const weight = tf.transpose(tf.reshape(samplesLast(y), [sizeOf(windows), batch * channels]));
    const made = builtIn(samplesLast(x), tf.reshape(weight, [batch * channels, 1, ...windows]), walk, true);
    // Rows that no window of y reaches may leave more than the kernel.
    const cut = kernel.reduce((z, n, i) => part(z, i + 1, 0, n), made);
    const summed = tf.sum(tf.reshape(cut, [sizeOf(kernel), batch, channels]), 1);
    return tf.reshape(tf.transpose(summed), [channels, 1, ...kernel]);
  };

  const pooled = (x: tf.Tensor, attributes: Walk & { readonly kernel: Shape }) => {
    const taps = tapsOf(surrounded(x, attributes.before, attributes.after, lowest), attributes.kernel, attributes);
    return { taps, largest: taps.reduce((a, b) => tf.maximum(a, b)) };
  };

  return {
    conv: ([x, weight], attributes) => {
      const wide = surrounded(x, attributes.before, attributes.after);
      return [tf.clone(convolved(wide, weight, attributes, attributes.groups))];
    },
    convInput: ([y, weight], { size, strides, dilations, before, groups }) => {
      const kernel = weight.shape.slice(2);
      const spread = strides.reduce((z, stride, i) => along(z, i + 1, (rows) => spreadOut(rows, stride)), y);
      const begin = kernel.map((n, i) => (dilations[i] as number) * (n - 1) - (before[i] as number));
      const end = size.map((n, i) => {
        const reach = (dilations[i] as number) * ((kernel[i] as number) - 1);
        return n + reach - (begin[i] as number) - (spread.shape[i + 1] as number);
      });
      const walk = { strides: strides.map(() => 1), dilations, before: [], after: [] };
      return [tf.clone(convolved(surrounded(spread, begin, end), turnedAbout(weight, groups), walk, groups))];
    },
    convWeight: ([x, y], attributes) => {
      const { kernel, groups, strides, dilations } = attributes;
      const [o, inner] = [y.shape.at(-1) as number, (x.shape.at(-1) as number) / groups];
      const wide = surrounded(x, attributes.before, attributes.after);
      // Steps between windows are gaps within those of the gradient, and the reverse.
      const turned = { strides: dilations, dilations: strides, before: [], after: [] };
      if (isByChannel([o, inner], groups) && isBuiltIn(kernel, turned)) {
        return [ofEachSample(wide, y, kernel, turned)];
      }
      const taps = tapsOf(wide, kernel, attributes);
      if (isByChannel([o, inner], groups)) {
        const slopes = taps.map((tap) => tf.sum(tf.mul(asRows(tap), asRows(y)), 0, true));
        return [tf.reshape(tf.transpose(joined(slopes, 0)), [o, 1, ...kernel])];
      }
      const products = Array.from({ length: groups }, (_, group) => {
        const own = taps.map((tap) => asRows(part(tap, tap.rank - 1, group * inner, inner)));
        const ofGroup = asRows(part(y, y.rank - 1, (group * o) / groups, o / groups));
        const product = tf.reshape(matmul(joined(own, 1), ofGroup, true, false), [taps.length, inner, o / groups]);
        return tf.transpose(product, [2, 1, 0]);
      });
      return [tf.reshape(joined(products, 0), [o, inner, ...kernel])];
    },
    maxPool: ([x], attributes) => [tf.clone(pooled(x, attributes).largest)],
    /** Each window's share goes to the first of its taps that is the largest. */
    maxPoolGrad: ([dy, x], attributes) => {
      const { taps, largest } = pooled(x, attributes);
      const { kernel, strides, before, after } = attributes;
      const wide = x.shape.slice(1, -1).map((n, i) => n + (before[i] as number) + (after[i] as number));
      let left: tf.Tensor = dy;
      const parts = taps.map((tap, k) => {
        const found = tf.cast(tf.equal(tap, largest), "float32");
        const share = tf.mul(left, found);
        left = tf.sub(left, share);
        const begin = offsetsOf(k, kernel);
        const spread = strides.reduce((z, stride, i) => along(z, i + 1, (rows) => spreadOut(rows, stride)), share);
        const end = begin.map((n, i) => (wide[i] as number) - n - (spread.shape[i + 1] as number));
        return surrounded(spread, begin, end);
      });
      return [
        tf.clone(
          surrounded(
            sum(parts),
            before.map((n) => -n),
            after.map((n) => -n),
          ),
        ),
      ];
    },
  };
}

/** Less than every number: shaders have no infinity. */
const lowest = -3.4e38;

/** Of tap number k, the step along each axis. */
const offsetsOf = (k: number, kernel: Shape): Shape =>
  kernel.map((n, axis) => Math.floor(k / sizeOf(kernel.slice(axis + 1))) % n);

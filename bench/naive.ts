/**
 * Contestant: a masked autoencoder as one would write it in TensorFlow.js by hand: eager operations on variables,
 * `tf.train.adam`, the WebAssembly backend. `node naive.mjs '{"size": {...}}'`
 */

import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { serve } from "./serve.js";
import type { Network, Size } from "./sizes.js";

setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
await tf.setBackend("wasm");

const { size } = JSON.parse(process.argv[2] ?? "") as { readonly size: Size };
const side = size.image / size.patch;
const tokens = side * side;
const seen = Math.floor(tokens / 4);
const values = 3 * size.patch ** 2;

const weight = (...shape: number[]): tf.Variable => tf.variable(tf.randomNormal(shape, 0, 0.02));
const filled = (value: number, ...shape: number[]): tf.Variable => tf.variable(tf.fill(shape, value));

interface Linear {
  readonly w: tf.Variable;
  readonly b: tf.Variable;
}

interface Norm {
  readonly gamma: tf.Variable;
  readonly beta: tf.Variable;
}

const linearOf = (inputs: number, outputs: number): Linear => ({ w: weight(inputs, outputs), b: filled(0, outputs) });
const normOf = (width: number): Norm => ({ gamma: filled(1, width), beta: filled(0, width) });

/** [B, N, I] -> [B, N, O] */
function linear(x: tf.Tensor, { w, b }: Linear): tf.Tensor {
  const [batch, count, width] = x.shape as [number, number, number];
  const flat = tf.matMul(tf.reshape(x, [batch * count, width]), w as tf.Tensor2D);
  return tf.reshape(tf.add(flat, b), [batch, count, b.shape[0] as number]);
}

function norm(x: tf.Tensor, { gamma, beta }: Norm): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-6))), gamma), beta);
}

/** By tanh: the WebAssembly backend has no erf. */
const gelu = (x: tf.Tensor): tf.Tensor => {
  const inner = tf.mul(tf.add(x, tf.mul(tf.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
};

const blockOf = ({ width }: Network) => ({
  norm1: normOf(width),
  qkv: linearOf(width, 3 * width),
  proj: linearOf(width, width),
  norm2: normOf(width),
  fc1: linearOf(width, 4 * width),
  fc2: linearOf(4 * width, width),
});

function block(input: tf.Tensor, w: ReturnType<typeof blockOf>, { width, heads }: Network): tf.Tensor {
  const [batch, count] = input.shape as [number, number];
  const qkv = tf.reshape(linear(norm(input, w.norm1), w.qkv), [batch, count, 3, heads, width / heads]);
  const [q, k, v] = tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4])) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const scores = tf.softmax(tf.mul(tf.matMul(q, k, false, true), (width / heads) ** -0.5));
  const mixed = tf.reshape(tf.transpose(tf.matMul(scores, v), [0, 2, 1, 3]), [batch, count, width]);
  const x = tf.add(input, linear(mixed, w.proj));
  return tf.add(x, linear(gelu(linear(norm(x, w.norm2), w.fc1)), w.fc2));
}

const model = {
  embed: linearOf(values, size.encoder.width),
  classToken: weight(1, 1, size.encoder.width),
  positions: weight(1, tokens, size.encoder.width),
  blocks: Array.from({ length: size.encoder.depth }, () => blockOf(size.encoder)),
  norm: normOf(size.encoder.width),
  narrow: linearOf(size.encoder.width, size.decoder.width),
  maskToken: weight(1, 1, size.decoder.width),
  decoderPositions: weight(1, tokens + 1, size.decoder.width),
  decoderBlocks: Array.from({ length: size.decoder.depth }, () => blockOf(size.decoder)),
  decoderNorm: normOf(size.decoder.width),
  head: linearOf(size.decoder.width, values),
};

/** Rows of each sample picked by a product with ones and zeros: the backend cannot differentiate a gather. */
const pick = (x: tf.Tensor, index: tf.Tensor2D, count: number): tf.Tensor =>
  tf.matMul(tf.cast(tf.oneHot(index, count), "float32"), x);

function lossOf(patches: tf.Tensor): tf.Scalar {
  const { batch } = size;
  const orders = Array.from({ length: batch }, () => [...tf.util.createShuffledIndices(tokens)]);
  const restore = tf.tensor2d(
    orders.map((order) => order.map((_, i) => order.indexOf(i))),
    [batch, tokens],
    "int32",
  );
  const visible = tf.tensor2d(
    orders.map((order) => order.slice(0, seen)),
    [batch, seen],
    "int32",
  );

  let x = pick(tf.add(linear(patches, model.embed), model.positions), visible, tokens);
  x = tf.concat([tf.tile(model.classToken, [batch, 1, 1]), x], 1);
  for (const w of model.blocks) x = block(x, w, size.encoder);
  x = linear(norm(x, model.norm), model.narrow);

  const { width } = size.decoder;
  const fill = tf.tile(model.maskToken, [batch, tokens - seen, 1]);
  const placed = pick(tf.concat([tf.slice(x, [0, 1, 0], [batch, seen, width]), fill], 1), restore, tokens);
  x = tf.add(tf.concat([tf.slice(x, [0, 0, 0], [batch, 1, width]), placed], 1), model.decoderPositions);
  for (const w of model.decoderBlocks) x = block(x, w, size.decoder);
  const prediction = tf.slice(linear(norm(x, model.decoderNorm), model.head), [0, 1, 0], [batch, tokens, values]);

  const { mean, variance } = tf.moments(patches, 2, true);
  const target = tf.div(tf.sub(patches, mean), tf.sqrt(tf.add(variance, 1e-6)));
  const error = tf.mean(tf.square(tf.sub(prediction, target)), 2);
  const hidden = tf.cast(tf.greaterEqual(restore, seen), "float32");
  return tf.div(tf.sum(tf.mul(error, hidden)), tf.sum(hidden));
}

const optimizer = tf.train.adam(1e-4);
const patches = tf.randomNormal([size.batch, tokens, values]);
await serve({ compile: {}, device: "TensorFlow.js wasm, eager" }, async () => {
  const loss = optimizer.minimize(() => tf.tidy(() => lossOf(patches)), true) as tf.Scalar;
  const [value] = await loss.data();
  loss.dispose();
  return value as number;
});

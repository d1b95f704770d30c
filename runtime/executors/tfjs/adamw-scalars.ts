/** The scalars of an AdamW update, which are the same for all parameters of a step. */

import * as tf from "@tensorflow/tfjs-core";
import type { Attributes } from "../../../graph/index.js";

/** Computes a tensor once a run, for all nodes that ask under the same key; `make` may not keep anything else. */
export type Shared = (key: string, make: () => tf.Tensor) => tf.Tensor;

export interface AdamwScalars {
  /** lr / (1 - beta1^step) */
  readonly rate: tf.Tensor;
  /** 1 / sqrt(1 - beta2^step) */
  readonly scale: tf.Tensor;
  /** 1 - lr decay */
  readonly remaining: tf.Tensor;
}

/**
 * 1 - beta^step of a running mean that started from zero. Near 0 by its series, because float32 would keep
 * three or four digits of 1 - 0.999, and the power of a GPU fewer.
 */
function biasCorrection(beta: number, step: tf.Tensor): tf.Tensor {
  if (beta === 0) return tf.scalar(1);
  const z = tf.mul(step, Math.log(beta));
  const series = [7, 6, 5, 4, 3, 2].reduce((sum, n) => tf.add(tf.mul(tf.div(z, n), sum), 1), tf.scalar(1));
  return tf.where(tf.greater(z, -0.5), tf.neg(tf.mul(z, series)), tf.sub(1, tf.exp(z)));
}

export function adamwScalars(
  lr: tf.Tensor,
  step: tf.Tensor,
  { beta1, beta2, decay }: Attributes["adamw"],
  shared: Shared,
): AdamwScalars {
  return {
    rate: shared(`lr ${lr.id} / correction ${beta1} ${step.id}`, () => tf.div(lr, biasCorrection(beta1, step))),
    scale: shared(`rsqrt correction ${beta2} ${step.id}`, () => tf.rsqrt(biasCorrection(beta2, step))),
    remaining: shared(`1 - lr ${lr.id} ${decay}`, () => tf.sub(1, tf.mul(lr, decay))),
  };
}

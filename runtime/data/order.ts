/** The order in which training sees the samples: a pure function of seed and epoch. */

import type { SampleIndex } from "../../blocks/index.js";
import { randomStream, shuffled } from "../../graph/index.js";

/** The same samples so many times, one pass after another: what is drawn for a sample is drawn anew in each. */
export const repeated = (index: SampleIndex, times: number): SampleIndex =>
  times === 1 ? index : { ...index, length: times * index.length, sample: (i) => index.sample(i % index.length) };

/** What batch number `batch`, counted over all epochs, holds. The last samples of an epoch that fill no batch are left out. */
export function batchOrder(count: number, batchSize: number, seed: number) {
  const perEpoch = Math.floor(count / batchSize);
  let current: { readonly epoch: number; readonly order: Int32Array } | null = null;
  return (batch: number): { readonly epoch: number; readonly samples: Int32Array } => {
    const epoch = Math.floor(batch / perEpoch);
    if (current?.epoch !== epoch) current = { epoch, order: shuffled(count, randomStream(seed, "shuffle", epoch)) };
    const start = (batch % perEpoch) * batchSize;
    return { epoch, samples: current.order.slice(start, start + batchSize) };
  };
}

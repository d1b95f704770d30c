/** The order in which training sees the samples: a pure function of seed and epoch. */

import { randomStream, shuffled } from "../../graph/index.js";

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

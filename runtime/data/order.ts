/** The order in which training sees the samples: a pure function of seed and epoch. */

import { randomStream } from "../../graph/index.js";

/** The samples of an epoch in their order: Fisher and Yates' shuffle. */
export function shuffled(count: number, seed: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const random = randomStream(seed, "shuffle", epoch);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/** What batch number `batch`, counted over all epochs, holds. The last samples of an epoch that fill no batch are left out. */
export function batchOrder(count: number, batchSize: number, seed: number) {
  const perEpoch = Math.floor(count / batchSize);
  let current: { readonly epoch: number; readonly order: Int32Array } | null = null;
  return (batch: number): { readonly epoch: number; readonly samples: Int32Array } => {
    const epoch = Math.floor(batch / perEpoch);
    if (current?.epoch !== epoch) current = { epoch, order: shuffled(count, seed, epoch) };
    const start = (batch % perEpoch) * batchSize;
    return { epoch, samples: current.order.slice(start, start + batchSize) };
  };
}

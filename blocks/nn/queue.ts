/** A queue of keys of past batches: negatives that a batch need not hold itself, and how it moves on. */

import type { Builder, Tensor } from "../../graph/index.js";
import { type Parameter, running } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";
import { meanLogSum, unitVectors } from "./sphere.js";
import { apart, type ComparedStream } from "./views.js";

/** Keys of past batches, the oldest first; before there are any, directions drawn anew. */
export const queueParameters = declarer(
  "queueParameters",
  (keys: number, width: number): Parameter<[number, number]> => running([keys, width], { kind: "unit_rows" }),
) as <const K extends number, const D extends number>(keys: K, width: D) => Parameter<[K, D]>;

/** The keys of a batch come last, and as many as there is no more room for leave, the oldest first. */
function enqueue(g: Builder, queue: Tensor<[number, number], "float32">, keys: readonly Tensor[]): void {
  const [room, width] = queue.shape as readonly [number, number];
  const all = g.concat([g.moved(queue), ...keys.map((key) => g.stopGradient(key))], 0);
  g.move(queue, g.slice(all, [(all.shape[0] as number) - room, 0], [room, width]));
}

/**
 * For each view of the student and each other view of the teacher, how surely the one finds the other of its sample among the keys of past
 * batches: the mean over these pairs and over i of -log softmax(cos(q_i, [k_i, queue]) / temperature) at k_i, []. Then what the teacher
 * makes of its views is put into the queue, view by view.
 */
export const queueContrast = layer(
  "queueContrast",
  <D extends number>(
    g: Builder,
    streams: readonly ComparedStream<D>[],
    w: { readonly queue: Tensor<[number, NoInfer<D>]> },
    o: { readonly temperature: number },
  ): Tensor<[]> => {
    const queue = claim<[number, number]>(w.queue);
    const views = apart(g, streams).map(({ student, taught }) => ({
      q: student && unitVectors(g, student),
      k: taught && unitVectors(g, taught),
    }));
    const scored = views.map(({ q, k }) => ({ q, k, past: q && g.matmul(q, queue, { b: true }) })); // [B, K]
    const terms = scored.flatMap(({ q, past }, i) =>
      views.flatMap(({ k }, j) => {
        if (!q || !past || !k || i === j) return [];
        const own = g.sum(g.mul(q, k), [1], "keep"); // [B, 1]
        const scores = g.mul(g.concat([own, past], 1), 1 / o.temperature);
        return [g.sub(meanLogSum(g, scores, 1), g.mul(g.mean(own), 1 / o.temperature))];
      }),
    );
    enqueue(
      g,
      queue,
      views.flatMap(({ k }) => k ?? []),
    );
    return claim(
      g.div(
        terms.reduce((a, b) => g.add(a, b)),
        g.constant(terms.length),
      ),
    );
  },
);

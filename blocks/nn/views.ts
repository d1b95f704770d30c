/** Views of samples as points on a sphere or as shares of prototypes: how surely those of one sample find each other, and what a teacher makes of them. */

import { type Builder, type Rows, sizeOf, type Tensor } from "../../graph/index.js";
import { type Parameter, running } from "../parameters.js";
import { logShares } from "./classify.js";
import { claim, declarer, layer } from "./layer.js";
import { meanLogSum, unitVectors } from "./sphere.js";

/** What is made of the views of a stream, `count` of each sample, sample by sample. */
export interface StreamOf<D extends number> {
  readonly count: number;
  readonly x: Tensor<[Rows, D]>;
}

/** What a student and a teacher make of the views of a stream. Absent: it does not see them. */
export interface ComparedStream<D extends number> {
  readonly count: number;
  readonly student?: Tensor<[Rows, D]>;
  readonly taught?: Tensor<[Rows, D]>;
}

/** x [kB, D] -> one view of each sample [B, D] */
function viewOf(g: Builder, x: Tensor, count: number, view: number): Tensor {
  if (count === 1) return x;
  const [rows, width] = x.shape as readonly [number, number];
  const samples = rows / count;
  const apart = g.reshape(x, [samples, count, width]);
  return g.reshape(g.slice(apart, [0, view, 0], [samples, 1, width]), [samples, width]);
}

/** Less than any cosine over a temperature that is compared. */
const farAway = -1e9;

/**
 * All views of a batch -> how surely each finds the others of its sample: the mean over views i and other views p of its sample of
 * -log softmax_j(cos(z_i, z_j) / temperature) at j = p, over all views j but i itself, [].
 */
export const ntXent = layer(
  "ntXent",
  <D extends number>(g: Builder, streams: readonly StreamOf<D>[], o: { readonly temperature: number }): Tensor<[]> => {
    const views = streams.flatMap(({ count, x }) =>
      Array.from({ length: count }, (_, view) => viewOf(g, x, count, view)),
    );
    const z = unitVectors(g, g.concat(views, 0)); // [VB, D], view by view
    const [rows, width] = z.shape as readonly [number, number];
    const samples = rows / views.length;
    const scores = g.mul(g.matmul(z, z, { b: true }), 1 / o.temperature); // [VB, VB]
    const places = Float32Array.from({ length: rows }, (_, i) => i);
    const itself = g.equal(g.constant(places, [rows, 1]), g.constant(places, [1, rows]));
    const among = meanLogSum(g, g.add(scores, g.mul(g.cast(itself, "float32"), farAway)), 1);
    const of = g.reshape(z, [views.length, samples, width]);
    const sum = g.sum(of, [0], "keep");
    // z_i with the sum of the others of its sample.
    const others = g.sum(g.mul(of, g.sub(sum, of)));
    return claim(g.sub(among, g.mul(others, 1 / (o.temperature * rows * (views.length - 1)))));
  },
);

/** The vectors of each view, apart. */
interface View {
  readonly student: Tensor | null;
  readonly taught: Tensor | null;
}

export const apart = (g: Builder, streams: readonly ComparedStream<number>[]): readonly View[] =>
  streams.flatMap(({ count, student, taught }) =>
    Array.from({ length: count }, (_, view) => ({
      student: student ? viewOf(g, student, count, view) : null,
      taught: taught ? viewOf(g, taught, count, view) : null,
    })),
  );

/**
 * For each view of the student and each other view of the teacher, how surely the one finds the other of its sample among those of the batch:
 * the sum over these pairs of -log softmax_j(cos(q_i, k_j) / temperature) at j = i, times twice the temperature, its mean over i, [].
 */
export const viewContrast = layer(
  "viewContrast",
  <D extends number>(
    g: Builder,
    streams: readonly ComparedStream<D>[],
    o: { readonly temperature: number },
  ): Tensor<[]> => {
    const views = apart(g, streams).map(({ student, taught }) => ({
      q: student && unitVectors(g, student),
      k: taught && unitVectors(g, taught),
    }));
    const pairs = views.flatMap(({ q }, i) => views.flatMap(({ k }, j) => (q && k && i !== j ? [{ q, k }] : [])));
    const terms = pairs.map(({ q, k }) => {
      const scores = g.mul(g.matmul(q, k, { b: true }), 1 / o.temperature); // [B, B]
      return g.sub(meanLogSum(g, scores, 1), g.mul(g.mean(g.sum(g.mul(q, k), [1])), 1 / o.temperature));
    });
    return claim(
      g.mul(
        terms.reduce((a, b) => g.add(a, b)),
        2 * o.temperature,
      ),
    );
  },
);

/** The running mean of what a teacher gives, which is taken off before its shares are made. */
export const centreParameters = declarer(
  "centreParameters",
  (width: number): Parameter<[number]> => running([width], { kind: "zeros" }),
) as <const D extends number>(width: D) => Parameter<[D]>;

/** What a teacher says: the shares of its logits [..., K], less the centre, at a temperature. The centre moves towards their mean. */
function taughtShares(
  g: Builder,
  all: readonly Tensor[],
  centre: Tensor<[number]>,
  temperature: Tensor,
  keep: number,
): readonly Tensor[] {
  const shares = all.map((x) => g.stopGradient(g.softmax(g.div(g.sub(x, centre), temperature))));
  const rows = all.map((x) => g.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) as number]));
  const mean = g.mean(rows.length === 1 ? (rows[0] as Tensor) : g.concat(rows, 0), [0]);
  g.move(
    centre,
    g.add(g.mul(g.moved(centre as Tensor<[number], "float32">), keep), g.mul(g.stopGradient(mean), 1 - keep)),
  );
  return shares;
}

interface Distilling {
  /** What the student's logits are divided by. */
  readonly temperature: number;
  /** What the centre keeps of itself at a step. */
  readonly keep: number;
}

/**
 * For each view of the teacher and each other view of the student, the cross-entropy of its shares with the student's: the mean over these
 * pairs and over samples, []. `taught`: what the teacher's logits are divided by.
 */
export const selfDistillation = layer(
  "selfDistillation",
  <K extends number>(
    g: Builder,
    streams: readonly ComparedStream<K>[],
    w: { readonly center: Tensor<[NoInfer<K>]> },
    taught: Tensor<[]>,
    o: Distilling,
  ): Tensor<[]> => {
    const views = apart(g, streams);
    const told = views.flatMap((view) => (view.taught ? [view.taught] : []));
    const shares = taughtShares(g, told, claim(w.center), taught, o.keep);
    const shareOf = (view: View): Tensor | null => (view.taught ? (shares[told.indexOf(view.taught)] as Tensor) : null);
    const seen = views.map((view) => ({
      p: shareOf(view),
      s: view.student && logShares(g, g.mul(view.student, 1 / o.temperature)),
    }));
    const sum = (all: readonly Tensor[]): Tensor => all.reduce((a, b) => g.add(a, b));
    const [ps, ss] = [seen.flatMap(({ p }) => p ?? []), seen.flatMap(({ s }) => s ?? [])];
    const both = seen.filter(({ p, s }) => p && s);
    // Every pair, less those of a view with itself.
    const all = g.sum(g.mul(sum(ps), sum(ss)));
    const own = both.map(({ p, s }) => g.sum(g.mul(p as Tensor, s as Tensor)));
    const others = own.length === 0 ? all : g.sub(all, sum(own));
    const samples = (ps[0] as Tensor).shape[0] as number;
    return claim(g.div(others, g.constant(-samples * (ps.length * ss.length - both.length))));
  },
);

/** What a student makes of the hidden patches of the views of a stream, and a teacher of all of them. */
export interface PatchStream<K extends number> {
  readonly student: Tensor<[Rows, number, K]>;
  readonly taught: Tensor<[Rows, number, K]>;
  readonly hidden: Tensor<[Rows, number], "int32">;
}

/** The cross-entropy of a teacher's shares with the student's at each hidden patch of a view: their mean over patches, views and samples, []. */
export const patchDistillation = layer(
  "patchDistillation",
  <K extends number>(
    g: Builder,
    streams: readonly PatchStream<K>[],
    w: { readonly center: Tensor<[NoInfer<K>]> },
    taught: Tensor<[]>,
    o: Distilling,
  ): Tensor<[]> => {
    const shares = taughtShares(
      g,
      streams.map((stream) => stream.taught),
      claim(w.center),
      taught,
      o.keep,
    );
    const terms = streams.map(({ student, hidden }, i) => {
      const wanted = g.takeTokens(claim<[Rows, number, K]>(shares[i] as Tensor), hidden); // [kB, U, K]
      const error = g.mul(wanted, logShares(g, g.mul(student, 1 / o.temperature)));
      const [rows, patches] = student.shape as readonly [number, number];
      return { sum: g.div(g.sum(error), g.constant(-patches)), rows };
    });
    const rows = terms.reduce((total, term) => total + term.rows, 0);
    return claim(
      g.div(
        terms.map(({ sum }) => sum).reduce((a, b) => g.add(a, b)),
        g.constant(rows),
      ),
    );
  },
);

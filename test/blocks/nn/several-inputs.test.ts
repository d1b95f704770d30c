/**
 * Layers of models with several inputs against PyTorch's numbers (test/reference/cav-mae.py, multi-mae.py) and central differences:
 * contrast, blocks with norms of several kinds, queries that ask a context, errors where samples hide different numbers of tokens.
 */

import { describe, expect, test } from "vitest";
import {
  absoluteErrors,
  crossBlock,
  crossBlockParameters,
  crossEntropies,
  hiddenFlags,
  infoNce,
  meanOfFlagged,
  normedBlock,
  normedBlockParameters,
  squaredErrors,
  targets,
  transformerBlock,
  weightsOf,
} from "../../../blocks/index.js";
import {
  type Builder,
  createBuilder,
  evaluate,
  gradients,
  randomStream,
  type Tensor,
  type Values,
} from "../../../graph/index.js";
import { readFixture } from "../../reference/fixture.js";
import { difference } from "../../support/recorded.js";

interface Header {
  readonly terms: Readonly<Record<string, number>>;
  readonly symmetric: number;
  readonly batch: number;
  readonly tokens: { readonly visible: number };
  readonly inputs: Readonly<Record<string, { readonly start: number; readonly tokens: number }>>;
}

const cav = readFixture<Header>("cav-mae");
const multi = readFixture<Header>("multi-mae");

const fed = (g: Builder, name: string, shape: readonly number[], dtype?: "int32"): Tensor =>
  g.input(name, ["B", ...shape.slice(1)], dtype);

/** The numbers of a fixture in double precision, under the names of feeds. */
const feedsOf = ({ values }: typeof cav, names: readonly string[]): Values =>
  Object.fromEntries(names.map((name) => [name, values(name)]));

describe("infoNce", () => {
  const names = ["pooled/image", "pooled/audio"];
  const traced = (symmetric: boolean) => {
    const g = createBuilder({ batch: cav.header.batch });
    const [image, audio] = names.map((name) => fed(g, name, cav.shape(name))) as [Tensor<["B", 16]>, Tensor<["B", 16]>];
    const loss = infoNce(g, image, audio, { temperature: 0.05, symmetric });
    const [ofImage, ofAudio] = gradients(g, loss, [image, audio]) as [Tensor, Tensor];
    return evaluate(g.finish({ outputs: { loss, ofImage, ofAudio } }), feedsOf(cav, names)).outputs;
  };

  test("is PyTorch's, with its gradients", () => {
    const { loss, ofImage, ofAudio } = traced(false);
    expect(difference(loss, [cav.header.terms.info_nce as number])).toBeLessThan(1e-5);
    expect(difference(ofImage, cav.values("pooled_gradients/image"))).toBeLessThan(1e-4);
    expect(difference(ofAudio, cav.values("pooled_gradients/audio"))).toBeLessThan(1e-4);
    expect(difference(traced(true).loss, [cav.header.symmetric])).toBeLessThan(1e-5);
  });

  test("is finite for vectors of nothing and for a temperature near nothing", () => {
    const g = createBuilder({ batch: 2 });
    const x = g.input("x", ["B", 3]);
    const loss = infoNce(g, x, x, { temperature: 1e-4, symmetric: true });
    const outputs = { loss, slope: gradients(g, loss, [x])[0] as Tensor };
    const results = evaluate(g.finish({ outputs }), { x: Float32Array.of(0, 0, 0, 1, 2, 3) }).outputs;
    expect(results.loss?.[0]).toBeCloseTo(Math.log(2) / 2, 9);
    expect(Array.from(results.slope ?? []).every(Number.isFinite)).toBe(true);
  });
});

test("crossBlock is PyTorch's", () => {
  const own = "weights/output_adapters.depth.";
  const parts = /^(query_norm|context_norm|decoder|out_norm|mlp)\./;
  const names = multi.names.filter((name) => name.startsWith(own) && parts.test(name.slice(own.length)));
  const state = Object.fromEntries(names.map((name) => [name.slice(own.length), multi.values(name)]));
  const g = createBuilder({ batch: multi.header.batch });
  const w = weightsOf(g, crossBlockParameters({ width: 12, hidden: 48 }));
  const feeds = ["queries/depth", "context/depth"];
  const [queries, context] = feeds.map((name) => fed(g, name, multi.shape(name))) as [
    Tensor<["B", 6, 12]>,
    Tensor<["B", 9, 12]>,
  ];
  const crossed = crossBlock(g, queries, context, w, { heads: 2 });
  const { outputs } = evaluate(g.finish({ outputs: { crossed } }), feedsOf(multi, feeds), state);
  expect(difference(outputs.crossed, multi.values("crossed/depth"))).toBeLessThan(1e-5);
});

describe("normedBlock", () => {
  const tree = normedBlockParameters({ width: 16, hidden: 64, kinds: ["audio", "image"] });

  /** What a block makes of tokens, with the norms of a kind or of none. */
  function passed(kind: "audio" | "image" | null, epsilon = 1e-5) {
    const own = /^weights\/blocks_u\.0\./;
    const kinds: Readonly<Record<string, string>> = { a: "audio", v: "image" };
    const state = Object.fromEntries(
      cav.names
        .filter((name) => own.test(name))
        .map((name) => [name.replace(own, "").replace(/_([av])\./, (_, k) => `_${kinds[k]}.`), cav.values(name)]),
    );
    const g = createBuilder({ batch: cav.header.batch });
    const w = weightsOf(g, tree);
    const x = fed(g, "latent", cav.shape("latent")) as Tensor<["B", 7, 16]>;
    const o = { heads: 2, epsilon };
    const y = kind === null ? transformerBlock(g, x, w, o) : normedBlock(g, x, w, { ...o, kind });
    return evaluate(g.finish({ outputs: { y } }), feedsOf(cav, ["latent"]), state).outputs.y as Float64Array;
  }

  test("has norms of each kind, all else in common", () => {
    const all = [passed("audio"), passed("image"), passed(null), passed(null, 0.1)];
    for (const [i, one] of all.entries()) {
      for (const other of all.slice(i + 1)) expect(difference(one, other)).toBeGreaterThan(1e-3);
    }
    expect(Object.keys(tree).sort()).toEqual([
      ...["attn", "mlp", "norm1", "norm1_audio", "norm1_image", "norm2", "norm2_audio", "norm2_image"],
    ]);
  });
});

describe("errors of hidden tokens", () => {
  const { batch, tokens, inputs, terms } = multi.header;
  const errors = { "rgb.mse": squaredErrors, "depth.l1": absoluteErrors } as const;

  /** A task's loss of PyTorch's prediction, and its slope at that. */
  function lossOf(term: string) {
    const [task = ""] = term.split(".");
    const own = inputs[task] as { readonly start: number; readonly tokens: number };
    const g = createBuilder({ batch });
    const [, count, values] = multi.shape(`prediction/${task}`) as [number, number, number];
    const restore = fed(g, "restore", multi.shape("restore"), "int32") as Tensor<["B", 18], "int32">;
    const flags = hiddenFlags(g, restore, { start: own.start, count: own.tokens, visible: tokens.visible });
    const prediction = g.input("prediction", ["B", count, values]);
    const target = g.input("target", ["B", count, values]);
    const each =
      term in errors
        ? errors[term as keyof typeof errors](g, prediction, target)
        : crossEntropies(g, prediction, target, { classes: 5 });
    const loss = meanOfFlagged(g, each, flags);
    const slope = gradients(g, loss, [prediction])[0] as Tensor;
    const feeds = {
      restore: multi.values("restore"),
      prediction: multi.values(`prediction/${task}`),
      target: multi.values(`target/${task}`),
    };
    return evaluate(g.finish({ outputs: { loss, slope, flags } }), feeds).outputs;
  }

  test.each(Object.keys(terms))("%s is PyTorch's", (term) => {
    const { loss, slope, flags } = lossOf(term);
    expect(difference(loss, [terms[term] as number])).toBeLessThan(1e-5);
    // What is visible has no slope, and a sample that hides nothing none at all.
    const perToken = (slope?.length ?? 0) / (flags?.length ?? 1);
    for (const [i, flag] of (flags ?? []).entries()) {
      const own = Array.from(slope?.subarray(i * perToken, (i + 1) * perToken) ?? []);
      expect(own.some((value) => value !== 0)).toBe(flag === 1);
    }
  });

  test("are nothing where no sample hides any", () => {
    const g = createBuilder({ batch: 2 });
    const [x, flags] = [g.input("x", ["B", 3]), g.input("flags", ["B", 3])];
    const loss = meanOfFlagged(g, x, flags);
    const outputs = { loss, slope: gradients(g, loss, [x])[0] as Tensor };
    const results = evaluate(g.finish({ outputs }), {
      x: Float32Array.of(1, 2, 3, 4, 5, 6),
      flags: new Float32Array(6),
    });
    expect([...(results.outputs.loss ?? []), ...(results.outputs.slope ?? [])]).toEqual(Array(7).fill(0));
  });
});

test("logits of classes are shown as their shares, on the host as in the graph", () => {
  const context = {
    array: {
      axes: [
        { name: "row", size: 2 },
        { name: "column", size: 4 },
      ],
      channels: 3,
    },
    grid: [
      { name: "row", count: 1, size: 2 },
      { name: "column", count: 2, size: 2 },
    ],
  } as const;
  const random = randomStream(5, "init");
  const logits = Float32Array.from({ length: 24 }, (_, i) => (i === 4 ? 500 : 3 * random.normal()));
  const picture = targets.classMaps.picture?.({ of: null }, context) ?? expect.fail("no picture");
  // No affine function: an error of such pixels has no scale of the logits'.
  expect(picture.curved).toBe(true);
  const shown = picture.pixels(logits, new Float32Array(24));
  for (let place = 0; place < 24; place += 3) {
    expect(shown.slice(place, place + 3).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
  }
  // The second place of the first row.
  expect([...shown.slice(3, 6)]).toEqual([0, 1, 0]);
  const g = createBuilder({ batch: 1 });
  const pixels = picture.inGraph?.(g, g.input("x", ["B", 2, 12]), g.input("seen", ["B", 2, 4, 3])) as Tensor;
  const feeds = { x: logits, seen: new Float32Array(24) };
  const { outputs } = evaluate(g.finish({ outputs: { pixels } }), feeds);
  expect(difference(outputs.pixels, shown)).toBeLessThan(1e-6);
});

describe("gradients equal central differences", () => {
  type Build = (g: Builder) => Tensor;
  const cases: Readonly<Record<string, Build>> = {
    infoNce: (g) => infoNce(g, g.input("x", ["B", 5]), g.input("y", ["B", 5]), { temperature: 0.2, symmetric: true }),
    normedBlock(g) {
      const w = weightsOf(g, normedBlockParameters({ width: 4, hidden: 6, kinds: ["a"] }));
      const { norm1, norm2, ...used } = w;
      return normedBlock(g, g.input("x", ["B", 3, 4]), { ...used, norm1, norm2 }, { heads: 2, kind: "a" });
    },
    crossBlock(g) {
      const w = weightsOf(g, crossBlockParameters({ width: 4, hidden: 6 }));
      return crossBlock(g, g.input("x", ["B", 3, 4]), g.input("y", ["B", 5, 4]), w, { heads: 2 });
    },
    crossEntropies: (g) =>
      crossEntropies(
        g,
        g.input("x", ["B", 3, 8]),
        g.constant(
          Float32Array.from({ length: 48 }, (_, i) => ((i % 4) + 1) / 10),
          [2, 3, 8],
        ) as unknown as Tensor<["B", 3, 8]>,
        { classes: 4 },
      ),
    meanOfFlagged: (g) =>
      meanOfFlagged(
        g,
        squaredErrors(g, g.input("x", ["B", 3, 2]), g.input("y", ["B", 3, 2])),
        g.constant(Float32Array.of(1, 0, 1, 0, 0, 1), [2, 3]) as unknown as Tensor<["B", 3]>,
      ),
  };

  test.each(Object.entries(cases))("%s", (_, build) => {
    const g = createBuilder({ batch: 2 });
    const y = build(g);
    const weights = Float32Array.from(
      { length: y.shape.reduce<number>((n, d) => n * Number(d), 1) },
      (_, i) => 1 + i / 10,
    );
    const loss = g.sum(g.mul(y, g.constant(weights, y.shape.slice() as number[])));
    const { feeds, state } = g.finish({ outputs: { loss } });
    const all = [...feeds, ...state];
    const slopes = gradients(
      g,
      loss,
      all.map(([, tensor]) => tensor),
    );
    const graph = g.finish({
      outputs: { loss, ...Object.fromEntries(all.map(([name], i) => [`d ${name}`, slopes[i] as Tensor])) },
    });
    const random = randomStream(3, "init");
    const drawn = () =>
      new Map(
        all.map(([name, { shape }]) => [
          name,
          Float64Array.from({ length: shape.reduce<number>((n, d) => n * Number(d), 1) }, () => random.normal()),
        ]),
      );
    const [at, along] = [drawn(), drawn()];
    const moved = (by: number) => {
      const values = Object.fromEntries(
        [...at].map(([name, x]) => [name, x.map((v, i) => v + by * ((along.get(name) as Float64Array)[i] as number))]),
      );
      const own = (names: ReadonlyMap<string, Tensor>) =>
        Object.fromEntries([...names.keys()].map((name) => [name, values[name] as Float64Array]));
      return evaluate(graph, own(feeds), own(state)).outputs;
    };
    const exact = moved(0);
    const slope = [...along].reduce(
      (sum, [name, direction]) =>
        sum + direction.reduce((part, d, i) => part + d * ((exact[`d ${name}`] as Float64Array)[i] as number), 0),
      0,
    );
    const difference = ((moved(1e-5).loss?.[0] as number) - (moved(-1e-5).loss?.[0] as number)) / 2e-5;
    expect(Math.abs(slope - difference) / Math.max(1, Math.abs(slope))).toBeLessThan(1e-7);
    expect(Math.abs(slope)).toBeGreaterThan(1e-3);
  });
});

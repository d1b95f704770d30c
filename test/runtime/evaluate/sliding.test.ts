/** Windows that slide over whole samples: means are MONAI's, memory is a window's, and a model judges parts together as it does each by itself. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { namedParameters, type Sample } from "../../../blocks/index.js";
import { type Random, randomStream, sizeOf } from "../../../graph/index.js";
import { evaluationBatches } from "../../../runtime/data/batches.js";
import { sayWhole, windowBegins } from "../../../runtime/evaluate/sliding.js";
import { evaluate, judgedFields, wholeSamples } from "../../../runtime/index.js";
import { bound, indexOf } from "../../support/data.js";
import { analyzed, programOfText } from "../../support/model.js";
import { surroundings } from "../../support/runs.js";

const here = surroundings("onnx");
const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../reference/sliding-windows.json"), "utf8"),
) as readonly {
  readonly sides: readonly number[];
  readonly window: readonly number[];
  readonly overlap: number;
  readonly weights: "constant" | "gaussian";
  readonly numbers: readonly number[];
  readonly said: readonly number[];
}[];

/** The model of the reference: its number times 1 + its place / 10, its square, and the sum of its coordinates. */
const sayOf = (window: readonly number[]) => async (windows: Float32Array) => {
  const places = sizeOf(window);
  return Float32Array.from({ length: 3 * windows.length }, (_, at) => {
    const place = Math.floor(at / 3);
    const [number, order] = [windows[place] as number, place % places];
    const sum = window.reduce(
      (all, side, axis) => all + (Math.floor(order / sizeOf(window.slice(axis + 1))) % side),
      0,
    );
    return [number * (1 + order / 10), number * number, sum][at % 3] as number;
  });
};

test.each(recorded)("a mean over windows of $window on $sides is MONAI's", async (one) => {
  const { sides, window, numbers, said } = one;
  const over = { numbers: Float32Array.from(numbers), sides, window, channels: 1, width: 3 };
  const seen = new Map<number, readonly number[]>();
  await sayWhole(over, one, {
    ...{ atOnce: 3, say: sayOf(window) },
    each: (place, own) => {
      expect(seen.has(place)).toBe(false);
      seen.set(place, [...own]);
    },
  });
  expect(seen.size).toBe(sizeOf(sides));
  for (const [at, value] of said.entries()) {
    const own = seen.get(Math.floor(at / 3))?.[at % 3] as number;
    expect(Math.abs(own - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
  }
});

test("places are told as soon as no window reaches them, and what could not be held is refused", async () => {
  const events: string[] = [];
  const over = { numbers: new Float32Array(40), sides: [2, 20], window: [2, 4], channels: 1, width: 1 };
  await sayWhole(
    over,
    { overlap: 0.5, weights: "constant" },
    {
      atOnce: 1,
      say: async (windows) => {
        events.push("say");
        return windows;
      },
      each: () => events.push("told"),
    },
  );
  const before = windowBegins(20, 4, 0.5).length;
  expect(before).toBe(9);
  // Two columns of two places behind each window but the last.
  expect(events.join(" ")).toBe(
    ["say", ...Array(before - 1).fill("told told told told say"), ...Array(8).fill("told")].join(" "),
  );
  const large = { ...over, numbers: new Float32Array(0), sides: [40_000, 40_000], window: [512, 512], width: 150 };
  const none = { atOnce: 1, say: async (windows: Float32Array) => windows, each: () => {} };
  await expect(sayWhole(large, { overlap: 0, weights: "constant" }, none)).rejects.toThrow("40000x40000 places");
});

const model = (input: string, patch: string, head: string, loss: string) =>
  programOfText(`edition 2026
model Small {
  input   ${input}
  tokens  patch(size: ${patch})
  encoder vit(depth: 1, width: 24, heads: 2)
  head    ${head}
  loss    ${loss}
}
`);

/** Two tiles one after the other along an axis, and each by itself. */
const cases = [
  {
    ...{ probe: "segmentation", sides: [16, 16], along: 1 },
    program: model("image(size: 16x16, channels: 1)", "4x4", "segmentation(classes: 3)", "place_cross_entropy"),
    augment: [bound("augment", "random_resized_crop"), bound("augment", "horizontal_flip")],
  },
  {
    ...{ probe: "place_errors", sides: [8, 8, 8], along: 0 },
    program: model("volume(size: 8x8x8)", "4x4x4", "place_values", "place_error(measure: l1)"),
    augment: [bound("augment", "random_box")],
  },
];

describe.each(cases)("$probe of tiles of $sides", ({ probe, sides, along, program, augment }) => {
  const drawn = (name: string, random: Random): number => {
    if (name.endsWith("bias")) return 0;
    return name.includes("norm") ? 1 : random.normal();
  };
  const weights = Object.fromEntries(
    [...namedParameters(program.parameters)].map(([name, { shape }], i) => {
      const random = randomStream(i, "probe");
      return [name, Float32Array.from({ length: sizeOf(shape as readonly number[]) }, () => drawn(name, random))];
    }),
  );
  const names = sides.length === 2 ? ["row", "column"] : ["depth", "row", "column"];
  const sampleOf = (i: number, own: readonly number[]): Sample => {
    const random = randomStream(i, "mask");
    const map = Int32Array.from({ length: sizeOf(own) }, () => random.integer(3));
    return {
      ...{ kind: "array", numbers: Float32Array.from(map, (kind) => kind + 3 * random.normal()), label: null },
      shape: { axes: own.map((size, a) => ({ name: names[a] as "row", size })), channels: 1 },
      map: () => (probe === "segmentation" ? map : Float32Array.from(map)),
    } as Sample;
  };
  const double = sides.map((side, axis) => (axis === along ? 2 * side : side));
  const whole = sampleOf(1, double) as Sample & { readonly kind: "array" };
  const inner = sizeOf(sides.slice(along));
  /** Of numbers of the whole, those of a tile. */
  const tileOf = <N extends Float32Array | Int32Array>(numbers: N, tile: number): N =>
    numbers.filter((_, at) => Math.floor(at / inner) % 2 === tile) as N;
  const tiles = [0, 1].map(
    (tile) =>
      ({
        ...{
          ...whole,
          shape: { ...whole.shape, axes: whole.shape.axes.map((axis, a) => ({ ...axis, size: sides[a] })) },
        },
        numbers: tileOf(whole.numbers as Float32Array, tile),
        map: () => tileOf((whole.map as () => Int32Array)(), tile),
      }) as Sample,
  );
  const judged = async (samples: readonly Sample[], values: Readonly<Record<string, unknown>>) => {
    const common = { index: indexOf(samples), arrays: program.arrays, augment: [], root: ".", note: () => {} };
    const fields = judgedFields(program);
    const places = () => evaluationBatches({ ...common, fields, batch: 8, workers: 0 });
    const { rows } = await evaluate({ program, weights }, [bound("probe", probe, values)], {
      ...{ executor: here.executor, batch: 8, sources: ["encoder"], selections: [], seed: 0 },
      data: {
        ...{ train: places, test: places, places, classes: [] },
        wholes: (pictures) => wholeSamples({ ...common, augment, fields, pictures }),
      },
    });
    return rows[0];
  };

  test("scores are those of the tiles, whose windows they are", async () => {
    const plain = await judged(tiles, {});
    const slid = await judged([whole], { overlap: 0, pictures: "own" });
    for (const [name, score] of Object.entries(plain?.scores ?? {}))
      if (name !== "dice_of_samples") expect(slid?.scores[name], name).toBeCloseTo(score, 6);
    expect(slid?.probe).toBe(`${probe} by windows`);
    // One window of a sample of its size is the plain pass; an overlap says something else.
    const [one] = tiles as [Sample];
    const alone = await judged([one], { overlap: 0.5, weights: "gaussian" });
    const pass = await judged([one], {});
    for (const [name, score] of Object.entries(pass?.scores ?? {})) expect(alone?.scores[name]).toBeCloseTo(score, 6);
    const overlapping = await judged([whole], { overlap: 0.5, pictures: "own" });
    expect(overlapping?.scores).not.toEqual(slid?.scores);
  });

  test("wholes have their own sizes, and pictures cover the input where they are to, with their maps", async () => {
    const halves = double.map((side) => side / 2);
    const small = sampleOf(2, halves) as Sample & { readonly kind: "array" };
    const common = { index: indexOf([small]), arrays: program.arrays, augment, root: ".", note: () => {} };
    for (const pictures of ["own", "covering"] as const) {
      const sizes = pictures === "covering" && sides.length === 2 ? double : halves;
      for await (const one of wholeSamples({ ...common, fields: judgedFields(program), pictures })) {
        expect(one.shape.axes.map(({ size }) => size)).toEqual(sizes);
        if (sizes === halves) expect(Array.from(one.numbers)).toEqual(Array.from(small.numbers));
        const [field] = Object.values(one.fields) as [Float32Array];
        expect(field.length).toBe(sizeOf(sizes) * (probe === "segmentation" ? 1 : 2));
      }
    }
  });
});

test("what says how windows lie needs some", () => {
  const text = `edition 2026
model M {
  input   image(size: 16x16, channels: 1)
  tokens  patch(size: 4x4)
  encoder vit(depth: 1, width: 24, heads: 2)
  head    segmentation(classes: 3)
  loss    place_cross_entropy
}
recipe T for M {
  data      folder("a", maps: "b")
  batch     8
  steps     10
  optimizer adamw(lr: 1e-3)
  schedule  constant
  evaluate  segmentation(weights: gaussian, pictures: own)
}
`;
  expect(analyzed(text).diagnostics.map(({ code }) => code)).toEqual([
    "probe/segmentation/weights",
    "probe/segmentation/pictures",
  ]);
});

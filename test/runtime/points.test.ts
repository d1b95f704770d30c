/** Clouds: farthest points and groups as PyTorch has them, files of every kind and what is wrong with them, and what is drawn of surfaces. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import {
  type ArrayShape,
  type AugmentStep,
  groupedPoints,
  overlapsOf,
  probes,
  type Sample,
  setDistance,
} from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { evaluationBatches } from "../../runtime/data/batches.js";
import { cloudArray } from "../../runtime/data/points/cloud.js";
import { pointsOf } from "../../runtime/data/points/shape.js";
import { placeReader } from "../../runtime/evaluate/places.js";
import { drawnPlaces, evaluate } from "../../runtime/index.js";
import { readFixture } from "../reference/fixture.js";
import { bound, indexOf, inMemory, recipe } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { surroundings, trained } from "../support/runs.js";

/** The library has no types of its own. */
interface Zip {
  readonly addBuffer: (bytes: Buffer, name: string, o: { readonly compress: boolean }) => void;
  readonly end: () => void;
  readonly outputStream: Readable;
}
const { ZipFile } = createRequire(import.meta.url)("yazl") as { readonly ZipFile: new () => Zip };

const folder = mkdtempSync(join(tmpdir(), "maelang-points-"));
afterAll(() => rmSync(folder, { recursive: true }));

const drawing = (epoch = 0, isFixed = true) => ({ random: randomStream(1, "augment", epoch), isFixed });
const shapeOf = (points: number, groups = 1, each = points): ArrayShape => ({
  axes: [
    { name: "group", size: groups },
    { name: "point", size: each },
  ],
  channels: 3,
  cloud: { points },
});

/** Two groups of two, with two of four points behind each, and the class of two. */
const behind: ArrayShape = {
  axes: [
    { name: "group", size: 2 },
    { name: "point", size: 4 },
  ],
  channels: 4,
  cloud: { points: 4, neighbours: 2, classes: 2 },
};

async function read(name: string, content: string | Uint8Array, points: number, steps: readonly AugmentStep[] = []) {
  const path = join(folder, name);
  writeFileSync(path, content);
  const { numbers } = await cloudArray({ path }, shapeOf(points), steps, { drawing: drawing(), label: null });
  return numbers;
}

test.each(["point-mae", "point-mae-distances"])("groups around farthest points are those of PyTorch in %s", (name) => {
  const fixture = readFixture(name);
  const [batch, points] = fixture.shape("clouds") as [number, number];
  const [, groups, each] = fixture.shape("points") as [number, number, number];
  const [clouds, expected] = ["clouds", "points"].map((one) => Float32Array.from(fixture.values(one)));
  const found = Array.from({ length: batch }, (_, i) =>
    groupedPoints(clouds?.subarray(i * points * 3, (i + 1) * points * 3) as Float32Array, groups, each),
  );
  expect(found.flatMap((values) => [...values])).toEqual([...(expected as Float32Array)]);
});

const corners = ["0 0 0", "1 0 0", "0 2 0", "0 0 3"];
const sorted = (values: Float32Array): readonly string[] =>
  Array.from({ length: values.length / 3 }, (_, i) => values.subarray(i * 3, i * 3 + 3).join(" ")).sort();

function ply(little: boolean): Uint8Array {
  const order = little ? "little" : "big";
  const header = `ply\nformat binary_${order}_endian 1.0\nelement other 1\nproperty list uchar int more\nelement vertex 4\nproperty uchar red\nproperty double x\nproperty float y\nproperty float z\nend_header\n`;
  const bytes = new DataView(new ArrayBuffer(9 + 4 * 17));
  bytes.setUint8(0, 2);
  for (const [i, corner] of corners.entries()) {
    const [x, y, z] = corner.split(" ").map(Number) as [number, number, number];
    bytes.setFloat64(9 + i * 17 + 1, x, little);
    bytes.setFloat32(9 + i * 17 + 9, y, little);
    bytes.setFloat32(9 + i * 17 + 13, z, little);
  }
  return Buffer.concat([Buffer.from(header), Buffer.from(bytes.buffer)]);
}

function npy(type: string, shape: readonly number[], values: Uint8Array): Uint8Array {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`.padEnd(117);
  return Buffer.concat([Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text}\n`, "latin1"), values]);
}
const floats = Float32Array.from(corners.flatMap((corner) => corner.split(" ").map(Number)));

test.each<readonly [string, string | Uint8Array]>([
  ["plain.off", `OFF\n# a comment\n4 0 0\n${corners.join("\n")}\n`],
  ["glued.off", `OFF4 0 0\n${corners.join("\r\n")}\r\n`],
  ["coloured.off", `COFF 4 0 0\n${corners.map((corner) => `${corner} 255 0 0 255`).join("\n")}`],
  ["plain.obj", `# made\nvn 0 0 1\n${corners.map((corner) => `v ${corner}`).join("\n")}\n`],
  [
    "text.ply",
    `ply\nformat ascii 1.0\ncomment x\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nend_header\n${corners.join("\n")}\n`,
  ],
  ["little.ply", ply(true)],
  ["big.ply", ply(false)],
  ["saved.npy", npy("<f4", [4, 3], new Uint8Array(floats.buffer))],
  ["rows.txt", corners.map((corner) => `${corner.replaceAll(" ", ",")},0,0,1`).join("\n")],
  ["rows.XYZ", corners.join("\n")],
])("%s is read", async (name, content) => {
  expect(sorted(await read(name, content, 4))).toEqual([...corners].sort());
});

const header = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n";
test.each<readonly [string, string | Uint8Array, RegExp]>([
  ["empty.off", "", /it is empty/],
  ["other.off", "solid cube\n", /no OFF file/],
  ["huge.off", "OFF\n4000000000 1 0\n0 0 0\n", /it says that it has 4,000,000,000 vertices, and \d+ bytes follow/],
  ["half.off", "OFF\n2 0 0\n-1.000 0 0\n", /cut off: it says that it has 2 vertices, and 1 are there/],
  ["odd.off", "OFF\n-1 0 0\n", /says that it has -1 vertices/],
  ["count.off", "OFF\n4\n0 0 0\n", /line 2 is `4`, where the numbers of vertices, faces and edges stand/],
  ["first.off", "OFF\n", /cut off behind its first line/],
  ["one.off", `OFF\n3 0 0\n${"1 2 3\n".repeat(3)}`, /its 3 points all lie in one place/],
  ["nan.off", "OFF\n2 0 0\n0 nan 0\n1 1 1\n", /`0 nan 0`, and coordinates are finite/],
  ["words.off", "OFF\n1 0 0\na b c\n", /`a b c`, where a point has three coordinates/],
  ["far.off", "OFF\n1 0 0\n1e300 0 0\n", /point 0 has the coordinate Infinity/],
  ["wild.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n", /a face names point 7, and there are 3/],
  ["flat.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n2 0 0\n3 0 1 2\n", /no area/],
  ["face.obj", "v 0 0 0\nv 1 0 0\nf 1 2\n", /where a face names its corners/],
  ["back.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -1 -2 -9\n", /a face names point -6/],
  ["none.obj", "o nothing\n", /no OBJ file with points/],
  ["long.obj", `v ${"0".repeat(70_000)} 0 0`, /lines are too long/],
  ["head.ply", "ply\nformat ascii 1.0\n", /no PLY file with a whole header/],
  ["type.ply", `${header}property quad w\nend_header\n`, /type `quad w`/],
  [
    "axis.ply",
    "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n1\n",
    /no coordinates x, y and z/,
  ],
  ["less.ply", `${header}end_header\n${corners.slice(1).join("\n")}\n      \n`, /cut off/],
  [
    "words.ply",
    `${header}end_header\n${corners.join("\n")}`.replace(/\S+$/, "b"),
    /line 11 has `b`, where a number is/,
  ],
  ["cut.ply", ply(true).subarray(0, -4), /cut off/],
  ["flat.npy", npy("<f4", [12], new Uint8Array(floats.buffer)), /shape \(12\)/],
  ["short.npy", npy("<f4", [4, 3], new Uint8Array(8)), /its header says that it has \d+ bytes/],
  ["complex.npy", npy("<c8", [4, 3], new Uint8Array(96)), /it has elements of type <c8\. Save it as float32/],
  ["zip.npy", "PK\u0003\u0004 and so on", /no .npy file|not an .npy file/],
])("%s is refused in words", async (name, content, why) => {
  await expect(read(name, content, 1)).rejects.toThrow(why);
});

const npyOf = (type: string, shape: readonly number[], values: Float32Array | Int32Array): Uint8Array =>
  npy(type, shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
const parts = Int32Array.of(2, 0, 1, 0);
const rows = corners.map((corner, i) => `${corner} ${parts[i]}`);

/** An archive as `numpy.savez` and `numpy.savez_compressed` write them. */
async function npz(arrays: Readonly<Record<string, Uint8Array>>, compress: boolean): Promise<Uint8Array> {
  const zip = new ZipFile();
  for (const [name, bytes] of Object.entries(arrays)) zip.addBuffer(Buffer.from(bytes), `${name}.npy`, { compress });
  zip.end();
  return Buffer.concat(await zip.outputStream.toArray());
}

const labelled = { points: npyOf("<f4", [4, 3], floats), part: npyOf("<i4", [4], parts) };
const withParts = npyOf("<f4", [4, 4], Float32Array.from(rows.flatMap((row) => row.split(" ").map(Number))));

describe("what is said of each point", () => {
  /** Of three points that are taken of four, the part of each by where it is. */
  async function said(name: string, content: string | Uint8Array, file: { property?: string; map?: string }) {
    const path = join(folder, name);
    writeFileSync(path, content);
    const three: ArrayShape = { ...shapeOf(3, 1, 4), cloud: { points: 3, neighbours: 1 } };
    const prepared = await cloudArray({ path, ...file }, three, [], { drawing: drawing(0, false), label: null });
    const found = (await prepared.said?.()) ?? new Float32Array();
    return Array.from(found, (part, i) => `${prepared.numbers.subarray(3 * i + 3, 3 * i + 6).join(" ")} ${part}`);
  }
  const beside = join(folder, "numbers.seg");
  const inPly = `ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nproperty uchar part\nend_header\n${rows.join("\n")}\n`;

  test.each<readonly [string, () => string | Uint8Array | Promise<Uint8Array>, { property?: string; map?: string }]>([
    ["parts.ply", () => inPly, { property: "part" }],
    ["parts.txt", () => rows.join("\n"), { property: "4" }],
    ["parts.npy", () => withParts, { property: "4" }],
    ["parts.npz", () => npz(labelled, false), { property: "part" }],
    ["packed.npz", () => npz(labelled, true), { property: "part" }],
    ["apart.xyz", () => corners.join("\n"), { map: beside }],
  ])("is read of %s, and goes with the points that are taken", async (name, content, file) => {
    writeFileSync(beside, `${parts.join("\n")}\n`);
    const found = await said(name, await content(), file);
    expect(new Set(found).size).toBe(3);
    expect(rows).toEqual(expect.arrayContaining(found));
    const { numbers, taken } = await cloudArray({ path: join(folder, name) }, behind, [], {
      ...{ drawing: drawing(), label: 1 },
    });
    expect(taken).toEqual(Int32Array.of(0, 1, 2, 3));
    // Each group of two with two of all points behind it, in their order, and the class behind all coordinates.
    const [group, each] = [4 * 4, 4];
    const all = [0, 1].flatMap((k) => [2, 3].map((at) => [...numbers.subarray(k * group + at * each).slice(0, 4)]));
    expect(all).toEqual(corners.map((corner) => [...corner.split(" ").map(Number), 1]));
  });

  test.each<
    readonly [string, () => string | Uint8Array | Promise<Uint8Array>, { property?: string; map?: string }, RegExp]
  >([
    ["other.ply", () => inPly, { property: "label" }, /no number `label`; they have `x`, `y`, `z`, `part`/],
    ["other.txt", () => rows.join("\n"), { property: "5" }, /4 columns, .* column `5` is asked for/],
    ["first.npy", () => withParts, { property: "2" }, /the first three are coordinates, and column `2`/],
    ["none.off", () => `OFF\n4 0 0\n${corners.join("\n")}`, { property: "part" }, /say nothing of single points/],
    ["lacks.npz", () => npz(labelled, false), { property: "label" }, /no array `label`; it has `points`, `part`/],
    ["cut.npz", async () => (await npz(labelled, true)).subarray(0, -30), {}, /no whole .npz archive/],
    [
      "few.npz",
      () => npz({ ...labelled, part: npyOf("<i4", [3], parts.subarray(1)) }, true),
      { property: "part" },
      /4 points, and says something of 3/,
    ],
    ["word.txt", () => rows.join("\n").replace(/2$/m, "two"), { property: "4" }, /line 1 has `two`, where a number is/],
  ])("%s is refused in words", async (name, content, file, why) => {
    await expect(said(name, await content(), file)).rejects.toThrow(why);
  });

  test("surfaces have no parts, and clouds that bear no known class are told", async () => {
    const surface = "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n";
    await expect(said("one.off", surface, { map: beside })).rejects.toThrow(
      "is a surface, and what is said is of single",
    );
    for (const label of [null, 2, [0, 1]]) {
      const read = cloudArray({ path: join(folder, "parts.txt") }, behind, [], { drawing: drawing(), label });
      await expect(read).rejects.toMatchObject({ code: "run/data" });
    }
  });
});

test("a cloud of fewer points than the model reads does not fit, unless its points are repeated", async () => {
  await expect(read("few.xyz", corners.join("\n"), 5)).rejects.toMatchObject({ code: "run/array-size" });
  const repeating = { ...shapeOf(9, 9, 1), cloud: { points: 9, repeats: true } } as const;
  for (const isFixed of [true, false]) {
    const made = await cloudArray({ path: join(folder, "few.xyz") }, repeating, [], {
      ...{ drawing: drawing(0, isFixed), label: null },
    });
    const times = [0, 1, 2, 3].map((k) => made.taken?.filter((one) => one === k).length);
    expect(times.sort()).toEqual([2, 2, 2, 3]);
  }
});

describe("points of a surface", () => {
  // Two triangles, one three times as large as the other.
  const points = Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 3, 0, 1, 0, 1, 1);
  const faces = Int32Array.of(0, 1, 2, 3, 4, 5);

  test("are drawn everywhere as many on the same area, within the faces", () => {
    const { points: drawn } = pointsOf({ points, faces }, 4000, drawing().random, false);
    const above = drawn.filter((value, at) => at % 3 === 2 && value === 1).length;
    expect(Math.abs(above - 3000)).toBeLessThan(5 * Math.sqrt(4000 * 0.75 * 0.25));
    for (let at = 0; at < drawn.length; at += 3) {
      const [x, y, z] = drawn.subarray(at, at + 3) as unknown as [number, number, number];
      expect(z === 0 || z === 1).toBe(true);
      expect(x / (z === 1 ? 3 : 1) + y).toBeLessThan(1 + 1e-6);
    }
    // The mean of a triangle is that of its corners.
    const mean = drawn.filter((_, at) => at % 3 === 1).reduce((sum, y) => sum + y, 0) / 4000;
    expect(mean).toBeCloseTo(1 / 3, 1);
  });

  test("are others in each epoch, and the same ones of a cloud that is evaluated", () => {
    const cloud = { points: Float32Array.from({ length: 300 }, (_, i) => Math.sin(i)), faces: null };
    const of = (epoch: number, isFixed: boolean) => pointsOf(cloud, 20, drawing(epoch).random, isFixed).points;
    expect(of(0, false)).not.toEqual(of(1, false));
    expect(of(0, true)).toEqual(of(1, true));
  });
});

test("augmentations move points, and the unit sphere holds them", async () => {
  const content = `OFF\n4 0 0\n${corners.join("\n")}\n`;
  const turned = await read("a.off", content, 4, [{ kind: "rotate", matrix: [0, -1, 0, 1, 0, 0, 0, 0, 1] }]);
  expect(sorted(turned)).toEqual(["-2 0 0", "0 0 0", "0 0 3", "0 1 0"].sort());
  const moved = await read("a.off", content, 4, [
    { kind: "scale", by: [2, 1, 1] },
    { kind: "shift", by: [0, 0, 1] },
  ]);
  expect(sorted(moved)).toEqual(["0 0 1", "2 0 1", "0 2 1", "0 0 4"].sort());
  const held = await read("a.off", content, 4, [{ kind: "sphere" }]);
  const far = [0, 3, 6, 9].map((at) => Math.hypot(...held.subarray(at, at + 3)));
  expect(Math.max(...far)).toBeCloseTo(1, 6);
  expect([0, 1, 2].map((c) => held.filter((_, at) => at % 3 === c).reduce((sum, value) => sum + value, 0))).toEqual(
    [0, 1, 2].map(() => expect.closeTo(0, 6)),
  );
});

test("the distance of two sets of points is that of their nearest ones, there and back", () => {
  expect(setDistance(Float32Array.of(0, 0, 0, 1, 0, 0), Float32Array.of(0, 0, 2))).toBe(4.5 + 4);
});

describe("parts of clouds", () => {
  const partsOf = [2, 3];
  const program = programOfText(`edition 2026
model Parts {
  input     points(count: 24, classes: 2)
  tokens    groups(count: 6, neighbours: 4, inner: 4, all_points: true)
  positions coordinates(hidden: 8)
  encoder   vit(depth: 1, width: 16, heads: 2, class_token: false)
  head      part_segmentation(parts: (2, 3), layers: (1), propagated: (16), hidden: (16, 16), class_features: 4)
  loss      place_cross_entropy
}
`);
  /** Spheres that are cut by height, into as many parts as their class has, with more points than are read. */
  const samples = Array.from({ length: 8 }, (_, i): Sample => {
    const label = i % 2;
    const random = randomStream(5, "probe", i);
    const numbers = Float32Array.from({ length: 30 * 3 }, () => random.normal());
    const map = () =>
      Int32Array.from({ length: 30 }, (_, k) => {
        const share = 1 / (1 + Math.exp(-(numbers[3 * k + 2] as number)));
        return 2 * label + Math.floor(share * (partsOf[label] as number));
      });
    return { kind: "array", numbers, shape: { axes: [{ name: "point", size: 30 }], channels: 3 }, label, map };
  });
  const here = surroundings("onnx");

  test("are learned, judged among those of a cloud's class, and drawn", async () => {
    const training = recipe(inMemory(samples, ["a", "b"]), { steps: 60, schedule: bound("schedule", "constant") });
    const { state } = await trained(program, training, {
      directory: join(here.folder, "parts"),
      executor: here.executor,
    });
    const model = { program, weights: state as never };
    const common = { arrays: program.arrays, batch: 8, note: () => {}, augment: [], root: here.folder, workers: 0 };
    const places = () => evaluationBatches({ ...common, index: indexOf(samples), fields: program.fields ?? {} });
    const { rows } = await evaluate(model, [bound("probe", "part_overlap")], {
      ...{ executor: here.executor, batch: 8, sources: ["encoder"], selections: [], seed: 0 },
      data: { train: places, test: places, places, classes: [] },
    });
    expect(rows[0]?.scores.right).toBeGreaterThan(0.85);
    const reader = await placeReader(model, here.executor);
    for await (const batch of places()) {
      const { canvas, right } = await drawnPlaces(model, batch, { executor: here.executor, colours: null });
      expect(right).toBeCloseTo(rows[0]?.scores.right as number, 12);
      const colours = new Set(Array.from({ length: canvas.pixels.length / 3 }, (_, at) => canvas.pixels[3 * at]));
      expect(colours.size).toBeGreaterThan(partsOf.length);
      // The parts of the other class, whatever is likelier.
      const labels = batch.labels.map((label) => 1 - label);
      const said = await reader.read({ ...batch, labels });
      for (const [i, own] of said.entries()) {
        const least = 2 * (labels[i] as number);
        expect(own.every((part) => part >= least && part < least + (partsOf[labels[i] as number] as number))).toBe(
          true,
        );
      }
    }
    await reader.close();
  });

  test("a part that is neither said nor there counts as found, and classes count alike", async () => {
    const judged = (kind: number, said: readonly number[], there: readonly number[]) => ({
      overlaps: overlapsOf(said, there, 5),
      parts: { class: kind, first: 2 * kind, count: partsOf[kind] as number },
    });
    // Two thirds of 0 and half of 1; all of both; all of 2 and 3, and no 4 in either.
    const all = [
      judged(0, [0, 0, 1, 1], [0, 0, 0, 1]),
      judged(0, [0, 0, 1, 1], [0, 0, 1, 1]),
      judged(1, [2, 2, 3, 3], [2, 2, 3, -1]),
    ];
    const { scores } = await probes.partOverlap.judgePlaces({}, all, { classes: 5 });
    const each = [(2 / 3 + 1 / 2) / 2, 1, 1];
    expect(scores.instance_iou).toBeCloseTo((each[0] as number) / 3 + 2 / 3, 12);
    expect(scores.class_iou).toBeCloseTo(((each[0] as number) + 1) / 4 + 1 / 2, 12);
    expect(scores.right).toBeCloseTo(10 / 11, 12);
  });
});

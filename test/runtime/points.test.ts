/** Clouds: farthest points and groups as PyTorch has them, files of every kind and what is wrong with them, and what is drawn of surfaces. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type ArrayShape, type AugmentStep, groupedPoints, setDistance } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { cloudArray } from "../../runtime/data/points/cloud.js";
import { pointsOf } from "../../runtime/data/points/shape.js";
import { readFixture } from "../reference/fixture.js";

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
  ["cut.ply", ply(true).subarray(0, -4), /cut off/],
  ["flat.npy", npy("<f4", [12], new Uint8Array(floats.buffer)), /shape \(12\)/],
  ["short.npy", npy("<f4", [4, 3], new Uint8Array(8)), /its header says that it has \d+ bytes/],
  ["zip.npy", "PK\u0003\u0004 and so on", /no .npy file|not an .npy file/],
])("%s is refused in words", async (name, content, why) => {
  await expect(read(name, content, 1)).rejects.toThrow(why);
});

test("a cloud of fewer points than the model reads does not fit", async () => {
  await expect(read("few.xyz", corners.join("\n"), 5)).rejects.toMatchObject({ code: "run/array-size" });
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

/** How arrays that are no pictures are looked at: slices of volumes along three axes, and signals with the names of their leads. */

import { join } from "node:path";
import { expect, test } from "vitest";
import type { ArrayShape, Sample } from "../../../blocks/index.js";
import { leadNames } from "../../../runtime/evaluate/lead-names.js";
import { grey, viewOf } from "../../../runtime/evaluate/views.js";
import { bound } from "../../support/data.js";

test("a volume is shown by slices along each of its axes, the head and the front above", () => {
  const [depth, height, width] = [4, 6, 5];
  const axes = [
    { name: "depth", size: depth },
    { name: "row", size: height },
    { name: "column", size: width },
  ] as const;
  const at = (d: number, r: number, c: number): number => (d * height + r) * width + c;
  const values = Float32Array.from({ length: depth * height * width }, (_, i) => i / 1000);
  const marked = new Uint8Array(values.length);
  marked[at(0, 0, 0)] = 1;
  const { shape, pixels } = viewOf({ axes, channels: 1 }, values, { truth: values, marked });
  expect(shape).toEqual({ height: height + 2 * depth + 2, width: 4 * (height + 1) - 1, channels: 1 });
  const pixel = (y: number, x: number): number => pixels[y * shape.width + x] as number;
  const voxel = (d: number, r: number, c: number): number => Math.fround(at(d, r, c) / 1000);
  // The second of four slices along the depth, the last row of it.
  expect(pixel(height - 1, width + 1 + 2)).toBe(voxel(1, height - 1, 2));
  // Of the slices along the rows the first is in the middle of a quarter of six; the uppermost line is the last slice of the depth.
  expect(pixel(height + 1, 3)).toBe(voxel(depth - 1, 0, 3));
  expect(pixel(height + depth, 3)).toBe(voxel(0, 0, 3));
  // Along the columns, rows lie from left to right: the third slice of four of five columns is column 3.
  expect(pixel(height + depth + 2, 2 * (height + 1) + 4)).toBe(voxel(depth - 1, 4, 3));
  expect(pixel(0, 0)).toBeCloseTo(grey, 6);
  // Paper between the slices.
  expect(pixel(0, width)).toBe(1);
});

test("leads are called as the recipe picks them, or as the header says, and stand in their bands", async () => {
  const leads: ArrayShape = {
    axes: [
      { name: "lead", size: 2 },
      { name: "time", size: 300 },
    ],
    channels: 1,
  };
  const root = join(import.meta.dirname, "../../reference");
  const file = { kind: "file", path: "records/mitbih100.hea", label: null } as Sample;
  const named = { name: "signal", shape: leads };
  expect(await leadNames(named, [], file, root)).toEqual(["MLII", "V5"]);
  expect(await leadNames(named, [bound("augment", "leads", { names: "V5, MLII" })], file, root)).toEqual([
    "V5",
    "MLII",
  ]);
  const joined = { kind: "joined", parts: { signal: file }, label: null } as Sample;
  expect(await leadNames(named, [], joined, root)).toEqual(["MLII", "V5"]);
  expect(
    await leadNames(
      { name: "signal", shape: { axes: [leads.axes[1], leads.axes[1]] as never, channels: 1 } },
      [],
      file,
      root,
    ),
  ).toBeNull();
  const broken = { kind: "file", path: "records/none.hea", label: null } as Sample;
  expect(await leadNames(named, [], broken, root)).toBeNull();
  const truth = new Float32Array(600).fill(0.5);
  const draw = (names: readonly string[] | null) =>
    viewOf(leads, truth, { truth, marked: null, leads: names }).pixels.filter((value) => Math.abs(value - 0.45) < 1e-6);
  expect(draw(null)).toHaveLength(0);
  // I: three columns by five rows and two ends, in red, green and blue.
  expect(draw(["I", ""])).toHaveLength(3 * 11);
  expect(draw(["", "II"])).toHaveLength(2 * 3 * 11);
});

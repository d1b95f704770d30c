/** Meshes: what trimesh measures of their faces, what moves them, and what is wrong with files that are no meshes of patches. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { faceChannels } from "../../blocks/arrays.js";
import type { ArrayShape } from "../../blocks/index.js";
import { meshArray, meshOf } from "../../runtime/data/mesh/mesh.js";
import { readFixture } from "../reference/fixture.js";
import { cutOctahedron } from "../support/octahedron.js";

const folder = mkdtempSync(join(tmpdir(), "maelang-meshes-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shapeOf = (patches: number, levels: number): ArrayShape => ({
  axes: [
    { name: "group", size: patches },
    { name: "face", size: 4 ** levels },
  ],
  channels: faceChannels.all,
  mesh: { levels },
});

const rows = (values: ArrayLike<number>): readonly (readonly number[])[] =>
  Array.from({ length: values.length / 3 }, (_, i) => [0, 1, 2].map((k) => values[i * 3 + k] as number));

function off(points: ArrayLike<number>, faces: readonly (readonly number[])[]): string {
  const lines = [...rows(points).map((row) => row.join(" ")), ...faces.map((face) => `3 ${face.join(" ")}`)];
  return `OFF\n${points.length / 3} ${faces.length} 0\n${lines.join("\n")}\n`;
}

function written(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test("faces are as trimesh measures them, in the order of their patch, from OFF, OBJ and numbers", async () => {
  const fixture = readFixture("mesh-mae");
  const faces = rows(fixture.values("faces"));
  const array = shapeOf(8, 2);
  const [all, points] = [fixture.values("mesh"), fixture.values("points")];
  for (const i of [0, 1]) {
    const own = Float32Array.from(points).subarray((i * points.length) / 2, ((i + 1) * points.length) / 2);
    const expected = Array.from(all).slice((i * all.length) / 2, ((i + 1) * all.length) / 2);
    const obj = [
      ...rows(own).map((row) => `v ${row.join(" ")}`),
      ...faces.map((face) => `f ${face.map((c) => c + 1).join(" ")}`),
    ];
    const read = await meshArray(written("a.off", off(own, faces)), array, []);
    expect(await meshArray(written("a.obj", obj.join("\n")), array, [])).toEqual(read);
    expect(Math.max(...expected.map((value, at) => Math.abs(value - (read[at] as number))))).toBeLessThan(1e-5);
    // Stored faces are moved as files are.
    const steps = [
      { kind: "scale", by: [2, 1, 0.5] },
      { kind: "bend", low: [0.1, 0, 0], high: [0, 0.2, 0] },
    ] as const;
    const moved = await meshArray(join(folder, "a.off"), array, steps);
    expect(meshOf(read, array, steps)).toEqual(moved);
    expect(moved).not.toEqual(read);
    expect(meshOf(read, array, [])).toBe(read);
  }
});

test("bending moves two corners of the box, and what lies between by its part", async () => {
  const { points, faces } = cutOctahedron(1);
  const steps = [{ kind: "bend", low: [0, 0, 0], high: [0.5, 0, 0] }] as const;
  const values = await meshArray(written("b.off", off(points, rows(faces))), shapeOf(8, 1), steps);
  const corners = new Set<string>();
  for (let face = 0; face < 32; face++) {
    for (let k = 0; k < 3; k++) {
      const at = face * faceChannels.all + faceChannels.corner + k * 3;
      corners.add([0, 1, 2].map((c) => (values[at + c] as number).toFixed(3)).join(" "));
    }
  }
  // (0.5, 0.5, 0) is 0.75, 0.75 and 0.5 of the way to the highest corner: 0.28125 of half the box.
  expect(corners).toContain("0.781 0.500 0.000");
  expect(corners).toContain("-1.000 0.000 0.000");
});

const { points, faces: numbers } = cutOctahedron(1);
const faces = rows(numbers);
const changed = (at: number, face: readonly number[]): readonly (readonly number[])[] => faces.with(at, face);
// Two octahedra that meet in one point.
const twice = [...faces, ...faces.map((face) => face.map((corner) => (corner === 4 ? 4 : corner + points.length / 3)))];

test.each<readonly [string, string, number, RegExp]>([
  ["cloud.off", off(points, []), 8, /it has points and no faces/],
  [
    "three.off",
    off(points, changed(9, faces[8] as number[])),
    8,
    /no manifold: faces 8 and 9 share the edge .* third one/,
  ],
  [
    "turned.off",
    off(points, changed(9, [...(faces[9] as number[])].reverse())),
    8,
    /no manifold: .* both pass in one direction/,
  ],
  ["folded.off", off(points, changed(3, [0, 0, 1])), 8, /face 3 has the point 0 twice/],
  ["meeting.off", off([...points, ...points], twice), 16, /no manifold: point 4 has 8 faces, of which 4 hang together/],
  [
    "mixed.off",
    off(points, [...faces.slice(0, 8).reverse(), ...faces.slice(8)]),
    8,
    /patch 0, every 8th .* not one triangle cut in four 1 times/,
  ],
  ["corner.off", off(points, changed(9, [1, 2, 99])), 8, /names point 99/],
  ["odd.obj", "v 0 0 0\nv 1 0 0\nv 0 1 nan\nf 1 2 3\n", 8, /coordinates are finite/],
  ["empty.obj", "", 8, /it is empty/],
])("%s is refused in words", async (name, content, patches, why) => {
  await expect(meshArray(written(name, content), shapeOf(patches, 1), [])).rejects.toThrow(why);
});

test("a mesh of another number of faces does not fit, and what would is said", async () => {
  const path = written("many.off", off(points, faces));
  const help = expect.stringContaining("`patches: 8`");
  await expect(meshArray(path, shapeOf(12, 1), [])).rejects.toMatchObject({ code: "run/array-size", help });
});

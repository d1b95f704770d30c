/** A mesh of patches that tests read: an octahedron whose faces are cut in four, as the files of meshes have them. */

import type { Mesh } from "../../blocks/index.js";

type Face = readonly [number, number, number];

const corners = [1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1];
const upper: readonly Face[] = [
  [0, 2, 4],
  [2, 1, 4],
  [1, 3, 4],
  [3, 0, 4],
];
const lower: readonly Face[] = upper.map(([a, b]) => [b, a, 5]);

/** Eight patches. */
export function cutOctahedron(levels: number): Mesh {
  const points = [...corners];
  let faces: readonly Face[] = [...upper, ...lower];
  for (let level = 0; level < levels; level++) {
    const middles = new Map<string, number>();
    const between = (a: number, b: number): number => {
      const key = `${Math.min(a, b)} ${Math.max(a, b)}`;
      const known = middles.get(key) ?? points.length / 3;
      if (!middles.has(key)) {
        points.push(...[0, 1, 2].map((c) => ((points[a * 3 + c] as number) + (points[b * 3 + c] as number)) / 2));
      }
      middles.set(key, known);
      return known;
    };
    const cut = faces.map(([a, b, c]): readonly Face[] => {
      const [ab, bc, ca] = [between(a, b), between(b, c), between(c, a)];
      return [
        [a, ab, ca],
        [ab, b, bc],
        [ca, bc, c],
        [ab, bc, ca],
      ];
    });
    faces = [0, 1, 2, 3].flatMap((child) => cut.map((four) => four[child] as Face));
  }
  return { points: Float32Array.from(points), faces: Int32Array.from(faces.flat()) };
}

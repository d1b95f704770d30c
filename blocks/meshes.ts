/**
 * Meshes on the host: whether triangles are a surface, patches of those that were cut from one triangle of a base mesh, in an order that is the
 * same in every patch, and what is known of each of their faces.
 */

import { faceChannels } from "./arrays.js";
import { DataError } from "./dataset/contract.js";

/** Points [P, 3], and faces [F, 3] that name them. */
export interface Mesh {
  readonly points: Float32Array;
  readonly faces: Int32Array;
}

/** Faces that one becomes by so many cuts in four. */
export const facesOf = (levels: number): number => 4 ** levels;

/** Corners along a side of a patch, less one. */
const sideOf = (levels: number): number => 2 ** levels;

/** Different corners of the faces of a patch. */
export const verticesOf = (levels: number): number => ((sideOf(levels) + 1) * (sideOf(levels) + 2)) / 2;

/** Place of the corner `j` of row `i` among those of a patch, row after row from its first corner. */
const cornerAt = (i: number, j: number): number => (i * (i + 1)) / 2 + j;

/** Corners of the faces of a patch, [faces, 3], as their places in it: row after row, faces that point on and back by turns. */
export function patchCorners(levels: number): Int32Array {
  const corners: number[] = [];
  for (let i = 0; i < sideOf(levels); i++) {
    for (let j = 0; j <= i; j++) {
      if (j > 0) corners.push(cornerAt(i, j - 1), cornerAt(i + 1, j), cornerAt(i, j));
      corners.push(cornerAt(i, j), cornerAt(i + 1, j), cornerAt(i + 1, j + 1));
    }
  }
  return Int32Array.from(corners);
}

/** Where each different corner of a patch stands first among the corners of its faces. */
export function firstCorners(levels: number): Int32Array {
  const corners = patchCorners(levels);
  return Int32Array.from({ length: verticesOf(levels) }, (_, vertex) => corners.indexOf(vertex));
}

const remesh = "Remesh it with node examples/data/remesh.mjs, which makes a closed mesh of patches.";
const repair = "Repair it before, with a tool such as MeshLab, PyMeshLab or ManifoldPlus.";

/** The edges of faces, each as it is passed: which face passes it from one corner to the next. */
class Edges {
  readonly #faces = new Map<number, number>();
  readonly #points: number;

  constructor(points: number) {
    this.#points = points;
  }

  /** -1: none. */
  faceAt(from: number, to: number): number {
    return this.#faces.get(from * this.#points + to) ?? -1;
  }

  set(from: number, to: number, face: number): void {
    this.#faces.set(from * this.#points + to, face);
  }
}

const cornerOf = ({ faces }: Pick<Mesh, "faces">, face: number, corner: number): number =>
  faces[face * 3 + (corner % 3)] as number;

/** Throws `DataError` where faces are no surface: one that is as a plane is around each of its points, or as the border of one. */
function edgesOf(mesh: Mesh): Edges {
  const count = mesh.faces.length / 3;
  const edges = new Edges(mesh.points.length / 3);
  for (let face = 0; face < count; face++) {
    for (let k = 0; k < 3; k++) {
      const [from, to] = [cornerOf(mesh, face, k), cornerOf(mesh, face, k + 1)];
      if (from === to) throw new DataError(`face ${face} has the point ${from} twice`, repair);
      const other = edges.faceAt(from, to);
      if (other >= 0) {
        const more = edges.faceAt(to, from) >= 0 ? "which has a third one" : "which both pass in one direction";
        throw new DataError(
          `it is no manifold: faces ${other} and ${face} share the edge from point ${from} to ${to}, ${more}`,
          repair,
        );
      }
      edges.set(from, to, face);
    }
  }
  checkFans(mesh, edges);
  return edges;
}

/** Throws `DataError` where a point is the corner of several fans of faces, which meet in it alone. */
function checkFans(mesh: Mesh, edges: Edges): void {
  const around = new Map<number, number>();
  for (const point of mesh.faces) around.set(point, (around.get(point) ?? 0) + 1);
  const seen = new Set<number>();
  for (let face = 0; face < mesh.faces.length / 3; face++) {
    for (let k = 0; k < 3; k++) {
      const point = cornerOf(mesh, face, k);
      if (seen.has(point)) continue;
      seen.add(point);
      const fan = fanOf(mesh, edges, face, point);
      if (fan < (around.get(point) as number)) {
        throw new DataError(
          `it is no manifold: point ${point} has ${around.get(point)} faces, of which ${fan} hang together around it`,
          repair,
        );
      }
    }
  }
}

/** Faces around a point that hang together by edges, counted from one of them. */
function fanOf(mesh: Mesh, edges: Edges, first: number, point: number): number {
  const next = (face: number): number => {
    const k = [0, 1, 2].find((corner) => cornerOf(mesh, face, corner) === point) as number;
    return edges.faceAt(point, cornerOf(mesh, face, k + 2));
  };
  const before = (face: number): number => {
    const k = [0, 1, 2].find((corner) => cornerOf(mesh, face, corner) === point) as number;
    return edges.faceAt(cornerOf(mesh, face, k + 1), point);
  };
  let count = 1;
  for (let face = next(first); face >= 0; face = next(face)) {
    if (face === first) return count;
    count++;
  }
  for (let face = before(first); face >= 0; face = before(face)) count++;
  return count;
}

/**
 * The points of each patch, [patches, vertices], row after row from its first corner. Face j of the file is one of patch j modulo their number, as
 * each cut puts the faces that it makes behind all others. There are as many faces as that makes. Throws `DataError` for a mesh that is none of
 * this.
 */
export function patchesOfMesh(mesh: Mesh, patches: number, levels: number): Int32Array {
  const each = facesOf(levels);
  const edges = edgesOf(mesh);
  const size = verticesOf(levels);
  const all = new Int32Array(patches * size);
  for (let patch = 0; patch < patches; patch++) {
    const rows = rowsOf(mesh, edges, patch, patches, levels);
    if (!rows) {
      throw new DataError(
        `the ${each} faces of patch ${patch}, every ${patches}th from ${patch} on, are not one triangle cut in four ${levels} times`,
        remesh,
      );
    }
    all.set(rows, patch * size);
  }
  checkMeeting(all, edges, patches, levels);
  return all;
}

/** The points of one patch; null: its faces are not those of a triangle that was cut. */
function rowsOf(mesh: Mesh, edges: Edges, patch: number, patches: number, levels: number): readonly number[] | null {
  const each = facesOf(levels);
  const own = Array.from({ length: each }, (_, k) => patch + k * patches);
  const isOwn = (face: number): boolean => face >= 0 && face % patches === patch;
  const uses = new Map<number, number>();
  for (const face of own) {
    for (let k = 0; k < 3; k++) uses.set(cornerOf(mesh, face, k), (uses.get(cornerOf(mesh, face, k)) ?? 0) + 1);
  }
  if (uses.size !== verticesOf(levels)) return null;
  const first = own.find((face) => [0, 1, 2].some((k) => uses.get(cornerOf(mesh, face, k)) === 1));
  if (first === undefined) return null;
  const begin = [0, 1, 2].find((k) => uses.get(cornerOf(mesh, first, k)) === 1) as number;
  /** The corner of the patch's own face beside an edge that is passed so. */
  const beside = (from: number, to: number): number => {
    const face = edges.faceAt(from, to);
    if (!isOwn(face)) return -1;
    const k = [0, 1, 2].find((corner) => cornerOf(mesh, face, corner) === from) as number;
    return cornerOf(mesh, face, k + 2);
  };
  const found = [0, 1, 2].map((k) => cornerOf(mesh, first, begin + k));
  for (let i = 1; i < sideOf(levels); i++) {
    const row = found.slice(cornerAt(i, 0));
    // Faces that point back lie between the corners of a row and give the inner ones of the next.
    const inner = row.slice(1).map((to, j) => beside(to, row[j] as number));
    const left = beside(inner[0] as number, row[0] as number);
    const right = beside(row.at(-1) as number, inner.at(-1) as number);
    if ([left, ...inner, right].includes(-1)) return null;
    found.push(left, ...inner, right);
  }
  const corners = patchCorners(levels);
  for (let at = 0; at < corners.length; at += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => found[corners[at + k] as number] as number) as [number, number, number];
    if (beside(a, b) !== c) return null;
  }
  return new Set(found).size === uses.size ? found : null;
}

/** Throws `DataError` where a side of a patch meets more than one side of others: patches are the faces of a base mesh. */
function checkMeeting(all: Int32Array, edges: Edges, patches: number, levels: number): void {
  const [size, side] = [verticesOf(levels), sideOf(levels)];
  for (let patch = 0; patch < patches; patch++) {
    const at = (i: number, j: number): number => all[patch * size + cornerAt(i, j)] as number;
    const steps = Array.from({ length: side + 1 }, (_, i) => i);
    const around = [
      steps.map((i) => at(i, 0)),
      steps.map((j) => at(side, j)),
      steps.map((i) => at(side - i, side - i)),
    ];
    for (const line of around) {
      const beside = new Set(
        line.slice(1).map((to, i) => {
          const face = edges.faceAt(to, line[i] as number);
          return face < 0 ? -1 : face % patches;
        }),
      );
      if (beside.size === 1) continue;
      throw new DataError(
        `along a side of patch ${patch} lie patches ${[...beside].slice(0, 2).join(" and ")}, and patches meet corner to corner`,
        remesh,
      );
    }
  }
}

type Vector = readonly [number, number, number];

const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const times = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by];
/** Of length 1; what has none stays. */
const unit = (a: Vector): Vector => times(a, 1 / (Math.hypot(...a) || 1));

const ascending = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b);

/**
 * Patches of faces, [patches, faces, channels]. `corners`: the points of each patch, as `patchesOfMesh` gives them. Curvatures are the products of a face's
 * normal with those of its corners, each the mean of the normals around it, weighed by their angles.
 */
export function facesAsNumbers({ points }: Mesh, corners: Int32Array, levels: number): Float32Array {
  const [size, order] = [verticesOf(levels), patchCorners(levels)];
  const count = (corners.length / size) * facesOf(levels);
  const pointAt = (point: number): Vector => [...points.subarray(point * 3, point * 3 + 3)] as unknown as Vector;
  const around = new Float64Array(points.length);
  const faces = Array.from({ length: count }, (_, face) => {
    const [patch, within] = [Math.floor((face * 3) / order.length), (face * 3) % order.length];
    const own = [0, 1, 2].map((k) => corners[patch * size + (order[within + k] as number)] as number);
    const at = own.map(pointAt) as [Vector, Vector, Vector];
    const across = cross(minus(at[1], at[0]), minus(at[2], at[0]));
    const normal = unit(across);
    const angles = at.map((corner, k) => {
      const [a, b] = [minus(at[(k + 1) % 3] as Vector, corner), minus(at[(k + 2) % 3] as Vector, corner)];
      return Math.atan2(Math.hypot(...cross(a, b)), dot(a, b));
    });
    for (const [k, point] of own.entries()) {
      for (let c = 0; c < 3; c++) {
        around[point * 3 + c] = (around[point * 3 + c] as number) + (normal[c] as number) * (angles[k] as number);
      }
    }
    return { own, at, normal, angles, area: Math.hypot(...across) / 2 };
  });
  const normalAt = (point: number): Vector => unit([...around.subarray(point * 3, point * 3 + 3)] as unknown as Vector);
  const result = new Float32Array(count * faceChannels.all);
  for (const [face, { own, at, normal, angles, area }] of faces.entries()) {
    const curvatures = own.map((point) => dot(normalAt(point), normal));
    result.set(
      [area, ...ascending(angles), ...ascending(curvatures), ...normal, ...at.flat()],
      face * faceChannels.all,
    );
  }
  return result;
}

/** Patches of faces as they enter a model, as a mesh again: corners that lie at one place are one point. */
export function meshOfNumbers(
  numbers: Float32Array,
  levels: number,
): { readonly mesh: Mesh; readonly corners: Int32Array } {
  const [size, order] = [verticesOf(levels), patchCorners(levels)];
  const known = new Map<string, number>();
  const points: number[] = [];
  const count = numbers.length / faceChannels.all;
  const corners = new Int32Array((count / facesOf(levels)) * size);
  const faces = Int32Array.from({ length: count * 3 }, (_, corner) => {
    const at = Math.floor(corner / 3) * faceChannels.all + faceChannels.corner + (corner % 3) * 3;
    const place = numbers.subarray(at, at + 3);
    const key = place.join();
    const point = known.get(key) ?? points.length / 3;
    if (!known.has(key)) points.push(...place);
    known.set(key, point);
    corners[Math.floor(corner / order.length) * size + (order[corner % order.length] as number)] = point;
    return point;
  });
  return { mesh: { points: Float32Array.from(points), faces }, corners };
}

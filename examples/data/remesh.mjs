// Makes meshes of patches of closed surfaces: what `input mesh` reads. A base mesh of few triangles is found, each of them is cut in four again and
// again, and the new points are moved onto the surface.
//
//   node examples/data/remesh.mjs shapes meshes --faces 96 --levels 3      (OFF and OBJ files, folders of classes as they are)
//
// Edges are collapsed by their quadric errors (Garland and Heckbert, SIGGRAPH 1997) where the surface stays one. A surface has to be closed: around
// each of its edges lie two triangles. Others are told and left out; ManifoldPlus or PyMeshLab close them. SubdivNet's datagen_maps.py makes
// such meshes too, by MAPS.

import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const minus = (a, b) => a.map((value, c) => value - b[c]);
const middle = (a, b) => a.map((value, c) => (value + b[c]) / 2);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const across = (a, b, c) => cross(minus(b, a), minus(c, a));

/** Points that lie at one place become one, and faces without an area leave. */
export function welded({ points, faces }) {
  const known = new Map();
  const kept = [];
  const numbers = points.map((point) => {
    const key = point.map((value) => Math.round(value * 1e6)).join();
    if (!known.has(key)) known.set(key, kept.push(point) - 1);
    return known.get(key);
  });
  const moved = faces.map((face) => face.map((corner) => numbers[corner]));
  return { points: kept, faces: moved.filter((face) => new Set(face).size === 3) };
}

/** Throws for a surface that is not closed. */
function checkClosed(faces) {
  const edges = new Set();
  for (const face of faces) {
    for (const [k, from] of face.entries()) {
      const edge = `${from} ${face[(k + 1) % 3]}`;
      if (edges.has(edge))
        throw new Error(`more than two faces, or two that lie the wrong way, share the edge ${edge}`);
      edges.add(edge);
    }
  }
  for (const edge of edges) {
    if (!edges.has(edge.split(" ").reverse().join(" "))) throw new Error(`no second face lies at the edge ${edge}`);
  }
}

/** The error of planes as a symmetric matrix of 4 x 4, its upper half row by row. */
const noError = () => new Float64Array(10);
function addPlane(error, [a, b, c], d, weight) {
  const terms = [a * a, a * b, a * c, a * d, b * b, b * c, b * d, c * c, c * d, d * d];
  for (const [i, term] of terms.entries()) error[i] += term * weight;
}
const errorAt = (q, [x, y, z]) =>
  q[0] * x * x +
  q[4] * y * y +
  q[7] * z * z +
  q[9] +
  2 * (q[1] * x * y + q[2] * x * z + q[5] * y * z) +
  2 * (q[3] * x + q[6] * y + q[8] * z);

/** A closed surface with exactly so many faces. Throws where no edge is left that may collapse. */
export function decimated(surface, wanted) {
  const points = surface.points.map((point) => [...point]);
  const faces = surface.faces.map((face) => [...face]);
  const around = points.map(() => new Set());
  const errors = points.map(noError);
  for (const [f, face] of faces.entries()) {
    const normal = across(...face.map((corner) => points[corner]));
    const length = Math.hypot(...normal) || 1;
    const unit = normal.map((value) => value / length);
    for (const corner of face) {
      around[corner].add(f);
      addPlane(errors[corner], unit, -dot(unit, points[face[0]]), length);
    }
  }
  const neighbours = (point) => new Set([...around[point]].flatMap((f) => faces[f].filter((other) => other !== point)));
  const costs = new Map();
  const measure = (a, b) => {
    const sum = errors[a].map((value, i) => value + errors[b][i]);
    const places = [points[a], points[b], middle(points[a], points[b])];
    // Between places that are as good, the one that keeps edges short.
    const [place] = places.map((at) => ({ at, cost: errorAt(sum, at) })).sort((p, q) => p.cost - q.cost);
    const length = Math.hypot(...minus(points[a], points[b]));
    return { ...place, cost: Math.max(0, place.cost) + 1e-4 * length ** 4 };
  };
  const note = (a, b) => costs.set(a < b ? `${a} ${b}` : `${b} ${a}`, measure(a, b));
  for (const [a, b, c] of faces)
    for (const [p, q] of [
      [a, b],
      [b, c],
      [c, a],
    ])
      note(p, q);
  let left = faces.length;
  while (left > wanted) {
    let edge = null;
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { cost, blocked }] of costs) if (!blocked && cost < least) [edge, least] = [key, cost];
    if (edge === null) throw new Error(`no edge may collapse any more at ${left} faces`);
    const [a, b] = edge.split(" ").map(Number);
    const { at } = costs.get(edge);
    const shared = [...neighbours(a)].filter((other) => neighbours(b).has(other));
    const turns = (point, other) =>
      [...around[point]].some((f) => {
        if (faces[f].includes(other)) return false;
        const before = faces[f].map((corner) => points[corner]);
        const after = faces[f].map((corner) => (corner === point ? at : points[corner]));
        return dot(across(...before), across(...after)) <= 0;
      });
    if (
      shared.length !== 2 ||
      shared.some((other) => around[other].size <= 3) ||
      left <= 4 ||
      turns(a, b) ||
      turns(b, a)
    ) {
      costs.get(edge).blocked = true;
      continue;
    }
    points[a] = at;
    errors[a] = errors[a].map((value, i) => value + errors[b][i]);
    for (const other of neighbours(b)) costs.delete(other < b ? `${other} ${b}` : `${b} ${other}`);
    for (const f of around[b]) {
      if (faces[f].includes(a)) {
        for (const corner of faces[f]) if (corner !== b) around[corner].delete(f);
        faces[f] = null;
        left--;
      } else {
        faces[f] = faces[f].map((corner) => (corner === b ? a : corner));
        around[a].add(f);
      }
    }
    around[b].clear();
    for (const other of neighbours(a)) {
      note(a, other);
      // What was blocked around may be free now.
      for (const next of neighbours(other)) {
        const beside = costs.get(other < next ? `${other} ${next}` : `${next} ${other}`);
        if (beside) beside.blocked = false;
      }
    }
  }
  const used = [...new Set(faces.flatMap((face) => face ?? []))];
  const numbers = new Map(used.map((point, i) => [point, i]));
  return {
    points: used.map((point) => points[point]),
    faces: faces.filter((face) => face !== null).map((face) => face.map((corner) => numbers.get(corner))),
  };
}

/** Each face in four: the three at its corners and the middle one, the first ones of all before the second ones of all, and so on. */
function cutInFour({ points, faces }) {
  const all = [...points];
  const middles = new Map();
  const between = (a, b) => {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    if (!middles.has(key)) middles.set(key, all.push(middle(points[a], points[b])) - 1);
    return middles.get(key);
  };
  const cut = faces.map(([a, b, c]) => {
    const [ab, bc, ca] = [between(a, b), between(b, c), between(c, a)];
    return [
      [a, ab, ca],
      [ab, b, bc],
      [ca, bc, c],
      [ab, bc, ca],
    ];
  });
  return { points: all, faces: [0, 1, 2, 3].flatMap((child) => cut.map((four) => four[child])) };
}

/** The point of a triangle that is nearest to another one (Ericson, Real-Time Collision Detection, 5.1.5). */
function nearestIn([a, b, c], p) {
  const [ab, ac, ap] = [minus(b, a), minus(c, a), minus(p, a)];
  const along = (from, direction, share) => from.map((value, i) => value + direction[i] * share);
  const [d1, d2] = [dot(ab, ap), dot(ac, ap)];
  if (d1 <= 0 && d2 <= 0) return a;
  const bp = minus(p, b);
  const [d3, d4] = [dot(ab, bp), dot(ac, bp)];
  if (d3 >= 0 && d4 <= d3) return b;
  const vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return along(a, ab, d1 / (d1 - d3));
  const cp = minus(p, c);
  const [d5, d6] = [dot(ab, cp), dot(ac, cp)];
  if (d6 >= 0 && d5 <= d6) return c;
  const vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return along(a, ac, d2 / (d2 - d6));
  const va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) return along(b, minus(c, b), (d4 - d3) / (d4 - d3 + d5 - d6));
  const whole = va + vb + vc;
  return along(along(a, ab, vb / whole), ac, vc / whole);
}

/** The nearest point of a surface. */
function ontoSurface({ points, faces }) {
  const triangles = faces.map((face) => {
    const corners = face.map((corner) => points[corner]);
    const centre = corners[0].map((_, c) => (corners[0][c] + corners[1][c] + corners[2][c]) / 3);
    return { corners, centre, reach: Math.max(...corners.map((corner) => Math.hypot(...minus(corner, centre)))) };
  });
  return (p) => {
    let [best, least] = [p, Number.POSITIVE_INFINITY];
    for (const { corners, centre, reach } of triangles) {
      if (Math.hypot(p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]) - reach > least) continue;
      const near = nearestIn(corners, p);
      const far = Math.hypot(...minus(near, p));
      if (far < least) [best, least] = [near, far];
    }
    return best;
  };
}

/** A closed surface as a mesh of patches: the faces j, j + faces, j + 2 faces ... are one. Throws where that cannot be. */
export function remeshed(surface, { faces, levels }) {
  const whole = welded(surface);
  checkClosed(whole.faces);
  if (whole.faces.length < faces) throw new Error(`it has ${whole.faces.length} faces, fewer than ${faces}`);
  if (faces % 2 !== 0) throw new Error("a closed surface of triangles has an even number of them");
  const onto = ontoSurface(whole);
  const base = decimated(whole, faces);
  let mesh = { ...base, points: base.points.map(onto) };
  for (let level = 0; level < levels; level++) {
    const cut = cutInFour(mesh);
    mesh = { ...cut, points: cut.points.map((point, i) => mesh.points[i] ?? onto(point)) };
  }
  return mesh;
}

export const offText = ({ points, faces }) =>
  [
    "OFF",
    `${points.length} ${faces.length} 0`,
    ...points.map((point) => point.map((value) => value.toFixed(5)).join(" ")),
    ...faces.map((face) => `3 ${face.join(" ")}`),
    "",
  ].join("\n");

/** OFF or OBJ; faces of more corners become triangles. */
function readSurface(path) {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter(Boolean);
  const fan = (corners) => corners.slice(2).map((corner, k) => [corners[0], corners[k + 1], corner]);
  if (path.toLowerCase().endsWith(".obj")) {
    const of = (keyword) =>
      lines.filter((line) => line.startsWith(`${keyword} `)).map((line) => line.split(/\s+/).slice(1));
    const faces = of("f").flatMap((words) => fan(words.map((word) => Number(word.split("/")[0]) - 1)));
    return { points: of("v").map((words) => words.slice(0, 3).map(Number)), faces };
  }
  const words = lines.join(" ").replace(/^OFF/, "").trim().split(/\s+/).map(Number);
  const [pointCount, faceCount] = words;
  const points = Array.from({ length: pointCount }, (_, i) => words.slice(3 + i * 3, 6 + i * 3));
  const faces = [];
  for (let i = 0, at = 3 + pointCount * 3; i < faceCount; i++, at += words[at] + 1) {
    faces.push(...fan(words.slice(at + 1, at + 1 + words[at])));
  }
  return { points, faces };
}

function main([from, to, ...options]) {
  const numberOf = (name, usual) => Number(options[options.indexOf(name) + 1] ?? usual) || usual;
  const [faces, levels] = [numberOf("--faces", 96), numberOf("--levels", 3)];
  if (!from || !to) throw new Error("usage: node remesh.mjs FOLDER INTO [--faces 96] [--levels 3]");
  const files = readdirSync(from, { recursive: true })
    .filter((file) => /\.(off|obj)$/i.test(file))
    .sort();
  let written = 0;
  for (const file of files) {
    try {
      const mesh = remeshed(readSurface(join(from, file)), { faces, levels });
      const path = join(to, file.replace(/\.[^.]*$/, ".off"));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, offText(mesh));
      written++;
    } catch (error) {
      console.error(`left out ${file}: ${error.message}`);
    }
  }
  console.log(`wrote ${written} of ${files.length} meshes of ${faces} patches to ${to}`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main(process.argv.slice(2));

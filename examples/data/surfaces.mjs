/** Surfaces of triangles that the scripts of shapes put together: turned round an axis, boxes, boards on legs. */

/** A surface of places (u, v) in [0, 1] x [0, 1], cut into so many parts along each. */
export function sheet(place, parts, across) {
  const points = [];
  const faces = [];
  for (let i = 0; i <= parts; i++) for (let j = 0; j <= across; j++) points.push(place(i / parts, j / across));
  for (let i = 0; i < parts; i++) {
    for (let j = 0; j < across; j++) {
      const at = i * (across + 1) + j;
      const [right, below] = [at + 1, at + across + 1];
      faces.push([at, below, right], [right, below, below + 1]);
    }
  }
  return { points, faces };
}

/** Several surfaces as one. */
export function together(parts) {
  const points = [];
  const faces = [];
  for (const part of parts) {
    const before = points.length;
    points.push(...part.points);
    faces.push(...part.faces.map((face) => face.map((corner) => corner + before)));
  }
  return { points, faces };
}

/** Turned round the upright axis: `profile` gives distance from it and height. */
export const turned = (profile, parts = 12) =>
  sheet(
    (u, v) => {
      const [radius, height] = profile(u);
      return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v), height];
    },
    parts,
    24,
  );

export const disc = (radius, height) => turned((u) => [radius * u, height], 1);

/** From one corner to the opposite one. */
export function box([x0, y0, z0], [x1, y1, z1]) {
  const at = (x, y, z) => [x ? x1 : x0, y ? y1 : y0, z ? z1 : z0];
  const points = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => at(k & 1, k & 2, k & 4));
  const sides = [
    [0, 1, 3, 2],
    [4, 5, 7, 6],
    [0, 1, 5, 4],
    [2, 3, 7, 6],
    [0, 2, 6, 4],
    [1, 3, 7, 5],
  ];
  return {
    points,
    faces: sides.flatMap(([a, b, c, d]) => [
      [a, b, c],
      [a, c, d],
    ]),
  };
}

/** A board on four legs: the board, and the legs. */
export function onLegs(width, depth, height, board, leg) {
  const corners = [
    [0, 0],
    [width - leg, 0],
    [0, depth - leg],
    [width - leg, depth - leg],
  ];
  return [
    box([0, 0, height - board], [width, depth, height]),
    ...corners.map(([x, y]) => box([x, y, 0], [x + leg, y + leg, height - board])),
  ];
}

/** Points of triangles, each as often as its area is large; gives each with the number of its triangle. `random`: numbers in [0, 1). */
export function drawn({ points, faces }, count, random) {
  let whole = 0;
  const until = faces.map((face) => {
    const [a, b, c] = face.map((corner) => points[corner]);
    const [u, v] = [b, c].map((end) => end.map((value, k) => value - a[k]));
    whole += Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
    return whole;
  });
  return Array.from({ length: count }, () => {
    const at = random() * whole;
    const face = Math.max(
      0,
      until.findIndex((area) => area > at),
    );
    const root = Math.sqrt(random());
    const along = random();
    const shares = [1 - root, root * (1 - along), root * along];
    const corners = faces[face].map((corner) => points[corner]);
    return { face, point: [0, 1, 2].map((k) => shares.reduce((sum, share, i) => sum + share * corners[i][k], 0)) };
  });
}

/** What a displacement does to a map, and where it folds space. */

/** The class at the nearest place that the displacement [...sizes, axes] says; 0 outside. */
export function movedBy(map: Int32Array, way: Float32Array, sizes: readonly number[]): Int32Array {
  const axes = sizes.length;
  return map.map((_, at) => {
    let [rest, from, inside] = [at, 0, true];
    const own = sizes.map(() => 0);
    for (let a = axes - 1; a >= 0; a--) {
      own[a] = rest % (sizes[a] as number);
      rest = Math.floor(rest / (sizes[a] as number));
    }
    for (const [a, size] of sizes.entries()) {
      const place = Math.round((own[a] as number) + (way[at * axes + a] as number));
      inside &&= place >= 0 && place < size;
      from = from * size + place;
    }
    return inside ? (map[from] as number) : 0;
  });
}

/** The share of the places, but for those at the border, where the Jacobian of place and displacement is not positive. */
export function foldedShare(way: Float32Array, sizes: readonly number[]): number {
  const axes = sizes.length;
  const strides = sizes.map((_, a) => sizes.slice(a + 1).reduce((product, n) => product * n, 1));
  const places = sizes.reduce((product, n) => product * n, 1);
  let [folded, counted] = [0, 0];
  for (let at = 0; at < places; at++) {
    const own = sizes.map((size, a) => Math.floor(at / (strides[a] as number)) % size);
    if (own.some((place, a) => place === 0 || place === (sizes[a] as number) - 1)) continue;
    counted++;
    const jacobian = sizes.map((_, of) =>
      sizes.map((_, along) => {
        const stride = strides[along] as number;
        const [after, before] = [way[(at + stride) * axes + of] as number, way[(at - stride) * axes + of] as number];
        return (of === along ? 1 : 0) + (after - before) / 2;
      }),
    );
    if (determinant(jacobian) <= 0) folded++;
  }
  return counted === 0 ? 0 : folded / counted;
}

/** By the first row; of at most three axes. */
function determinant(rows: readonly (readonly number[])[]): number {
  const [first = [], ...rest] = rows;
  if (rest.length === 0) return first[0] ?? 1;
  return first.reduce((sum, value, i) => {
    const minor = rest.map((row) => row.filter((_, column) => column !== i));
    return sum + (i % 2 === 0 ? 1 : -1) * value * determinant(minor);
  }, 0);
}

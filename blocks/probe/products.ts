/**
 * Dense products and the solution of symmetric systems in float64, for probes on tens of thousands of features.
 * Matrices are flat, row by row. Tiles of three by three keep nine sums in registers.
 */

/** Samples of which products are taken at once: bounds memory; so many that they are cut into whole tiles. */
export const samplesAtOnce = 510;

/** out[i * n + j] = (row i of a) . (row j of b), for a [m, d] and b [n, d]. */
export function rowProducts(
  a: Float64Array,
  m: number,
  b: Float64Array,
  n: number,
  d: number,
  out: Float64Array,
): Float64Array {
  const tiledRows = m - (m % 3);
  const tiledColumns = n - (n % 3);
  for (let i = 0; i < tiledRows; i += 3) {
    for (let j = 0; j < tiledColumns; j += 3) tile(a, i * d, b, j * d, d, out, i * n + j, n);
    for (let j = tiledColumns; j < n; j++) {
      for (let r = i; r < i + 3; r++) out[r * n + j] = dot(a, r * d, b, j * d, d);
    }
  }
  for (let i = tiledRows; i < m; i++) {
    for (let j = 0; j < n; j++) out[i * n + j] = dot(a, i * d, b, j * d, d);
  }
  return out;
}

function dot(a: Float64Array, fromA: number, b: Float64Array, fromB: number, d: number): number {
  let sum = 0;
  for (let t = 0; t < d; t++) sum += (a[fromA + t] as number) * (b[fromB + t] as number);
  return sum;
}

/** Three rows of `a` with three rows of `b`; the same order of additions as `dot`. */
function tile(
  a: Float64Array,
  a0: number,
  b: Float64Array,
  b0: number,
  d: number,
  out: Float64Array,
  at: number,
  stride: number,
): void {
  const [a1, a2, b1, b2] = [a0 + d, a0 + 2 * d, b0 + d, b0 + 2 * d];
  let [s00, s01, s02, s10, s11, s12, s20, s21, s22] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let t = 0; t < d; t++) {
    const x0 = a[a0 + t] as number;
    const x1 = a[a1 + t] as number;
    const x2 = a[a2 + t] as number;
    const y0 = b[b0 + t] as number;
    const y1 = b[b1 + t] as number;
    const y2 = b[b2 + t] as number;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
  }
  out[at] = s00;
  out[at + 1] = s01;
  out[at + 2] = s02;
  out[at + stride] = s10;
  out[at + stride + 1] = s11;
  out[at + stride + 2] = s12;
  out[at + 2 * stride] = s20;
  out[at + 2 * stride + 1] = s21;
  out[at + 2 * stride + 2] = s22;
}

/** out[k, j] = sum over i of a[k, i] b[i, j], for a [n, m] and b [m, d]; two rows of a and four of b at a time. */
export function weightedRows(
  a: Float64Array,
  n: number,
  b: Float64Array,
  m: number,
  d: number,
  out: Float64Array,
): Float64Array {
  out.fill(0);
  for (let i = 0; i < m; i += 4) {
    for (let k = 0; k < n; k += 2) {
      if (i + 4 <= m && k + 2 <= n) {
        addTile(a, k * m + i, m, b, i * d, d, out, k * d);
        continue;
      }
      for (let row = k; row < Math.min(k + 2, n); row++) {
        for (let t = i; t < Math.min(i + 4, m); t++) addRow(a[row * m + t] as number, b, t * d, d, out, row * d);
      }
    }
  }
  return out;
}

function addRow(weight: number, b: Float64Array, from: number, d: number, out: Float64Array, at: number): void {
  for (let j = 0; j < d; j++) out[at + j] = (out[at + j] as number) + weight * (b[from + j] as number);
}

function addTile(
  a: Float64Array,
  a0: number,
  m: number,
  b: Float64Array,
  b0: number,
  d: number,
  out: Float64Array,
  at: number,
): void {
  const [w00, w01, w02, w03] = [a[a0], a[a0 + 1], a[a0 + 2], a[a0 + 3]] as [number, number, number, number];
  const a1 = a0 + m;
  const [w10, w11, w12, w13] = [a[a1], a[a1 + 1], a[a1 + 2], a[a1 + 3]] as [number, number, number, number];
  for (let j = 0; j < d; j++) {
    const y0 = b[b0 + j] as number;
    const y1 = b[b0 + d + j] as number;
    const y2 = b[b0 + 2 * d + j] as number;
    const y3 = b[b0 + 3 * d + j] as number;
    out[at + j] = (out[at + j] as number) + (w00 * y0 + w01 * y1 + (w02 * y2 + w03 * y3));
    out[at + d + j] = (out[at + d + j] as number) + (w10 * y0 + w11 * y1 + (w12 * y2 + w13 * y3));
  }
}

/** Rows of one panel of `addGram`. */
const panel = 48;

/** Adds (row i of a) . (row j of a) to out[i, j] for a [n, d] and j at or after i's panel; `mirror` fills in the rest. */
export function addGram(a: Float64Array, n: number, d: number, out: Float64Array): void {
  const products = new Float64Array(panel * n);
  for (let first = 0; first < n; first += panel) {
    const rows = Math.min(panel, n - first);
    const columns = n - first;
    rowProducts(a.subarray(first * d), rows, a.subarray(first * d), columns, d, products);
    for (let i = 0; i < rows; i++) {
      const at = (first + i) * n + first;
      for (let j = 0; j < columns; j++) out[at + j] = (out[at + j] as number) + (products[i * columns + j] as number);
    }
  }
}

/** Copies the upper triangle of a [n, n] to the lower. */
export function mirror(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) a[i * n + j] = a[j * n + i] as number;
  }
}

/** As `dot`, with four sums that do not wait for each other. */
function quickDot(a: Float64Array, fromA: number, b: Float64Array, fromB: number, d: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = d - (d % 4);
  for (let t = 0; t < whole; t += 4) {
    s0 += (a[fromA + t] as number) * (b[fromB + t] as number);
    s1 += (a[fromA + t + 1] as number) * (b[fromB + t + 1] as number);
    s2 += (a[fromA + t + 2] as number) * (b[fromB + t + 2] as number);
    s3 += (a[fromA + t + 3] as number) * (b[fromB + t + 3] as number);
  }
  return s0 + s1 + (s2 + s3) + dot(a, fromA + whole, b, fromB + whole, d - whole);
}

/** The lower triangle L of a = L L^T for a symmetric positive definite a [n, n]; only its lower triangle is read. */
export function cholesky(a: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = (a[i * n + j] as number) - quickDot(lower, i * n, lower, j * n, j);
      lower[i * n + j] = i === j ? Math.sqrt(rest) : rest / (lower[j * n + j] as number);
    }
  }
  return lower;
}

/** Solves L L^T x = right, in place, for one right side [n] that starts at `from`. */
export function solveCholesky(lower: Float64Array, n: number, right: Float64Array, from: number): void {
  for (let i = 0; i < n; i++) {
    const known = quickDot(lower, i * n, right, from, i);
    right[from + i] = ((right[from + i] as number) - known) / (lower[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    let rest = right[from + i] as number;
    for (let j = i + 1; j < n; j++) rest -= (lower[j * n + i] as number) * (right[from + j] as number);
    right[from + i] = rest / (lower[i * n + i] as number);
  }
}

/** Eigenvalues of symmetric matrices in float64: reflections to a tridiagonal matrix, then rotations with shifts. */

/** Largest number of rotations' rounds for one eigenvalue; three are usual. */
const mostRounds = 60;

/** A symmetric matrix with nothing beside its diagonal and the two next to it. */
interface Tridiagonal {
  /** [n] */
  readonly diagonal: Float64Array;
  /** [n]; the last is 0. */
  readonly beside: Float64Array;
}

/**
 * The eigenvalues of a symmetric matrix [n, n], row by row, ascending. The matrix is overwritten. Householder reflections
 * and implicit QL with Wilkinson's shift; Golub and Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3.
 */
export function eigenvalues(matrix: Float64Array, n: number): Float64Array {
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return new Float64Array(n);
  // Around 1, squares neither overflow nor vanish.
  for (let at = 0; at < n * n; at++) matrix[at] = (matrix[at] as number) / largest;
  return withoutBeside(tridiagonal(matrix, n))
    .map((value) => value * largest)
    .sort();
}

/** Reflects one column after the other onto its first two entries. */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const v = new Float64Array(n);
  const p = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    diagonal[k] = a[k * n + k] as number;
    let squares = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = a[i * n + k] as number;
      squares += (v[i] as number) ** 2;
    }
    // Nothing but rounding beside entries around 1: the column is reflected already.
    if (squares <= Number.EPSILON ** 2) continue;
    const first = v[k + 1] as number;
    const length = Math.sqrt(squares);
    // Away from the first entry, so that nothing cancels.
    const target = first > 0 ? -length : length;
    beside[k] = target;
    v[k + 1] = first - target;
    const scale = squares - first * target; // |v|^2 / 2
    reflect(a, n, k + 1, v, p, scale);
  }
  diagonal[n - 1] = a[n * n - 1] as number;
  return { diagonal, beside };
}

/** a <- H a H on rows and columns from `start`, H = 1 - v v' / scale: a - v q' - q v' with q = p - v (v.p) / (2 scale), p = a v / scale. */
function reflect(a: Float64Array, n: number, start: number, v: Float64Array, p: Float64Array, scale: number): void {
  let along = 0;
  for (let i = start; i < n; i++) {
    let sum = 0;
    for (let j = start; j < n; j++) sum += (a[i * n + j] as number) * (v[j] as number);
    p[i] = sum / scale;
    along += (v[i] as number) * (p[i] as number);
  }
  const half = along / (2 * scale);
  for (let i = start; i < n; i++) p[i] = (p[i] as number) - half * (v[i] as number);
  for (let i = start; i < n; i++) {
    const [vi, pi] = [v[i] as number, p[i] as number];
    for (let j = start; j < n; j++) {
      a[i * n + j] = (a[i * n + j] as number) - vi * (p[j] as number) - pi * (v[j] as number);
    }
  }
}

/** Rotates what stands beside the diagonal away; what is left on it are the eigenvalues, in no order. */
function withoutBeside({ diagonal: d, beside: e }: Tridiagonal): Float64Array {
  for (let low = 0; low < d.length; low++) {
    for (let round = 0; round < mostRounds; round++) {
      const high = firstGap(d, e, low);
      if (high === low) break;
      chase(d, e, low, high);
    }
  }
  return d;
}

/** The first place from `low` beside which there is nothing but rounding. */
function firstGap(d: Float64Array, e: Float64Array, low: number): number {
  let high = low;
  while (high < d.length - 1) {
    const around = Math.abs(d[high] as number) + Math.abs(d[high + 1] as number);
    if (Math.abs(e[high] as number) <= Number.EPSILON * around) break;
    high++;
  }
  return high;
}

/** One round of rotations from `high` down to `low`, with the shift that the corner at `low` suggests. */
function chase(d: Float64Array, e: Float64Array, low: number, high: number): void {
  const besideLow = e[low] as number;
  const slope = ((d[low + 1] as number) - (d[low] as number)) / (2 * besideLow);
  const root = Math.hypot(slope, 1);
  let g = (d[high] as number) - (d[low] as number) + besideLow / (slope + (slope < 0 ? -root : root));
  let [sine, cosine, moved] = [1, 1, 0];
  for (let i = high - 1; i >= low; i--) {
    const f = sine * (e[i] as number);
    const b = cosine * (e[i] as number);
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = (d[i + 1] as number) - moved;
      e[high] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    const rest = (d[i + 1] as number) - moved;
    const turned = ((d[i] as number) - rest) * sine + 2 * cosine * b;
    moved = sine * turned;
    d[i + 1] = rest + moved;
    g = cosine * turned - b;
  }
  d[low] = (d[low] as number) - moved;
  e[low] = g;
  e[high] = 0;
}

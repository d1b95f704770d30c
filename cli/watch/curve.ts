/** A curve that may have any number of points and is kept in bounded memory: neighbours are joined when there are too many. */

/** Some neighbouring points as one: where it ends, and the range of their values. */
export interface Stretch {
  readonly step: number;
  /** Milliseconds since 1970; null where the log says none. */
  readonly time: number | null;
  readonly mean: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** Stretches that a curve keeps at most; it halves when it is full. */
const mostStretches = 2048;

export interface Curve {
  /** By step, ascending. */
  readonly stretches: readonly Stretch[];
  /** Adds a value that is finite. Where a run has gone back, what lies at this step and beyond is forgotten. */
  readonly add: (step: number, time: number | null, value: number) => void;
  /** The last value that was added; null: none. */
  readonly last: () => number | null;
}

export function createCurve(): Curve {
  let stretches: Stretch[] = [];
  /** Values that a stretch has, but the last. */
  let each = 1;
  let last: number | null = null;
  return {
    get stretches() {
      return stretches;
    },
    add(step, time, value) {
      const before = stretches.at(-1);
      if (before && step <= before.step) stretches = stretches.filter((one) => one.step < step);
      last = value;
      const end = stretches.at(-1);
      const point: Stretch = { step, time, mean: value, least: value, most: value, count: 1 };
      if (end && end.count < each) stretches[stretches.length - 1] = joined(end, point);
      else stretches.push(point);
      if (stretches.length > mostStretches) {
        stretches = thinned(stretches, mostStretches / 2);
        each *= 2;
      }
    },
    last: () => last,
  };
}

const joined = (a: Stretch, b: Stretch): Stretch => ({
  step: b.step,
  time: b.time,
  mean: (a.mean * a.count + b.mean * b.count) / (a.count + b.count),
  least: Math.min(a.least, b.least),
  most: Math.max(a.most, b.most),
  count: a.count + b.count,
});

/** At most so many stretches, neighbours joined. */
export function thinned(stretches: readonly Stretch[], most: number): Stretch[] {
  const each = Math.ceil(stretches.length / most);
  if (each <= 1) return [...stretches];
  return Array.from({ length: Math.ceil(stretches.length / each) }, (_, i) =>
    stretches.slice(i * each, (i + 1) * each).reduce(joined),
  );
}

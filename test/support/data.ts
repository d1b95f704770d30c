/** Data sets and recipes for tests of the runtime, made from blocks of the registry. */

import {
  type Kind,
  type Kinds,
  type Params,
  registry,
  type Sample,
  type SampleIndex,
  type ValuesOf,
} from "../../blocks/index.js";
import { invariant, randomStream } from "../../graph/index.js";
import type { Bound, Training } from "../../runtime/index.js";

/** A block of the registry with its defaults and these values. */
export function bound<K extends Kind>(
  kind: K,
  name: string,
  values: Readonly<Record<string, unknown>> = {},
): Bound<Kinds[K]> {
  const definition = (registry[kind] as readonly Kinds[K][]).find((block) => block.name === name);
  invariant(definition !== undefined, `no ${kind} ${name}`);
  return { definition, values: valuesOf(definition, values) };
}

/** The values of a block where these alone are written; null: of a parameter without a default. */
export function valuesOf<P extends Params>({ params }: { readonly params: P }, written: Partial<ValuesOf<P>>) {
  const defaults = Object.entries(params).map(([name, param]) => [name, param.default ?? null]);
  return { ...Object.fromEntries(defaults), ...written } as ValuesOf<P>;
}

/** Smooth grey squares, each different. */
export function stripes(count: number, side = 8, channels = 1): Sample[] {
  return Array.from({ length: count }, (_, i) => {
    const random = randomStream(7, "probe", i);
    const [frequency, phase] = [random.uniform(), random.uniform() * 6];
    const pixels = Uint8Array.from({ length: side * side * channels }, (_, at) => {
      const x = Math.floor(at / channels) % side;
      return 127 + 120 * Math.sin(frequency * x + phase);
    });
    return { kind: "pixels", pixels, shape: { height: side, width: side, channels }, label: i % 3 };
  });
}

export const indexOf = (samples: readonly Sample[]): SampleIndex => ({
  length: samples.length,
  sample: (i) => samples[i] as Sample,
  classes: ["a", "b", "c"],
  notes: [],
});

/** Data of one input that gives these samples. */
export const inMemory = (
  samples: readonly Sample[],
  classes: readonly string[] = ["a", "b", "c"],
  values?: (i: number) => number,
): Training["data"] => [
  {
    definition: {
      name: "in_memory",
      summary: "Samples of a test.",
      source: "own definition",
      since: "0.1",
      params: {},
      open: async () => ({ ...indexOf(samples), classes, ...(values ? { values } : {}) }),
    },
    values: {},
  },
];

export const recipe = (data: Training["data"], changes: Partial<Training> = {}): Training => ({
  data,
  augment: [],
  optimizer: bound("optimizer", "adamw", { lr: { value: 0.01, per: null } }),
  schedule: bound("schedule", "cosine", { warmup: { amount: 2, unit: "steps" } }),
  batch: 8,
  epochs: null,
  steps: 8,
  seed: 3,
  clip: null,
  evaluate: [],
  ...changes,
});

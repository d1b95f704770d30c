/** What the models of specs compute on the float64 reference, with weights and samples whose numbers follow from their names. */

import {
  dropsInput,
  type ModelProgram,
  maskedBatch,
  namedWeights,
  parameterShapes,
  trainedNames,
  weightsOf,
} from "../../blocks/index.js";
import type { Purpose } from "../../blocks/trace.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import {
  createBuilder,
  evaluate,
  gradients,
  randomStream,
  sizeOf,
  type Tensor,
  type Values,
} from "../../graph/index.js";
import { movingFeeds, sampleMasks } from "../../runtime/train/inputs.js";
import { modelOf } from "./model.js";

/** Numbers that a name stands for: the same in every model. */
function numbersOf(name: string, count: number, scale: number): Float64Array {
  const seed = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  const random = randomStream(seed, "probe");
  return Float64Array.from({ length: count }, () => random.normal() * scale);
}

export interface Computed {
  readonly program: ModelProgram;
  readonly terms: Readonly<Record<string, number>>;
  /** Of the loss, by the names that weights are called by. */
  readonly gradients: ReadonlyMap<string, Float64Array>;
  /** The slope of the loss along all gradients together, less the quotient of differences, relative to it. */
  readonly error: () => number;
}

/**
 * The loss of two samples. `called`: the name by which a weight has its numbers. `purpose`: what is left out at random in training is
 * multiplied by one.
 */
export function computed(
  text: string,
  called: (name: string) => string = (name) => name,
  purpose: Purpose = "judging",
): Computed {
  const program = programOf(assemble(modelOf(text)));
  const g = createBuilder({ batch: 2 });
  const weights = weightsOf(g, program.parameters);
  const { total, terms } = program.loss(g, weights, maskedBatch(g, program, weights, purpose));
  const named = namedWeights(program.parameters, weights);
  const names = trainedNames(program);
  const slopes = gradients(
    g,
    total,
    names.map((name) => named.get(name) as Tensor),
  );
  const outputs = Object.fromEntries([...Object.values(terms), ...slopes].map((output, i) => [String(i), output]));
  const graph = g.finish({ outputs: { total, ...outputs } });
  const state = Object.fromEntries(
    [...parameterShapes(program.parameters)].map(([name, shape]) => [
      name,
      numbersOf(called(name), sizeOf(shape), 0.25),
    ]),
  );
  const known: Values = {
    ...sampleMasks(program, 1, 0, Int32Array.of(3, 4)),
    ...movingFeeds(program, { step: 5, totalSteps: 10, stepsPerEpoch: 5 }),
  };
  const fed = Object.fromEntries(
    [...graph.feeds].map(([name, { shape }]) => [
      name,
      known[name] ??
        (name === dropsInput ? new Float64Array(sizeOf(shape)).fill(1) : numbersOf(name, sizeOf(shape), 1)),
    ]),
  ) as Values;
  const at = (own: Readonly<Record<string, Float64Array>>) => evaluate(graph, fed, own as unknown as Values).outputs;
  const found = at(state);
  const count = Object.keys(terms).length;
  const slopeOf = (i: number): Float64Array => Float64Array.from(found[count + i] ?? []);
  return {
    program,
    terms: Object.fromEntries(Object.keys(terms).map((name, i) => [name, found[i]?.[0] as number])),
    gradients: new Map(names.map((name, i) => [called(name), slopeOf(i)])),
    error() {
      const along = (by: number): number => {
        const moved = names.map((name, i) => {
          const slope = slopeOf(i);
          return [name, (state[name] as Float64Array).map((value, k) => value + by * (slope[k] as number))] as const;
        });
        return at({ ...state, ...Object.fromEntries(moved) }).total?.[0] as number;
      };
      const step = 1e-6;
      const quotient = (along(step) - along(-step)) / (2 * step);
      const slope = names.reduce((sum, _, i) => sum + slopeOf(i).reduce((inner, x) => inner + x * x, 0), 0);
      return Math.abs(quotient / slope - 1);
    },
  };
}

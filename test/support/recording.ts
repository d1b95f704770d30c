/**
 * What a run of training begins with and is fed, recorded, so that another implementation can train the same. The files that come
 * of it are described in test/reference/stepping.py, which reads them.
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isBlockValue, type MaskSampler, type ModelProgram, tokenCount } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import type { Filled, Use } from "../../compiler/index.js";
import type { Tensor, Values } from "../../graph/index.js";
import { type Executor, type TensorToStore, writeTensorFile } from "../../runtime/index.js";
import { batchOf, type Example, steps, trainingOfExample } from "./examples.js";
import { gridOf } from "./one-array.js";

export interface Recorder {
  /** Does what the recorded executor does. */
  readonly executor: Executor;
  /** What was fed since the last call was fed to one step. */
  readonly endStep: () => void;
  /** The first weights, then what each step was fed. */
  readonly tensors: readonly TensorToStore[];
}

/** Records one run on an executor. */
export function recorderOf(executor: Executor): Recorder {
  const tensors: TensorToStore[] = [];
  let fed = new Map<string, TensorToStore>();
  let step = 0;
  return {
    executor: {
      ...executor,
      async open(slots, initial) {
        for (const { name, shape, beside } of slots) {
          // What lies beside a weight is the optimizer's.
          if (beside === undefined) tensors.push(stored(`weights/${name}`, shape, initial[name]));
        }
        const session = await executor.open(slots, initial);
        return {
          ...session,
          async load(graph) {
            const run = await session.load(graph);
            return (feeds) => {
              for (const tensor of fedTensors(graph.feeds, feeds, step)) fed.set(tensor.name, tensor);
              return run(feeds);
            };
          },
        };
      },
    },
    endStep() {
      tensors.push(...fed.values());
      fed = new Map();
      step += 1;
    },
    tensors,
  };
}

const fedTensors = (declared: ReadonlyMap<string, Tensor>, feeds: Values, step: number): TensorToStore[] =>
  [...declared].map(([name, { shape }]) => stored(`feeds/${step}/${name}`, shape.map(Number), feeds[name]));

/** A copy: what is fed is written over in the next step. */
function stored(name: string, shape: readonly number[], values: Values[string] | undefined): TensorToStore {
  if (!(values instanceof Float32Array || values instanceof Int32Array)) throw new Error(`${name} is of another type`);
  return { name, shape, values: values.slice() };
}

/** The decisions of an example, and what it was fed. */
export interface Recorded {
  readonly case: Readonly<Record<string, unknown>>;
  readonly tensors: readonly TensorToStore[];
}

export function recordedOf(example: Example, { tensors }: Recorder): Recorded {
  const program = programOf(assemble(example.model));
  const { optimizer, clip, freeze, only } = trainingOfExample(example);
  const decisions = {
    name: example.name,
    steps,
    batch: batchOf(example),
    tokens: tokensOf(program),
    model: example.model.slots.map(decisionOf),
    optimizer: { block: optimizer.definition.name, values: optimizer.values },
    clip,
    ...(freeze ? { freeze } : {}),
    ...(only ? { only } : {}),
    ...(example.beside.length > 0
      ? { beside: example.beside.map(({ model, weights }) => ({ model: model.slots.map(decisionOf), weights })) }
      : {}),
  };
  return { case: decisions, tensors };
}

/** Tokens that the only mask shows; null: there is none, and all are seen. */
const onlyMask = ({ masks }: ModelProgram): number | null => Object.values(masks)[0]?.visible ?? null;

/** Under each mask; of one mask, itself. */
function tokensOf(program: ModelProgram): object {
  const under = ({ tokens, visible }: MaskSampler) => ({ total: tokens, visible });
  const all = Object.entries(program.masks);
  if (Object.keys(program.arrays).length === 1) {
    const total = tokenCount(gridOf(program));
    return { total, visible: onlyMask(program) ?? total };
  }
  return all.length === 1 ? under(all[0]?.[1] as MaskSampler) : Object.fromEntries(all.map(([k, v]) => [k, under(v)]));
}

/** Values with the blocks among them by name. */
const plainValues = (values: Use["values"]): object =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (!isBlockValue(value)) return [name, value];
      const { block, values } = value;
      return [name, { block: block.name, values: plainValues(values) }];
    }),
  );

/** A line of a model without its place in the text. */
const decisionOf = ({ slot, label, use, inner }: Filled): Readonly<Record<string, unknown>> => ({
  slot,
  label,
  block: use.definition.name,
  values: plainValues(use.values),
  inner: inner.map(decisionOf),
});

/** Writes `NAME.json` and `NAME.safetensors`. */
export async function writeRecorded(folder: string, { case: decisions, tensors }: Recorded): Promise<void> {
  const path = join(folder, String(decisions.name));
  await writeTensorFile(`${path}.safetensors`, tensors, {});
  await writeFile(`${path}.json`, `${JSON.stringify(decisions, null, 2)}\n`);
}

/** What a run trains on: the data of its recipe, and of those beside it their data, how their batches are computed, and the modules of their models. */

import type { ModelProgram, SampleIndex } from "../../blocks/index.js";
import { arraysOf, type Model, type Recipe, type RecipeBeside, settingsOf, trainingOf } from "../../compiler/index.js";
import type { BesideTraining, Executor, Hosts } from "../../runtime/index.js";
import { addressesOf, elsewhere } from "../config/index.js";
import { type Computing, computingOf, type MemoryFlags } from "../machine/micro-batches.js";
import { dataMemory } from "../machine/process-memory.js";
import { packageVersion } from "../package-root.js";
import type { Trained } from "./continuation.js";

/**
 * Throws where a run could not begin for want of its data, while the run that it is to replace is still there. `opened`: they are open
 * already. `note` is told of test data that could not be used when all is trained; null: nobody is.
 */
export async function openTrainingData(
  model: Model,
  recipe: Recipe,
  opened: SampleIndex | null,
  note: ((text: string) => void) | null,
): Promise<SampleIndex> {
  const { ofRecipe } = await import("../../runtime/index.js");
  const { beside, name } = recipe;
  return await ofRecipe(beside ? name : undefined, openOne(model, recipe, opened, note));
}

/** Throws where the data are not here, or fewer than a batch. */
async function openOne(
  model: Model,
  recipe: Recipe,
  opened: SampleIndex | null,
  note: ((text: string) => void) | null,
): Promise<SampleIndex> {
  const { lengthOf, openData } = await import("../../runtime/index.js");
  const training = trainingOf(recipe);
  const arrays = arraysOf(model);
  const index = opened ?? (await openData(training.data, "train", process.cwd(), { arrays }));
  lengthOf(training, index.length);
  if (note) await tellOfTestData(training, arrays, note);
  return index;
}

async function tellOfTestData(
  { data }: ReturnType<typeof trainingOf>,
  arrays: ModelProgram["arrays"],
  note: (text: string) => void,
): Promise<void> {
  const { openTestData, RunError } = await import("../../runtime/index.js");
  try {
    await openTestData(data, process.cwd(), { arrays });
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    note(`the test data cannot be used, and mae eval will need them: ${error.message}`);
  }
}

/** A recipe whose data are open. */
export interface BesideData extends RecipeBeside {
  readonly index: SampleIndex;
}

/** Throws where a run could not begin for want of data. `note`: as of `openTrainingData`. */
export async function openBeside(
  { beside = [] }: Recipe,
  note: (text: string) => void,
): Promise<readonly BesideData[]> {
  const { ofRecipe } = await import("../../runtime/index.js");
  const opened: BesideData[] = [];
  for (const one of beside) {
    const { name } = one.recipe;
    const noteOfOne = (text: string) => note(`${name}: ${text}`);
    opened.push({ ...one, index: await ofRecipe(name, openOne(one.model, one.recipe, null, noteOfOne)) });
  }
  return opened;
}

interface Beside {
  readonly beside: readonly BesideData[];
  /** Each of which computes its share of a batch. */
  readonly hosts?: Hosts;
  /** Tells a line for people. */
  readonly note: (text: string) => void;
}

/** The micro-batch of each; one of a size that the flags ask for, where its batch has such parts. */
export async function besideComputing(
  { beside, hosts, note }: Beside,
  flags: MemoryFlags & { readonly workers?: number },
  executor: Executor,
  before: Computing | null,
): Promise<Pick<Computing, "beside">> {
  const sizes: number[] = [];
  for (const [i, { model, recipe, index }] of beside.entries()) {
    const batch = settingsOf(recipe).batch / (hosts?.count ?? 1);
    const { microBatch, ...others } = flags;
    const asked = microBatch !== undefined && batch % microBatch === 0 ? flags : others;
    const known = before && { ...before, micro_batch: before.beside?.[i] ?? batch };
    const data = await dataMemory(model, recipe, index, flags.workers);
    const noteOfOne = (text: string) => note(`${recipe.name}: ${text}`);
    sizes.push((await computingOf({ model, recipe, batch, data }, asked, executor, known, noteOfOne)).micro_batch);
  }
  return sizes.length > 0 ? { beside: sizes } : {};
}

/** What is trained beside a run's own model, by modules that are kept in its folder. `program`: that of the run's own model. */
export async function besideTrainings(
  run: Trained & { readonly beside: readonly BesideData[]; readonly directory: string },
  { beside: sizes = [] }: Computing,
  program: ModelProgram,
): Promise<readonly BesideTraining[]> {
  const { vocabulary, directory } = run;
  const [{ emitModule }, { loadProgram }] = await Promise.all([
    import("../../compiler/emit/index.js"),
    import("../specs/load-program.js"),
  ]);
  const trainings: BesideTraining[] = [];
  for (const [i, { recipe, model, weights, index }] of run.beside.entries()) {
    const programOf = async (): Promise<ModelProgram> => {
      const source = await emitModule(model, packageVersion(), elsewhere(vocabulary, directory));
      const addresses = addressesOf(vocabulary, directory);
      return loadProgram(source, directory, model.name, addresses, `program-${recipe.name}.ts`);
    };
    const training = trainingOf(recipe);
    trainings.push({
      ...{ name: recipe.name, weights, index },
      program: model === run.model ? program : await programOf(),
      training: { ...training, microBatch: sizes[i] ?? training.batch },
    });
  }
  return trainings;
}

/** The images of a recipe, and the features by which an encoder is judged on them: for `eval`, and during training. */

import { type ArrayShape, hasClassToken, type ModelProgram, type SampleIndex } from "../../blocks/index.js";
import type { LabelledData, Selection, Training, Views } from "../../runtime/index.js";

/** Images computed at once. */
export const labelledBatch = 100;

export interface LabelledOptions {
  readonly program: ModelProgram;
  readonly training: Training;
  /** Data paths are relative to it. */
  readonly root: string;
  /** At most so many samples of each split. */
  readonly most: number;
  readonly note: (text: string) => void;
}

export interface DataOfRun extends LabelledData {
  /** Whether the recipe names test data. Throws as opening those does. */
  readonly hasTests: () => Promise<boolean>;
}

export async function labelledData({ program, training, root, most, note }: LabelledOptions): Promise<DataOfRun> {
  const { coloursOf, evaluationBatches, judgedFields, openData, openTestData, recordsOf, RunError, wholeSamples } =
    await import("../../runtime/index.js");
  const train = thinned(await openData(training.data, "train", root, program), most);
  const common = { augment: training.augment, arrays: program.arrays, batch: labelledBatch, root, workers: 1, note };
  /** Samples of which there is no more than the model reads have one clip. */
  const viewed = (index: SampleIndex, views: Views | undefined): { readonly views?: Views } => {
    if (!views || views.clips * views.crops === 1) return {};
    if (views.clips > 1 && !hasLonger(index, Object.values(program.arrays))) {
      throw new RunError("run/data", {
        what: `${views.clips} clips of each sample are asked for, and the data hold arrays as long as the model reads`,
        help: "Leave `clips` out, or name a folder of videos or recordings.",
      });
    }
    return { views };
  };
  // Opened when they are asked for: not every probe needs test images, and not all data have some.
  let opened: ReturnType<typeof openTestData> | null = null;
  const tests = (): ReturnType<typeof openTestData> => {
    opened ??= openTestData(training.data, root, program);
    return opened;
  };
  const tested = async (): Promise<SampleIndex> =>
    thinned((await tests()) ?? (await openData(training.data, "test", root, program)), most);
  const [array, another] = Object.keys(program.arrays);
  const colours = array && !another ? coloursOf(training.augment, program.arrays)(array) : null;
  return {
    hasTests: async () => (await tests()) !== null,
    sequences: { root, colours },
    train: (views) => evaluationBatches({ index: train, ...common, ...viewed(train, views) }),
    passes: {
      samples: train.length,
      // What cuts and mirrors pictures is the probe's; what changes numbers stays.
      batches(views, pass) {
        const rest = training.augment.filter(({ definition }) => definition.changes === "channels");
        return evaluationBatches({ index: train, ...common, augment: [...views, ...rest], pass });
      },
    },
    async *test(views) {
      const index = await tested();
      yield* evaluationBatches({ index, ...common, ...viewed(index, views) });
    },
    async *places() {
      yield* evaluationBatches({ index: await tested(), ...common, fields: judgedFields(program) });
    },
    async *wholes(pictures) {
      const { augment, arrays } = common;
      yield* wholeSamples({
        index: await tested(),
        augment,
        arrays,
        root,
        note,
        fields: judgedFields(program),
        pictures,
      });
    },
    async records(parts) {
      const index = await tested();
      const records = await recordsOf(index, { arrays: program.arrays, augment: training.augment, root }, parts);
      const views = (i: number) => records[i]?.parts.map(({ view }) => view) ?? [];
      return { records, classes: index.classes, batches: () => evaluationBatches({ index, ...common, views }) };
    },
    classes: train.classes,
    ...(train.several ? { several: true as const } : {}),
    ...(train.values ? { valued: true as const } : {}),
  };
}

/** Whether some of a sample may be longer in time than what a model reads of it. */
function hasLonger(index: SampleIndex, arrays: readonly ArrayShape[]): boolean {
  const time = ({ axes }: ArrayShape): number => axes.find(({ name }) => name === "time")?.size ?? 0;
  const sample = index.sample(0);
  const parts = sample.kind === "joined" ? Object.values(sample.parts) : [sample];
  return parts.some((part) =>
    part.kind === "array"
      ? arrays.some((array) => array.axes.length === part.shape.axes.length && time(part.shape) > time(array))
      : part.kind !== "pixels",
  );
}

/** The class token where there is one, or all latents, and the mean of the patches' tokens. */
export function selectionsOf(
  program: ModelProgram,
  wanted: {
    readonly features?: "cls" | "mean" | "flat";
    readonly layer?: number;
    readonly of?: string | undefined;
  } = {},
): Selection[] {
  const { of } = wanted;
  const encoding = of === undefined ? undefined : program.encodings?.[of];
  const hasLatents = encoding === undefined && program.latents !== undefined;
  const first = encoding ? hasClassToken(encoding, {}) : hasClassToken(program, program.arrays);
  const mean = ["mean"] as const;
  const pools = first ? (["cls", ...mean] as const) : hasLatents ? (["flat", ...mean] as const) : mean;
  return (wanted.features ? [wanted.features] : pools).map((pool) => ({
    ...(of === undefined ? {} : { of }),
    pool,
    layer: wanted.layer ?? "last",
  }));
}

/** Samples of a run's data, and which split they are of. */
export interface SplitData {
  readonly index: SampleIndex;
  readonly split: "train" | "test";
}

/** The split that is asked for; if absent, the test data, or the training data where there are none. */
export async function splitData(
  { program, training, root }: Pick<LabelledOptions, "program" | "training" | "root">,
  split: "train" | "test" | undefined,
): Promise<SplitData> {
  const { openData, openTestData } = await import("../../runtime/index.js");
  const tests = split === undefined ? await openTestData(training.data, root, program) : null;
  if (tests) return { index: tests, split: "test" };
  const part = split ?? "train";
  return { index: await openData(training.data, part, root, program), split: part };
}

/** At most so many samples, spread evenly over the index, so that sorted classes keep their shares. */
export function thinned(index: SampleIndex, most: number): SampleIndex {
  if (index.length <= most) return index;
  const at = (i: number): number => Math.floor((i * index.length) / most);
  const { values } = index;
  return {
    ...index,
    length: most,
    sample: (i) => index.sample(at(i)),
    ...(values ? { values: (i: number) => values(at(i)) } : {}),
  };
}

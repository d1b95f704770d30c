/** The images of a recipe, and the features by which an encoder is judged on them: for `eval`, and during training. */

import { hasClassToken, type ModelProgram, type SampleIndex } from "../../blocks/index.js";
import type { LabelledData, Selection, Training } from "../../runtime/index.js";

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

export async function labelledData({ program, training, root, most, note }: LabelledOptions): Promise<LabelledData> {
  const { evaluationBatches, openData } = await import("../../runtime/index.js");
  const train = thinned(await openData(training.data, "train", root, program), most);
  const common = { augment: training.augment, arrays: program.arrays, batch: labelledBatch, root, workers: 1, note };
  // Opened when they are asked for: not every probe needs test images, and not all data have some.
  let opened: ReturnType<typeof openData> | null = null;
  return {
    train: () => evaluationBatches({ index: train, ...common }),
    passes: {
      samples: train.length,
      // What cuts and mirrors pictures is the probe's; what changes numbers stays.
      batches(views, pass) {
        const rest = training.augment.filter(({ definition }) => definition.changes === "channels");
        return evaluationBatches({ index: train, ...common, augment: [...views, ...rest], pass });
      },
    },
    async *test() {
      opened ??= openData(training.data, "test", root, program);
      yield* evaluationBatches({ index: thinned(await opened, most), ...common });
    },
    classes: train.classes,
  };
}

/** The class token where there is one, and the mean of the patches' tokens. */
export function selectionsOf(
  program: ModelProgram,
  wanted: { readonly features?: "cls" | "mean"; readonly layer?: number; readonly of?: string | undefined } = {},
): Selection[] {
  const { of } = wanted;
  const encoding = of === undefined ? undefined : program.encodings?.[of];
  const first = encoding ? hasClassToken(encoding, {}) : hasClassToken(program, program.arrays);
  const pools = first ? (["cls", "mean"] as const) : (["mean"] as const);
  return (wanted.features ? [wanted.features] : pools).map((pool) => ({
    ...(of === undefined ? {} : { of }),
    pool,
    layer: wanted.layer ?? "last",
  }));
}

/** At most so many samples, spread evenly over the index, so that sorted classes keep their shares. */
export function thinned(index: SampleIndex, most: number): SampleIndex {
  if (index.length <= most) return index;
  return { ...index, length: most, sample: (i) => index.sample(Math.floor((i * index.length) / most)) };
}

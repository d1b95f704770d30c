/** What the leads of signals are called: as the recipe picks them, or as the file of a sample says. */

import { join } from "node:path";
import { type ArrayShape, type Augment, augmentContext, type Sample } from "../../blocks/index.js";
import { randomStream } from "../../graph/index.js";
import { withRecording } from "../data/recording/open.js";
import type { Bound } from "../train/contract.js";

/** @param name of the array. @returns null where nothing names as many leads as the array has. */
export async function leadNames(
  { name, shape }: { readonly name: string; readonly shape: ArrayShape },
  augment: readonly Bound<Augment>[],
  sample: Sample,
  root: string,
): Promise<readonly string[] | null> {
  if (shape.axes[0]?.name !== "lead") return null;
  const context = augmentContext(shape);
  const picked = augment
    .flatMap(({ definition, values }) => definition.plan(values, context.image, context, randomStream(0, "augment")))
    .flatMap((step) => (step.kind === "pick" ? [step.names] : []))
    .at(-1);
  const own = sample.kind === "joined" ? sample.parts[name] : sample;
  const names = picked ?? (own?.kind === "file" ? await namesIn(join(root, own.path)) : null);
  return names?.length === shape.axes[0]?.size ? (names ?? null) : null;
}

/** A file that cannot be read is told where its numbers are asked for. */
const namesIn = (path: string): Promise<readonly string[] | null> =>
  withRecording(path, async ({ names }) => names).catch(() => null);

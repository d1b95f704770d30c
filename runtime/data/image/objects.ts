/** The objects in an image where its array shows them, without reading the image. */

import { type ImageObject, movedObjects, type Sample } from "../../../blocks/index.js";
import type { Item, Preparation } from "../preparation.js";
import { geometryOf, planFor } from "./plan.js";

/** null: nobody has looked for objects in it. */
export function objectsSeen(
  sample: Sample,
  drawn: Pick<Item, "epoch" | "sample">,
  preparation: Preparation,
): readonly ImageObject[] | null {
  const [name, shape] = Object.entries(preparation.arrays)[0] ?? [];
  if ((sample.kind !== "file" && sample.kind !== "pixels") || !sample.annotated || name === undefined || !shape)
    return null;
  const { size } = sample.annotated;
  const steps = geometryOf(planFor(size, drawn, { name, shape }, preparation, `sample ${drawn.sample}`));
  return movedObjects(sample.annotated, steps);
}

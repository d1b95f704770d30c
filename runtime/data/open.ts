/** Opens a recipe's data: the block reads through `Files`, its complaints become the runtime's. */

import {
  type ArrayShape,
  arrayOf,
  axesText,
  DataError,
  type Dataset,
  isOfMedia,
  type ModelProgram,
  oneLine,
  type SampleIndex,
  type Split,
} from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { nodeFiles } from "./files.js";

/** The samples of a split for a model; paths are relative to `root`. Throws `run/data` or `run/unreadable`. */
export async function openData(
  data: Bound<Dataset>,
  split: Split,
  root: string,
  { arrays }: Pick<ModelProgram, "arrays">,
): Promise<SampleIndex> {
  const array = arrayOf({ arrays }).shape;
  checkMedium(data.definition, array);
  let index: SampleIndex;
  try {
    index = await data.definition.open(data.values as never, nodeFiles(root), split, { array });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RunError("run/data", { what: error.what, help: error.help }, { cause: error });
  }
  if (index.length === 0) {
    throw new RunError("run/data", {
      what: `The data set ${data.definition.name} has no samples in its ${split} split`,
      help: "Check the path in the recipe and that the files are of a format that it reads.",
    });
  }
  return { ...index, notes: index.notes.map(oneLine) };
}

/** Data of a recipe was checked with it; other data may be named for its model. */
function checkMedium({ name, media }: Dataset, array: ArrayShape): void {
  if (media === undefined || isOfMedia(media, array)) return;
  throw new RunError("run/data", {
    what: `The model reads ${axesText(array.axes)}, and ${name} has data for ${media.join(" or ")}`,
    help: "Name an npy file with arrays of those axes.",
  });
}

/** Opens a recipe's data: blocks read through `Files`, their complaints become the runtime's, and samples of several inputs are joined. */

import {
  type ArrayShape,
  axesText,
  DataError,
  type Dataset,
  type DatasetContext,
  isOfMedia,
  type ModelProgram,
  NoTestData,
  oneLine,
  type SampleIndex,
  type Split,
  type Tokenizer,
} from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import type { Bound, Training } from "../train/contract.js";
import { nodeFiles } from "./files.js";
import { type InputSamples, joinSamples } from "./join.js";

/** The samples of a split for a model; paths are relative to `root`. Throws `run/data` or `run/unreadable`. */
export async function openData(
  data: Training["data"],
  split: Split,
  root: string,
  { arrays }: Pick<ModelProgram, "arrays">,
): Promise<SampleIndex> {
  const [only, another] = Object.entries(arrays);
  const [source] = data;
  if (only && !another && source && data.length === 1) return openOne(source, split, root, { array: only[1] });
  const inputs: InputSamples[] = [];
  for (const [name, array] of Object.entries(arrays)) {
    const own = data.find(({ input }) => input === name);
    if (!own) throw withoutData(name, arrays);
    const index = await openOne(own, split, root, { array, joined: true });
    inputs.push({ name, index });
  }
  return joinSamples(inputs);
}

/** The test samples; null: the recipe names none. Throws as `openData` for those that it names and that cannot be used. */
export async function openTestData(
  data: Training["data"],
  root: string,
  program: Pick<ModelProgram, "arrays">,
): Promise<SampleIndex | null> {
  try {
    return await openData(data, "test", root, program);
  } catch (error) {
    if (error instanceof RunError && error.cause instanceof NoTestData) return null;
    throw error;
  }
}

/** Data of a recipe was checked with it; other data may be named for its model. */
const withoutData = (name: string, arrays: ModelProgram["arrays"]): RunError =>
  new RunError("run/data", {
    what: `The model reads ${Object.keys(arrays).join(" and ")}, and no data is named for ${name}`,
    help: "Name data for each input in the recipe: `data image: ...`.",
  });

/** What the data of a text model make ids by; null: their samples are no texts. */
export async function tokenizerOf({ definition, values }: Bound<Dataset>, root: string): Promise<Tokenizer | null> {
  const path = definition.vocabulary?.(values);
  return path === undefined ? null : nodeFiles(root).tokenizer(path);
}

async function openOne(
  data: Bound<Dataset>,
  split: Split,
  root: string,
  context: DatasetContext,
): Promise<SampleIndex> {
  checkMedium(data.definition, context.array);
  let index: SampleIndex;
  try {
    index = await data.definition.open(data.values, nodeFiles(root), split, context);
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

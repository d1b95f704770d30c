/** A look at the data before training: mistakes that concern every file are said at once, not at the thousandth step. */

import { join } from "node:path";
import { type ArrayShape, isVolume, mediumOf, type SampleIndex } from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import { BrokenFile } from "./broken-file.js";
import { mostUseless } from "./fill.js";
import { remarkOn, wrongChannels } from "./image/channels.js";
import { decode, openImage } from "./image/decode.js";
import type { OpenImage } from "./image/picture.js";
import { type Preparation, type Source, sourcesOf } from "./preparation.js";
import { arraySteps, looks } from "./prepare.js";
import { isUnfit } from "./work.js";

/** Files looked into, evenly spaced. */
const looked = 32;
/** Of them, those looked into at once. */
const together = 4;

export interface Checked extends Pick<Preparation, "arrays" | "augment" | "root"> {
  readonly index: SampleIndex;
}

/**
 * Looks into a few files. Throws `run/channels` when so many cannot be read as the model declares that a run would end by
 * them, or when all are grey and the model declares colour: then the declaration is wrong, while single files of another kind
 * are usual.
 */
export async function checkFiles({ index, arrays, augment, root }: Checked): Promise<void> {
  const count = Math.min(looked, index.length);
  const samples = Array.from({ length: count }, (_, k) =>
    sourcesOf(index.sample(Math.floor((k * index.length) / count)), root, arrays),
  );
  const evaluation = { arrays, augment, root, seed: 0, mode: "evaluate", fields: {} } as const;
  for (const [name, shape] of Object.entries(arrays)) {
    const sources = samples.map((one) => one[name] as Source);
    const paths = sources.flatMap((source) => fileOf(source, shape) ?? []);
    const steps = (path: string) => arraySteps(path, { name, shape }, evaluation);
    await checkPaths(paths, shape, { count, length: index.length, steps });
  }
}

type StepsOf = (path: string) => ReturnType<typeof arraySteps>;

/** The file that tells what a sample is like: of a clip its first frame; null: its numbers are here, or no single file tells. */
function fileOf(source: Source, shape: ArrayShape): string | null {
  if (source.kind === "array" || (source.kind === "frames" && isVolume(shape))) return null;
  if (source.kind === "file" && source.clip) return null;
  return source.kind === "file" ? source.path : join(source.path, source.names[0] as string);
}

/** `count` of the `length` samples are looked at; `steps`: what the recipe does with one that is no image. */
async function checkPaths(
  paths: readonly string[],
  shape: ArrayShape,
  { count, length, steps }: { readonly count: number; readonly length: number; readonly steps: StepsOf },
): Promise<void> {
  const { channels } = shape;
  const files: OpenImage[] = [];
  const unfit: RunError[] = [];
  for (let k = 0; k < paths.length; k += together) {
    for (const found of await Promise.all(paths.slice(k, k + together).map((path) => look(path, shape, steps)))) {
      if (found instanceof RunError) unfit.push(found);
      else if (found !== null) files.push(found);
    }
  }
  const [firstUnfit] = unfit;
  // One of a few may be the only one.
  const expected = unfit.length > 1 ? (unfit.length / count) * length : 0;
  if (firstUnfit !== undefined && expected > mostUseless(length)) throw firstUnfit;
  const [first] = files;
  const isGrey = ({ colours, transparent }: OpenImage): boolean => colours === 1 && !transparent;
  if (first !== undefined && channels === 3 && unfit.length === 0 && files.every(isGrey)) {
    const help = "Write `channels: 1` in the model's input: repeating grey three times would only cost time.";
    throw wrongChannels(first.path, 1, channels, help);
  }
}

/** Opens a file, and decodes it where only its pixels tell whether they are grey. Gives the error of one that does not fit; null for a broken one, and for what is no image. */
async function look(path: string, array: ArrayShape, steps: StepsOf): Promise<OpenImage | RunError | null> {
  try {
    const other = looks[mediumOf(array) ?? "image"];
    if (other) {
      await other(path, array, steps(path));
      return null;
    }
    const file = await openImage(path);
    if (remarkOn(file, array.channels).includes("equal")) await decode(file, [], array.channels);
    return file;
  } catch (error) {
    if (error instanceof BrokenFile) return null;
    if (isUnfit(error)) return error;
    throw error;
  }
}

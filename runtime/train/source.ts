/** What the steps of a recipe train on: its data, whether its model learns from them, and whether they are still those of a checkpoint. */

import { hasStates, type ModelProgram, mixesPairs, type SampleIndex } from "../../blocks/index.js";
import type { Checkpoint, SourceFacts } from "../checkpoint/stored.js";
import { type DataDigest, digestOf } from "../data/digest.js";
import { openData } from "../data/open.js";
import { RunError } from "../run-error.js";
import type { Training } from "./contract.js";
import { microBatchesOf } from "./step.js";

/** A recipe of a run, whose data are open. */
export interface OpenSource {
  /** The name of one that stands beside another; if absent, it is the run's own. */
  readonly recipe?: string;
  readonly program: ModelProgram;
  readonly training: Training;
  readonly index: SampleIndex;
  readonly digest: DataDigest;
}

/** Opens the data of a recipe, and looks whether they are what its model learns from. */
export async function openSource(
  program: ModelProgram,
  training: Training,
  opened: SampleIndex | undefined,
  root: string,
): Promise<OpenSource> {
  const index = opened ?? (await openData(training.data, "train", root, program));
  checkClasses(program, index);
  checkNumbers(program, index);
  checkPairs(training);
  checkWhole(program, training);
  return { program, training, index, digest: await digestOf(index, root) };
}

/** A model of classes is trained with the label of every sample. */
function checkClasses(
  { name, classes, severalClasses, detector, places, parts = [] }: ModelProgram,
  data: SampleIndex,
): void {
  if (parts.length > 1 && parts.length !== data.classes.length) throw otherClasses(name, parts.length, data);
  // Whether there are maps is said where the first is read.
  if (places) return;
  const known = data.classes.length;
  if (classes !== undefined && !detector && known > 0 && data.sample(0).label === null) {
    throw new RunError("run/data", {
      what: "The data has no class of whole samples",
      why: `${name} learns to tell ${classes} apart`,
      help: "Use data with labels of samples, or a head that finds objects.",
    });
  }
  if (classes !== undefined && data.several && !severalClasses) {
    throw new RunError("run/data", {
      what: "The samples have any number of classes each",
      why: `the loss of ${name} is for one class of each`,
      help: "Write `loss class_bce`, or give each sample one label: of rows of flags with a single one, `numpy.argmax(labels, axis=1)`.",
    });
  }
  if (classes === undefined || (known > 0 && known <= classes)) return;
  throw new RunError("run/data", {
    what: known === 0 ? "The data has no classes" : `The data has ${known} classes`,
    why: `${name} learns to tell ${classes} apart`,
    help:
      known === 0
        ? detector
          ? "Use data with boxes, such as `coco(...)`."
          : "Use a folder with one sub-folder for each class, or label files."
        : `Write \`classes: ${known}\` in the model's head, or use other data.`,
  });
}

/** A model of a number is trained with that of every sample. */
function checkNumbers({ name, number }: ModelProgram, data: SampleIndex): void {
  if (!number || data.values) return;
  throw new RunError("run/data", {
    what: "The data has no number of each sample",
    why: `${name} learns to say one`,
    help: 'Name where the numbers are in the recipe\'s data: `table(..., value: "price")`, `text(..., values: "energies.txt")`.',
  });
}

/** Samples that are mixed in pairs come in pairs. */
function checkPairs(training: Training): void {
  const { microBatch = training.batch } = training;
  if (microBatch % 2 === 0 || !mixesPairs(training)) return;
  const what = microBatch === training.batch ? "A batch" : "A part of a batch that is computed at once";
  throw new RunError("run/data", {
    what: `${what} has ${microBatch} samples, and the recipe mixes them in pairs`,
    help: "Write an even number.",
  });
}

/** What keeps statistics of batches is computed of a whole one at once. */
function checkWhole({ name, parameters }: ModelProgram, training: Training): void {
  const parts = microBatchesOf(training);
  if (parts === 1 || !hasStates(parameters)) return;
  throw new RunError("run/data", {
    what: `${name} keeps statistics of whole batches, and its batch would be computed in ${parts} parts`,
    why: "A batch norm, a centre or a queue would be moved by each part alone: another model would be trained.",
    help: "Leave `--micro-batch` out, write a smaller `batch` in the recipe, or compute on a machine with more memory.",
  });
}

const otherClasses = (name: string, wanted: number, { classes }: SampleIndex): RunError =>
  new RunError("run/data", {
    what:
      classes.length === 0
        ? "The data say no class of their clouds"
        : `The data have ${classes.length} classes of clouds, ${listed(classes)}`,
    why: `${name} is told the parts of ${wanted} classes`,
    help: "Use a folder with one sub-folder for each class, or labels, and write in the head how many parts each of them has.",
  });

const listed = (names: readonly string[]): string =>
  names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");

/** A continuation must see the samples that the uninterrupted run would have seen. */
export function checkContinuation(
  { path, seed, cursor, data, beside = [] }: Checkpoint,
  training: Training,
  sources: readonly OpenSource[],
): void {
  const before = [{ samples: cursor.samples, batchSize: cursor.batchSize, data }, ...beside];
  const changed = [
    ...(seed === training.seed ? [] : [`it had ${seed} as seed and now there are ${training.seed}`]),
    ...(before.length === sources.length ? [] : ["it had other recipes beside it"]),
    ...sources.flatMap((source, i) => changesOf(source, before[i])),
  ];
  if (changed.length === 0) return;
  throw new RunError("run/resume-mismatch", {
    what: `The run of ${path} cannot be continued exactly`,
    why: changed.join("; "),
    help: "Restore the data and the recipe (the checkpoint keeps its spec), or start a new run.",
  });
}

/** What of the samples of a recipe is other than a checkpoint says, in words. */
function changesOf(
  { recipe, training, index, digest }: OpenSource,
  before: SourceFacts | undefined,
): readonly string[] {
  if (!before) return [];
  const { samples, batchSize, data } = before;
  const numbers = [
    { what: "samples", before: samples, now: index.length },
    { what: "samples a batch", before: batchSize, now: training.batch },
  ].filter(({ before, now }) => before !== now);
  const parts = [
    { what: "the files have other names", part: "names" },
    { what: "samples have other labels", part: "labels" },
    { what: "samples have other contents under the same names", part: "contents" },
  ] as const;
  // With other names, all is other.
  const other = numbers.length === 0 ? parts.find(({ part }) => data && data[part] !== digest[part]) : undefined;
  const of = recipe === undefined ? "" : `of ${recipe} `;
  return [
    ...numbers.map(({ what, before, now }) => `${of}it had ${before} ${what} and now there are ${now}`),
    ...(other ? [of + other.what] : []),
  ];
}

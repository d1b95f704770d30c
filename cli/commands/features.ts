/** `mae features`: what a trained encoder makes of samples, as a file that NumPy and others read. */

import { existsSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { datasetAt, defaultsOf, type ModelProgram, type SampleIndex, wordsOf } from "../../blocks/index.js";
import type { FeatureFormat, FeatureRows, SampleFacts, Selection, Training } from "../../runtime/index.js";
import { type BackendFlags, openBackend } from "../machine/backend.js";
import { labelledBatch, selectionsOf, splitData, thinned } from "../runs/labelled-data.js";
import { fileFor, tellChosen } from "../runs/open-checkpoint.js";
import type { CheckpointFlags } from "../runs/open-run.js";
import { folderOf, openTrained } from "../runs/open-trained.js";
import { factsFile, readRunFacts } from "../runs/run-directory.js";
import { checkOutput, printedPath } from "../specs/files.js";
import { usageFailure } from "../words/failure.js";
import { createStages } from "../words/progress.js";
import { count, grouped, print, printJson, tell } from "../words/terminal.js";

export interface FeaturesOptions extends BackendFlags, Pick<CheckpointFlags, "weights" | "recipe"> {
  readonly out?: string;
  /** Of each input, `audio=folder`, or of the only one its path alone. If absent, the recipe's. */
  readonly data?: readonly string[];
  readonly labels?: string;
  readonly split?: "train" | "test";
  readonly select?: "cls" | "mean" | "flat";
  readonly layer?: number;
  /** An output of a model of several inputs; if absent, the features of all. */
  readonly of?: string;
  /** Most samples; if absent, all. */
  readonly samples?: number;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly config?: string;
}

export async function features(source: string, options: FeaturesOptions): Promise<void> {
  const path = options.out ?? join(folderOf(source), fileFor("features.npz", options));
  const format = await formatOf(path);
  checkOutput(path, options.force ?? false);
  checkLabels(options);
  const trained = await openTrained(source, options);
  tellChosen(trained, "features", source, options.recipe);
  const runtime = await import("../../runtime/index.js");
  const { program, training, step } = trained;
  const data = await opened(source, trained, options);
  const index = thinned(data.index, options.samples ?? Number.POSITIVE_INFINITY);
  // The class token comes first where there is one.
  const [selection] = selectionsOf(program, chosen(options)) as [Selection];
  const executor = await openBackend(options, tell);
  const stages = createStages();
  try {
    const reader = await runtime.encoderReader(trained, executor, [selection], labelledBatch);
    const [width] = reader.widths as [number];
    async function* rows(): AsyncGenerator<FeatureRows> {
      const common = { augment: training.augment, arrays: program.arrays, batch: labelledBatch };
      let done = 0;
      for await (const batch of runtime.evaluationBatches({
        index,
        ...common,
        root: data.root,
        workers: 1,
        note: tell,
      })) {
        const nameOf = (row: number) => sampleName(index, batch.shown[row] as number);
        const [values] = (await reader.read({ ...batch, nameOf })) as [Float32Array];
        done += batch.count;
        stages.show({ stage: "features", done, total: index.length });
        yield withoutBroken(values, batch, width);
      }
    }
    const rowsWritten = await runtime.writeFeatures(path, format, {
      width,
      rows: rows(),
      factsOf: (i) => factsOf(index, i),
      classes: index.classes,
      several: index.several ?? false,
      metadata: { model: program.name, step: String(step), select: selection.pool, layer: String(selection.layer) },
    });
    await reader.close();
    stages.end();
    const result = { file: printedPath(path), images: rowsWritten, width, ...selection };
    if (options.json) printJson(document(result, { model: program.name, step, classes: index.classes.length }));
    else sayWritten(result, program, step, data.what);
  } finally {
    stages.end();
    await executor.close();
  }
}

async function formatOf(path: string): Promise<FeatureFormat> {
  const { featureFormats } = await import("../../runtime/index.js");
  const format = featureFormats.find((name) => extname(path).toLowerCase() === `.${name}`);
  if (format) return format;
  throw usageFailure(`${printedPath(path)} does not say which kind of file it is to be`, {
    help: `name a file that ends in ${featureFormats.map((name) => `.${name}`).join(", ")}`,
  });
}

function checkLabels({ data, labels }: FeaturesOptions): void {
  if (labels === undefined || data !== undefined) return;
  throw usageFailure("--labels belongs to --data", { help: "leave it out: the recipe names its own labels" });
}

const chosen = ({ select, layer, of }: FeaturesOptions) => ({
  ...(select === undefined ? {} : { features: select }),
  ...(of === undefined ? {} : { of }),
  ...(layer === undefined ? {} : { layer }),
});

interface Opened {
  readonly index: SampleIndex;
  /** Paths of its samples are relative to it. */
  readonly root: string;
  readonly what: string;
}

/** The data that the command line names, or those of the recipe. */
async function opened(
  source: string,
  { program, training }: { readonly program: ModelProgram; readonly training: Training },
  options: FeaturesOptions,
): Promise<Opened> {
  const { data, labels } = options;
  if (data !== undefined) {
    const named = namedInputs(data, Object.keys(program.arrays));
    const [first, ...rest] = named.map((one) => namedData(one, training)) as [NamedDataset, ...NamedDataset[]];
    // Samples find each other by name, so that labels of one are those of all.
    const labelled = labels === undefined ? first : { ...first, values: { ...first.values, labels } };
    const { openData } = await import("../../runtime/index.js");
    const index = await openData([labelled, ...rest], "train", process.cwd(), program);
    return { index, root: process.cwd(), what: named.map(({ path }) => printedPath(path)).join(" and ") };
  }
  const folder = folderOf(source);
  const root = existsSync(join(folder, factsFile)) ? readRunFacts(folder).root : process.cwd();
  const { index, split } = await splitData({ program, training, root }, options.split);
  return { index, root, what: `${split} ${wordsOf(program.arrays).sample}s of the recipe` };
}

interface NamedData {
  readonly input: string;
  readonly path: string;
}

type NamedDataset = Training["data"][number];

/** What the words of `--data` name for the inputs of a model, in their order. */
function namedInputs(words: readonly string[], inputs: readonly string[]): readonly NamedData[] {
  const [only, another] = inputs;
  const named = words.map((word): NamedData => {
    const input = inputs.find((name) => word.startsWith(`${name}=`));
    if (input !== undefined) return { input, path: word.slice(input.length + 1) };
    if (only !== undefined && another === undefined) return { input: only, path: word };
    throw usageFailure(`--data ${word} does not say which input it is for`, {
      help: `the model reads ${inputs.join(" and ")}: write ${inputs.map((name) => `--data ${name}=...`).join(" ")}`,
    });
  });
  return inputs.map((name) => {
    const [own, again] = named.filter(({ input }) => input === name);
    if (own && !again) return own;
    throw usageFailure(again ? `--data names ${name} twice` : `no --data names ${name}`, {
      help: `name one folder or file of samples for each of ${inputs.join(" and ")}`,
    });
  });
}

/** A dataset with the path, read as the recipe reads such data of the input, and for the rest as its page says. */
function namedData({ input, path }: NamedData, { data }: Training): NamedDataset {
  if (!existsSync(path))
    throw usageFailure(`${printedPath(path)} does not exist`, { help: "--data names a folder or a file of samples" });
  const definition = datasetAt(path, statSync(path).isDirectory());
  const named = { [definition.positional as string]: path };
  const own = data.find((source) => source.definition.name === definition.name && (source.input ?? input) === input);
  const same = Object.entries(own?.values ?? {});
  // The order of axes, what numbers mean, how many frames are left out: choices and counts; paths and shares are of the recipe's own data.
  const reading = same.filter(([name]) => ["choice", "int"].includes(definition.params[name]?.type.kind ?? ""));
  return { input, definition, values: { ...defaultsOf(definition.params), ...Object.fromEntries(reading), ...named } };
}

/** Rows of images that are there: in the place of a broken file stands another image, which has a row of its own. */
function withoutBroken(
  values: Float32Array,
  { samples, shown }: { readonly samples: Int32Array; readonly shown: Int32Array },
  width: number,
): FeatureRows {
  if (samples.every((sample, i) => sample === shown[i])) return { values, samples };
  const kept = [...samples.keys()].filter((i) => samples[i] === shown[i]);
  const own = new Float32Array(kept.length * width);
  for (const [k, i] of kept.entries()) own.set(values.subarray(i * width, (i + 1) * width), k * width);
  return { values: own, samples: Int32Array.from(kept, (i) => samples[i] as number) };
}

function factsOf(index: SampleIndex, i: number): SampleFacts {
  const sample = index.sample(i);
  return { path: "path" in sample ? sample.path : "", label: sample.label };
}

const sampleName = (index: SampleIndex, i: number): string => factsOf(index, i).path || `Sample ${i}`;

interface Written extends Selection {
  readonly file: string;
  readonly images: number;
  readonly width: number;
}

/** The document's fields are documented in `docs/cli.md`. */
const document = (
  { file, images, width, of, pool, layer }: Written,
  more: { readonly model: string; readonly step: number; readonly classes: number },
) => ({
  format_version: "1.0",
  file,
  ...more,
  images,
  width,
  ...(of === undefined ? {} : { of }),
  select: pool,
  layer,
});

function sayWritten(
  { file, images, width, of, pool, layer }: Written,
  { name, arrays }: ModelProgram,
  step: number,
  data: string,
): void {
  const output = of === undefined ? "" : `${of}, `;
  const what = `${output}${{ cls: "class token", flat: "all latents", mean: "mean of the patches", tokens: "tokens" }[pool]}`;
  const where = layer === "last" ? "" : ` after layer ${layer}`;
  tell(
    `${name} after step ${step}, ${what}${where}: ${grouped(width)} numbers for each of ${count(images, wordsOf(arrays).sample)}, ${data}`,
  );
  print(`${file}\n`);
}

/** `mae diagnose`: what goes on inside the model of a run, as a page, a picture and numbers. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { arrayOf, planesOf } from "../../blocks/index.js";
import type { Diagnosis, LabelledBatch } from "../../runtime/index.js";
import { vocabularyOf } from "../config/index.js";
import { type BackendFlags, openBackend } from "../machine/backend.js";
import { splitData, thinned } from "../runs/labelled-data.js";
import { fileFor, tellChosen } from "../runs/open-checkpoint.js";
import { type CheckpointFlags, type OpenRun, openRun } from "../runs/open-run.js";
import { openTrained } from "../runs/open-trained.js";
import { checkOutput, printedPath, replaceFile } from "../specs/files.js";
import { diagnosisHtml } from "../watch/diagnosis-page.js";
import { clientScript } from "../watch/server.js";
import { filledColumns, inColumns } from "../words/columns.js";
import { usageFailure } from "../words/failure.js";
import { createStages, shortNumber } from "../words/progress.js";
import { count, print, printJson, stdoutColors, tell } from "../words/terminal.js";

export interface DiagnoseFlags extends BackendFlags, CheckpointFlags {
  readonly out?: string;
  readonly samples: number;
  /** If absent, the test data, or the training data where there are none. */
  readonly split?: "train" | "test";
  /** Another run or checkpoint. */
  readonly against?: string;
  readonly seed?: number;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly config?: string;
}

/** Samples computed at once: attention of all layers is kept for them. */
const batch = 32;
const pageFile = "diagnosis.html";

export async function diagnose(directory: string, options: DiagnoseFlags): Promise<void> {
  const run = await openRun(directory, options, () => vocabularyOf(null, options.config));
  tellChosen(run, "diagnose", directory, options.recipe);
  const path = options.out ?? join(directory, fileFor(pageFile, options));
  // The page in the run is this command's to replace; another file is not.
  if (options.out !== undefined) checkOutput(path, options.force ?? false);
  const against = options.against === undefined ? null : await otherModel(options.against, run, options);
  const executor = await openBackend(options, tell);
  const stages = createStages();
  try {
    const { program, weights, training } = run;
    const runtime = await import("../../runtime/index.js");
    const found = await splitData({ program, training, root: run.facts.root }, options.split);
    const index = thinned(found.index, options.samples);
    if (index.length < 2)
      throw usageFailure("one sample says nothing of a model", { help: "give it more data, or more --samples" });
    const common = {
      augment: training.augment,
      arrays: program.arrays,
      batch,
      root: run.facts.root,
      workers: 1,
      note: tell,
    };
    const colours = runtime.coloursOf(training.augment, program.arrays);
    const diagnosis = await runtime.diagnose(
      { program, weights },
      {
        ...{ executor, batch, colours, samples: index.length, seed: options.seed ?? training.seed },
        classes: index.classes.length,
        batches: (): AsyncIterable<LabelledBatch> => runtime.evaluationBatches({ index, ...common }),
        ...(against ? { against } : {}),
        report: (done) => stages.show({ stage: "samples", done, total: index.length }),
      },
    );
    stages.end();
    const picture = await drawGroups(diagnosis, run, path.replace(/(\.html?)?$/, ".png"), colours);
    const { step, model } = run;
    const html = diagnosisHtml(diagnosis, {
      title: printedPath(directory),
      subtitle: `${model.name} after step ${step}, ${count(index.length, "sample")} of the ${found.split} data`,
      script: clientScript(),
      against: options.against ?? null,
      picture: picture && `data:image/png;base64,${readFileSync(picture).toString("base64")}`,
    });
    replaceFile(path, html);
    const files = [path, ...(picture ? [picture] : [])].map(printedPath);
    if (options.json) {
      const { grouped: _, ...numbers } = diagnosis;
      printJson({
        format_version: "1.0",
        run: printedPath(directory),
        model: model.name,
        recipe: run.recipe.name,
        step,
        split: found.split,
        files,
        ...numbers,
      });
      return;
    }
    print(
      `${inWords(diagnosis, `${model.name} after step ${step}, ${count(index.length, "sample")} of the ${found.split} data`).join("\n")}\n\n${files.join("\n")}\n`,
    );
  } finally {
    stages.end();
    await executor.close();
  }
}

/**
 * The model of another run or checkpoint: of recipes beside each other there, the one called as this run's is.
 * @throws a `Failure` where that model reads other arrays.
 */
async function otherModel(source: string, { program, recipe: { name } }: OpenRun, { config }: DiagnoseFlags) {
  const flags = config === undefined ? {} : { config };
  const leading = await openTrained(source, flags);
  const isBeside = leading.recipe.beside?.some(({ recipe }) => recipe.name === name) ?? false;
  const other = isBeside ? await openTrained(source, { ...flags, recipe: name }) : leading;
  const shapes = [program, other.program].map(({ arrays }) => JSON.stringify(arrays));
  if (shapes[0] === shapes[1]) return { program: other.program, weights: other.weights };
  throw usageFailure(`${other.program.name} does not read what ${program.name} reads`, {
    help: "compare models that have the same inputs",
  });
}

/** Writes the groups of patches of a model of pictures; null: it reads none. */
async function drawGroups(
  found: Diagnosis,
  { program }: OpenRun,
  path: string,
  colours: (array: string) => ReturnType<typeof import("../../runtime/index.js")["colourScale"]>,
): Promise<string | null> {
  const { drawsGroups, groupsPicture, withoutNormalization, writePng } = await import("../../runtime/index.js");
  if (found.grouped.length === 0 || !drawsGroups({ program })) return null;
  const { name, shape } = arrayOf(program);
  const scale = colours(name);
  const images = found.grouped.map(({ array }) => (scale === null ? array : withoutNormalization(array, scale)));
  const grid = program.grids[name];
  if (!grid) return null;
  await writePng(path, groupsPicture(found.grouped, images, grid, planesOf(shape).shape));
  return path;
}

/** What a terminal shows of it: a line for each layer, one for each kind of features. */
function inWords({ attention, tokens, features, decoder, gap, likeness }: Diagnosis, what: string): readonly string[] {
  const mean = (values: readonly number[]): string =>
    shortNumber(values.reduce((sum, value) => sum + value, 0) / values.length);
  const { bold } = stdoutColors();
  const layers = (tokens ?? []).map(({ layer, similarity, high_frequency }) => {
    const own = attention?.find((one) => one.layer === layer);
    return [
      String(layer),
      ...(own ? [mean(own.distance), mean(own.entropy), mean(own.mutual_information)] : ["", "", ""]),
      shortNumber(similarity),
      high_frequency === null ? "" : shortNumber(high_frequency),
    ];
  });
  const rows = features.map((one) => [
    one.pool === "cls" ? "class token" : "mean of patches",
    ...[one.effective_rank, one.participation_ratio, one.variance, one.uniformity].map(shortNumber),
    one.alignment === null ? "" : shortNumber(one.alignment),
    one.clusters === null ? "" : shortNumber(one.clusters),
  ]);
  const last = decoder?.at(-1);
  return [
    bold(what),
    "",
    ...inColumns(
      filledColumns([
        [
          "features",
          "effective rank",
          "participation ratio",
          "variance",
          "uniformity",
          "alignment",
          "clusters and classes",
        ],
        ...rows,
      ]),
      (i) => i === 0,
    ),
    ...(layers.length === 0
      ? []
      : [
          "",
          ...inColumns(
            filledColumns([
              ["layer", "attention distance", "entropy", "mutual information", "cosine of patches", "short waves"],
              ...layers,
            ]),
            () => false,
          ),
        ]),
    ...(last
      ? [
          "",
          `at hidden places the decoder takes ${shortNumber(last.visible)} of each visible token and ${shortNumber(last.hidden)} of each hidden one`,
        ]
      : []),
    ...(gap === null ? [] : [`patches on one side of a cut are more alike than across it by ${shortNumber(gap)}`]),
    ...(likeness ? [`likeness of the last layers: ${shortNumber(likeness.at(-1)?.at(-1) ?? 0)}`] : []),
  ];
}

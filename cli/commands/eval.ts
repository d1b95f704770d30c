/**
 * `mae eval`: how good the features of a run's encoder are, beside those of an untrained one and the bare pixels, and how near
 * its reconstructions are.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type ArrayShape,
  defaultsOf,
  hasPictures,
  isAnomalyProbe,
  isPairProbe,
  isPassProbe,
  isPlaceProbe,
  isSequenceProbe,
  isShapeProbe,
  type ModelProgram,
  mustBe,
  needsOneClass,
  needsTests,
  type Probe,
  pairedOutputs,
  type SampleWords,
  type Saying,
  sayingJudged,
  unseenVolumes,
  wordsOf,
} from "../../blocks/index.js";
import type {
  Bound,
  EvaluateOptions,
  Evaluation,
  EvaluationRow,
  FillErrors,
  GenerationErrors,
  GuessErrors,
  JudgedSource,
  LabelledData,
  MeasuredErrors,
  ReconstructionErrors,
} from "../../runtime/index.js";
import { analyzeWith, vocabularyOf } from "../config/index.js";
import { type BackendFlags, openBackend } from "../machine/backend.js";
import { writeScores } from "../runs/anomaly-scores.js";
import { sayFilled } from "../runs/columns.js";
import { sayGuesses } from "../runs/guesses.js";
import { labelledBatch, labelledData, selectionsOf } from "../runs/labelled-data.js";
import { tellChosen } from "../runs/open-checkpoint.js";
import { type CheckpointFlags, type OpenRun, openRun } from "../runs/open-run.js";
import { sayErrors } from "../runs/pictures.js";
import { type RoundsFlags, roundsOf, sayGenerated } from "../runs/rounds.js";
import { printedPath } from "../specs/files.js";
import { runFailure, usageFailure } from "../words/failure.js";
import { didYouMean } from "../words/nearest.js";
import { createStages, shortNumber } from "../words/progress.js";
import {
  type Colors,
  grouped,
  percent,
  print,
  printJson,
  stdoutColors,
  stdoutColumns,
  tell,
} from "../words/terminal.js";
import { visibleText, wrapped } from "../words/text-width.js";

export interface EvalOptions extends BackendFlags, CheckpointFlags, RoundsFlags {
  readonly with?: readonly string[];
  readonly features?: "cls" | "mean" | "flat";
  readonly layer?: number;
  /** An output of a model of several inputs; if absent, the features of all. */
  readonly of?: string;
  /** False: only the trained encoder. */
  readonly baselines: boolean;
  readonly seed?: number;
  /** Most samples of each split; if absent, all. */
  readonly samples?: number;
  /** A folder for a table and a picture of the scores of anomalies; if absent, they are not written. */
  readonly scores?: string;
  /** A folder for pictures of sequences through which regions were carried; if absent, they are not drawn. */
  readonly pictures?: string;
  readonly json?: boolean;
  readonly config?: string;
}

export async function evaluate(directory: string, options: EvalOptions): Promise<void> {
  const run = await openRun(directory, options, () => vocabularyOf(null, options.config));
  tellChosen(run, "eval", directory, options.recipe);
  const rounds = await roundsOf(run.program, options);
  const runtime = await import("../../runtime/index.js");
  const data = await labelledData({ ...run, root: run.facts.root, most: options.samples ?? Infinity, note: tell });
  const hasTests = await data.hasTests();
  const probes = options.with ? probesNamed(options.with, run) : probesFor(run, data, hasTests);
  if (!hasTests) requireTestData(probes);
  const executor = await openBackend(options, tell);
  const stages = createStages();
  try {
    const common = {
      data,
      batch: labelledBatch,
      executor,
      seed: options.seed ?? run.training.seed,
      report: stages.show,
    };
    const result = await runtime.evaluate(run, probes, {
      ...common,
      sources: options.baselines ? ["encoder", "untrained", "pixels"] : ["encoder"],
      selections: selectionsOf(run.program, options),
      ...(options.pictures === undefined ? {} : { draw: drawingInto(options.pictures, probes) }),
    });
    const { augment } = run.training;
    const errors = hasTests ? await runtime.reconstructionErrors(run, augment, common) : null;
    const guesses = hasTests ? await runtime.guessErrors(run, common) : null;
    const filled = hasTests ? await runtime.fillErrors(run, common) : null;
    const generated = hasTests && rounds ? await runtime.generationErrors(run, augment, common, rounds) : null;
    stages.end();
    const written = options.scores === undefined ? [] : writeScores(options.scores, result);
    for (const path of written) tell(`wrote ${path}`);
    if (options.json) printJson(document(run, result, { errors, guesses, filled, generated }));
    else {
      const measured = [
        errors && reconstructed(errors, run.program),
        guesses && `Masked tokens: ${sayGuesses(guesses, run.program.codes && wordsOf(run.program.arrays).sample)}`,
        filled && `Hidden columns: ${sayFilled(filled)}`,
        generated && sayGenerated(generated, wordsOf(run.program.arrays).sample),
      ];
      print([table(run, result, stdoutColors()), ...measured.flatMap((line) => (line ? `${line}\n` : []))].join("\n"));
    }
  } finally {
    stages.end();
    await executor.close();
  }
}

/** Writes a picture of each sequence. */
function drawingInto(folder: string, probes: readonly Bound<Probe>[]): NonNullable<EvaluateOptions["draw"]> {
  if (!probes.some(({ definition }) => isSequenceProbe(definition))) {
    throw usageFailure("--pictures draws the sequences of `label_propagation`", {
      help: 'ask for it: --with "label_propagation(frames: ..., maps: ...)"',
    });
  }
  return async (sequence, canvas) => {
    const { writePng } = await import("../../runtime/index.js");
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${sequence}.png`);
    await writePng(path, canvas);
    tell(`wrote ${printedPath(path)}`);
  };
}

/** Beside what probes say; null: the model predicts no such thing. */
interface Measured {
  readonly errors: MeasuredErrors | null;
  readonly guesses: GuessErrors | null;
  readonly filled: FillErrors | null;
  readonly generated: GenerationErrors | null;
}

/** The document's fields are documented in `docs/cli.md`. */
const document = (
  { directory, step, program, recipe }: OpenRun,
  { featureSeconds, ...result }: Evaluation,
  { errors, guesses, filled, generated }: Measured,
) => ({
  format_version: "2.0",
  run: printedPath(directory),
  step,
  recipe: recipe.name,
  ...result,
  feature_seconds: featureSeconds,
  reconstruction: errors && { images: errors.samples, ...errorsDocument(errors, program) },
  masked_tokens: guesses,
  hidden_columns: filled,
  generation: generated && {
    ...{ samples: generated.samples, ...generated.rounds },
    ...{ mse: generated.mse, psnr: generated.psnr },
    last_frame: { mse: generated.lastMse, psnr: generated.lastPsnr },
    true_codes: { mse: generated.codesMse, psnr: generated.codesPsnr },
  },
});

/** Whether values lie in 0 to 1, as those of pictures do: a ratio to a peak of 1 says nothing of others. */
const isInUnits = ({ arrays }: ModelProgram, array: string): boolean => hasPictures(arrays[array] as ArrayShape);

/** Of one prediction its errors, of several those of each by name. */
function errorsDocument({ errors }: MeasuredErrors, program: ModelProgram): object {
  const documents = errors.map((one) => {
    const { name, array, mse, meanMse, pixelMse, aidedMse, fillMse, psnr } = one;
    const ratio = isInUnits(program, array) ? psnr : null;
    const pixels = { pixel_mse: pixelMse, aided_mse: aidedMse, fill_mse: fillMse, psnr: ratio, detail: detailOf(one) };
    return [name, { mse, mean_mse: meanMse, ...pixels }] as const;
  });
  const [only, another] = documents;
  return only && !another ? only[1] : { predictions: Object.fromEntries(documents) };
}

/** The steps between neighbouring hidden places, squared, as a share of those of the originals: blurred pictures are far below 1. */
const detailOf = ({ detail, trueDetail }: ReconstructionErrors): number | null => {
  const share = detail / trueDetail;
  return Number.isFinite(share) ? share : null;
};

function reconstructed(measured: MeasuredErrors, program: ModelProgram): string {
  const ratios = measured.errors.flatMap(({ array, psnr }) => (isInUnits(program, array) ? [psnr.toFixed(2)] : []));
  const ratio = ratios.length > 0 ? `; PSNR ${ratios.join(", ")} dB` : "";
  const shares = measured.errors.flatMap((one) => detailOf(one) ?? []).map((share) => `${(100 * share).toFixed(0)} %`);
  const detail = shares.length > 0 ? `; ${shares.join(", ")} of the originals' detail` : "";
  return `Reconstruction: ${sayErrors(measured, wordsOf(program.arrays))}${ratio}${detail}`;
}

const withDefaults = (definition: Probe): Bound<Probe> => ({ definition, values: defaultsOf(definition.params) });

/**
 * Every probe that has something to judge: only a model with a head predicts classes, and not all data have labels. Those that go through
 * the images again and again take long, and are asked for by name.
 */
function probesFor(
  { program, vocabulary }: OpenRun,
  { classes, several, valued }: LabelledData,
  hasTests: boolean,
): Bound<Probe>[] {
  const isLabelled = classes.length > (several ? 0 : 1);
  const judging = vocabulary.registry.probe.filter((probe) =>
    probe.sees === "predictions"
      ? sayingJudged(probe) === saidByProgram(program) &&
        !(probe.needs === "values" && !valued) &&
        !(isPlaceProbe(probe) && probe.ofParts && !program.parts)
      : !(isPairProbe(probe) && pairedOutputs(program) === null) &&
        !(isShapeProbe(probe) && !unseenVolumes(program).some(({ picture }) => picture.chances)) &&
        !(probe.needs === "values" && !valued),
  );
  const left = judging.filter(
    (probe) => !isLabelled && probe.needs !== "images" && probe.needs !== "values" && sayingJudged(probe) === "classes",
  );
  if (left.length > 0) tell(`left out, as the data have no labels: ${namesOf(left)}`);
  const single = judging.filter((probe) => several && needsOneClass(probe) && !left.includes(probe));
  if (single.length > 0) tell(`left out, as they compare one class of each sample: ${namesOf(single)}`);
  left.push(...single);
  // Anomalies and sequences are of data that are made for it.
  const odd = judging.filter((probe) => isAnomalyProbe(probe) || isSequenceProbe(probe));
  const untested = judging.filter((probe) => !hasTests && needsTests(probe) && ![...left, ...odd].includes(probe));
  if (untested.length > 0) tell(`left out, as the recipe names no test data: ${namesOf(untested)}`);
  left.push(...untested);
  const slow = judging.filter((probe) => !left.includes(probe) && isPassProbe(probe));
  if (slow.length > 0)
    tell(`left out, as they go through the images many times: ${namesOf(slow)}; --with asks for them`);
  return judging.filter((probe) => ![...left, ...slow, ...odd].includes(probe)).map(withDefaults);
}

/** What the model's head says; null: it has none. */
function saidByProgram({ classes, detector, number, places, registers, values }: ModelProgram): Saying | null {
  if (registers) return "moves";
  if (values) return "values";
  if (number) return "number";
  if (classes === undefined) return null;
  return places ? "places" : detector ? "objects" : "classes";
}

/** Throws a `Failure` for probes that judge test samples: for a recipe that names none. */
function requireTestData(probes: readonly Bound<Probe>[]): void {
  const untested = probes.map(({ definition }) => definition).filter(needsTests);
  if (untested.length === 0) return;
  throw runFailure(`the recipe names no test data, and ${namesOf(untested)} judges by them`, {
    help: "name or hold out test data in the recipe and train again; without them, rank judges features",
  });
}

const namesOf = (probes: readonly Probe[]): string => probes.map(({ name }) => name).join(", ");

/** The probes that are named, with their default values, or with those that are written as in a recipe. */
function probesNamed(written: readonly string[], run: OpenRun): Bound<Probe>[] {
  const { registry } = run.vocabulary;
  const known = registry.probe.map((probe) => probe.name);
  return written.map((text) => {
    const name = (/^\w+/.exec(text) ?? [text])[0];
    const definition = registry.probe.find((probe) => probe.name === name);
    if (!definition) {
      throw usageFailure(`there is no probe "${name}"`, {
        help: didYouMean(name, known) ?? `there are ${known.join(", ")}`,
      });
    }
    const lacks = Object.values(definition.params).some((param) => param.default === undefined);
    return name === text && !lacks ? withDefaults(definition) : probeWritten(text, run);
  });
}

/** A probe with values, checked as a line of the run's recipe. */
function probeWritten(text: string, { spec, recipe, model, vocabulary }: OpenRun): Bound<Probe> {
  const line = `recipe Asked extends ${recipe.name} for ${model.name} {\n  add evaluate ${text}\n}\n`;
  const analysis = analyzeWith({ path: "--with", text: `${spec}\n${line}` }, { readText: () => null }, vocabulary);
  const wrong = analysis.diagnostics.find(({ severity }) => severity === "error");
  const use = analysis.recipes.get("Asked")?.evaluate.at(-1)?.use;
  if (wrong || !use) {
    const { message, help = "write it as in a recipe" } = wrong ?? { message: "it is no single probe" };
    throw usageFailure(`--with ${text}: ${message}`, { help });
  }
  return { definition: mustBe("probe", use.definition), values: use.values };
}

const sourceWords: Record<JudgedSource, (words: SampleWords) => string> = {
  encoder: () => "trained encoder",
  untrained: () => "untrained encoder",
  pixels: ({ values }) => values,
  head: () => "the model's own head",
  blank: () => "trained model that is shown nothing",
  plain: () => "no model: changes or means",
};

function featuresOf({ source, of, pool, layer }: EvaluationRow, words: SampleWords): string {
  const who = sourceWords[source](words);
  if (pool === null) return who;
  const what = { cls: "class token", mean: "mean of patches", flat: "all latents", tokens: "tokens of patches" }[pool];
  return `${who}, ${of === undefined ? "" : `${of}, `}${what}${layer === "last" || layer === null ? "" : `, layer ${layer}`}`;
}

/** A row for each kind of features, a column for each probe that has the score; null: the first score of each. */
function scoreTable(rows: readonly EvaluationRow[], words: SampleWords, score: string | null): readonly string[] {
  const scoreOf = ({ scores }: EvaluationRow) => (score === null ? Object.values(scores)[0] : scores[score]);
  const shown = rows.filter((row) => scoreOf(row) !== undefined);
  const probes = [...new Set(shown.map(({ probe }) => probe))];
  const kinds = [...new Set(shown.map((row) => featuresOf(row, words)))];
  const widest = Math.max(...kinds.map((kind) => kind.length));
  const cell = (kind: string, probe: string): string => {
    const row = shown.find((one) => one.probe === probe && featuresOf(one, words) === kind);
    const value = row && scoreOf(row);
    if (row === undefined || value === undefined) return "";
    return row.scale === "number" ? shortNumber(value) : percent(value);
  };
  const columnWidth = (probe: string) => Math.max(probe.length, "100.00 %".length);
  const lines = kinds.map((kind) => {
    const cells = probes.map((probe) => cell(kind, probe).padStart(columnWidth(probe)));
    return `${kind.padEnd(widest)}  ${cells.join("  ")}`;
  });
  const head = probes.map((probe) => probe.padStart(columnWidth(probe))).join("  ");
  return [`${(score?.replaceAll("_", " ") ?? "").padEnd(widest)}  ${head}`, ...lines, ""];
}

/** Rows whose scores are told in a line of their own. */
const isToldApart = ({ source, details }: EvaluationRow): boolean =>
  source === "head" || details?.records !== undefined;

/** Tables of the first scores and of each other one, and below how each probe judges. */
function table(run: OpenRun, result: Evaluation, colors: Colors): string {
  const probes = [...new Set(result.rows.map((row) => row.probe))];
  const words = wordsOf(run.program.arrays);
  const inTables = result.rows.filter((row) => !isToldApart(row));
  const further = [...new Set(inTables.flatMap(({ scores }) => Object.keys(scores).slice(1)))];
  const width = stdoutColumns();
  const protocols = probes.map((probe) => {
    const row = result.rows.find((one) => one.probe === probe);
    const lines = wrapped(`${probe}: ${row ? `${Object.keys(row.scores)[0]}, ${row.protocol}` : ""}`, width - 2);
    return lines.join("\n  ").replace(probe, colors.bold(probe));
  });
  const { samples, classes, seed } = result;
  const data =
    samples.test === 0
      ? `${grouped(samples.train)} training ${words.sample}s`
      : `${grouped(samples.train)} training and ${grouped(samples.test)} test ${words.sample}s${classes > 0 ? ` of ${classes} classes` : ""}`;
  const about = `${colors.bold(result.model)} after step ${run.step}; ${data}; seed ${seed}`;
  const measured = result.rows.filter(isToldApart).flatMap((row) => {
    if (row.source === "head") return measuresOf(row, result, width);
    return [...wrapped(`${featuresOf(row, words)}: ${scoresOf(row)}`, width), ""];
  });
  const tables = [null, ...further].flatMap((score) =>
    scoreTable(score === null ? result.rows : inTables, words, score),
  );
  return `${[about, "", ...tables, ...measured, ...protocols].join("\n")}\n`;
}

/** Classes that are named where a head knows them worst. */
const worstShown = 3;

const scoresOf = ({ scores, scale }: EvaluationRow): string =>
  Object.entries(scores)
    .filter(([, score]) => Number.isFinite(score))
    .map(([name, score]) => `${name.replaceAll("_", " ")} ${scale === "number" ? shortNumber(score) : percent(score)}`)
    .join(", ");

/** All scores of a head, and the classes that it knows worst. */
function measuresOf(row: EvaluationRow, { class_names }: Evaluation, width: number): readonly string[] {
  const perClass = (row.details?.per_class ?? []) as readonly {
    readonly recall?: number | null;
    readonly ap?: number | null;
  }[];
  const isAp = perClass.some(({ ap }) => ap !== undefined);
  const worst = perClass
    .map(({ recall, ap }, k) => ({ name: class_names[k] ?? String(k), share: recall ?? ap ?? null }))
    .filter((one): one is { name: string; share: number } => one.share !== null)
    .sort((a, b) => a.share - b.share)
    .slice(0, worstShown)
    .map(({ name, share }) => `${visibleText(name)} (${percent(share)})`);
  const least =
    worst.length > 0 ? `; ${isAp ? "lowest average precision" : "least often right"} of ${worst.join(", ")}` : "";
  return [...wrapped(`${scoresOf(row)}${least}`, width), ""];
}

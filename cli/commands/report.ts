/** `mae report`: one page of runs to show to others, whole in one file: curves, probes, reconstructions, what differs, what it cost. */

import { join } from "node:path";
import { costOf, settingsOf } from "../../compiler/index.js";
import { type Vocabulary, vocabularyOf } from "../config/index.js";
import { meaningIn } from "../runs/open-checkpoint.js";
import { type RunFacts, readRunFacts, readRunSpec, specFile } from "../runs/run-directory.js";
import { lossSteps, type RunState, readRunState } from "../runs/run-state.js";
import { analyzeText } from "../specs/analysis.js";
import { chooseRecipe } from "../specs/choose.js";
import { checkOutput, printedPath, replaceFile } from "../specs/files.js";
import { checkPaths, createReader, mostRuns, runFolders } from "../watch/find-runs.js";
import { type Reported, reportHtml } from "../watch/report-page.js";
import { clientScript, pictureBytes } from "../watch/server.js";
import { Failure, usageFailure } from "../words/failure.js";
import { count, print, tell } from "../words/terminal.js";

export interface ReportOptions {
  readonly out?: string;
  readonly title?: string;
  readonly force?: boolean;
  readonly config?: string;
}

/** Pictures of each run that go into the file. */
const mostPictures = 12;

export async function report(paths: readonly string[], options: ReportOptions): Promise<void> {
  checkPaths(paths);
  const { folders, left } = runFolders(paths);
  if (folders.length === 0) {
    throw usageFailure(`there is no run in ${paths.map(printedPath).join(", ")}`, {
      help: "name the folder of a run: mae train prints it",
    });
  }
  if (left > 0) tell(`${count(left, "run")} left out: name fewer folders`);
  const [first = "."] = paths;
  const path = options.out ?? join(first, "report.html");
  checkOutput(path, options.force ?? false);
  const vocabulary = await vocabularyOf(null, options.config);
  await writeReport(folders, { path, title: options.title ?? printedPath(first), vocabulary });
  print(`${printedPath(path)}\n`);
}

export interface ReportPlace {
  readonly path: string;
  readonly title: string;
  readonly vocabulary: Vocabulary;
}

/** Writes the report of the runs in these folders; what is there already is replaced. */
export async function writeReport(folders: readonly string[], { path, title, vocabulary }: ReportPlace): Promise<void> {
  const shown = await createReader()(folders);
  const reported = shown.map((run): Reported => ({ ...run, ...factsOf(run.history.directory, vocabulary) }));
  const html = reportHtml(reported, {
    title,
    script: clientScript(),
    lossSteps,
    pictureOf: (run, name) => {
      const { history } = reported[run] as Reported;
      if (run >= mostRuns || !history.pictures.slice(-mostPictures).includes(name)) return null;
      const bytes = pictureBytes(join(history.directory, name));
      return bytes && `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`;
    },
  });
  replaceFile(path, html);
}

/** What a run's folder says beside its log; what cannot be read of it is left out, and said. */
function factsOf(directory: string, vocabulary: Vocabulary): Omit<Reported, "label" | "history"> {
  const missing: string[] = [];
  const tried = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      missing.push(error.message);
      return null;
    }
  };
  const facts = tried((): RunFacts => readRunFacts(directory));
  const spec = tried(() => readRunSpec(directory));
  const state = tried((): RunState => readRunState(directory));
  const model = spec === null ? null : tried(() => modelOf(directory, spec, vocabulary));
  return {
    facts,
    spec,
    lines: spec === null ? [] : meaningIn(spec),
    seed: model?.seed ?? facts?.settings.seed ?? null,
    cost: model?.cost ?? null,
    scores: state?.scores ?? {},
    loss: state?.loss ?? null,
    failure: state?.failure ?? null,
    missing,
  };
}

function modelOf(directory: string, text: string, vocabulary: Vocabulary) {
  const analysis = analyzeText({ path: join(directory, specFile), text }, vocabulary);
  const wrong = analysis.diagnostics.find(({ severity }) => severity === "error");
  if (wrong) throw usageFailure(`its spec is not one that this version understands: ${wrong.message}`);
  const { model, recipe } = chooseRecipe(analysis, undefined);
  const { parameters, trainable, tokens, flops } = costOf(model);
  return {
    seed: settingsOf(recipe).seed,
    cost: { parameters, trainable, tokens: tokens.total, visible: tokens.visible, flops: flops.training },
  };
}
